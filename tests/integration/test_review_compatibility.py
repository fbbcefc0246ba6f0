"""What the code of the previous release meets after a change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.errors import BadValue, Refused
from ai_platform.review import compatibility, projects
from ai_platform.review.compatibility import Statement
from ai_platform.review.measure import faults_told
from ai_platform.review.sources import RevisionSource
from ai_platform.server import EmbeddedServer
from tests.support.documents import blocks
from tests.support.environment import clean_environment
from tests.support.servers import SWIFT, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database
    from tests.support.programs import Run
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

OLD_CODE = """
-- name: find product
-- types: integer
SELECT name, price FROM shop.products WHERE id = $1;

-- name: rename product
UPDATE shop.products SET name = $2 WHERE id = $1;

-- name: sales of a day
WITH sold AS (SELECT * FROM shop.sales WHERE day = $1)
SELECT count(*) FROM sold;

-- name: keep order
INSERT INTO shop.orders (number, note) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING;

-- name: load orders
COPY shop.orders (number) FROM STDIN;

-- name: empty drafts
TRUNCATE shop.drafts;

-- name: keep draft
INSERT INTO shop.drafts VALUES ($1);
"""
SOURCE = RevisionSource("r1", None, "Change the shop", "r1.py", "", None)
CHANGES = {
    "ALTER TABLE shop.products RENAME price TO price_cents": [
        ("find product", "42703", "price")
    ],
    "ALTER TABLE shop.sales RENAME TO deals": [
        ("sales of a day", "42P01", "shop.sales")
    ],
    "DROP TABLE shop.sales": [("sales of a day", "42P01", "shop.sales")],
    "ALTER TABLE shop.products DROP name": [
        ("find product", "42703", "name"),
        ("rename product", "42703", "products.name"),
    ],
    "ALTER TABLE shop.products ALTER id TYPE uuid USING gen_random_uuid()": [
        ("find product", "42883", "uuid = integer"),
        ("rename product", "42883", "uuid = integer"),
    ],
    "ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey": [
        ("keep order", "42P10", "")
    ],
    "ALTER TABLE shop.orders ADD paid bool NOT NULL": [
        ("keep order", "23502", "orders.paid"),
        ("load orders", "23502", "orders.paid"),
    ],
    "ALTER TABLE shop.orders ALTER note SET NOT NULL": [
        ("load orders", "23502", "orders.note")
    ],
    "ALTER TABLE shop.orders RENAME note TO remark": [
        ("keep order", "42703", "orders.note")
    ],
    "ALTER TABLE shop.orders RENAME number TO id": [
        ("keep order", "42703", "orders.number"),
        ("load orders", "42703", "orders.number"),
    ],
    "ALTER TABLE shop.drafts RENAME TO sketches": [
        ("empty drafts", "42P01", "shop.drafts"),
        ("keep draft", "42P01", "shop.drafts"),
    ],
    "ALTER TABLE shop.drafts ADD author int NOT NULL": [
        ("keep draft", "23502", "drafts.author")
    ],
    "ALTER TABLE shop.drafts ADD author serial NOT NULL": [],
    "ALTER TABLE shop.orders ADD paid bool NOT NULL DEFAULT false": [],
    "ALTER TABLE shop.products ADD note text": [],
    "ALTER TABLE shop.products ALTER price TYPE bigint": [],
    "ALTER TABLE shop.products ALTER name TYPE text": [],
}


@pytest.fixture
def schema(empty: Database) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection to a small shop."""
    connection = empty.connect()
    connection.execute(
        """CREATE SCHEMA shop;
           CREATE TABLE shop.products (id int, name varchar(20), price int);
           CREATE TABLE shop.sales (day date);
           CREATE TABLE shop.orders (number int PRIMARY KEY, note text);
           CREATE TABLE shop.drafts (text text)"""
    )
    return connection


@pytest.fixture
def old_code(tmp_path: Path) -> Path:
    """Return a file with what the previous release runs."""
    path = tmp_path / "release-7.sql"
    path.write_text(OLD_CODE)
    return path


