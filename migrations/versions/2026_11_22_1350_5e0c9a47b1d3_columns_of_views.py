"""Explain the columns of views

Why:   tables explain each column to whoever sits at psql, views explained none.
Lock:  SHARE UPDATE EXCLUSIVE on five views for an instant; nobody waits.
Phase: expand - old code keeps working.
Back:  the comments go.
"""

from __future__ import annotations

from migrations.ddl import apply_sql, as_owner

revision = "5e0c9a47b1d3"
down_revision = "c41d7be2590f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    apply_sql("5e0c9a47b1d3_columns_of_views")


def downgrade() -> None:
    as_owner()
    apply_sql("5e0c9a47b1d3_columns_of_views_back")
