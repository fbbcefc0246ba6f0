"""Create the seven schemas

Why:   one schema per area of the platform keeps rights and searches apart.
Lock:  none on existing tables; a new object is seen by nobody before commit.
Phase: expand - nothing existed before that could stop working.
Back:  drops the schemas; refuses when somebody put an object of their own there.
"""

from __future__ import annotations

from alembic import op

from migrations.ddl import apply_sql, as_owner

revision = "0bd5aa16c560"
down_revision = "431a5fca12ed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    apply_sql("0bd5aa16c560_auth_schema")
    apply_sql("0bd5aa16c560_data_platform_schema")
    apply_sql("0bd5aa16c560_algo_platform_schema")
    apply_sql("0bd5aa16c560_model_platform_schema")
    apply_sql("0bd5aa16c560_service_platform_schema")
    apply_sql("0bd5aa16c560_monitoring_schema")
    apply_sql("0bd5aa16c560_logs_schema")


def downgrade() -> None:
    as_owner()
    op.execute("DROP SCHEMA logs")
    op.execute("DROP SCHEMA monitoring")
    op.execute("DROP SCHEMA service_platform")
    op.execute("DROP SCHEMA model_platform")
    op.execute("DROP SCHEMA algo_platform")
    op.execute("DROP SCHEMA data_platform")
    op.execute("DROP SCHEMA auth")
