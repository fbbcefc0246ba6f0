"""What was archived can be loaded again, and nothing else can."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.errors import BadValue, Refused
from ai_platform.maintenance import partitions
from ai_platform.maintenance.restore import restore
from tests.support.archives import (
    LOGS,
    NAME,
    OLD,
    content,
    file_of,
    spoil,
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


@pytest.mark.parametrize("damage", ["flipped byte", "cut"])
def test_a_damaged_file_is_not_loaded(keeper: Any, tmp_path: Path, damage: str) -> None:
    """The checksum is looked at first, also in a dry run."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path)
    spoil(file_of(tmp_path), damage)

    for dry_run in (True, False):
        with pytest.raises(Refused, match=r"damaged|not the file"):
            restore(keeper, file_of(tmp_path), into="logs.back", dry_run=dry_run)


def test_a_second_loading_changes_nothing(database: Database, tmp_path: Path) -> None:
    """Rows arrive under row security too; a key takes them once, all or none."""
    conn = database.connect("migrator")
    watch = database.connect()
    table, old = "service_platform.invocations", OLD - timedelta(days=400)
    partitions.apply(conn, now=old, table=table)
    moment = int(old.timestamp() * 1000)
    watch.execute(
        """INSERT INTO service_platform.invocations
                  (id, created_at, organization_id, operation, status_code)
           SELECT v.id, uuid_v7_timestamp(v.id), 1, 'chat', 200
             FROM (SELECT overlay(gen_random_uuid()::text
                                  PLACING %s FROM 1 FOR 15)::uuid
                     FROM generate_series(1, 3)) v (id)""",
        [f"{moment:012x}"[:8] + "-" + f"{moment:012x}"[8:] + "-7"],
    )
    before = content(watch, table)
    partitions.prune(conn, table=table, archive=tmp_path)
    partitions.apply(conn, now=old, table=table)
    (file,) = [f for f in tmp_path.glob("*.gz") if f.stat().st_size > 300]

    restore(conn, file)
    with pytest.raises(Refused, match="already"):
        restore(conn, file)

    assert content(watch, table) == before


def test_rows_without_a_partition_are_refused(keeper: Any, tmp_path: Path) -> None:
    """The refusal names what to do, and nothing is made that expires at once."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path)

    with pytest.raises(Refused, match="has no partition") as refused:
        restore(keeper, file_of(tmp_path))

    assert f"apply --at {OLD:%Y-%m-%d}" in str(refused.value.hint)


@pytest.mark.parametrize(
    "into", ["back", "logs.a.b", ".back", "public.request_logs", "logs."]
)
def test_a_new_table_needs_a_free_name(keeper: Any, tmp_path: Path, into: str) -> None:
    """Nothing that exists is written to, and no name is guessed."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path)

    with pytest.raises(BadValue):
        restore(keeper, file_of(tmp_path), into=into)


@pytest.mark.parametrize(
    "kind", ["text); DROP TABLE auth.users; --", "text DEFAULT version()", "nothing"]
)
def test_a_forged_manifest_runs_no_sql(
    database: Database, keeper: Any, tmp_path: Path, kind: str
) -> None:
    """A type in a file that somebody has changed is a type or nothing."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path)
    manifest = tmp_path / f"logs.{NAME}.csv.gz.json"
    said = json.loads(manifest.read_text())
    said["columns"][0]["type"] = kind
    manifest.write_text(json.dumps(said))

    with pytest.raises(Refused, match="names a type"):
        restore(keeper, file_of(tmp_path), into="logs.back")

    query = "SELECT to_regclass('auth.users') IS NOT NULL"
    assert database.connect().execute(query).fetchone() == (True,)


def test_a_forged_manifest_names_no_other_table(keeper: Any, tmp_path: Path) -> None:
    """Accounts are not loaded from a file, whatever stands beside it."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path)
    manifest = tmp_path / f"logs.{NAME}.csv.gz.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**said, "parent": "auth.users"}))

    with pytest.raises(Refused, match="partitioned tables only"):
        restore(keeper, file_of(tmp_path))


@pytest.mark.parametrize(
    "changed",
    [
        {"lower": "yesterday"},
        {"lower": 5},
        {"upper": "2000-01-01T00:00:00+00:00"},
        {"lower": "2000-01-01T00:00:00"},
        {"lower": "2000-01-01T00:00:00", "upper": "2000-01-02T00:00:00"},
        {"parent": 5},
        {"columns": 5},
        {"columns": []},
        {"columns": [5]},
        {"columns": [{"name": "id"}]},
        {"columns": [{"name": "id", "type": 5}]},
    ],
    ids=str,
)
def test_an_absurd_manifest_is_refused(
    keeper: Any, tmp_path: Path, changed: dict[str, Any]
) -> None:
    """What no run has written is not believed, and is no accident of ours."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path)
    manifest = tmp_path / f"logs.{NAME}.csv.gz.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changed))

    with pytest.raises(Refused, match=f"manifest of logs.{NAME}.csv.gz cannot be read"):
        restore(keeper, file_of(tmp_path))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 9}', "\x00"])
def test_an_unreadable_manifest_is_refused(
    keeper: Any, tmp_path: Path, text: str
) -> None:
    """Half a manifest is none, and the file is named."""
    partitions.prune(keeper, table=LOGS, archive=tmp_path)
    (tmp_path / f"logs.{NAME}.csv.gz.json").write_text(text)

    with pytest.raises(Refused, match=f"manifest of logs.{NAME}.csv.gz cannot be read"):
        restore(keeper, file_of(tmp_path), into="logs.back")
