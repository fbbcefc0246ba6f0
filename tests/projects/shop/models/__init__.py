"""The shop's tables; a package of the same name as one of the reviewer's."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

products = sa.Table(
    "products",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column(
        "state",
        sa.Enum("draft", "sold", "gone", name="product_state"),
        nullable=False,
        server_default="draft",
    ),
    sa.Column("price_cents", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_products_name", "name"),
)
customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.UniqueConstraint("email", name="uq_customers_email"),
)
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("product_id", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["product_id"], ["products.id"], name="fk_orders_product_id"
    ),
)
