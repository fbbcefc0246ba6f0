"""One old day of request logs with strange texts, and the file that it becomes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from psycopg import sql

from ai_platform.maintenance import partitions

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from .database import Database

__all__ = [
    "DAY",
    "LOGS",
    "NAME",
    "OLD",
    "STRANGE",
    "content",
    "file_of",
    "fill",
    "spoil",
    "told",
    "with_old_day",
]

LOGS = "public.request_logs"
OLD = datetime.now(UTC) - timedelta(days=60)
DAY = OLD.replace(hour=0, minute=0, second=0, microsecond=0)
NAME = f"request_logs_{OLD:%Y%m%d}"
STRANGE = ["plain", 'a "quoted" one', "two\nlines\r\n", "", None, "\\.", "comma, é 🗓"]
EVERYTHING = "SELECT r::text FROM {} r ORDER BY id"


def with_old_day(database: Database) -> psycopg.Connection[Any]:
    """Return the migrator's connection to a database with one old day of logs."""
    conn = database.connect("migrator")
    partitions.apply(conn, now=OLD, table=LOGS)
    watch = database.connect()
    for n in range(1, 8):
        name = f"request_logs_{OLD + timedelta(days=n):%Y%m%d}"
        watch.execute(sql.SQL("DROP TABLE logs.{}").format(sql.Identifier(name)))
    fill(watch)
    return conn


def fill(conn: psycopg.Connection[Any]) -> None:
    """Write one row for each strange text into the old day."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO request_logs (id, created, url, meta) VALUES (%s, %s, %s, %s)",
            [
                (uuid4(), DAY.replace(tzinfo=None), text, json.dumps({"a": text}))
                for text in STRANGE
            ],
        )


def content(conn: psycopg.Connection[Any], table: str = LOGS) -> list[Any]:
    """Return all rows of *table*, as text."""
    name = sql.Identifier(*table.split("."))
    return conn.execute(sql.SQL(EVERYTHING).format(name)).fetchall()


def told(steps: list[Any]) -> list[tuple[str, str]]:
    """Return what was done and how it ended."""
    return [(step.action, step.outcome) for step in steps]


def file_of(folder: Path) -> Path:
    """Return where the old day is archived."""
    return folder / f"logs.{NAME}.csv.gz"


def spoil(path: Path, damage: str) -> None:
    """Change one byte in the middle of the file, or take its end away."""
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[-20:]
    else:
        data[len(data) // 2] ^= 1
    path.write_bytes(data)
