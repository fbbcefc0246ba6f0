"""The helpers that revisions call: text that survives, indexes built beside writers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrations import ddl

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.branch import Branch
    from tests.support.database import Database
    from tests.support.programs import Run

NASTY = r"""
    SELECT 'a:b', ':name', $$\:x \n %I %% 100%$$, '{1,2,3}'::int[], E'\\:y',
           (ARRAY[1, 2, 3])[:2], format('%I:%s', 'Ü', 12), '{"k":1}'::jsonb, '\';
"""
FUNCTION = f"""CREATE FUNCTION public.t_nasty()
    RETURNS SETOF record
    LANGUAGE sql
AS $body${NASTY}$body$;
"""
INDEX = "auth.ix_t_users_first_name"
STATE = f"""
SELECT indisvalid, relowner::regrole::text
  FROM pg_index JOIN pg_class ON oid = indexrelid
 WHERE indexrelid = to_regclass('{INDEX}')
"""
TWINS = """
INSERT INTO auth.users (username, email, password_hash, first_name)
VALUES ('a', 'a@example.org', '!', 'x'), ('b', 'b@example.org', '!', 'x')
"""
NOTE_SETTINGS = '''op.execute("""
    DO $do$ BEGIN EXECUTE format('COMMENT ON SCHEMA auth IS %L', concat_ws(' ',
        current_setting('lock_timeout'), current_setting('statement_timeout'),
        current_setting('role'))); END $do$""")'''


@pytest.fixture
def nasty(branch: Branch, tmp_path: Path) -> Branch:
    """Return a history that ends with a frozen file full of colons and percents."""
    (tmp_path / "t_nasty.sql").write_text(FUNCTION, encoding="utf-8")
    branch.add(
        "t_nasty",
        f"import pathlib, migrations.ddl; migrations.ddl._SQL = "
        f"pathlib.Path({str(tmp_path)!r}); apply_sql('t_nasty')",
    )
    return branch


@pytest.fixture
def history(branch: Branch) -> Branch:
    """Return a history that ends with an index built beside its writers."""
    branch.add(
        "t_index",
        f'index_concurrently("{INDEX}", "auth.users", "(first_name)")',
        f'drop_index_concurrently("{INDEX}")',
    )
    return branch


def test_a_frozen_file_runs_as_it_stands(
    database: Database, nasty: Branch, run: Run
) -> None:
    """Colons, percent signs and backslashes reach the server unchanged."""
    environment = database.environment()
    run("alembic", "-c", nasty.ini, "upgrade", "head", env=environment, check=True)

    query = "SELECT prosrc FROM pg_proc WHERE proname = 't_nasty'"
    assert database.connect().execute(query).fetchone() == (NASTY,)


def test_a_frozen_file_is_the_offline_text(nasty: Branch, run: Run) -> None:
    """What a DBA reads is the file, not a rendering of it."""
    span = f"{nasty.shipped}:head"
    done = run("alembic", "-c", nasty.ini, "upgrade", span, "--sql", check=True)

    assert FUNCTION in done.stdout


def test_an_index_comes_and_goes(database: Database, history: Branch, run: Run) -> None:
    """The owner role has the index, and the way back leaves nothing of it."""
    environment = database.environment()
    session = database.connect()
    run("alembic", "-c", history.ini, "upgrade", "head", env=environment, check=True)
    assert session.execute(STATE).fetchone() == (True, "platform_owner")

    run("alembic", "-c", history.ini, "downgrade", "-1", env=environment, check=True)
    assert session.execute(STATE).fetchone() is None


def test_a_broken_index_is_built_again(
    database: Database, history: Branch, run: Run
) -> None:
    """What a killed build left INVALID is repaired, not accepted."""
    session = database.connect(role="platform_owner")
    session.execute(TWINS)
    with pytest.raises(psycopg.errors.UniqueViolation):
        session.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY ix_t_users_first_name"
            " ON auth.users (first_name)"
        )
    assert session.execute(STATE).fetchone() == (False, "platform_owner")

    environment = database.environment()
    run("alembic", "-c", history.ini, "upgrade", "head", env=environment, check=True)

    assert session.execute(STATE).fetchone() == (True, "platform_owner")


def test_the_offline_text_repairs_too(history: Branch, run: Run) -> None:
    """Out of the transaction, repair, build, and back before the version row."""
    span = f"{history.shipped}:head"
    text = run("alembic", "-c", history.ini, "upgrade", span, "--sql", check=True)
    steps = (
        "COMMIT;",
        ddl._DROP_INVALID.strip().format(name=INDEX),
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_t_users_first_name",
        "BEGIN;",
        "SET LOCAL ROLE platform_owner;",
        "UPDATE public.alembic_version",
    )

    assert re.search(".*".join(map(re.escape, steps)), text.stdout, re.DOTALL)


def test_a_build_gives_the_session_back(
    database: Database, history: Branch, run: Run
) -> None:
    """The next revision has the runner's time limits and the login's role again."""
    history.add("t_after", f"as_owner(); {NOTE_SETTINGS}")
    environment = database.environment()
    run("alembic", "-c", history.ini, "upgrade", "head", env=environment, check=True)

    query = "SELECT obj_description('auth'::regnamespace, 'pg_namespace')"
    [note] = database.connect().execute(query).fetchone() or [""]
    assert re.fullmatch(r"[1-9]\d*\w+ \d+\w* platform_owner", note)


def test_a_closed_table_is_closed_to_all(
    database: Database, branch: Branch, run: Run
) -> None:
    """Row security is forced, and the owner passes by the one policy there is."""
    branch.add(
        "t_closed",
        'as_owner(); op.execute("CREATE TABLE auth.t_closed (a int)"); '
        'row_security("auth.t_closed")',
    )
    environment = database.environment()
    run("alembic", "-c", branch.ini, "upgrade", "head", env=environment, check=True)

    session = database.connect(role="platform_owner")
    session.execute("INSERT INTO auth.t_closed VALUES (1)")
    query = """
        SELECT relrowsecurity, relforcerowsecurity,
               ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid)
          FROM pg_class c WHERE c.oid = 'auth.t_closed'::regclass
    """
    assert session.execute(query).fetchone() == (True, True, ["owner_all"])
