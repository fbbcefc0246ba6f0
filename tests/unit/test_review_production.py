"""The statistics file: read back whole, or refused with the place of the fault."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.errors import BadValue
from ai_platform.review.production import (
    IndexStatistics,
    Statistics,
    TableStatistics,
    dumps,
    load,
)

if TYPE_CHECKING:
    from pathlib import Path

TABLE = TableStatistics(
    name="shop.orders",
    rows=1e6,
    pages=10,
    heap_bytes=1 << 30,
    toast_bytes=5,
    index_bytes=7,
    inserts_per_s=2.5,
    updates_per_s=None,
    deletes_per_s=0.5,
    seq_scans=1,
    idx_scans=2,
    parent="shop.all_orders",
    indexes=(IndexStatistics("orders_pkey", "btree", 7, is_valid=False),),
)
GOOD = Statistics(
    format=1,
    taken_at="2026-01-01T00:00:00+00:00",
    server_version="18.1",
    window_s=None,
    longest_transaction_s=3,
    settings={"max_wal_size": "1GB"},
    tables=(TABLE,),
    missing=("rates: unknown",),
)


def test_a_file_reads_back(tmp_path: Path) -> None:
    """Nothing is lost on the way through the file."""
    path = tmp_path / "prod.json"
    path.write_text(dumps(GOOD))

    assert load(path) == GOOD


def test_a_partitioned_table_is_its_parts() -> None:
    """Sums, with what is unknown in all parts left unknown."""
    both = replace(GOOD, tables=(TABLE, replace(TABLE, name="shop.more")))

    whole = both.table("shop.all_orders")

    assert whole is not None
    assert (whole.rows, whole.updates_per_s, whole.writes_per_s) == (2e6, None, 6.0)
    assert whole.bytes == 2 * TABLE.bytes
    assert both.table("shop.nothing") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "must be statistics of format 1, got 2"),
        ({"tables": {}}, "tables must be a list"),
        ({"tables": [{}]}, "tables[0].indexes must be a list, got None"),
        ({"tables": ["x"]}, "tables[0].indexes must be a list"),
        ({"settings": {"a": 1}}, "settings must be texts by name"),
        ({"window_s": "long"}, "statistics.window_s must be a number, got 'long'"),
        ({"window_s": -1}, "statistics.window_s must be a number from 0 on, got -1"),
        ({"server_version": None}, "statistics.server_version must be a text"),
        ({"missing": None}, "missing must be a list"),
    ],
)
def test_a_wrong_value_is_named(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    """The error says where it is and what stands there."""
    path = tmp_path / "prod.json"
    path.write_text(json.dumps({**json.loads(dumps(GOOD)), **change}))

    with pytest.raises(BadValue) as caught:
        load(path)

    assert words in caught.value.message


@pytest.mark.parametrize("name", ["rows", "heap_bytes", "name", "parent"])
def test_a_wrong_table_is_named(tmp_path: Path, name: str) -> None:
    """By its place in the list and the field."""
    value = json.loads(dumps(GOOD))
    value["tables"][0][name] = True
    path = tmp_path / "prod.json"
    path.write_text(json.dumps(value))

    with pytest.raises(BadValue, match=rf"tables\[0\]\.{name} must be .* got True"):
        load(path)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"x"', "[" * 100_000])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is something else altogether ends with a hint, not a traceback."""
    path = tmp_path / "prod.json"
    path.write_text(text)

    with pytest.raises(BadValue) as caught:
        load(path)

    assert caught.value.hint == "write it with platform stats export"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """As the person wrote it."""
    with pytest.raises(BadValue, match=r"cannot read .*none\.json: No such file"):
        load(tmp_path / "none.json")
