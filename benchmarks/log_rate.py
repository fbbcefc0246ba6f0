"""Rows a second into `request_logs`: the log writers, and every other way to do it.

The reference is COPY of the same rows already encoded to bytes, a thousand a batch,
which is as fast as the server takes them. Each round runs every way once; ratios are
medians over rounds. Client CPU is that of this process and of its children.

    python -m benchmarks.log_rate [--rows N] [--rounds N] [--durable]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.types.json import Jsonb

from ai_platform.runtime import AsyncLogWriter, LogWriter
from ai_platform.runtime._record import COLUMNS
from ai_platform.server import EmbeddedServer
from benchmarks._logs import (
    BATCH,
    COPY,
    Ground,
    Meter,
    encoded,
    ground,
    records,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable


BINARY: Final = f"{COPY} (FORMAT binary)"
_WORDS: Final = "uuid timestamp text text int4 text text text jsonb text int4 int4 uuid"
TYPES: Final = tuple(_WORDS.split(" "))
INSERT: Final = (
    f"INSERT INTO {{}} ({', '.join(COLUMNS)}) VALUES"
    f" ({', '.join(['%s'] * len(COLUMNS))})"
)
SINGLE_ROWS: Final = 2_000
REFERENCE: Final = "COPY of encoded bytes"


@dataclass(frozen=True)
class Result:
    """One way, one round: rows a second, CPU seconds per million rows, WAL bytes."""

    rate: float
    client: float
    server: float | None
    wal: float


class Ways:
    """Every way to write the same rows; each returns when they are committed."""

    def __init__(self, place: Ground, number: int) -> None:
        self.place = place
        self.plain = records(number)
        filled = records(number, filled=True)
        self.tuples = rows(filled)
        self.json = [(*r[:8], Jsonb(r[8]), *r[9:]) for r in self.tuples]
        self.encoded = encoded(filled)
        self.file = Path(tempfile.mkdtemp(prefix="bench-")) / "rows.csv"

    def copy_encoded(self) -> None:
        """Write by COPY of each encoded batch: the server's limit."""
        with psycopg.connect(self.place.log_writer, autocommit=True) as connection:
            for batch in self.encoded:
                with connection.cursor().copy(BINARY) as copy:
                    copy.write(batch)

    def thread(self) -> None:
        """Write by the thread-backed writer."""
        with LogWriter(self.place.log_writer, fallback=_refuse) as writer:
            for at in range(0, len(self.plain), BATCH):
                while writer.pending > 6 * BATCH:
                    time.sleep(0.001)
                for record in self.plain[at : at + BATCH]:
                    writer.push(record)
        self._check(writer.written, writer.last_error)

    def _check(self, written: int, error: str) -> None:
        if written != len(self.plain):
            raise SystemExit(f"{written} of {len(self.plain)} written: {error}")

    def task(self) -> None:
        """Write by the asyncio writer."""

        async def main() -> None:
            async with AsyncLogWriter(
                self.place.log_writer, fallback=_refuse
            ) as writer:
                for at in range(0, len(self.plain), BATCH):
                    while writer.pending > 6 * BATCH:  # noqa: ASYNC110 - as busy as can be
                        await asyncio.sleep(0.001)
                    for record in self.plain[at : at + BATCH]:
                        writer.push(record)
            self._check(writer.written, writer.last_error)

        asyncio.run(main())

    def copy_rows(self) -> None:
        """Write by a plain loop of binary COPY."""
        with psycopg.connect(self.place.log_writer, autocommit=True) as connection:
            for at in range(0, len(self.json), BATCH):
                with connection.cursor().copy(BINARY) as copy:
                    copy.set_types(TYPES)
                    for row in self.json[at : at + BATCH]:
                        copy.write_row(row)

    def copy_text(self) -> None:
        """Write by a plain loop of text COPY."""
        with psycopg.connect(self.place.log_writer, autocommit=True) as connection:
            for at in range(0, len(self.json), BATCH):
                with connection.cursor().copy(COPY) as copy:
                    for row in self.json[at : at + BATCH]:
                        copy.write_row(row)

    def executemany(self) -> None:
        """Write by INSERTs in pipelines of a thousand."""
        statement = INSERT.format("public.request_logs").encode()
        with psycopg.connect(self.place.log_writer, autocommit=True) as connection:
            for at in range(0, len(self.json), BATCH):
                with connection.transaction():
                    connection.cursor().executemany(
                        statement, self.json[at : at + BATCH]
                    )

    def asyncpg(self) -> None:
        """Write by asyncpg's COPY of each batch."""
        import json
        from urllib.parse import parse_qs, urlsplit

        import asyncpg  # type: ignore[import-not-found, import-untyped, unused-ignore]

        parts = urlsplit(self.place.log_writer)
        folder = parse_qs(parts.query).get("host", [parts.hostname])[0]

        async def main() -> None:
            connection = await asyncpg.connect(
                host=folder,
                port=parts.port or 5432,
                user=parts.username,
                database=parts.path[1:],
            )
            await connection.set_type_codec(
                "jsonb",
                encoder=lambda value: b"\1" + json.dumps(value).encode(),
                decoder=lambda value: json.loads(value[1:]),
                schema="pg_catalog",
                format="binary",
            )
            for at in range(0, len(self.tuples), BATCH):
                await connection.copy_records_to_table(
                    "request_logs",
                    schema_name="public",
                    columns=COLUMNS,
                    records=self.tuples[at : at + BATCH],
                )
            await connection.close()

        asyncio.run(main())

    def psql(self) -> None:
        """Write by one COPY by psql of a file with all rows."""
        if not self.file.exists():
            with (
                self.place.connect() as connection,
                self.file.open("wb") as file,
                connection.cursor().copy(
                    f"COPY (SELECT {', '.join(COLUMNS)} FROM public.request_logs)"
                    " TO STDOUT (FORMAT csv)".encode()
                ) as blocks,
            ):
                file.writelines(blocks)
            self.place.empty()
        columns = ", ".join(COLUMNS)
        copy = f"\\copy public.request_logs ({columns}) FROM '{self.file}' (FORMAT csv)"
        program = str(EmbeddedServer().bin_dir / "psql")
        subprocess.run(
            [program, "-Xqv", "ON_ERROR_STOP=1", "-c", copy, self.place.log_writer],
            check=True,
            capture_output=True,
        )

    def single(self) -> None:
        """Write by a committed INSERT per row, logged."""
        statement = INSERT.format("public.bench_logged").encode()
        with psycopg.connect(self.place.log_writer, autocommit=True) as connection:
            for row in self.json[:SINGLE_ROWS]:
                connection.execute(statement, row)


