"""What is dropped was archived before, whatever happens in between."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from psycopg import sql

from ai_platform.errors import BadValue, CannotConnect
from ai_platform.maintenance import partitions
from ai_platform.maintenance.restore import restore
from tests.support.archives import (
    DAY,
    LOGS,
    NAME,
    OLD,
    STRANGE,
    content,
    file_of,
    fill,
    spoil,
    told,
    with_old_day,
)

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.database import Database


@pytest.fixture
def keeper(database: Database) -> psycopg.Connection[Any]:
    """Give the migrator's connection to a database with one old day of logs."""
    return with_old_day(database)


def test_an_archived_day_comes_back_whole(
    database: Database, keeper: Any, tmp_path: Path
) -> None:
    """Every value survives file and way back: quotes, line ends, NULL beside empty."""
    watch = database.connect()
    before = content(watch)

    steps = partitions.prune(keeper, table=LOGS, archive=tmp_path)
    assert told(steps) == [("archive", "done"), ("drop", "done")]
    assert content(watch) == []
    partitions.apply(keeper, now=OLD, table=LOGS)
    restored = restore(keeper, file_of(tmp_path))

    assert (restored.rows, restored.into) == (len(STRANGE), LOGS)
    assert content(watch) == before


def test_the_manifest_says_what_the_file_holds(keeper: Any, tmp_path: Path) -> None:
    """Rows, bytes, digests, columns with types: enough to load it without us."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path / "new")

    path = file_of(tmp_path / "new")
    said = json.loads(path.with_name(path.name + ".json").read_text())
    text = gzip.decompress(path.read_bytes())
    assert (said["rows"], said["parent"]) == (len(STRANGE), LOGS)
    assert (said["csv_bytes"], said["file_bytes"]) == (len(text), path.stat().st_size)
    assert {"name": "created", "type": "timestamp without time zone"} in said["columns"]
    assert datetime.fromisoformat(said["lower"]) == DAY
    assert text.startswith(b"id,created,url,")


def test_archives_are_for_their_owner_only(keeper: Any, tmp_path: Path) -> None:
    """Logs hold what people did: files 0600 in a folder 0700, no other file."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path / "new")

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    files = sorted((tmp_path / "new").iterdir())
    assert [file.suffix for file in files] == [".gz", ".json"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_dry_run_archives_nothing(keeper: Any, tmp_path: Path) -> None:
    """It names archive and drop, and does not even make the folder."""
    folder = tmp_path / "new"

    steps = partitions.prune(keeper, table=LOGS, archive=folder, dry_run=True)

    assert told(steps) == [("archive", "planned"), ("drop", "planned")]
    assert not folder.exists()


@pytest.mark.parametrize("place", ["a file", "/proc/nowhere"])
def test_an_unusable_folder_stops_it_first(
    database: Database, keeper: Any, tmp_path: Path, place: str
) -> None:
    """Nothing is even detached when nothing can be written."""
    (tmp_path / "a file").touch()

    with pytest.raises(BadValue, match="nothing can be archived"):
        partitions.prune(keeper, table=LOGS, archive=tmp_path / place)

    assert len(content(database.connect())) == len(STRANGE)


@pytest.mark.slow
def test_a_full_disk_keeps_the_rows(
    small_disk: Path, database: Database, keeper: Any
) -> None:
    """No file, no drop, no detach behind it; with room again the next run goes on."""
    partitions.apply(keeper, now=OLD, table=LOGS)
    watch = database.connect()
    watch.execute(
        """INSERT INTO request_logs (id, created, url)
           SELECT gen_random_uuid(), %s, string_agg(gen_random_uuid()::text, '')
             FROM generate_series(1, 300) g, generate_series(1, 2000)
            GROUP BY g""",
        [DAY.replace(tzinfo=None)],
    )

    steps = partitions.prune(keeper, table=LOGS, archive=small_disk / "full")
    assert told(steps) == [("archive", "failed"), *[("detach", "delayed")] * 7]
    assert "no space left" in steps[0].detail
    assert list((small_disk / "full").iterdir()) == []
    assert len(content(watch, f"logs.{NAME}")) == 300 + len(STRANGE)

    database.connect().execute(
        sql.SQL("DELETE FROM logs.{} WHERE length(url) > 100").format(
            sql.Identifier(NAME)
        )
    )
    steps = partitions.prune(keeper, table=LOGS, archive=small_disk / "full")
    assert told(steps) == [("archive", "done"), ("drop", "done")] * 8


def test_a_disk_full_before_stops_it_first(
    small_disk: Path, database: Database, keeper: Any
) -> None:
    """The days behind it are not detached for nothing: they stay readable."""
    partitions.apply(keeper, now=OLD, table=LOGS)
    with pytest.raises(OSError, match="No space"):
        (small_disk / "rest").write_bytes(b"\0" * (16 << 20))

    with pytest.raises(BadValue, match="no space left"):
        partitions.prune(keeper, table=LOGS, archive=small_disk)

    assert partitions.status(keeper, table=LOGS)[0].leftovers == []


def test_a_lost_server_session_drops_nothing(
    database: Database, keeper: Any, tmp_path: Path
) -> None:
    """The backend dies before the drop: the next run finds the file and keeps it."""
    conn, backend = database.connect(), keeper.info.backend_pid
    conn.execute(
        """CREATE FUNCTION public.die() RETURNS event_trigger LANGUAGE plpgsql
           SECURITY DEFINER AS
           $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;
           CREATE EVENT TRIGGER die ON ddl_command_start
             WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION public.die()"""
    )
    with pytest.raises(CannotConnect, match="connection was lost"):
        partitions.prune(keeper, table=LOGS, archive=tmp_path)
    database.until_gone(backend)
    conn.execute("DROP EVENT TRIGGER die")
    written = identity(file_of(tmp_path))

    steps = partitions.prune(database.connect("migrator"), table=LOGS, archive=tmp_path)

    assert told(steps) == [("archive", "present"), ("drop", "done")]
    assert identity(file_of(tmp_path)) == written
    assert len(list(tmp_path.iterdir())) == 2


def identity(path: Path) -> tuple[int, int]:
    """Return what a file written anew does not share; reading it changes neither."""
    return path.stat().st_ino, path.stat().st_mtime_ns


def test_a_lost_manifest_is_written_again(
    database: Database, keeper: Any, tmp_path: Path
) -> None:
    """Killed between file and manifest: the rows are compared, the file is kept."""
    archived_and_back(database, keeper, tmp_path)
    manifest = tmp_path / f"logs.{NAME}.csv.gz.json"
    said = json.loads(manifest.read_text())
    manifest.unlink()

    steps = partitions.prune(keeper, table=LOGS, archive=tmp_path)

    assert told(steps) == [("archive", "present"), ("drop", "done")]
    assert json.loads(manifest.read_text())["csv_sha256"] == said["csv_sha256"]


def archived_and_back(database: Database, keeper: Any, folder: Path) -> None:
    """Archive the old day and load it again: its file is there and so are its rows."""
    partitions.prune(keeper, table=LOGS, archive=folder)
    partitions.apply(keeper, now=OLD, table=LOGS)
    restore(keeper, file_of(folder))
    watch = database.connect()
    for n in range(1, 8):
        name = f"request_logs_{OLD + timedelta(days=n):%Y%m%d}"
        watch.execute(sql.SQL("DROP TABLE logs.{}").format(sql.Identifier(name)))


@pytest.mark.parametrize("damage", ["other rows", "flipped byte", "cut", "no file"])
def test_no_file_is_overwritten(
    database: Database, keeper: Any, tmp_path: Path, damage: str
) -> None:
    """What has the name and does not match stays; the new file is the second."""
    archived_and_back(database, keeper, tmp_path)
    path = file_of(tmp_path)
    if damage == "other rows":
        fill(database.connect())
    elif damage == "no file":
        path.unlink()
    else:
        spoil(path, damage)
    before = path.read_bytes() if path.exists() else None

    steps = partitions.prune(keeper, table=LOGS, archive=tmp_path)

    assert told(steps) == [("archive", "done"), ("drop", "done")]
    assert (path.read_bytes() if path.exists() else None) == before
    second = tmp_path / f"logs.{NAME}.2.csv.gz"
    assert restore(keeper, second, into="logs.again").rows >= len(STRANGE)


def test_parts_of_dead_runs_are_swept(keeper: Any, tmp_path: Path) -> None:
    """Half a file of a killed run goes; that of a living one stays."""
    import fcntl  # noqa: PLC0415 - a lock of this test only

    dead, living = (tmp_path / f".platform-{n}.part" for n in (1, 2))
    dead.write_bytes(b"half")
    with living.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        partitions.prune(keeper, table=LOGS, archive=tmp_path)

        assert (dead.exists(), living.exists()) == (False, True)


def test_row_security_hides_no_row_from_it(
    database: Database, keeper: Any, tmp_path: Path
) -> None:
    """The policy of a partition is lost: an empty archive would be the end of it."""
    watch = database.connect()
    watch.execute(
        sql.SQL("DROP POLICY owner_all ON logs.{}").format(sql.Identifier(NAME))
    )

    partitions.prune(keeper, table=LOGS, archive=tmp_path)

    said = restore(keeper, file_of(tmp_path), into="logs.back")
    assert said.rows == len(STRANGE)
    assert len(content(watch, "logs.back")) == len(STRANGE)


@pytest.mark.parametrize("name", ["../../escape", "x" * 63, "🗓" * 15, ".hidden"])
def test_hostile_names_stay_in_the_folder(
    database: Database, keeper: Any, tmp_path: Path, name: str
) -> None:
    """The name of a table is no path."""
    database.connect().execute(
        sql.SQL("ALTER TABLE logs.{} RENAME TO {}").format(
            sql.Identifier(NAME), sql.Identifier(name)
        )
    )

    steps = partitions.prune(keeper, table=LOGS, archive=tmp_path / "a" / "b")

    assert told(steps) == [("archive", "done"), ("drop", "done")]
    assert len(list((tmp_path / "a" / "b").iterdir())) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_writers_go_on_while_it_is_archived(
    database: Database, keeper: Any, tmp_path: Path
) -> None:
    """Rows arrive, partitions are made, the table is read: in the middle of it."""
    database.connect().execute(
        """INSERT INTO request_logs (id, created)
           SELECT gen_random_uuid(), %s FROM generate_series(1, 200000)""",
        [DAY.replace(tzinfo=None)],
    )
    writer = database.connect("log_writer")
    reader = database.connect("readonly")
    for conn in (writer, reader):
        conn.execute("SET lock_timeout = '50ms'")
    heard: list[str] = []

    def meanwhile(text: str) -> None:
        heard.append(text)
        with writer.cursor().copy("COPY request_logs (id) FROM STDIN") as copy:
            copy.write_row([uuid4()])
        writer.execute("SELECT monitoring.ensure_partition_for(%s, now())", [LOGS])
        reader.execute("SELECT count(*) FROM request_logs")

    steps = partitions.prune(keeper, table=LOGS, archive=tmp_path, tell=meanwhile)

    assert told(steps) == [("archive", "done"), ("drop", "done")]
    assert heard
    assert heard[0].startswith(f"archiving logs.{NAME}: ")


def test_a_reader_of_the_partition_delays_its_archive(
    database: Database, keeper: Any, tmp_path: Path
) -> None:
    """Who reads the leaf itself is waited for; no file is made before."""
    direct = database.connect(autocommit=False)
    direct.execute(sql.SQL("SELECT FROM logs.{}").format(sql.Identifier(NAME)))

    steps = partitions.prune(keeper, table=LOGS, archive=tmp_path, wait_s=0.3)
    assert {"delayed"} == {step.outcome for step in steps}
    assert list(tmp_path.iterdir()) == []

    direct.rollback()
    partitions.prune(keeper, table=LOGS, archive=tmp_path)
    assert file_of(tmp_path).exists()
