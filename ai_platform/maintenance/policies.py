"""Change how a table's partitions are made and removed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from psycopg import Rollback, errors, sql
from psycopg.rows import class_row

from ai_platform.connection import first_line
from ai_platform.errors import BadValue
from ai_platform.names import PARTITION_POLICIES
from ai_platform.text import quoted

from ._attached import partitions
from ._bounds import GRANULARITIES
from ._policies import PolicyFault, now_or, policy_of, resolve
from ._session import session

if TYPE_CHECKING:
    import psycopg

__all__ = ["FOREVER", "Change", "Changed", "Rules", "change"]

FOREVER: Final = "none"
"""The retention that keeps everything."""
_MOST_AHEAD: Final = 400
# PostgreSQL takes these for seconds: all but the partition of now would go
_BARE_NUMBER: Final = re.compile(r"\s*[+-]?[0-9.]+\s*")

_READ: Final = f"""
    SELECT parent_table AS parent, granularity, precreate AS ahead,
           retention::text AS retention, NOT is_unlogged AS is_durable, is_enabled
      FROM {PARTITION_POLICIES} WHERE parent_table = %s
"""
_UPDATE: Final = f"UPDATE {PARTITION_POLICIES} SET {{}} WHERE parent_table = %s"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the rule for one table; *retention* None keeps everything."""

    parent: str
    granularity: str
    ahead: int
    retention: str | None
    is_durable: bool
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be another; None leaves it. *retention* may be FOREVER."""

    granularity: str | None = None
    ahead: int | None = None
    retention: str | None = None
    is_durable: bool | None = None
    is_enabled: bool | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether nothing shall change."""
        return all(getattr(self, one.name) is None for one in fields(self))


@dataclass(frozen=True, slots=True)
class Changed:
    """The rules before and after; *effects* says what follows from the change."""

    before: Rules
    after: Rules
    is_done: bool
    effects: list[str] = field(default_factory=list)


def change(
    conn: psycopg.Connection[Any], table: str, wanted: Change, *, dry_run: bool = False
) -> Changed:
    """Change the policy of *table*, or with *dry_run* say what would change.

    Where nothing is *wanted* it is only read: by any reader, on a standby too.

    Partitions that exist stay as they are: `apply` makes the coming ones by the new
    rules, `prune` removes by the new retention.

    Raises BadValue (*table*, a value), Refused.
    """
    columns = _columns(wanted)
    with session(conn, writes=not wanted.is_empty):
        parent = policy_of(conn, table).parent
        before = after = _read(conn, parent)
        effects: list[str] = []
        with conn.transaction():
            if columns:
                _update(conn, parent, columns)
                after = _read(conn, parent)
                effects = _effects(conn, before, after)
            if dry_run:
                raise Rollback
    return Changed(before, after, not dry_run and before != after, effects)


def _columns(wanted: Change) -> dict[str, object]:
    """Return the columns to set, with their values checked."""
    if wanted.granularity is not None and wanted.granularity not in GRANULARITIES:
        raise BadValue(
            f"no such granularity: got {quoted(wanted.granularity)}",
            hint=f"one of {', '.join(GRANULARITIES)}",
        )
    if wanted.ahead is not None and not 1 <= wanted.ahead <= _MOST_AHEAD:
        raise BadValue(
            f"between 1 and {_MOST_AHEAD} partitions are made ahead,"
            f" got {wanted.ahead!r}"
        )
    columns: dict[str, object] = {
        "granularity": wanted.granularity,
        "precreate": wanted.ahead,
        "is_unlogged": None if wanted.is_durable is None else not wanted.is_durable,
        "is_enabled": wanted.is_enabled,
    }
    columns = {name: value for name, value in columns.items() if value is not None}
    if wanted.retention is not None:
        if _BARE_NUMBER.fullmatch(wanted.retention):
            raise _bad_retention({"retention": wanted.retention}, "it has no unit")
        columns["retention"] = None if wanted.retention == FOREVER else wanted.retention
    return columns


def _read(conn: psycopg.Connection[Any], parent: str) -> Rules:
    with conn.cursor(row_factory=class_row(Rules)) as cursor:
        found = cursor.execute(_READ, [parent]).fetchone()
    if found is None:
        raise BadValue(f"{parent} has no partition policy any more")
    return found


def _update(
    conn: psycopg.Connection[Any], parent: str, columns: dict[str, object]
) -> None:
    pairs = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder())
        for name in columns
    ]
    statement = sql.SQL(_UPDATE).format(sql.SQL(", ").join(pairs))
    try:
        conn.execute(statement, [*columns.values(), parent])
    except errors.CheckViolation:
        raise _bad_retention(columns, "it must be positive") from None
    except errors.DataError as error:
        raise _bad_retention(columns, first_line(error)) from None


def _bad_retention(columns: dict[str, object], reason: str) -> BadValue:
    """Say what is wrong; the other columns were checked before."""
    return BadValue(
        f"no retention: got {quoted(str(columns.get('retention')))}: {reason}",
        hint="write it as '30 days', '36 hours' or none",
    )


def _effects(conn: psycopg.Connection[Any], before: Rules, after: Rules) -> list[str]:
    """Say what the next runs do because of the change."""
    effects = []
    if before.is_enabled and not after.is_enabled:
        return ["partitions are neither made nor removed any more"]
    if before.is_durable != after.is_durable:
        kind = "durable" if after.is_durable else "UNLOGGED"
        effects.append(
            f"new partitions are {kind}; `platform partitions apply` converts"
            " the empty ones ahead"
        )
    if before.granularity != after.granularity:
        effects.append(
            f"partitions by {after.granularity} begin where the last one by"
            f" {before.granularity} ends"
        )
    expired = _expired(conn, after) if before.retention != after.retention else 0
    if expired:
        effects.append(f"`platform partitions prune` now removes {expired}")
    return effects


def _expired(conn: psycopg.Connection[Any], rules: Rules) -> int:
    try:
        parent = resolve(conn, policy_of(conn, rules.parent), at=now_or(conn, None))
    except PolicyFault:
        return 0
    limit = parent.cutoff
    return sum(
        limit is not None and one.bounds.upper <= limit
        for one in partitions(conn, parent)
    )
