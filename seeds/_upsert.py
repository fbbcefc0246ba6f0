"""Bring one row into a table and say what happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Change", "Outcome", "upsert"]

Change = Literal["created", "updated", "unchanged", "kept"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object; *kept* means: differs, and that is your choice."""

    what: str
    change: Change


def upsert(
    connection: Connection,
    table: Table,
    row: Mapping[str, Any],
    *,
    key: Sequence[str],
    ours: Sequence[str] = (),
) -> Change:
    """Insert *row*; where its *key* exists, refresh the columns *ours* if they differ.

    The other columns belong to the operator once the row is there.
    """
    statement = insert(table).values(row)
    if ours:
        fresh = statement.excluded
        differs = or_(*(table.c[name].is_distinct_from(fresh[name]) for name in ours))
        statement = statement.on_conflict_do_update(
            index_elements=list(key),
            set_={name: fresh[name] for name in ours},
            where=differs,
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(key))
    # xmax is 0 in a row version that no transaction has replaced: a fresh insert
    fresh_row: ColumnElement[bool] = literal_column(
        f"{table.fullname}.xmax::text = '0'"
    )
    created = connection.execute(statement.returning(fresh_row)).scalar()
    if created is not None:
        return "created" if created else "updated"
    return "unchanged" if _is_equal(connection, table, row) else "kept"


def _is_equal(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    same = and_(*(table.c[k].is_not_distinct_from(v) for k, v in row.items()))
    return (
        connection.execute(select(1).select_from(table).where(same)).first() is not None
    )
