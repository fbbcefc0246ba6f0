"""What a revision's SQL is cut into, before any server is asked."""

from __future__ import annotations

import pytest

from ai_platform.review.statements import UnreadableSql, split, steps, stops

OFFLINE = """BEGIN;

-- Running upgrade a -> b

SET LOCAL ROLE owner;
COMMIT;

CREATE UNIQUE INDEX CONCURRENTLY ix ON shop.orders (note);

BEGIN;
/* once; /* more */ */ UPDATE alembic_version SET version_num='b';
COMMIT;
"""


def test_transactions_come_from_the_text() -> None:
    """BEGIN and COMMIT say what commits together; what stands outside does alone."""
    found = [
        (together, [item.tag for item in group])
        for together, group in steps(split(OFFLINE))
    ]

    assert found == [
        (True, ["SET"]),
        (False, ["CREATE INDEX"]),
        (True, ["UPDATE"]),
    ]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 1; SELECT 2", []),
        ("BEGIN; SELECT 1; SELECT 2; COMMIT", [2]),
        ("SELECT 1; COMMIT; BEGIN; SELECT 2", [1]),
        ("UPDATE alembic_version SET version_num = 'b'; COMMIT", []),
        (OFFLINE, [1, 2]),
    ],
)
def test_a_stop_leaves_what_was_committed(sql: str, found: list[int]) -> None:
    """With Alembic's own row, which comes last, the revision has run as a whole."""
    assert stops(split(sql)) == found


def test_lines_are_those_of_the_statements() -> None:
    """A finding points at the statement, not at the comment before it."""
    assert [item.line for item in split(OFFLINE)] == [5, 8, 11]


def test_text_without_begin_is_one_transaction() -> None:
    """Without BEGIN the revision says whether its statements belong together."""
    sql = "SELECT 1; SELECT 2"

    assert [len(group) for _, group in steps(split(sql))] == [2]
    alone = steps(split(sql, in_transaction=False))
    assert [(together, len(group)) for together, group in alone] == [(False, 1)] * 2


@pytest.mark.parametrize(
    ("sql", "tag"),
    [
        ("create or replace function f() returns int return 1", "CREATE FUNCTION"),
        ("CREATE UNLOGGED TABLE t ()", "CREATE TABLE"),
        ("create materialized view m as select 1", "CREATE MATERIALIZED VIEW"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a", None),
        ("with a as (select 1) insert into t select * from a", "INSERT"),
        ("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS"),
        ("DROP INDEX CONCURRENTLY a.b", "DROP INDEX"),
        ("VACUUM FULL t", "VACUUM"),
    ],
)
def test_a_tag_names_verb_and_kind(sql: str, tag: str | None) -> None:
    """Reports and rules tell statements apart by a word or two."""
    (statement,) = split(sql)

    assert statement.tag == (tag or "ALTER DEFAULT PRIVILEGES")


@pytest.mark.parametrize(
    ("sql", "relations"),
    [
        (
            "ALTER TABLE a.t ADD FOREIGN KEY (x) REFERENCES b.u",
            [("a", "t"), ("b", "u")],
        ),
        (
            "WITH q AS (SELECT 1) UPDATE t SET x = 1 FROM q, a.v",
            [(None, "t"), ("a", "v")],
        ),
        ("DROP TRIGGER tr ON a.t", [("a", "t")]),
        ("COMMENT ON COLUMN a.t.c IS 'x'", [("a", "t")]),
        ("DROP TABLE t, b.u CASCADE", [(None, "t"), ("b", "u")]),
        ("GRANT SELECT ON a.t TO PUBLIC", [("a", "t")]),
        ("DROP FUNCTION a.f()", []),
    ],
)
def test_named_relations_are_found(sql: str, relations: list[object]) -> None:
    """What a statement names gets rows before it is measured."""
    (statement,) = split(sql)

    assert list(statement.relations) == relations


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "SELECT 1;\n\nSELEC 2;",
            'revision r, line 3: syntax error at or near "SELEC": SELEC 2;',
        ),
        (
            "SELECT 'ü';\n\\d foo",
            "revision r, line 2: \\d is a command of psql, not SQL",
        ),
        ("SELECT 'x", "revision r, line 1: unterminated quoted string"),
        ("SELECT (\n", "revision r, line 1: syntax error at end of input: SELECT ("),
        ("SELECT 1;\nROLLBACK", "revision r, line 2: a revision that ends"),
    ],
)
def test_what_is_no_sql_is_told_by_line(sql: str, told: str) -> None:
    """Whoever wrote it finds the place at once."""
    with pytest.raises(UnreadableSql) as error:
        split(sql, name="revision r")

    assert error.value.message.startswith(told)
    assert error.value.hint
    assert error.value.exit_code == 4


@pytest.mark.parametrize("sql", ["", "-- nothing\n", ";;", "BEGIN; COMMIT;"])
def test_a_revision_may_be_empty(sql: str) -> None:
    """A merge of branches has no statements, and is no error."""
    assert split(sql) == ()
