"""Take orders"""

import sqlalchemy as sa
from alembic import op

revision = "e5"
down_revision = "d4"


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("product_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name="fk_orders_product_id"
        ),
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE product_state ADD VALUE IF NOT EXISTS 'gone'")
    op.execute("COMMENT ON TABLE orders IS NULL")


def downgrade() -> None:
    op.drop_table("orders")
    op.execute("ALTER TABLE products ALTER state DROP DEFAULT, ALTER state TYPE text")
    op.execute("DROP TYPE product_state")
    op.execute("CREATE TYPE product_state AS ENUM ('draft', 'sold')")
    op.execute(
        "ALTER TABLE products ALTER state TYPE product_state"
        " USING state::product_state, ALTER state SET DEFAULT 'draft'"
    )
