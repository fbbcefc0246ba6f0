"""Any number of upgrades at once: all succeed, and the result is that of one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.branch import Branch
from tests.support.catalogs import assert_same_catalog, catalog_of
from tests.support.database import Database
from tests.support.programs import SCRIPTS, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ai_platform.catalog import Snapshot
    from tests.support.cluster import Cluster

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


def _assert_won(database: Database, branch: Branch, alone: Snapshot) -> None:
    """Demand what one upgrade *alone* made: every object, every seeded row."""
    assert_same_catalog(alone, catalog_of(database))
    session = database.connect()
    versions = session.execute("SELECT version_num FROM alembic_version").fetchall()
    assert versions == [(branch.head,)]
    (roles,) = session.execute("SELECT count(*) FROM auth.roles").fetchone()  # type: ignore[misc]
    assert roles == 4
    invalid = session.execute(
        "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
    ).fetchall()
    assert invalid == []


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Branch:
    """Give a history that ends with a concurrent index build and a table."""
    branch = Branch(tmp_path_factory.mktemp("branch"))
    branch.add("t_index", INDEX, UNINDEX)
    branch.add("t_after", 'as_owner(); op.execute("CREATE TABLE auth.after (a int)")')
    return branch


@pytest.fixture(scope="module")
def alone(cluster: Cluster, raced: Branch) -> Iterator[Snapshot]:
    """Give the catalog that one upgrade makes, with nobody else at work."""
    database = Database(cluster, cluster.create())
    try:
        _prepare(database, "finished", raced)
        yield catalog_of(database)
    finally:
        database.close()
        cluster.drop(database.name)


@pytest.mark.parametrize("start", ["empty", "half-way", "finished"])
def test_upgrades_at_once_give_one_result(
    empty: Database, raced: Branch, alone: Snapshot, start: str
) -> None:
    """Three runners with a concurrent index build: all exit 0, one catalog."""
    _prepare(empty, raced.half if start == "half-way" else start, raced)

    _race([empty], raced.ini, runners=3)

    _assert_won(empty, raced, alone)


@pytest.mark.slow
def test_two_databases_of_one_cluster_at_once(
    empty: Database, other: Database, raced: Branch, alone: Snapshot
) -> None:
    """Roles are shared by the cluster: two installations at once do not collide."""
    _race([empty, other], raced.ini, runners=2)

    _assert_won(empty, raced, alone)
    _assert_won(other, raced, alone)


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.parametrize("runners", [2, 3, 5, 8])
@pytest.mark.parametrize("start", ["empty", "half-way", "finished"])
def test_the_race_matrix(  # noqa: PLR0913, PLR0917 - fixtures
    empty: Database,
    other: Database,
    raced: Branch,
    alone: Snapshot,
    start: str,
    runners: int,
) -> None:
    """2 to 8 runners on two databases of one cluster, in each state."""
    for database in (empty, other):
        _prepare(database, raced.half if start == "half-way" else start, raced)

    _race([empty, other], raced.ini, runners=runners)

    for database in (empty, other):
        _assert_won(database, raced, alone)
