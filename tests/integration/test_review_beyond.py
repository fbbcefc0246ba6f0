"""What a revision does beyond its database: not run, or set back afterwards."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog._role_state import role_state
from ai_platform.catalog.scratch import PREFIX
from ai_platform.review.measure import measure
from ai_platform.review.sources import RevisionSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from ai_platform.review.facts import RevisionFacts
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow


def source(up: str, *, inside: bool = True) -> RevisionSource:
    """Return a revision that goes *up* by this SQL and has nothing to take back."""
    return RevisionSource(
        "one", None, "one", "one.py", up, "", inside, down_in_transaction=inside
    )


def measured(empty: Database, up: str, *, inside: bool = True) -> RevisionFacts:
    """Return what *up* does beside the database *empty*."""
    (facts,) = measure([source(up, inside=inside)], dsn=empty.target).revisions
    return facts


def databases(empty: Database) -> set[str]:
    """Return the databases of the server, but for those made for a moment."""
    query = "SELECT datname::text FROM pg_database WHERE NOT starts_with(datname, %s)"
    return {name for (name,) in empty.connect().execute(query, [PREFIX])}


def test_nothing_happens_to_the_server(
    empty: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    """No database of it is made or dropped, no setting of it changes: it is told."""
    before, name = databases(empty), f"made_{secrets.token_hex(4)}"
    facts = measured(
        empty,
        f"CREATE DATABASE {name}; DROP DATABASE IF EXISTS {empty.name};"
        "ALTER SYSTEM SET work_mem = '8MB'; SELECT 1",
        inside=False,
    )
    query = "SELECT FROM pg_file_settings WHERE name = 'work_mem'"

    assert databases(empty) == before
    assert empty.connect().execute(query).fetchall() == []
    assert [item.is_measured for item in facts.up] == [False] * 3 + [True]
    assert (facts.error, facts.is_repeatable, facts.is_reversible) == (None,) * 3
    assert facts.notes[0].startswith("statement 1 was not run: CREATE DATABASE")
    assert capfd.readouterr().err == ""


def test_a_database_has_another_name_here(empty: Database) -> None:
    """One that is named is not that of the review: it is neither missed nor changed."""
    other = source("ALTER DATABASE shop SET work_mem = '8MB'; CREATE TABLE t ()")
    (facts,) = measure([], before=[other], dsn=empty.target).revisions or (None,)
    own = measured(empty, f"GRANT CONNECT ON DATABASE {empty.name} TO pg_monitor")
    query = "SELECT has_database_privilege('pg_monitor', %s, 'CREATE')"

    assert facts is None
    assert (own.error, own.up[0].is_measured, own.is_repeatable) == (None, False, True)
    assert empty.connect().execute(query, [empty.name]).fetchone() == (False,)


def test_in_a_transaction_it_is_refused(empty: Database) -> None:
    """There PostgreSQL says by itself that the revision does not run."""
    facts = measured(empty, "CREATE DATABASE reports")

    assert facts.error == "CREATE DATABASE cannot run inside a transaction block"


@pytest.fixture
def people(empty: Database) -> Iterator[tuple[str, str]]:
    """Give two roles of the server, the first with a password and a setting."""
    names = f"ann_{secrets.token_hex(4)}", f"boss_{secrets.token_hex(4)}"
    server = empty.connect()
    server.execute(f"CREATE ROLE {names[0]} LOGIN PASSWORD 'old' CONNECTION LIMIT 7")
    server.execute(f"ALTER ROLE {names[0]} SET search_path = '$user', public")
    server.execute(f"CREATE ROLE {names[1]}")
    yield names
    server.execute(f"DROP ROLE IF EXISTS {', '.join(names)}")


ALTERED = """
    ALTER ROLE {0} CREATEDB NOLOGIN CONNECTION LIMIT 3 PASSWORD 'new';
    ALTER ROLE {0} VALID UNTIL '2030-01-01';
    ALTER ROLE {0} SET search_path = shop;
    ALTER ROLE {0} SET app.tenant = '7';
    GRANT {1} TO {0} WITH ADMIN OPTION;
    COMMENT ON ROLE {0} IS 'altered';
"""


def state(server: psycopg.Connection[object]) -> object:
    """Return what is set for the roles of *server*."""
    return role_state(server, besides=PREFIX)


def test_roles_that_were_there_are_as_before(
    empty: Database, people: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Attributes, settings, passwords and memberships are the server's."""
    server = empty.connect()
    before = state(server)

    assert measured(empty, ALTERED.format(*people)).error is None

    assert state(server) == before
    assert capfd.readouterr().err == ""


def test_a_membership_that_was_taken_comes_back(
    empty: Database, people: tuple[str, str]
) -> None:
    """With its options, and from whom it came."""
    server = empty.connect()
    server.execute(f"GRANT {people[1]} TO {people[0]} WITH INHERIT FALSE, SET TRUE")
    before = state(server)

    assert measured(empty, f"REVOKE {people[1]} FROM {people[0]}").error is None

    assert state(server) == before


@pytest.mark.parametrize("takes_back", [True, False])
def test_a_role_that_was_renamed_is_not_dropped(
    empty: Database, people: tuple[str, str], *, takes_back: bool
) -> None:
    """Its new name is one that the review made, but the role is not."""
    ann, new = people[0], f"{people[0]}_2"
    server = empty.connect()
    before = state(server)
    up, down = (
        f"ALTER ROLE {names[0]} RENAME TO {names[1]}"
        for names in ((ann, new), (new, ann))
    )
    change = RevisionSource(
        "one", None, "one", "one.py", f"{up}; COMMIT;", down if takes_back else None
    )

    (facts,) = measure([change], dsn=empty.target).revisions

    assert facts.error is None
    assert state(server) == before


def test_what_cannot_be_set_back_is_told(
    empty: Database, people: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """A role that is gone stays so, and so does what the SQL does not name."""
    ann, boss = people
    hidden = f"ALTER ROLE {ann[:4]}' || '{ann[4:]} CREATEDB"
    dynamic = (
        f"DO $$ BEGIN EXECUTE '{hidden}'; EXECUTE 'DROP ROLE IF EXISTS {boss}'; END $$"
    )

    assert measured(empty, dynamic).error is None

    told = capfd.readouterr().err
    assert f"role {ann!r}: attribute CREATEDB (the SQL does not name it)" in told
    assert f"role {boss!r}: gone (it was dropped)" in told
