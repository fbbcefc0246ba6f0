"""Reviews that begin from the dump of a database, not from the history before."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog._made_roles import drop_roles, roles
from ai_platform.connection import resolve
from ai_platform.errors import BadValue
from ai_platform.review import projects, run
from ai_platform.server import EmbeddedServer
from tests.support.environment import clean_environment
from tests.support.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ai_platform.review.facts import Review, RevisionFacts
    from tests.support.database import Database
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

ADOPTED = """
    CREATE TABLE legacy (id integer PRIMARY KEY, note text NOT NULL);
    COMMENT ON TABLE legacy IS 'a line; and
-- no comment';
    ALTER TABLE legacy OWNER TO {role};
    ALTER TABLE legacy ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON legacy TO {role} USING (true);
    GRANT SELECT ON customers TO {role};
    CREATE MATERIALIZED VIEW a_first AS SELECT count(*) FROM legacy;
    CREATE MATERIALIZED VIEW a_b AS SELECT * FROM a_first;
    CREATE UNIQUE INDEX ON a_b (count);
    CREATE EXTENSION pg_trgm;
    CREATE SCHEMA far;
    CREATE TABLE far.away (id integer PRIMARY KEY, note text);
    CREATE VIEW far.by_key AS SELECT id, note, count(*) FROM far.away GROUP BY id;
    CREATE DOMAIN far.few AS integer;
    ALTER DOMAIN far.few ADD CONSTRAINT few CHECK (VALUE < 9) NOT VALID;
    CREATE FOREIGN DATA WRAPPER wire;
    CREATE SERVER remote FOREIGN DATA WRAPPER wire;
    CREATE USER MAPPING FOR CURRENT_USER SERVER remote;
"""
CHANGE = """op.execute("CREATE INDEX ix_note ON legacy (note)")
    op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY a_b")"""


def dump(url: str, *words: str) -> str:
    """Return what pg_dump says of the schema of the database at *url*."""
    program = EmbeddedServer().bin_dir / "pg_dump"
    return run_program(program, "--schema-only", *words, "-d", url, check=True).stdout


@pytest.fixture
def role(other: Database) -> Iterator[str]:
    """Give the name of a role that is gone in the end, whoever made it."""
    name = f"adopter_{secrets.token_hex(4)}"
    yield name
    drop_roles(other.connect(), [name])


@pytest.fixture
def adopted(
    shop: Shop, other: Database, role: str, tmp_path: Path
) -> Callable[..., Path]:
    """Write the dump of the shop at a revision, with what Alembic did not make."""

    def written(at: str, *words: str) -> Path:
        place = resolve(other.url)
        for source in projects.read(shop.ini, span=f"base..{at}").revisions:
            other.connect().execute(source.up_sql.encode())
        connection = other.connect()
        connection.execute(f"CREATE ROLE {role}".encode())
        connection.execute(ADOPTED.format(role=role).encode())
        path = tmp_path / "schema.sql"
        path.write_text(dump(place.url, *words), encoding="utf-8")
        connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())
        return path

    return written


def reviewed(
    shop: Shop,
    schema: Path,
    span: str | None,
    empty: Database | None,
    *,
    git: str | None = None,
) -> Review:
    """Return the review of *span* from *schema* on, with 500 rows."""
    project = projects.read(shop.ini, span=span, git_base=git)
    place = resolve(empty.url) if empty is not None else None
    asked = run.Asked(rows=500, dsn=place, settings={}, schema=schema)
    run.check(asked)
    return run.review(project, asked)


@pytest.mark.parametrize("words", [(), ("--clean", "--create"), ("--no-owner",)])
def test_tables_of_others_are_there(
    shop: Shop,
    adopted: Callable[..., Path],
    empty: Database,
    role: str,
    words: tuple[str, ...],
) -> None:
    """A revision on a table that no revision made is measured, with rows in it."""
    schema = adopted("b2", *words)
    shop.add("c9", CHANGE, "op.execute('DROP INDEX ix_note')", parent="b2")

    found = reviewed(shop, schema, "c9", empty)

    (one,) = found.revisions
    assert (one.error, one.is_reversible, found.base) == (None, True, "b2")
    assert {"public.legacy": 500}.items() <= {
        item.relation: item.rows for item in one.filled
    }.items()
    assert one.up[0].blocked[0].letters == "WD"
    assert any(f"roles {role}" in note for note in one.notes)
    assert any(f"the schema in {schema} on" in note for note in one.notes)
    assert role not in roles(empty.connect())


def test_a_schema_serves_git_and_detours(
    shop: Shop, adopted: Callable[..., Path]
) -> None:
    """On a server of our own; what comes after a failure begins there as well."""
    schema = adopted("b2")
    shop.git("init", "--quiet")
    shop.commit()
    broken = "op.execute('ALTER TABLE legacy ADD code integer NOT NULL')"
    shop.add("c8", broken, "op.execute('ALTER TABLE legacy DROP code')", parent="b2")
    shop.add("c9", CHANGE, "op.execute('DROP INDEX ix_note')", parent="c8")

    found = reviewed(shop, schema, None, None, git="HEAD")

    failed, after = found.revisions
    assert (failed.error, after.error, found.base) == (None, None, "b2")
    assert failed.refusal is not None
    assert "contains null values" in failed.refusal.error


def test_what_the_server_refuses_is_named(shop: Shop, tmp_path: Path) -> None:
    """An extension that is not here is left out, until something needs it."""
    schema = tmp_path / "schema.sql"
    lines = ["CREATE EXTENSION no_such;", "COMMENT ON EXTENSION no_such IS 'x';"]
    shop.add("c9", "op.execute('CREATE TABLE t ()')", "op.drop_table('t')", parent="b2")
    schema.write_text("\n".join([*lines, "SET no_such_setting = 1;"]), encoding="utf-8")

    (one,) = reviewed(shop, schema, "c9", None).revisions

    assert one.error is None
    assert any("schema.sql:1: left out, extension no_such" in s for s in one.notes)
    assert any("schema.sql:3: left out, SET no_such_setting" in s for s in one.notes)
    schema.write_text("\n".join([*lines, "CREATE TABLE u (a no_such);"]), "utf-8")
    with pytest.raises(BadValue, match=r"schema\.sql:3: the scratch server") as caught:
        reviewed(shop, schema, "c9", None)
    assert "has no_such: --dsn URL" in str(caught.value.hint)


def test_our_own_head_begins_from_a_dump(empty: Database, tmp_path: Path) -> None:
    """The same verdict as from the history, and the same differences."""
    project = projects.read()
    server = empty.environment()
    run_program(
        *("alembic", "upgrade", project.base or ""),
        env=clean_environment(**server),
        check=True,
    )
    schema = tmp_path / "schema.sql"
    schema.write_text(dump(empty.url), encoding="utf-8")

    found = [
        run.review(project, run.Asked(rows=200, schema=path)) for path in (None, schema)
    ]

    one, other = (review.revisions[0] for review in found)
    assert (other.error, other.changes) == (None, one.changes)
    assert found[0].findings == found[1].findings
    assert [item.locks for item in one.up] == [item.locks for item in other.up]


def test_what_no_revision_made_is_advised(only: Callable[..., RevisionFacts]) -> None:
    """Production's own schema may have it; a way down is not begun from a dump."""
    up = only("ALTER TABLE nowhere ADD c int")
    down = only("SELECT 1", "DROP TABLE nowhere")

    assert (up.error or "").endswith("--schema FILE, written by pg_dump --schema-only")
    assert "nowhere" in " ".join(down.notes)
    assert "--schema" not in " ".join(down.notes)
