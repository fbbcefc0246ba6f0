"""Keep updated_at, audit trail and events by trigger

Why:   no application can forget what the database does itself.
Lock:  SHARE ROW EXCLUSIVE on each table until commit: writers wait.
Phase: expand - nothing existed before that could stop working.
Back:  drops the triggers; audit rows written so far stay.
"""

from __future__ import annotations

from migrations.ddl import apply_sql, as_owner

revision = "a2d9d7ae62cc"
down_revision = "e3cb3eadbf58"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    apply_sql("a2d9d7ae62cc_updated_at_triggers")
    apply_sql("a2d9d7ae62cc_audit_triggers")
    apply_sql("a2d9d7ae62cc_event_triggers")


def downgrade() -> None:
    as_owner()
    apply_sql("a2d9d7ae62cc_event_triggers_back")
    apply_sql("a2d9d7ae62cc_audit_triggers_back")
    apply_sql("a2d9d7ae62cc_updated_at_triggers_back")
