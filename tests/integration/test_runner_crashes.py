"""A crash in any revision, and the same command again: the catalog of a clean run."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.runner import command, offline, upgrade
from ai_platform.server import EmbeddedServer
from tests.support.catalogs import assert_same_catalog, catalog_of
from tests.support.cluster import UNSAFE, Cluster
from tests.support.database import Database
from tests.support.faults import FAULTS, Fault, migrate_until
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.branch import Branch

FIRST_STATEMENTS = 6


def _statements(database: Database) -> dict[str, int]:
    """Return how many statements each revision has, from the journal of a clean run."""
    rows = database.connect().execute(
        "SELECT revision, statements FROM platform_meta.journal"
    )
    counted = dict(rows.fetchall())
    return {
        revision.id: counted.get(revision.id, FIRST_STATEMENTS)
        for revision in offline.revisions()
    }


def _current(database: Database) -> str | None:
    session = database.connect()
    with contextlib.suppress(psycopg.errors.UndefinedTable):
        row = session.execute("SELECT version_num FROM alembic_version").fetchone()
        return row[0] if row else None
    return None


@pytest.mark.slow
def test_one_crash_in_every_revision(database: Database, empty: Database) -> None:
    """Client killed or backend ended in the middle of each revision, one after one."""
    faults = itertools.cycle(("kill", "terminate"))
    for revision, statements in _statements(database).items():
        fault: Fault = next(faults)  # type: ignore[assignment]
        before = _current(empty)

        assert migrate_until(
            empty.target, fault, max(1, statements // 2), revision=revision
        )

        assert _current(empty) == before, (revision, fault)
        upgrade(empty.target, revision)
    assert_same_catalog(catalog_of(database), catalog_of(empty))


def test_an_index_build_that_was_killed_is_repaired(
    database: Database, branch: Branch
) -> None:
    """CREATE INDEX CONCURRENTLY that was ended is INVALID; the next run mends it."""
    branch.add(
        "t_index",
        'index_concurrently("auth.ix_users_crash", "auth.users", "(last_name)")',
        'drop_index_concurrently("auth.ix_users_crash")',
    )
    writer = database.connect(autocommit=False)
    writer.execute("LOCK TABLE auth.users IN ROW EXCLUSIVE MODE")
    _end_while_waiting(database, branch)
    writer.rollback()
    state = """
        SELECT indisvalid FROM pg_index
         WHERE indexrelid = to_regclass('auth.ix_users_crash')
    """
    assert database.connect().execute(state).fetchall() == [(False,)]

    command("upgrade", "head", target=database.target, ini=branch.ini)

    assert database.connect().execute(state).fetchall() == [(True,)]


def _end_while_waiting(database: Database, branch: Branch) -> None:
    """Begin the index build, and end its backend while it waits for the writer."""
    import subprocess  # noqa: PLC0415

    from tests.support.programs import SCRIPTS  # noqa: PLC0415

    runner = subprocess.Popen(
        [SCRIPTS / "alembic", "-c", branch.ini, "upgrade", "head"],
        env=database.environment(),
        stderr=subprocess.DEVNULL,
    )
    watcher = database.connect()
    # before it waits, no index is there yet
    ended = """
        SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_progress_create_index
         WHERE datname = current_database() AND phase ^@ 'waiting for writers'
    """
    until(lambda: watcher.execute(ended).fetchone())
    assert runner.wait(timeout=120) != 0


@pytest.fixture
def own(folder: Path) -> Iterator[EmbeddedServer]:
    """Give a server that a test may stop hard; it is not the one of the session."""
    server = EmbeddedServer(folder / "home", options={**UNSAFE, "fsync": "on"})
    server.start()
    yield server
    server.stop(mode="immediate")


def _own_database(server: EmbeddedServer, name: str) -> Database:
    cluster = Cluster(server.url("postgres"))
    cluster.execute("CREATE DATABASE {name}", name=name)
    return Database(cluster, name)


@pytest.mark.slow
def test_a_server_stopped_hard_loses_nothing_committed(own: EmbeddedServer) -> None:
    """Immediate stop in mid-revision: after the start the same upgrade finishes."""
    clean = _own_database(own, "clean")
    upgrade(clean.target)
    expected = catalog_of(clean)
    half = offline.revisions()[len(offline.revisions()) // 2].id
    clean.close()
    database = _own_database(own, "crashed")

    assert migrate_until(
        database.target,
        "stop",
        4,
        stop_server=lambda: own.stop(mode="immediate"),
        revision=half,
    )
    own.start()
    upgrade(database.target)

    assert_same_catalog(expected, catalog_of(database))
    database.close()


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_crash_matrix(own: EmbeddedServer, fault: Fault) -> None:
    """Each fault at each statement of each revision; at the end the clean catalog."""
    clean = _own_database(own, "clean")
    upgrade(clean.target)
    counted = _statements(clean)
    expected = catalog_of(clean)
    clean.close()
    database = _own_database(own, "crashed")
    struck = 0
    for revision, statements in counted.items():
        for statement in range(1, statements + 1):
            struck += migrate_until(
                database.target,
                fault,
                statement,
                stop_server=lambda: own.stop(mode="immediate"),
                revision=revision,
            )
            database.close()
            own.start()
        upgrade(database.target, revision)

    assert struck >= sum(counted.values())
    assert_same_catalog(expected, catalog_of(database))
    database.close()
