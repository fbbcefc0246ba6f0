"""Any number of upgrades at once: all succeed, and the result is that of one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.catalogs import assert_same_catalog, catalog_of
from tests.support.programs import SCRIPTS, run_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.branch import Branch
    from tests.support.database import Database

INDEX = 'index_concurrently("auth.ix_users_t", "auth.users", "(last_name)")'
UNINDEX = 'drop_index_concurrently("auth.ix_users_t")'


def _race(databases: list[Database], ini: Path, runners: int) -> None:
    """Start *runners* upgrades on each database at once; all must exit 0."""
    racing = [
        subprocess.Popen(
            [SCRIPTS / "alembic", "-c", ini, "upgrade", "head"],
            env=database.environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(runners)
        for database in databases
    ]
    told = [runner.communicate(timeout=240)[1] for runner in racing]
    failed = [
        text for text, runner in zip(told, racing, strict=True) if runner.returncode
    ]
    assert not failed, "\n".join(failed)


def _prepare(database: Database, start: str, branch: Branch) -> None:
    if start != "empty":
        revision = branch.head if start == "finished" else start
        run_program(
            "alembic",
            "-c",
            branch.ini,
            "upgrade",
            revision,
            env=database.environment(),
            timeout=120,
            check=True,
        )


def _assert_won(database: Database, branch: Branch) -> None:
    session = database.connect()
    versions = session.execute("SELECT version_num FROM alembic_version").fetchall()
    assert versions == [(branch.head,)]
    (roles,) = session.execute("SELECT count(*) FROM auth.roles").fetchone()  # type: ignore[misc]
    assert roles == 4
    invalid = session.execute(
        "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
    ).fetchall()
    assert invalid == []


def _with_index(branch: Branch) -> Branch:
    branch.add("t_index", INDEX, UNINDEX)
    branch.add("t_after", 'as_owner(); op.execute("CREATE TABLE auth.after (a int)")')
    return branch


@pytest.mark.parametrize("start", ["empty", "half-way", "finished"])
def test_upgrades_at_once_give_one_result(
    empty: Database, branch: Branch, start: str
) -> None:
    """Three runners with a concurrent index build: all exit 0, one catalog."""
    _with_index(branch)
    _prepare(empty, branch.half if start == "half-way" else start, branch)

    _race([empty], branch.ini, runners=3)

    _assert_won(empty, branch)


def test_two_databases_of_one_cluster_at_once(
    empty: Database, other: Database, branch: Branch
) -> None:
    """Roles are shared by the cluster: two installations at once do not collide."""
    _with_index(branch)

    _race([empty, other], branch.ini, runners=2)

    _assert_won(empty, branch)
    _assert_won(other, branch)
    assert_same_catalog(catalog_of(empty), catalog_of(other))


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.parametrize("runners", [2, 3, 5, 8])
@pytest.mark.parametrize("start", ["empty", "half-way", "finished"])
def test_the_race_matrix(
    empty: Database, other: Database, branch: Branch, start: str, runners: int
) -> None:
    """2 to 8 runners on two databases of one cluster, in each state."""
    _with_index(branch)
    for database in (empty, other):
        _prepare(database, branch.half if start == "half-way" else start, branch)

    _race([empty, other], branch.ini, runners=runners)

    for database in (empty, other):
        _assert_won(database, branch)
    assert_same_catalog(catalog_of(empty), catalog_of(other))
