"""Find products by name"""

from alembic import op

revision = "c3"
down_revision = "a1"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_products_name", "products", ["name"], postgresql_concurrently=True
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_products_name", postgresql_concurrently=True)
