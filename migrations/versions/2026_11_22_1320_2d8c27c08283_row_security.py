"""Close every tenant table with row security

Why:   a query that forgets its WHERE must not cross from one organization to another.
       Forced, so that a restore under another owner stays closed. One permissive policy
       per table, role and action.
Lock:  ACCESS EXCLUSIVE on each tenant table until commit: everybody waits, for
       milliseconds.
Phase: expand - nothing existed before that could stop working.
Back:  drops the policies and opens the tables to whoever holds rights on them.
"""

from __future__ import annotations

from migrations.ddl import apply_sql, as_owner

revision = "2d8c27c08283"
down_revision = "a2d9d7ae62cc"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    apply_sql("2d8c27c08283_algo_platform_policies")
    apply_sql("2d8c27c08283_auth_policies")
    apply_sql("2d8c27c08283_data_platform_policies")
    apply_sql("2d8c27c08283_logs_policies")
    apply_sql("2d8c27c08283_model_platform_policies")
    apply_sql("2d8c27c08283_monitoring_policies")
    apply_sql("2d8c27c08283_service_platform_policies")


def downgrade() -> None:
    as_owner()
    apply_sql("2d8c27c08283_service_platform_policies_back")
    apply_sql("2d8c27c08283_monitoring_policies_back")
    apply_sql("2d8c27c08283_model_platform_policies_back")
    apply_sql("2d8c27c08283_logs_policies_back")
    apply_sql("2d8c27c08283_data_platform_policies_back")
    apply_sql("2d8c27c08283_auth_policies_back")
    apply_sql("2d8c27c08283_algo_platform_policies_back")
