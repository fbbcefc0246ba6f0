"""Add the functions that clients of the seeds call

Why:   time-ordered keys, json_valid, case-insensitive collation and the generic
       triggers carry the names that existing clients use.
Lock:  none on existing tables; a new object is seen by nobody before commit.
Phase: expand - nothing existed before that could stop working.
Back:  drops the functions and the collation.
"""

from __future__ import annotations

from alembic import op

from migrations.ddl import apply_sql, as_owner

revision = "dd1f40b982a8"
down_revision = "0bd5aa16c560"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    apply_sql("dd1f40b982a8_public_uuid_generate_v7")
    apply_sql("dd1f40b982a8_public_uuid_v7_timestamp")
    apply_sql("dd1f40b982a8_public_json_valid")
    apply_sql("dd1f40b982a8_public_nocase")
    apply_sql("dd1f40b982a8_public_set_updated_at")
    apply_sql("dd1f40b982a8_public_assign_version")
    apply_sql("dd1f40b982a8_public_forbid_change_except")
    apply_sql("dd1f40b982a8_public_pb_notify_event")


def downgrade() -> None:
    as_owner()
    op.execute("DROP FUNCTION public.pb_notify_event()")
    op.execute("DROP FUNCTION public.forbid_change_except()")
    op.execute("DROP FUNCTION public.assign_version()")
    op.execute("DROP FUNCTION public.set_updated_at()")
    op.execute("DROP COLLATION IF EXISTS public.nocase")
    op.execute("DROP FUNCTION public.json_valid(text)")
    op.execute("DROP FUNCTION public.uuid_v7_timestamp(uuid)")
    op.execute("DROP FUNCTION public.uuid_generate_v7()")
