"""Call the price by its unit

Phase: contract - code that reads `price` must be gone.
"""

from alembic import op

revision = "a7"
down_revision = "f6"


def upgrade() -> None:
    op.alter_column("products", "price", new_column_name="price_cents")


def downgrade() -> None:
    op.alter_column("products", "price_cents", new_column_name="price")
