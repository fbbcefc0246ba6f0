"""No row crosses between two organizations: every table, every way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors, sql

from models import Base
from tests.support.rows import ForeignKey, identifier, insert
from tests.support.tenants import OTHER, OWN, Tenants

if TYPE_CHECKING:
    from sqlalchemy import Table

REFUSED = (errors.InsufficientPrivilege, errors.ForeignKeyViolation)
REFERENCED = (errors.ForeignKeyViolation, errors.RestrictViolation)
# past row security: only then are keys looked at
ACCEPTED = (errors.UniqueViolation,)
# platform-wide by design, without row security
OPEN = {
    "monitoring.daily_stats_archive",
    "monitoring.metrics",
    "monitoring.nodes",
    "monitoring.partition_policies",
    "public.request_logs",
}
# a reference to a person shows nothing of that person; a seat would, see below
PEOPLE = {"user_id", "added_by", "created_by", "updated_by", "invited_by"}
PEOPLE |= {"acknowledged_by", "revoked_by"}
# columns that may point anywhere, with the reason
FREE = {
    ("auth.api_keys", "rotated_from_id"): "a note of the own key's history",
    ("data_platform.chunks", "parent_chunk_id"): "the parent is read under its own row",
}

# what keeps a new row from a unique key of the other's, which would answer first
APART = {
    "service_platform.deployments": {"status": "stopped", "stopped_at": "2026-01-06"},
    "service_platform.endpoints": {"environment": "staging"},
}


def full_name(table: Table) -> str:
    """Return ``schema.table``."""
    return f"{table.schema or 'public'}.{table.name}"


MAPPED = {full_name(table): table for table in Base.metadata.sorted_tables}
CLOSED = sorted(MAPPED.keys() - OPEN - {"logs.audit_log"})
REFERENCES = sorted(
    (name, str(constraint.name))
    for name in CLOSED
    for constraint in MAPPED[name].foreign_key_constraints
    if constraint.referred_table.name != "organizations"
    and not PEOPLE.intersection(constraint.column_keys)
    and (name, constraint.column_keys[0]) not in FREE
)


def by_key(tenants: Tenants, table: str, organization: int) -> sql.Composed:
    """Return the WHERE of the row that *organization* has in *table*."""
    row = tenants.rows[table, organization]
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(sql.Identifier(key), sql.Literal(row[key]))
        for key in tenants.tables[table].keys
    )


def count(tenants: Tenants, login: str, table: str, organization: int) -> int:
    """Return how many of the organization's one row *login* sees."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
        identifier(table), by_key(tenants, table, organization)
    )
    found = tenants.session(login).execute(query).fetchone()
    assert found is not None
    return int(found[0])


def attempt(
    connection: psycopg.Connection[Any], statement: sql.Composed, row: Any = None
) -> int | psycopg.Error:
    """Run one statement in a savepoint that is undone; return its count or error."""
    try:
        with connection.transaction(force_rollback=True):
            return connection.execute(statement, row).rowcount
    except psycopg.Error as error:
        return error


def may(tenants: Tenants, table: str, right: str, role: str = "platform_app") -> bool:
    """Return whether *role* holds *right* on any column of *table*."""
    query = "SELECT has_any_column_privilege(%s, %s, %s)"
    if right == "DELETE":
        query = "SELECT has_table_privilege(%s, %s, %s)"
    found = tenants.session("app").execute(query.encode(), [role, table, right])
    return bool(found.fetchall()[0][0])


def touch(tenants: Tenants, table: str, organization: int) -> sql.Composed:
    """Return an UPDATE that sets a column, which app may write, to what it is."""
    query = """
        SELECT attname FROM pg_attribute
         WHERE attrelid = %s::regclass AND attnum > 0 AND attgenerated = ''
           AND has_column_privilege('platform_app', attrelid, attnum, 'UPDATE')
         ORDER BY attnum LIMIT 1
    """
    found = tenants.session("app").execute(query, [table]).fetchone()
    column = sql.Identifier(found[0] if found else tenants.tables[table].keys[0])
    where = by_key(tenants, table, organization)
    return sql.SQL("UPDATE {} SET {} = {} WHERE {}").format(
        identifier(table), column, column, where
    )


