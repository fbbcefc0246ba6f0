"""Helpers for revisions; append-only, because old revisions keep calling them."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op

__all__ = ["apply_sql", "as_owner"]

_SQL = Path(__file__).parent / "sql"


def apply_sql(name: str) -> None:
    """Run the frozen file ``migrations/sql/<name>.sql`` as it stands.

    Colons are escaped: `op.execute` would read ``:word`` as a bind parameter and
    the offline text would silently say NULL. A final semicolon is left out because
    the offline writer adds one.
    """
    body = (_SQL / f"{name}.sql").read_text(encoding="utf-8").strip().removesuffix(";")
    op.execute(sa.text(body.replace("\\:", "\\\\:").replace(":", r"\:")))


def as_owner() -> None:
    """Become `platform_owner` until the transaction of this revision ends.

    First call of every revision after the bootstrap: what it creates belongs to the
    owner role, whoever logs in. Alembic's own row in `alembic_version` is written in
    the same transaction and therefore by the same role.
    """
    op.execute("SET LOCAL ROLE platform_owner")
