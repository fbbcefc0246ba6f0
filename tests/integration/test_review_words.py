"""What PostgreSQL says of a failed statement, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.review._words import words_of

if TYPE_CHECKING:
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

SETUP = """
    CREATE TABLE parent (id integer PRIMARY KEY CHECK (id > 0));
    CREATE TABLE child (parent integer REFERENCES parent);
    CREATE VIEW v AS SELECT * FROM child; CREATE VIEW w AS SELECT * FROM child;
    INSERT INTO parent VALUES (1)
"""


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "DROP TABLE child",
            "; view v depends on table child, view w depends on table child; Use",
        ),
        (
            "INSERT INTO child VALUES (77)",
            '"child_parent_fkey"; Key (parent) is not present in table "parent"',
        ),
        (
            "INSERT INTO parent VALUES (1)",
            'violates unique constraint "parent_pkey"; Key (id) already exists',
        ),
        (
            "INSERT INTO parent VALUES (-1)",
            'new row for relation "parent" violates check constraint "parent_id_check"',
        ),
        ("CREATE EXTENSION absent", 'extension "absent" is not available'),
    ],
)
def test_words_are_always_the_same(empty: Database, sql: str, told: str) -> None:
    """What stands in the way is named; rows and places of one server are not."""
    conn = empty.connect()
    conn.execute(SETUP)

    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql.encode())

    said = words_of(caught.value)
    assert told in said
    assert "77" not in said
    assert "/" not in said


def test_words_have_an_end(empty: Database) -> None:
    """A table that much depends on fills no report; of a deadlock only its name."""
    conn = empty.connect()
    views = (f"CREATE VIEW v{i} AS SELECT * FROM t" for i in range(40))
    conn.execute(f"CREATE TABLE t (a integer); {'; '.join(views)}".encode())
    deadlock = "RAISE EXCEPTION 'deadlock detected' USING DETAIL = 'Process 7 waits'"

    with pytest.raises(psycopg.Error) as many:
        conn.execute("DROP TABLE t")
    with pytest.raises(psycopg.Error) as process:
        conn.execute(f"DO $$ BEGIN {deadlock}; END $$".encode())

    assert len(words_of(many.value)) == 500
    assert words_of(process.value) == "deadlock detected"