@pytest.mark.parametrize("change", CHANGES, ids=lambda text: text.split("shop.")[1])
def test_a_change_breaks_what_it_says(
    schema: psycopg.Connection[tuple[object, ...]], old_code: Path, change: str
) -> None:
    """Statement, SQLSTATE and object of what no longer works, and of nothing else."""
    fit, unfit = compatibility.describe(schema, compatibility.load(old_code))
    schema.execute(change.encode())

    broken = compatibility.unusable(schema, fit)

    assert unfit == ()
    assert [(b.statement.name, b.sqlstate, b.object) for b in broken] == CHANGES[change]


def test_only_a_contract_may_break(
    schema: psycopg.Connection[tuple[object, ...]], old_code: Path
) -> None:
    """A drop is an error until its revision says that the old code is gone."""
    fit, _ = compatibility.describe(schema, compatibility.load(old_code))
    schema.execute("DROP TABLE shop.sales")
    broken = compatibility.unusable(schema, fit)

    for phase, accepted in [
        (None, None),
        ("expand", None),
        ("contract", "phase: contract"),
    ]:
        found = compatibility.findings(replace(SOURCE, phase=phase), broken)
        assert [(item.severity, item.accepted) for item in found] == [
            ("error", accepted)
        ]


@pytest.mark.parametrize(
    ("marker", "accepted"),
    [
        ("Phase: contract - code that reads `price` must be gone.", True),
        ("Phase: expand", False),
        ("Nothing is said.", False),
        ('"""\n\nphase = "contract"\n"""', True),
    ],
)
def test_a_revision_says_its_phase(
    shop: Shop, empty: Database, marker: str, *, accepted: bool
) -> None:
    """The rename of a real revision fails without its marker and passes with it."""
    said = "Phase: contract - code that reads `price` must be gone."
    shop.replace("migrations/versions/a7_price_in_cents.py", said, marker)
    project = projects.read(shop.ini, span="a7")
    connection = empty.connect()
    connection.execute("CREATE TABLE products (price int)")
    old = [Statement("prices", "SELECT price FROM products")]
    for step in project.steps["a7", "up"]:
        connection.execute(step.sql.encode())

    broken = compatibility.unusable(connection, old)
    (found,) = compatibility.findings(project.revisions[0], broken)

    assert (found.object, found.accepted is not None) == ("price", accepted)


def test_what_never_worked_accuses_nobody(
    schema: psycopg.Connection[tuple[object, ...]],
) -> None:
    """A statement that the schema before the change refuses is told apart."""
    strange = Statement("strange", "SELECT nothing FROM nowhere")

    fit, unfit = compatibility.describe(schema, [strange])

    assert fit == ()
    assert [item.sqlstate for item in unfit] == ["42P01"]


def test_nothing_recorded_is_ever_executed(
    schema: psycopg.Connection[tuple[object, ...]],
) -> None:
    """Neither a statement nor a second one hidden behind it runs."""
    schema.execute("INSERT INTO shop.sales VALUES ('2026-01-01')")
    wicked = [
        Statement("one", "DELETE FROM shop.sales"),
        Statement("two", "SELECT 1; DELETE FROM shop.sales"),
    ]

    _, unfit = compatibility.describe(schema, wicked)

    assert [(item.statement.name, item.sqlstate) for item in unfit] == [
        ("two", "42601")
    ]
    assert schema.execute("SELECT count(*) FROM shop.sales").fetchone() == (1,)


