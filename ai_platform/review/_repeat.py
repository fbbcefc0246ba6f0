"""Stop a revision in its middle, run it again, and see where it ends."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from ai_platform.catalog import diff, snapshot
from ai_platform.connection import connect

from ._sessions import Worker
from .statements import run_plainly, stops

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_platform.catalog import Snapshot
    from ai_platform.connection import Target

    from .statements import Statement

__all__ = ["is_repeatable", "snapshot_of_repeat"]

_PAUSE_S: Final = 0.002
_WAITS: Final = "SELECT pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(%s))"
# What CREATE DATABASE does not copy: the database's own settings, rights and owner.
_NOT_COPIED: Final = ("database", "settings")


def is_repeatable(expected: Snapshot, repeated: Snapshot | None) -> bool:
    """Return whether a stopped and *repeated* run ended where a plain one does."""
    if repeated is None:
        return False
    found = diff(expected, repeated)
    return not [x for x in found if not x.weak and x.kind not in _NOT_COPIED]


def snapshot_of_repeat(
    place: Target,
    settings: Mapping[str, str],
    statements: Sequence[Statement],
    tables: Iterable[tuple[str, str]],
) -> Snapshot | None:
    """Run *statements* in *place* with a stop after and in each, then whole.

    What shares a transaction is undone by a stop, so only steps outside of one count,
    and the end of one that is committed by hand.
    A statement that waits for writers is cancelled while one of *tables* has some.
    Returns the catalog at the end; None where a repeated run failed.
    """
    writer = connect(place, application_name="platform-review-writer")
    with writer:
        for number in stops(statements):
            try:
                if statements[number - 1].transaction is None:
                    _stopped(place, settings, statements[:number], writer, tables)
                else:
                    _run(place, settings, statements[:number])
                _run(place, settings, statements[:number])
            except psycopg.Error:
                return None
        try:
            _run(place, settings, statements)
        except psycopg.Error:
            return None
        return snapshot(writer, by_clock=False)


def _run(
    place: Target, settings: Mapping[str, str], statements: Sequence[Statement]
) -> None:
    with Worker(place, settings) as worker:
        run_plainly(worker.connection, statements)


def _stopped(
    place: Target,
    settings: Mapping[str, str],
    statements: Sequence[Statement],
    writer: psycopg.Connection[Any],
    tables: Iterable[tuple[str, str]],
) -> None:
    """Run *statements*, the last one against a writer, cancelled if it waits."""
    with Worker(place, settings) as worker:
        run_plainly(worker.connection, statements[:-1])
        with writer.transaction(force_rollback=True):
            _write(writer, tables)
            with (
                suppress(psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable),
                _cancelled_once_it_waits(worker, writer),
            ):
                run_plainly(worker.connection, statements[-1:])


@contextmanager
def _cancelled_once_it_waits(
    worker: Worker, writer: psycopg.Connection[Any]
) -> Iterator[None]:
    """Cancel what *worker* runs in the block as soon as it waits for *writer*.

    Not after some time: how far a statement has come by then differs from run to run,
    and with it what is left of it.
    """
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(_PAUSE_S):
            if writer.execute(_WAITS, [worker.pid]).fetchone() == (True,):
                worker.connection.cancel_safe()
                return

    thread = threading.Thread(target=watch, name="review-stop")
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()


def _write(writer: psycopg.Connection[Any], tables: Iterable[tuple[str, str]]) -> None:
    """Lock *tables* as a writer does; those that are gone by now it cannot."""
    for table in tables:
        statement = sql.SQL("LOCK TABLE ONLY {} IN ROW EXCLUSIVE MODE")
        with suppress(psycopg.errors.UndefinedTable), writer.transaction():
            writer.execute(statement.format(sql.Identifier(*table)))
