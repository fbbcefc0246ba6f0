"""Prepare roles, extensions and rights

Why:   every later revision runs as platform_owner, which has to exist, own the version
       table and be allowed to create schemas. Runs as the login: superuser, owner of
       the database with CREATEROLE, or platform_migrator after a DBA has made the
       roles. Each step is left out when its result holds.
Lock:  none on tables but alembic_version; another database of the cluster that makes
       the same roles now is waited for.
Phase: expand - nothing existed before that could stop working.
Back:  takes back what this revision made and nothing that it found: rights and
       extensions by the list in the comment on alembic_version, roles by their own
       comment. A role that another database still needs stays, with a notice.
"""

from __future__ import annotations

from migrations.ddl import apply_sql, as_owner

revision = "431a5fca12ed"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    apply_sql("431a5fca12ed_before")
    apply_sql("431a5fca12ed_roles")
    apply_sql("431a5fca12ed_rights")
    apply_sql("431a5fca12ed_extensions")
    apply_sql("431a5fca12ed_version_table")
    as_owner()


def downgrade() -> None:
    apply_sql("431a5fca12ed_back")
