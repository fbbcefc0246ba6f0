"""Add the session context that row security asks

Why:   defaults, checks and policies of every tenant table call these functions.
Lock:  none on existing tables; a new object is seen by nobody before commit.
Phase: expand - nothing existed before that could stop working.
Back:  drops the functions.
"""

from __future__ import annotations

from alembic import op

from migrations.ddl import apply_sql, as_owner

revision = "7392e08ec190"
down_revision = "dd1f40b982a8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    apply_sql("7392e08ec190_auth_uid")
    apply_sql("7392e08ec190_auth_role")
    apply_sql("7392e08ec190_auth_home_organization")
    apply_sql("7392e08ec190_auth_org_id")
    apply_sql("7392e08ec190_auth_permissions_valid")
    apply_sql("7392e08ec190_data_platform_contains_plain_secret")
    apply_sql("7392e08ec190_monitoring_force_row_security")


def downgrade() -> None:
    as_owner()
    op.execute("DROP FUNCTION monitoring.force_row_security(regclass)")
    op.execute("DROP FUNCTION data_platform.contains_plain_secret(jsonb)")
    op.execute("DROP FUNCTION auth.permissions_valid(text[])")
    op.execute("DROP FUNCTION auth.org_id()")
    op.execute("DROP FUNCTION auth.home_organization()")
    op.execute("DROP FUNCTION auth.role()")
    op.execute("DROP FUNCTION auth.uid()")
