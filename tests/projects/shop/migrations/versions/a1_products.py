"""Sell products"""

import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None

STATE = sa.Enum("draft", "sold", name="product_state")


def upgrade() -> None:
    op.create_table(
        "products",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("state", STATE, nullable=False, server_default="draft"),
        sa.Column("price", sa.Integer, nullable=False, server_default="0"),
    )


def downgrade() -> None:
    op.drop_table("products")
    op.execute("DROP TYPE product_state")
