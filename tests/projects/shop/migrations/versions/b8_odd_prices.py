"""Notice odd prices"""

from alembic import op
from migrations.words import TRIGGER_BODY

revision = "b8"
down_revision = "a7"


def upgrade() -> None:
    op.execute(TRIGGER_BODY)
    op.execute(
        "CREATE TRIGGER note_price BEFORE UPDATE ON products"
        " FOR EACH ROW EXECUTE FUNCTION note_price()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER note_price ON products")
    op.execute("DROP FUNCTION note_price()")
