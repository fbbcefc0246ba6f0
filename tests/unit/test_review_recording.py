"""What is written down of a revision's Python: values, loops, old interpreters."""

from __future__ import annotations

import ast
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.postgresql.pg8000 import PGDialect_pg8000

from ai_platform.review._loops import gathered
from ai_platform.review._prologue import Prologue
from ai_platform.review._recorded import is_of_alembic, refuses
from ai_platform.review._worker.drivers import arguments
from ai_platform.review._worker.literals import filled_in, literal
from ai_platform.review.statements import split
from ai_platform.settings import CHECKOUT

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql.base import PGDialect

WORKER = sorted((CHECKOUT / "ai_platform" / "review" / "_worker").glob("*.py"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (-3, "(-3)"),
        (Decimal("1.50"), "1.50"),
        (Decimal("NaN"), "'NaN'"),
        (float("inf"), "'inf'"),
        ("it's", "'it''s'"),
        ("a\\'b", "E'a\\\\''b'"),
        (b"\x00'", "'\\x0027'"),
        (UUID(int=1), "'00000000-0000-0000-0000-000000000001'"),
        (datetime(2026, 1, 2, tzinfo=UTC), "'2026-01-02T00:00:00+00:00'"),
        (date(2026, 1, 2), "'2026-01-02'"),
        (timedelta(days=1), "'1 day, 0:00:00'"),
        (ip_network("10.0.0.0/8"), "'10.0.0.0/8'"),
        ([1, None, [2]], '\'{"1",NULL,{"2"}}\''),
        (['"', "\\", "it's"], 'E\'{"\\\\"","\\\\\\\\","it\'\'s"}\''),
    ],
)
def test_a_value_is_written_as_a_literal(value: Any, text: str) -> None:
    """What was sent apart from its statement is part of it when a person reads it."""
    assert literal(value) == text


def test_values_take_their_places() -> None:
    """By number or in order, and what is no plain value is refused, not guessed."""
    assert filled_in("SELECT $2, $1, $10", list(range(10)), "numeric_dollar") == (
        "SELECT 1, 0, 9"
    )
    assert filled_in("SELECT %s, '100%%'", ["a"], "format") == "SELECT 'a', '100%'"
    with pytest.raises(TypeError, match="a value of type dict"):
        filled_in("SELECT $1", [{1: 1}], "numeric_dollar")


@pytest.mark.parametrize(
    ("dialect", "dsn", "expected"),
    [
        (
            PGDialect_pg8000,
            "postgresql://a@/x?host=/run/pg&port=5433",
            {"user": "a", "database": "x", "unix_sock": "/run/pg/.s.PGSQL.5433"},
        ),
        (
            PGDialect_pg8000,
            "postgresql://a@h/x?sslmode=require&application_name=b",
            {"user": "a", "host": "h", "database": "x", "port": 5432}
            | {"ssl_context": True},
        ),
        (
            PGDialect_asyncpg,
            "postgresql://a@h:1/x?sslmode=require&connect_timeout=5",
            {"user": "a", "host": "h", "database": "x", "port": 1, "ssl": "require"},
        ),
    ],
)
def test_each_driver_is_told_in_its_words(
    dialect: type[PGDialect], dsn: str, expected: dict[str, Any]
) -> None:
    """A socket, and what only libpq knows, is no reason not to connect."""
    args, options = arguments(dialect(), dsn)

    assert not args
    assert options == expected


def test_only_loops_are_gathered() -> None:
    """DDL and the end of a transaction part what is said row by row."""
    row = "UPDATE t SET a = 1 WHERE b = 'x' -- y\n;"
    text = row * 20 + "ALTER TABLE t ADD c int;" + row * 3 + "COMMIT; BEGIN;" + row * 20

    found = gathered(split(text))

    assert [item.number for item in found] == list(range(1, 7))
    assert [bool(item.script) for item in found] == [True, *[False] * 4, True]
    assert found[0].sql.endswith("-- one of 20 that follow each other: 20 UPDATE")
    assert len(split(found[0].text)) == 20
    assert [item.transaction for item in found] == [1, 1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("a.py:9: RuntimeError: rows are lost", True),
        ("a.py:9: Exception: restore a backup", True),
        ("a.py:9: sqlalchemy.exc.ProgrammingError: (psycopg.errors.X) y", False),
        ("a.py:9: AttributeError: 'NoneType' object has no attribute 'x'", False),
        ("the project did not run within 60 s", False),
    ],
)
def test_a_refusal_is_no_fault(error: str, *, expected: bool) -> None:
    """An author who raises has no way down; a server that does has a broken one."""
    assert refuses(error) is expected


@pytest.mark.parametrize("path", WORKER, ids=lambda path: path.name)
def test_old_interpreters_can_read_the_worker(path: Any) -> None:
    """It runs in the project's own Python, from 3.8 on."""
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ("public.version", True),
        ("public.version.version_num", True),
        ("public.version_pkc", True),
        ("version_pkc on public.version", True),
        ("public.conversions", False),
        ("public.version_notes", False),
        ("public.shop.version", False),
        ('version_pkc on "a.b"."version"', True),
        ("this database", False),
    ],
)
def test_alembics_table_is_known_by_its_whole_name(
    identity: str, *, expected: bool
) -> None:
    """A project's own table is never left out because its name holds the other."""
    assert is_of_alembic(identity, "public.version") is expected


@pytest.mark.parametrize(
    "said",
    [
        "SET app.api_token = 'hush'",
        "SELECT set_config('app.secret', 'hu''sh', false)",
        "ALTER ROLE shop PASSWORD 'hush'",
    ],
)
def test_what_env_py_says_hides_secrets(said: str) -> None:
    """A report is read by more people than an env.py that fetches a password."""
    (note,) = Prologue((said,)).notes()

    assert ("'***'" in note, "sh'" in note) == (True, False)
