"""The ground of the log benchmarks: a database at head, logins, records, CPU times."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg import sql

from ai_platform.runtime import RequestRecord, uuid7
from ai_platform.runtime._encode import HEADER, TRAILER, Encoder
from ai_platform.runtime._record import COLUMNS
from benchmarks._bench import BIN, command, scratch_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_platform.connection import Target

__all__ = [
    "BATCH",
    "COPY",
    "Ground",
    "Meter",
    "encoded",
    "ground",
    "records",
    "rows",
]

BATCH: Final = 1_000
DATABASE: Final = "bench_logs"
COPY: Final = f"COPY public.request_logs ({', '.join(COLUMNS)}) FROM STDIN"
# one call may extend a file by many blocks: 18 counts bytes, 17 and before blocks
_COUNTERS: Final = """
    SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,
           coalesce(sum(coalesce((io ->> 'write_bytes')::numeric / 8192,
                                 (io ->> 'writes')::numeric)), 0)::bigint,
           coalesce(sum(coalesce((io ->> 'extend_bytes')::numeric / 8192,
                                 (io ->> 'extends')::numeric)), 0)::bigint
      FROM (SELECT to_jsonb(s) AS io FROM pg_stat_io s WHERE object = 'relation') x
"""
# a backend that has just ended shows neither as alive nor as buried, and hands in what
# it counted when it ends
_SETTLE_S: Final = 0.3
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_AGENT: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/{}.0.0.0 Safari/537.36"
)


@dataclass(frozen=True)
class Ground:
    """A database at head on *server*; *url* is that of a superuser."""

    server: Target
    url: str
    log_writer: str
    app: str
    readonly: str

    @contextmanager
    def connect(self, **options: Any) -> Iterator[psycopg.Connection[Any]]:
        """Connect as superuser, in autocommit."""
        with psycopg.connect(self.url, autocommit=True, **options) as connection:
            yield connection

    def empty(self) -> None:
        """Empty the request logs, and let the server finish what it has begun."""
        with self.connect() as connection:
            connection.execute("TRUNCATE public.request_logs")
            connection.execute("CHECKPOINT")

    def count(self) -> int:
        """Return how many request logs there are."""
        with self.connect() as connection:
            row = connection.execute("SELECT count(*) FROM public.request_logs")
            return int(row.fetchone()[0])  # type: ignore[index]


@contextmanager
def ground(target: Target | None = None) -> Iterator[Ground]:
    """Yield a database at head with its partitions, and drop it at the end."""
    if target is None:
        with scratch_server() as server, ground(server) as made:
            yield made
        return
    place = target.with_database(DATABASE)
    names = {name: f"bench_{name}" for name in ("log_writer", "app", "readonly")}
    try:
        _drop(target, names.values())
        with psycopg.connect(target.url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(
                    sql.Identifier(DATABASE)
                )
            )
            command(BIN / "alembic", "upgrade", "head", url=place.url)()
            command(BIN / "platform", "partitions", "apply", url=place.url)()
            for role, login in names.items():
                _login(connection, login, f"platform_{role}")
        urls = {role: _as(place.url, login) for role, login in names.items()}
        yield Ground(target, place.url, **urls)
    finally:
        _drop(target, names.values())


def _drop(target: Target, logins: Iterable[str]) -> None:
    with psycopg.connect(target.url, autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(DATABASE)))
        for login in logins:
            drop = sql.SQL("DROP ROLE IF EXISTS {}")
            connection.execute(drop.format(sql.Identifier(login)))


def _login(connection: psycopg.Connection[Any], login: str, role: str) -> None:
    name = sql.Identifier(login)
    statement = sql.SQL("CREATE ROLE {} LOGIN IN ROLE {}")
    connection.execute(statement.format(name, sql.Identifier(role)))


def _as(url: str, login: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{login}@{host}").geturl()


def records(number: int, *, filled: bool = False) -> list[RequestRecord]:
    """Return *number* requests as a gateway sees them; *filled*: id and created too."""
    agents = [_AGENT.format(100 + n) for n in range(50)]
    made = [
        RequestRecord(
            url=f"/api/v1/datasets/{n % 5000}/versions?page={n % 17}",
            method="GET" if n % 4 else "POST",
            status=500 if n % 97 == 0 else 404 if n % 31 == 0 else 200,
            auth=f"user-{n % 500}",
            remote_ip=f"10.0.{n % 200}.{n % 50}",
            user_agent=agents[n % len(agents)],
            meta={"region": "eu-1", "bytes": n, "cached": n % 3 == 0},
            referer="https://console.example.com/datasets",
            organization_id=n % 30,
            duration_ms=n % 300,
            trace_id=UUID(int=n + 1),
        )
        for n in range(number)
    ]
    if filled:
        for record in made:
            record.id = uuid7()
            record.created = datetime.now(UTC).replace(tzinfo=None)
    return made


def rows(given: Sequence[RequestRecord]) -> list[tuple[Any, ...]]:
    """Return filled records as tuples in the order of the columns."""
    names = [field.name for field in fields(RequestRecord)]
    return [tuple(getattr(record, name) for name in names) for record in given]


def encoded(given: Sequence[RequestRecord]) -> list[bytes]:
    """Return whole binary COPY messages of BATCH rows each."""
    encoder, now = Encoder(), time.time_ns()
    return [
        HEADER
        + b"".join(encoder.row(record, now) for record in given[at : at + BATCH])
        + TRAILER
        for at in range(0, len(given), BATCH)
    ]


class Meter:
    """What a stretch costs: wall time, CPU of both sides, WAL, blocks written.

    *client_s* is the CPU of this process and of children that it waited for;
    *server_s* that of all processes of the server, None where they cannot be seen;
    *wal* bytes; *written* and *grown*: blocks of 8 kB that the server wrote to data
    files, and by which it made them longer (pg_stat_io).
    """

    seconds: float
    client_s: float
    server_s: float | None
    wal: int
    written: int
    grown: int

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._postmaster = _postmaster(connection.info.backend_pid)

    def __enter__(self) -> Self:
        self._before = self._now()
        self._before = (time.perf_counter(), *self._before[1:])
        return self

    def __exit__(self, *_: object) -> None:
        now = self._now()
        differences = [a - b for a, b in zip(now, self._before, strict=True)]
        self.seconds, self.client_s, server, *counters = differences
        self.server_s = None if self._postmaster is None else server
        self.wal, self.written, self.grown = map(int, counters)

    def _now(self) -> tuple[float, ...]:
        at, client = time.perf_counter(), sum(os.times()[:4])
        time.sleep(_SETTLE_S)
        row = self._connection.execute(_COUNTERS).fetchone()
        return at, client, self._server(), *map(int, row or (0, 0, 0))

    def _server(self) -> float:
        """Return the CPU of the postmaster, its children and those it has buried."""
        if self._postmaster is None:
            return 0.0
        found = [self._postmaster, *_children(self._postmaster)]
        buried = _stat(self._postmaster)[2:]
        return (sum(sum(_stat(pid)[:2]) for pid in found) + sum(buried)) / _TICKS


def _postmaster(backend: int) -> int | None:
    """Return the parent of *backend* where that is a process of this machine."""
    try:
        name, _, rest = (
            Path(f"/proc/{backend}/stat").read_text(encoding="ascii").rpartition(")")
        )
    except OSError:
        return None
    return int(rest.split()[1]) if "(postgres" in name else None


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text(encoding="ascii").split()]


def _stat(pid: int) -> list[int]:
    """Return user and system time of *pid*, and of its buried children, in ticks."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except FileNotFoundError:
        return [0, 0, 0, 0]  # it has just ended: its parent has its times
    return [int(word) for word in stat.rpartition(")")[2].split()[11:15]]
