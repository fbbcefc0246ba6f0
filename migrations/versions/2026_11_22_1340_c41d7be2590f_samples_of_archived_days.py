"""Keep the fuller of two archived days

Why:   metrics are unlogged: after a crash a late sample made a finished day of one
       sample, and it replaced the whole day that was archived before.
Lock:  ACCESS EXCLUSIVE on monitoring.daily_stats_archive for an instant; no rewrite, no
       scan. Nobody waits but who archives or reads the archive.
Phase: expand - old code keeps working.
Back:  drops the column, its values are lost; the function overwrites days again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.ddl import apply_sql, as_owner

revision = "c41d7be2590f"
down_revision = "7cad5fb5b696"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    op.add_column(
        "daily_stats_archive",
        sa.Column(
            "samples",
            sa.BigInteger(),
            comment="Rows of metrics it was computed from; NULL when unknown, and then kept as it is",
        ),
        schema="monitoring",
    )
    apply_sql("c41d7be2590f_monitoring_archive_daily_stats")


def downgrade() -> None:
    as_owner()
    apply_sql("c41d7be2590f_monitoring_archive_daily_stats_back")
    op.drop_column("daily_stats_archive", "samples", schema="monitoring")
