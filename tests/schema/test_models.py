"""What every declaration owes its reader: comments, names, indexes, a clean import."""

from __future__ import annotations

import ast
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    TextClause,
    UniqueConstraint,
)

import models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Constraint, Index, Table

TABLES = sorted(models.metadata.tables.values(), key=lambda table: table.fullname)
PREFIX = {
    CheckConstraint: "ck",
    ForeignKeyConstraint: "fk",
    PrimaryKeyConstraint: "pk",
    UniqueConstraint: "uq",
}
# names that clients were promised before there was a convention
PROMISED = {
    "users_pkey",
    "users_username_key",
    "users_email_key",
    "groups_pkey",
    "groups_name_key",
    "data_sources_pkey",
    "data_sources_created_by_fkey",
    "text_embeddings_pkey",
    "algorithms_pkey",
    "algorithms_created_by_fkey",
    "algorithms_name_version_key",
    "idx_users_username",
    "idx_users_email",
    "idx_users_org_id",
    "idx_text_embeddings_vector",
    "idx_logs_created",
    "idx_logs_auth",
    "idx_logs_status",
    "idx_monitor_time",
}
# rows of these are told apart by nothing: appending must stay cheap
KEYLESS = {"request_logs", "monitoring.metrics"}
SOURCES = sorted(Path(models.__file__).parent.rglob("*.py"))
STANDARD = {"__future__", "datetime", "decimal", "ipaddress", "typing", "uuid"}


def constraints(table: Table) -> list[Constraint]:
    """Return the constraints of *table*, without the empty key of a keyless one."""
    return [
        each
        for each in table.constraints
        if not isinstance(each, PrimaryKeyConstraint) or each.columns
    ]


def foreign_keys() -> list[ForeignKeyConstraint]:
    """Return every foreign key, in the order of names."""
    found = chain.from_iterable(table.foreign_key_constraints for table in TABLES)
    return sorted(found, key=lambda key: str(key.name))


def ways_in(table: Table) -> Iterator[list[str]]:
    """List the leading columns of each key and index a lookup of *table* can use."""
    yield from unique_ways_in(table)
    for index in table.indexes:
        columns = [getattr(column, "name", None) for column in index.expressions]
        if predicate(index) in {"", f"{columns[0]} IS NOT NULL"}:
            yield [column or "?" for column in columns]


def unique_ways_in(table: Table) -> Iterator[list[str]]:
    """List the columns of the primary key and of each unique constraint of *table*."""
    for each in constraints(table):
        if isinstance(each, (PrimaryKeyConstraint, UniqueConstraint)):
            yield [column.name for column in each.columns]


def predicate(index: Index) -> str:
    """Return the WHERE of a partial index, or nothing."""
    where = index.dialect_options["postgresql"]["where"]
    return "" if where is None else str(where)


def imported(source: Path) -> set[str]:
    """Return the top-level packages that *source* imports, itself left out."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found - {"models"}


def clauses(table: Table) -> Iterator[TextClause]:
    """Yield every piece of SQL text that the declaration of *table* holds."""
    for column in table.columns:
        yield getattr(column.server_default, "arg", None)
        yield getattr(column.computed, "sqltext", None)
    for each in table.constraints:
        yield getattr(each, "sqltext", None)
    for index in table.indexes:
        yield index.dialect_options["postgresql"]["where"]
        yield from index.expressions


def test_fifty_tables_are_declared() -> None:
    """No table gets lost when a module is split or renamed."""
    assert len(TABLES) == 50


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_table_and_columns_are_explained(table: Table) -> None:
    """Whoever looks at a table in psql reads what it and each column is for."""
    assert table.comment
    assert [column.name for column in table.columns if not column.comment] == []


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_constraint_names_follow_convention(table: Table) -> None:
    """Each constraint has a name that says its kind and table, so it can be dropped."""
    odd = {
        str(each.name)
        for each in constraints(table)
        if not str(each.name).startswith(f"{PREFIX[type(each)]}_{table.name}")
    }

    assert odd <= PROMISED


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_index_names_follow_convention(table: Table) -> None:
    """An index name begins with its kind and table, or was promised to clients."""
    odd = {
        str(index.name)
        for index in table.indexes
        if not str(index.name).startswith(
            f"{'uq' if index.unique else 'ix'}_{table.name}_"
        )
    }

    assert odd <= PROMISED


def test_promised_names_are_kept() -> None:
    """The names that existing clients and scripts use are still there, all of them."""
    names = {
        str(each.name)
        for table in TABLES
        for each in [*table.constraints, *table.indexes]
    }

    assert names >= PROMISED


def test_names_fit_into_postgresql() -> None:
    """PostgreSQL would cut a name of more than 63 bytes, and nothing would match."""
    names = [
        str(each.name)
        for table in TABLES
        for each in [table, *table.columns, *constraints(table), *table.indexes]
    ]

    assert [name for name in names if len(name.encode()) > 63] == []


@pytest.mark.parametrize("key", foreign_keys(), ids=lambda key: str(key.name))
def test_foreign_key_has_index(key: ForeignKeyConstraint) -> None:
    """Deleting a parent row never scans its children.

    A unique or primary key may lead with the parent's id alone: the tenant behind it
    would narrow nothing down.
    """
    columns = key.column_keys

    assert any(
        set(way[: len(columns)]) == set(columns) for way in ways_in(key.table)
    ) or any(way[0] == columns[0] for way in unique_ways_in(key.table))


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_table_has_primary_key(table: Table) -> None:
    """Rows can be told apart everywhere but in the two streams of samples."""
    assert bool(table.primary_key.columns) is (table.fullname not in KEYLESS)


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_sql_text_holds_no_parameter(table: Table) -> None:
    """A colon inside JSON or a pattern reaches the server as it was written."""
    texts = [clause for clause in clauses(table) if isinstance(clause, TextClause)]

    assert [str(clause) for clause in texts if clause._bindparams] == []


def test_public_list_is_sorted() -> None:
    """The list of public names reads like an index."""
    assert sorted(models.__all__) == models.__all__


def test_every_model_is_public() -> None:
    """Whatever is mapped can be imported from models by its name."""
    mapped = {mapper.class_.__name__ for mapper in models.Base.registry.mappers}

    assert mapped | {"Base", "metadata"} == set(models.__all__)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_models_stand_on_sqlalchemy_alone(source: Path) -> None:
    """A service that imports the models gets no other part of the platform."""
    assert imported(source) <= STANDARD | {"sqlalchemy", "pgvector"}


def test_import_and_configure_without_warning() -> None:
    """Relationships agree with each other, and tables have an order to be made in."""
    program = (
        "import models, sqlalchemy.orm as orm;"
        "orm.configure_mappers(); assert len(models.metadata.sorted_tables) == 50"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(models.__file__).parents[1],
    )

    assert (done.returncode, done.stderr) == (0, "")
