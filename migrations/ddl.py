"""Helpers for revisions; append-only, because old revisions keep calling them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "apply_sql",
    "as_owner",
    "drop_index_concurrently",
    "index_concurrently",
    "row_security",
]

_SQL: Final = Path(__file__).parent / "sql"

# An index build waits for every older transaction and must not give up half way: what
# it leaves then is INVALID. What the session had is kept in settings of our own,
# because RESET would bring back the server's values and not the runner's.
_UNHURRIED: Final = """
SELECT set_config('platform.kept_' || name, current_setting(name), false),
       set_config(name, value, false)
  FROM (VALUES ('role', 'platform_owner'),
               ('lock_timeout', '0'),
               ('statement_timeout', '0'),
               ('transaction_timeout', '0')) AS wanted (name, value)
 WHERE current_setting(name, true) IS NOT NULL
"""
_AS_BEFORE: Final = """
SELECT set_config(name, current_setting('platform.kept_' || name), false)
  FROM (VALUES ('lock_timeout'), ('statement_timeout'), ('transaction_timeout'),
               ('role')) AS kept (name)
 WHERE current_setting('platform.kept_' || name, true) <> ''
"""
# DROP INDEX locks the table for a moment. It must not queue for that behind a long
# reader with everybody else behind it: it fails soon and the runner tries again.
_DROP_INVALID: Final = """
DO $do$
BEGIN
    PERFORM set_config('lock_timeout', '3s', true);
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_index
                WHERE indexrelid = to_regclass('{name}') AND NOT indisvalid) THEN
        DROP INDEX {name};
    END IF;
END
$do$
"""


def apply_sql(name: str) -> None:
    """Run the frozen file ``migrations/sql/<name>.sql`` as it stands.

    Colons are escaped: `op.execute` would read ``:word`` as a bind parameter and
    the offline text would silently say NULL. A final semicolon is left out because
    the offline writer adds one.
    """
    body = (_SQL / f"{name}.sql").read_text(encoding="utf-8").strip()
    _execute(body.removesuffix(";"))


def as_owner() -> None:
    """Become `platform_owner` until the transaction of this revision ends.

    First call of every revision after the bootstrap: what it creates belongs to the
    owner role, whoever logs in. Alembic's own row in `alembic_version` is written in
    the same transaction and therefore by the same role.
    """
    op.execute("SET LOCAL ROLE platform_owner")


def row_security(table: str) -> None:
    """Close *table* (``schema.table``) to everybody but its owner role.

    Row security is forced, so that the owner is bound as well and passes by a policy
    of its own: a restore under another owner stays closed.
    """
    op.execute(
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    )
    op.execute(
        f"CREATE POLICY owner_all ON {table} FOR ALL TO platform_owner "
        "USING (true) WITH CHECK (true)"
    )


def index_concurrently(
    name: str, table: str, definition: str, *, unique: bool = False
) -> None:
    """Build the index *name* (``schema.index``) while writers go on.

    *table* is ``schema.table``, *definition* what follows it: ``(a, b) WHERE c`` or
    ``USING gin (d)``. Must be the only step of its revision, because it commits what
    came before it. It can be repeated: a valid index is kept, an INVALID one, left by
    an earlier try, is dropped and built again. Not for partitioned tables, where
    PostgreSQL refuses it.
    """
    kind = "UNIQUE INDEX" if unique else "INDEX"
    index = name.rsplit(".", 1)[-1]
    with _autocommit():
        _execute(_DROP_INVALID.strip().format(name=name))
        _execute(
            f"CREATE {kind} CONCURRENTLY IF NOT EXISTS {index}\n"
            f"    ON {table} {definition}"
        )
    as_owner()


def drop_index_concurrently(name: str) -> None:
    """Drop the index *name* (``schema.index``) while readers and writers go on.

    Must be the only step of its revision; it can be repeated.
    """
    with _autocommit():
        _execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    as_owner()


@contextmanager
def _autocommit() -> Iterator[None]:
    """Run the block outside any transaction, as the owner, without time limits."""
    with op.get_context().autocommit_block():
        _execute(_UNHURRIED.strip())
        yield
        _execute(_AS_BEFORE.strip())


def _execute(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", r"\:")))
