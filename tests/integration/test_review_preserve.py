"""Data that a revision and its way back lose, told by column."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.errors import BadValue
from ai_platform.review.fill import fill
from ai_platform.review.preserve import contents, lossy_columns, lost, survived
from ai_platform.runner import command, offline

if TYPE_CHECKING:
    import psycopg

    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

SETUP = """
    CREATE TYPE mood AS ENUM ('calm', 'cross');
    CREATE TABLE parcel (
        id integer PRIMARY KEY, name varchar(40) NOT NULL, weight double precision,
        sent timestamp NOT NULL, mood mood NOT NULL, note text, amount numeric(12, 4),
        count integer, place point, seen timestamptz, hour timetz, doc jsonb,
        days int4multirange
    );
    CREATE TABLE loose (word text, number integer);
    CREATE TABLE counted (id serial PRIMARY KEY, word text);
"""
TABLE = "ALTER TABLE parcel"
LOSSY = {
    "varchar shrunk": (
        f"{TABLE} ALTER name TYPE varchar(8) USING left(name, 8)",
        f"{TABLE} ALTER name TYPE varchar(40)",
        ("public.parcel.name",),
    ),
    "column dropped and made again": (
        f"{TABLE} DROP note",
        f"{TABLE} ADD note text",
        ("public.parcel.note",),
    ),
    "column dropped, made again with a default": (
        f"{TABLE} DROP count",
        f"{TABLE} ADD count integer NOT NULL DEFAULT 0",
        ("public.parcel.count",),
    ),
    "zone shifted": (
        f"{TABLE} ALTER sent TYPE timestamptz USING sent AT TIME ZONE 'Asia/Tokyo'",
        f"{TABLE} ALTER sent TYPE timestamp USING sent AT TIME ZONE 'UTC'",
        ("public.parcel.sent",),
    ),
    "hour that summer time skips": (
        f"SET timezone = 'Europe/Berlin'; {TABLE} ALTER sent TYPE timestamptz",
        f"{TABLE} ALTER sent TYPE timestamp",
        ("public.parcel.sent",),
    ),
    "hour that winter time has twice": (
        f"SET timezone = 'America/New_York'; {TABLE} ALTER seen TYPE timestamp",
        f"{TABLE} ALTER seen TYPE timestamptz",
        ("public.parcel.seen",),
    ),
    "float narrowed": (
        f"{TABLE} ALTER weight TYPE real USING nullif(weight, 3e38)::real / 3",
        f"{TABLE} ALTER weight TYPE double precision USING weight * 3",
        ("public.parcel.weight",),
    ),
    "scale narrowed": (
        f"{TABLE} ALTER amount TYPE numeric(12, 2) USING trunc(amount, 2)",
        f"{TABLE} ALTER amount TYPE numeric(12, 4)",
        ("public.parcel.amount",),
    ),
    "enum mapped to one": (
        f"{TABLE} ALTER mood TYPE text USING 'calm'",
        f"{TABLE} ALTER mood TYPE mood USING mood::mood",
        ("public.parcel.mood",),
    ),
    "turned round": (
        "UPDATE parcel SET name = reverse(left(name, 30))",
        "SELECT 1",
        ("public.parcel.name",),
    ),
    "null filled in": (
        "UPDATE parcel SET note = '' WHERE note IS NULL",
        "SELECT 1",
        ("public.parcel.note",),
    ),
    "blanks trimmed": (
        "UPDATE parcel SET note = btrim(note)",
        "SELECT 1",
        ("public.parcel.note",),
    ),
    "zone of a time forgotten": (
        f"{TABLE} ALTER hour TYPE time",
        f"{TABLE} ALTER hour TYPE timetz",
        ("public.parcel.hour",),
    ),
    "nulls stripped": (
        "UPDATE parcel SET doc = jsonb_strip_nulls(doc)",
        "SELECT 1",
        ("public.parcel.doc",),
    ),
    "gaps closed": (
        f"{TABLE} ALTER days TYPE int4range USING range_merge(days)",
        f"{TABLE} ALTER days TYPE int4multirange USING int4multirange(days)",
        ("public.parcel.days",),
    ),
    "numbered anew": (
        "ALTER TABLE counted DROP id",
        "ALTER TABLE counted ADD id serial PRIMARY KEY",
        ("public.counted.id", "public.counted.word"),
    ),
    "rows removed": ("DELETE FROM loose", "SELECT 1", ("public.loose",)),
    "values change places": (
        """UPDATE parcel p SET count = q.count FROM parcel q
            WHERE (p.id, q.id) IN ((50, 51), (51, 50))""",
        "SELECT 1",
        ("public.parcel.count",),
    ),
    "sequence made anew": (
        "ALTER TABLE counted ALTER id DROP DEFAULT; DROP SEQUENCE counted_id_seq",
        """CREATE SEQUENCE counted_id_seq OWNED BY counted.id;
           ALTER TABLE counted ALTER id SET DEFAULT nextval('counted_id_seq')""",
        ("public.counted_id_seq",),
    ),
    "values of rows without a key change places": (
        """CREATE TABLE words AS SELECT word FROM loose;
           CREATE TABLE numbers AS SELECT number FROM loose; TRUNCATE loose""",
        """INSERT INTO loose
           SELECT word, number FROM (SELECT word, row_number() OVER (ORDER BY word) AS n
                                       FROM words) AS w
             JOIN (SELECT number, row_number() OVER (ORDER BY number) AS n
                     FROM numbers) AS m USING (n);
           DROP TABLE words, numbers""",
        ("public.loose",),
    ),
    "table made anew": (
        "DROP TABLE loose",
        "CREATE TABLE loose (word text, number integer)",
        ("public.loose",),
    ),
}
HARMLESS = {
    "widened": (
        f"{TABLE} ALTER name TYPE text, ALTER count TYPE bigint",
        f"{TABLE} ALTER name TYPE varchar(40), ALTER count TYPE integer",
    ),
    "index": ("CREATE INDEX i ON parcel (name)", "DROP INDEX i"),
    "renamed and back": (
        f"{TABLE} RENAME name TO title",
        f"{TABLE} RENAME title TO name",
    ),
    "zone kept": (
        f"{TABLE} ALTER sent TYPE timestamptz USING sent AT TIME ZONE 'UTC'",
        f"{TABLE} ALTER sent TYPE timestamp USING sent AT TIME ZONE 'UTC'",
    ),
    "rewritten in another order": (
        """CREATE TABLE t AS SELECT * FROM loose ORDER BY number DESC;
           DROP TABLE loose; ALTER TABLE t RENAME TO loose""",
        "SELECT 1",
    ),
    "sequence set to what is next": (
        "ALTER TABLE counted ALTER id DROP DEFAULT; DROP SEQUENCE counted_id_seq",
        """CREATE SEQUENCE counted_id_seq OWNED BY counted.id;
           ALTER TABLE counted ALTER id SET DEFAULT nextval('counted_id_seq');
           SELECT setval('counted_id_seq', (SELECT max(id) FROM counted))""",
    ),
    "columns of a table without a key in another order": (
        """CREATE TABLE t AS SELECT number, word FROM loose;
           DROP TABLE loose; ALTER TABLE t RENAME TO loose""",
        "SELECT 1",
    ),
    "new column": (f"{TABLE} ADD flag boolean DEFAULT true", f"{TABLE} DROP flag"),
    "enum as text": (
        f"{TABLE} ALTER mood TYPE text",
        f"{TABLE} ALTER mood TYPE mood USING mood::mood",
    ),
}


def walked(empty: Database, up: str, down: str, *lossy: str) -> tuple[str, ...]:
    """Fill the tables, go up, down and up; return what was lost."""
    conn = empty.connect()
    conn.execute(SETUP)
    done = fill(conn, None, 60)
    assert set(done) == {"public.parcel", "public.loose", "public.counted"}
    assert set(done.values()) == {60}
    return survived(
        conn,
        up=lambda: conn.execute(up.encode()),
        down=lambda: conn.execute(down.encode()),
        lossy=lossy,
    )


@pytest.mark.parametrize("case", LOSSY)
def test_a_lossy_revision_is_caught(empty: Database, case: str) -> None:
    """Each planted loss is told with its column, and with nothing else."""
    up, down, expected = LOSSY[case]

    assert walked(empty, up, down) == expected


@pytest.mark.parametrize("case", HARMLESS)
def test_a_harmless_revision_is_not(empty: Database, case: str) -> None:
    """What keeps every value gives no alarm."""
    assert walked(empty, *HARMLESS[case]) == ()


def test_a_declared_loss_is_none(empty: Database) -> None:
    """The author has said so; other columns are still watched."""
    up, down, _ = LOSSY["column dropped and made again"]
    up += ", ALTER name TYPE varchar(3) USING left(name, 3)"

    assert walked(empty, up, down, "public.parcel.note") == ("public.parcel.name",)


def test_empty_tables_lose_nothing(empty: Database) -> None:
    """Without rows there is nothing to tell, whatever happens to the columns."""
    conn = empty.connect()
    conn.execute("CREATE TABLE t (a integer)")
    before = contents(conn)
    conn.execute("DROP TABLE t")

    assert lost(before, contents(conn)) == ()


def test_a_declaration_is_taken() -> None:
    """Columns are named once, in an order that is always the same."""
    assert lossy_columns(["a.b.d", "a.b.c", "a.b.d"], "r.py") == ("a.b.c", "a.b.d")
    assert lossy_columns([], "r.py") == ()


@pytest.mark.parametrize("value", ["'a.b.c'", "{1}", ["a.b.c", "b.c"], "None"])
def test_a_bad_declaration_is_refused(value: list[str] | str) -> None:
    """A declaration that names nothing would silently allow nothing, or all."""
    with pytest.raises(BadValue, match=r"r\.py: lossy must name columns, got ['{N]"):
        lossy_columns(value, "r.py")


def walk(database: Database, revisions: list[str]) -> list[str]:
    """Return what is lost, or could not be filled, on the way up *revisions*."""
    found: list[str] = []
    conn = database.connect()
    for revision in revisions:
        found += empty_tables(conn)
        found += survived(
            conn,
            up=partial(command, "upgrade", revision, target=database.target),
            down=partial(command, "downgrade", "-1", target=database.target),
        )
    return found + empty_tables(conn)


def empty_tables(conn: psycopg.Connection[Any]) -> list[str]:
    """Fill all tables; return those that stay empty although they could have rows."""
    done = fill(conn, None, 15)
    return [str(one) for one in done.unfilled if one.reason != "it has no partition"]


def test_the_last_revisions_keep_all_rows(database: Database) -> None:
    """Filled at the revision before, every column survives up, down and up."""
    last = [one.id for one in offline.revisions()][-3:]
    command("downgrade", f"-{len(last)}", target=database.target)

    assert walk(database, last) == []


@pytest.mark.torture
def test_every_revision_keeps_all_rows(empty: Database) -> None:
    """Every table of every revision can be filled, and no revision loses a value."""
    assert walk(empty, [one.id for one in offline.revisions()]) == []
