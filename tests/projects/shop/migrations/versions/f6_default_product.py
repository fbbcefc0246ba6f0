"""Have a first product, unless there is one"""

import sqlalchemy as sa
from alembic import op

revision = "f6"
down_revision = "e5"


def upgrade() -> None:
    known = op.get_bind().execute(sa.text("SELECT count(*) FROM products")).scalar()
    if not known:
        op.execute("INSERT INTO products (name) VALUES ('100% cotton at 12:30')")


def downgrade() -> None:
    op.execute("DELETE FROM products WHERE name LIKE '100%'")