def _refuse(records_: list[Any]) -> None:
    raise SystemExit(f"set aside: {records_[0]}")


def _measure(place: Ground, way: Callable[[], object], number: int) -> Result:
    place.empty()
    with place.connect() as connection, Meter(connection) as meter:
        way()
    millions = number / 1e6
    server = meter.server_s
    return Result(
        number / meter.seconds,
        meter.client_s / millions,
        None if server is None else server / millions,
        meter.wal / number,
    )


def _prepare(place: Ground, *, durable: bool) -> None:
    with place.connect() as connection:
        connection.execute(
            "CREATE TABLE public.bench_logged (LIKE public.request_logs INCLUDING ALL)"
        )
        connection.execute("GRANT INSERT ON public.bench_logged TO platform_log_writer")
        if durable:
            leaves = connection.execute(
                "SELECT relid::regclass::text FROM pg_partition_tree("
                "'public.request_logs') WHERE isleaf"
            ).fetchall()
            for (leaf,) in leaves:
                connection.execute(f"ALTER TABLE {leaf} SET LOGGED".encode())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--durable", action="store_true", help="LOGGED partitions")
    options = parser.parse_args()
    with ground() as place:
        _prepare(place, durable=options.durable)
        ways = Ways(place, options.rows)
        table: dict[str, tuple[Callable[[], None], int]] = {
            REFERENCE: (ways.copy_encoded, options.rows),
            "LogWriter (thread)": (ways.thread, options.rows),
            "AsyncLogWriter": (ways.task, options.rows),
            "psycopg binary COPY loop": (ways.copy_rows, options.rows),
            "psycopg text COPY loop": (ways.copy_text, options.rows),
            "asyncpg COPY": (ways.asyncpg, options.rows),
            "psql \\copy, one file": (ways.psql, options.rows),
            "executemany": (ways.executemany, options.rows),
            "INSERT per row, logged": (ways.single, SINGLE_ROWS),
        }
        ways.copy_encoded()
        ways.psql()
        results: dict[str, list[Result]] = {name: [] for name in table}
        for _ in range(options.rounds):
            for name, (way, number) in table.items():
                results[name].append(_measure(place, way, number))
    _print(results, durable=options.durable)


def _print(results: dict[str, list[Result]], *, durable: bool) -> None:
    kind = "LOGGED" if durable else "UNLOGGED"
    print(f"\nrequest_logs, {BATCH} rows a batch, {kind} partitions with three indexes")
    head = f"{'':28}{'rows/s':>10}{'of limit':>10}{'x loop':>8}"
    print(head + f"{'client CPU':>12}{'server CPU':>12}{'WAL/row':>9}")
    for name, runs in results.items():
        limit = _ratio(runs, results[REFERENCE])
        loop = _ratio(runs, results["psycopg binary COPY loop"])
        server = [run.server for run in runs if run.server is not None]
        print(
            f"{name:28}{statistics.median(r.rate for r in runs):10,.0f}"
            f"{limit:10.2f}{loop:8.2f}"
            f"{statistics.median(r.client for r in runs):11.2f}s"
            f"{f'{statistics.median(server):.2f}s' if server else '-':>12}"
            f"{statistics.median(r.wal for r in runs):9.0f}"
        )
    print("CPU: seconds per million rows; bounds: at least 0.85 of limit, 1.2 x loop")


def _ratio(ours: list[Result], theirs: list[Result]) -> float:
    return statistics.median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    main()
