from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform import hardening
from ai_platform.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.database import Database

ALL = {
    ("database", "CONNECT"),
    ("database", "TEMPORARY"),
    ("schema public", "USAGE"),
}


@pytest.fixture
def stranger(database: Database) -> Iterator[str]:
    """Give a login that has nothing to do with the platform."""
    admin = database.connect()
    name = f"{database.name}_stranger"
    admin.execute(f'CREATE ROLE "{name}" LOGIN')  # type: ignore[arg-type]
    yield name
    admin.execute(f'DROP ROLE "{name}"')  # type: ignore[arg-type]


def pairs(rights: list[hardening.Right]) -> set[tuple[str, str]]:
    """Return *rights* as pairs."""
    return {(right.object, right.privilege) for right in rights}


def test_hardening_takes_and_gives_back(database: Database, stranger: str) -> None:
    """Strangers are locked out, the platform's logins are not, and --undo restores."""
    admin = database.connect()
    before = hardening.held_by_everyone(admin)
    assert stranger in hardening.locked_out(admin)

    assert pairs(hardening.harden(admin)) == ALL == pairs(before)
    assert hardening.held_by_everyone(admin) == []
    for login in ("app", "worker", "readonly", "log_writer", "migrator"):
        database.connect(login).execute("SELECT '[1]'::vector")
    assert hardening.undo(admin) == before == hardening.held_by_everyone(admin)


def test_hardening_twice_changes_nothing(database: Database) -> None:
    """A second run takes nothing, and forgets nothing of the first."""
    admin = database.connect()
    hardening.harden(admin)

    assert hardening.harden(admin) == []
    assert pairs(hardening.taken(admin)) == ALL
    hardening.undo(admin)
    assert hardening.undo(admin) == []


def test_only_what_was_there_returns(database: Database) -> None:
    """A right that PUBLIC did not hold before is not given by --undo."""
    admin = database.connect()
    admin.execute(f'REVOKE TEMPORARY ON DATABASE "{database.name}" FROM PUBLIC')  # type: ignore[arg-type]
    hardening.harden(admin)

    assert pairs(hardening.undo(admin)) == ALL - {("database", "TEMPORARY")}


def test_the_migrator_may_not_harden(database: Database) -> None:
    """Without owning the database nothing changes, and nothing is written down."""
    migrator = database.connect("migrator")
    with pytest.raises(Refused, match="may not change what everyone holds"):
        hardening.harden(migrator)

    assert hardening.taken(database.connect()) == []
    assert pairs(hardening.held_by_everyone(migrator)) == ALL


def test_a_stranger_is_kept_out(database: Database, stranger: str) -> None:
    """After hardening a login of another application cannot connect at all."""
    admin = database.connect()
    query = "SELECT has_database_privilege(%s, current_database(), 'CONNECT')"
    assert admin.execute(query, [stranger]).fetchone() == (True,)
    hardening.harden(admin)

    assert admin.execute(query, [stranger]).fetchone() == (False,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        admin.execute(f'SET ROLE "{stranger}"').execute(
            "SELECT 'public.vector'::regtype"
        )  # type: ignore[arg-type]