def remove(tenants: Tenants, table: str, organization: int) -> sql.Composed:
    """Return the DELETE of the row that *organization* has in *table*."""
    where = by_key(tenants, table, organization)
    return sql.SQL("DELETE FROM {} WHERE {}").format(identifier(table), where)


def test_every_table_is_open_or_closed(tenants: Tenants) -> None:
    """A new table is filled and judged here, or named as platform-wide."""
    filled = {table for table, _ in tenants.rows}

    assert set(CLOSED) == filled
    assert {t.name for t in tenants.tables.values() if t.is_tenant} <= filled


@pytest.mark.parametrize("login", ["app", "worker", "readonly"])
@pytest.mark.parametrize("table", CLOSED)
def test_reader_sees_own_rows_alone(tenants: Tenants, login: str, table: str) -> None:
    """In context the own row is there and the other organization's is not."""
    tenants.enter(login)
    if login == "readonly" and not may(tenants, table, "SELECT", "platform_readonly"):
        with pytest.raises(errors.InsufficientPrivilege):
            count(tenants, login, table, OWN)
        return

    assert count(tenants, login, table, OWN) == 1
    assert count(tenants, login, table, OTHER) == 0


@pytest.mark.parametrize("login", ["app", "worker", "readonly"])
def test_without_context_nothing_is_visible(tenants: Tenants, login: str) -> None:
    """A service that forgets the context reads no tenant's row."""
    query = sql.SQL("SELECT 1 FROM {} WHERE {}")
    seen = [
        (table, organization)
        for table, organization in tenants.rows
        if attempt(
            tenants.session(login),
            query.format(identifier(table), by_key(tenants, table, organization)),
        )
        == 1
    ]

    assert seen == []


@pytest.mark.parametrize("table", CLOSED)
def test_app_changes_own_rows_alone(tenants: Tenants, table: str) -> None:
    """UPDATE and DELETE reach the own row, where granted, never the other's."""
    app = tenants.enter("app")
    for right, make in (("UPDATE", touch), ("DELETE", remove)):
        mine = attempt(app, make(tenants, table, OWN))
        other = attempt(app, make(tenants, table, OTHER))
        if may(tenants, table, right):
            assert mine == 1 or isinstance(mine, REFERENCED), mine
            assert other == 0
        else:
            assert isinstance(mine, errors.InsufficientPrivilege)
            assert isinstance(other, errors.InsufficientPrivilege)


@pytest.mark.parametrize("table", CLOSED)
def test_app_inserts_for_itself_alone(tenants: Tenants, table: str) -> None:
    """A row that names another organization is refused, the own one is taken."""
    app = tenants.enter("app")
    own, other = (tenants.filler.row(table, org, variant=1) for org in (OWN, OTHER))
    mine = attempt(app, insert(table, own), own)
    foreign = attempt(app, insert(table, other), other)

    assert isinstance(foreign, REFUSED)
    if may(tenants, table, "INSERT"):
        assert mine == 1 or isinstance(mine, ACCEPTED), mine
    else:
        assert isinstance(mine, errors.InsufficientPrivilege)


def pointing(tenants: Tenants, table: str, reference: ForeignKey) -> dict[str, Any]:
    """Return a new own row whose *reference* points to the other's parent."""
    row = tenants.filler.row(table, OWN, variant=2)
    parent = tenants.rows[reference.parent, OTHER]
    row |= APART.get(table, {})
    arc = reference.columns[0][:4]
    if table == "data_platform.lineage_edges" and arc in {"src_", "dst_"}:
        row = {name: row[name] for name in row if not name.startswith(arc)}
    for column, target in zip(reference.columns, reference.targets, strict=True):
        if column != "organization_id":
            row[column] = parent[target]
    return row


@pytest.mark.parametrize(("table", "name"), REFERENCES)
def test_app_points_to_own_parents_alone(
    tenants: Tenants, table: str, name: str
) -> None:
    """A reference to another organization's row is refused, whatever the column."""
    app = tenants.enter("app")
    reference = next(r for r in tenants.tables[table].references if r.name == name)
    if not may(tenants, table, "INSERT"):
        pytest.skip("the application inserts nothing here")
    row = pointing(tenants, table, reference)

    outcome = attempt(app, insert(table, row), row)
    assert isinstance(outcome, REFUSED), outcome