def test_the_documented_file_is_read(
    schema: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """What docs/review.md shows is taken as it stands."""
    (block,) = blocks("sql", "docs/review.md", "The code that still runs")
    path = tmp_path / "old.sql"
    path.write_text(block)
    schema.execute("SET search_path = shop")

    (statement,), unfit = compatibility.describe(schema, compatibility.load(path))

    assert (statement.name, statement.types) == ("find product", ("integer",))
    assert unfit == ()


def test_names_are_looked_up_as_the_login_does(
    schema: psycopg.Connection[tuple[object, ...]],
) -> None:
    """An unqualified name is found through the recorded search_path only."""
    plain = Statement("plain", "SELECT name FROM products")

    _, unfit = compatibility.describe(
        schema, [plain, replace(plain, search_path="shop")]
    )

    assert [item.statement for item in unfit] == [plain]
    assert schema.execute("SHOW search_path").fetchone() == ('"$user", public',)


def test_a_lost_server_accuses_no_statement(empty: Database) -> None:
    """A session that ends in between proves nothing, neither good nor bad."""
    with psycopg.connect(empty.url, autocommit=True) as mine:
        pid = mine.info.backend_pid
        empty.connect().execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        statement = Statement("find", "SELECT 1")

        with pytest.raises(Refused, match="the scratch server failed"), faults_told():
            compatibility.unusable(mine, [statement])


ONE = '{"name": "a", "sql": "SELECT 1"}'


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("old.sql", "-- nothing\n", "holds no statement"),
        ("old.json", "[]", "no list of statements"),
        ("old.json", '{"statements": [{"name": 1}]}', "no list of statements"),
        ("old.json", "{", "no list of statements"),
        ("old.json", f"[{ONE}]", "has no list called statements"),
        ("old.json", '{"statements": [{"name": "a", "sql": 5}]}', "sql must be a text"),
        ("old.json", f'{{"statements": [{ONE}, {ONE}]}}', "two statements named 'a'"),
        (
            "old.json",
            '{"statements": [{"name": "a", "sql": "SELECT 1", "types": "text"}]}',
            "types must be a list of texts, got 'text'",
        ),
        ("old.sql", "SELECT 'x", "cannot be cut into statements: unterminated"),
        (
            "old.sql",
            "SELECT 1;\n-- name: statement 1\nSELECT 2",
            "two statements named",
        ),
    ],
)
def test_other_files_are_refused(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    """A file that says nothing would pass every change."""
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(BadValue, match=told):
        compatibility.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The text says which file and why."""
    with pytest.raises(BadValue, match=r"release-6\.json cannot be read: No") as told:
        compatibility.load(tmp_path / "release-6.json")

    assert "platform stats statements" in str(told.value.hint)


def test_recording_needs_its_extension(
    schema: psycopg.Connection[tuple[object, ...]],
) -> None:
    """Without pg_stat_statements, or for a login that is none, the text says so."""
    with pytest.raises(Refused, match="not in this database"):
        compatibility.recording(schema, schema.info.user)
    with pytest.raises(BadValue, match="no login 'nobody-here'"):
        compatibility.recording(schema, "nobody-here")


def test_recorded_statements_hold_no_values(folder: Path, run: Run) -> None:
    """What a login ran is written down with types, its search_path and no data."""
    options = {**SWIFT, "shared_preload_libraries": "pg_stat_statements"}
    server = EmbeddedServer(folder / "home", options=options)
    path = folder / "release-7.json"
    server.start()
    try:
        rows(server, "CREATE EXTENSION pg_stat_statements", "SHOW port")
        rows(server, "CREATE TABLE deals (name text)", "SHOW port")
        rows(server, "ALTER ROLE postgres SET search_path = public", "SHOW port")
        rows(server, "SELECT count(*) FROM deals WHERE name = 'secret of Ann'")
        words = ("platform", "stats", "statements", path, "--login", "postgres")
        done = run(*words, "--json", env=clean_environment(DATABASE_URL=server.url()))
    finally:
        server.stop(mode="immediate")

    assert done.returncode == 0, done.stderr
    every = compatibility.load(path)
    assert json.loads(done.stdout)["statements"] == len(every)
    found = [item for item in every if "FROM deals" in item.sql]
    assert [(item.types, item.search_path) for item in found] == [(("text",), "public")]
    assert "secret" not in path.read_text()
