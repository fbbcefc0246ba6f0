from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.database import Database
    from tests.support.programs import Run

TAKEN = [
    {"object": "database", "privilege": "CONNECT"},
    {"object": "database", "privilege": "TEMPORARY"},
    {"object": "schema public", "privilege": "USAGE"},
]


def test_a_dry_run_takes_nothing(run: Run, database: Database) -> None:
    """--dry-run shows the same list twice, because nothing changed between."""
    argv = ("platform", "harden", "--dry-run", "--json")
    first = run(*argv, env=database.environment(), check=True)
    second = run(*argv, env=database.environment(), check=True)

    assert json.loads(first.stdout)["taken"] == TAKEN
    assert first.stdout == second.stdout


def test_hardening_wants_a_yes(run: Run, database: Database) -> None:
    """Where nobody can answer, the option is named and nothing happens."""
    done = run("platform", "harden", env=database.environment())

    assert done.returncode == 2
    assert "next: add --yes" in done.stderr
    after = run("platform", "harden", "--dry-run", "--json", env=database.environment())
    assert json.loads(after.stdout)["taken"] == TAKEN


def test_hardened_programs_go_on(run: Run, database: Database) -> None:
    """After hardening the platform's own logins work, and --undo gives all back."""
    env = database.environment()
    run("platform", "harden", "--yes", env=env, check=True)
    run("platform", "org", "list", env=database.environment("migrator"), check=True)
    run("alembic", "current", env=database.environment("migrator"), check=True)
    undone = run("platform", "harden", "--undo", "--yes", "--json", env=env, check=True)

    assert json.loads(undone.stdout)["given_back"] == TAKEN


def test_hardening_is_no_drift(run: Run, database: Database) -> None:
    """A hardened database is as the code declares it."""
    env = database.environment()
    run("platform", "harden", "--yes", env=env, check=True)

    run("platform", "db", "check", env=env, check=True, timeout=120)


def test_the_last_downgrade_gives_back(run: Run, database: Database) -> None:
    """Going down to base leaves strangers the rights they had before."""
    env = database.environment()
    run("platform", "harden", "--yes", env=env, check=True)
    run("alembic", "downgrade", "base", env=env, check=True, timeout=120)

    query = """
        SELECT a.privilege_type
          FROM pg_database d
         CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
         WHERE d.datname = current_database() AND a.grantee = 0
         UNION ALL
        SELECT a.privilege_type FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) AS a
         WHERE n.nspname = 'public' AND a.grantee = 0
         ORDER BY 1
    """
    rights = database.connect().execute(query).fetchall()
    assert [row[0] for row in rights] == ["CONNECT", "TEMPORARY", "USAGE"]
