"""Which tables are partitioned by time, and how: the policies and their parents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from psycopg import Error, errors
from psycopg.rows import class_row

from ai_platform.connection import first_line
from ai_platform.errors import BadValue
from ai_platform.names import PARTITION_POLICIES

from ._bounds import GRANULARITIES, Granularity

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

__all__ = [
    "Parent",
    "Policy",
    "PolicyFault",
    "now_or",
    "policy_of",
    "resolve",
    "switched_off",
    "wanted",
]

_KEY_TYPES: Final = (
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
)

_POLICIES: Final = f"""
    SELECT parent_table AS parent, partition_schema AS schema, granularity,
           precreate, retention::text AS retention, is_unlogged, is_enabled,
           retention <= interval '0' AS is_negative
      FROM {PARTITION_POLICIES} ORDER BY parent_table
"""
_PARENT: Final = """
    SELECT c.oid, n.nspname AS schema, c.relname AS name, p.partstrat AS strategy,
           p.partnatts AS key_columns, format_type(a.atttypid, NULL) AS key_type,
           NULLIF(p.partdefid, 0)::regclass::text AS default_partition,
           (SELECT GREATEST(%(at)s - retention, '0001-01-01 00:00:00+00')
              FROM (VALUES (%(retention)s::interval)) v (retention)) AS cutoff
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
     WHERE c.oid = to_regclass(%(table)s)
"""


class PolicyFault(Exception):
    """A policy that cannot be followed; the text says why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One row of the policies; *retention* as PostgreSQL writes intervals."""

    parent: str
    schema: str
    granularity: Granularity
    precreate: int
    retention: str | None
    is_unlogged: bool
    is_enabled: bool
    is_negative: bool | None


@dataclass(frozen=True, slots=True)
class Parent:
    """A partitioned table as the catalog has it, with the policy it follows.

    *cutoff*: what ends before it has expired; None keeps everything.
    """

    policy: Policy
    oid: int
    schema: str
    name: str
    key_type: str
    cutoff: datetime | None


@dataclass(frozen=True, slots=True)
class _Found:
    oid: int
    schema: str
    name: str
    strategy: str | None
    key_columns: int | None
    key_type: str | None
    default_partition: str | None
    cutoff: datetime | None


def now_or(conn: psycopg.Connection[Any], at: datetime | None) -> datetime:
    """Return *at*, or what the clock of the server says.

    Raises BadValue when *at* has no time zone.
    """
    if at is None:
        row = conn.execute("SELECT now()").fetchone()
        return cast("datetime", row[0] if row else None)
    if at.tzinfo is None:
        raise BadValue(f"a moment needs a time zone, got {at.isoformat()!r}")
    return at


def wanted(conn: psycopg.Connection[Any], table: str | None) -> list[Policy]:
    """Return the enabled policies, or the one of *table*.

    Raises BadValue when *table* has no enabled policy.
    """
    if table is None:
        return [policy for policy in _all(conn) if policy.is_enabled]
    policy = policy_of(conn, table)
    if not policy.is_enabled:
        raise BadValue(
            f"the policy of {policy.parent} is switched off",
            hint=f"platform partitions policy {policy.parent} --enable",
        )
    return [policy]


def switched_off(conn: psycopg.Connection[Any]) -> list[Policy]:
    """Return the policies that nobody follows."""
    return [policy for policy in _all(conn) if not policy.is_enabled]


def policy_of(conn: psycopg.Connection[Any], table: str) -> Policy:
    """Return the policy of *table*, enabled or not; the schema may be left out.

    Raises BadValue when there is none.
    """
    policies = _all(conn)
    for chosen in (
        [policy for policy in policies if policy.parent == table],
        [policy for policy in policies if _is_named(policy, table)],
    ):
        if len(chosen) == 1:
            return chosen[0]
    raise BadValue(
        f"no partition policy for table {table!r}",
        hint="one of " + ", ".join(policy.parent for policy in policies),
    )


def _all(conn: psycopg.Connection[Any]) -> list[Policy]:
    with conn.cursor(row_factory=class_row(Policy)) as cursor:
        return cursor.execute(_POLICIES).fetchall()


def _is_named(policy: Policy, table: str) -> bool:
    """Return whether *table* means this policy; the schema may be left out."""
    return table in (policy.parent, policy.parent.partition(".")[2])


def resolve(conn: psycopg.Connection[Any], policy: Policy, *, at: datetime) -> Parent:
    """Return the table of *policy*, and the time before which rows have expired.

    Raises PolicyFault when the policy cannot be followed.
    """
    if policy.is_negative:
        raise PolicyFault(f"retention must be positive, got {policy.retention!r}")
    if policy.granularity not in GRANULARITIES:
        raise PolicyFault(
            f"granularity must be day, week or month, got {policy.granularity!r}"
        )
    try:
        found = _find(conn, policy, at)
    except Error as error:
        if conn.closed or isinstance(error, errors.OperationalError):
            raise
        raise PolicyFault(first_line(error)) from None
    fault = _fault(found)
    if found is None or found.key_type is None or fault:
        raise PolicyFault(fault or "the table does not exist")
    return Parent(
        policy, found.oid, found.schema, found.name, found.key_type, found.cutoff
    )


def _find(conn: psycopg.Connection[Any], policy: Policy, at: datetime) -> _Found | None:
    with conn.cursor(row_factory=class_row(_Found)) as cursor:
        parameters = {"table": policy.parent, "at": at, "retention": policy.retention}
        return cursor.execute(_PARENT, parameters).fetchone()


def _fault(found: _Found | None) -> str | None:
    """Return why partitions of *found* cannot be kept; None when they can."""
    if found is None:
        return "the table does not exist"
    if found.strategy != "r":
        return "the table is not partitioned by range"
    if found.key_columns != 1 or found.key_type not in _KEY_TYPES:
        return "the table is not partitioned by one column of a date or time"
    if found.default_partition:
        # ATTACH would lock and scan it, DETACH CONCURRENTLY refuses
        return (
            f"it has a default partition: move the rows of {found.default_partition}"
            " and drop it"
        )
    return None
