"""Records become rows of binary COPY, or an error that names no value."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from time import time_ns
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from ai_platform.runtime import RequestRecord, uuid7
from ai_platform.runtime._encode import BadRecord, Encoder, created_of
from ai_platform.runtime._ids import uuid7_bytes
from ai_platform.runtime._record import COLUMNS

AT = 1_790_000_000_123_456_789
AWARE = datetime(2026, 9, 21, 14, 13, 20, 123456, UTC)


def fields(record: Any) -> dict[str, bytes | None]:
    """Return the fields of *record* as they go over the wire."""
    row = Encoder().row(record, AT)
    (count,) = struct.unpack_from("!h", row)
    found: list[bytes | None] = []
    at = 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", row, at)
        at += 4
        found.append(None if length < 0 else row[at : at + length])
        at += max(length, 0)
    assert at == len(row)
    return dict(zip(COLUMNS, found, strict=True))


def test_every_type_has_its_form() -> None:
    """Text in UTF-8, numbers in network order, jsonb with its version."""
    row = fields(
        RequestRecord(
            id=UUID(int=7),
            created=AWARE,
            url="/ü",
            status=404,
            meta={"a": [1, None]},
            organization_id=-1,
            trace_id=UUID(int=8),
        )
    )

    assert row["id"] == UUID(int=7).bytes
    assert row["url"] == "/ü".encode()
    assert row["status"] == struct.pack("!i", 404)
    assert row["meta"] == b'\x01{"a":[1,null]}'
    assert row["organization_id"] == b"\xff\xff\xff\xff"
    assert row["trace_id"] == UUID(int=8).bytes
    assert row["method"] is None


def test_a_mapping_is_a_record_too() -> None:
    """Any mapping with known keys gives the row that a record gives."""
    record = {"id": str(UUID(int=7)), "created": AWARE.isoformat(), "status": 200}
    same = RequestRecord(id=UUID(int=7), created=AWARE, status=200)

    assert fields(record) == fields(MappingProxyType(record)) == fields(same)


@pytest.mark.parametrize(
    "created",
    [
        AWARE,
        AWARE.replace(tzinfo=None),
        AWARE.astimezone(timezone(timedelta(hours=5, minutes=45))),
        AWARE.isoformat(),
        "2026-09-21T14:13:20.123456Z",
    ],
)
def test_times_are_utc(created: Any) -> None:
    """A zone is converted; what has none is UTC, whatever the zone of the machine."""
    row = Encoder().row({"created": created}, AT)

    assert created_of(row) == AWARE


def test_the_push_is_the_time_of_the_request() -> None:
    """Without *created* it is the moment of the push, and the id tells it too."""
    row = Encoder().row(RequestRecord(), AT)
    key = UUID(bytes=fields(RequestRecord())["id"])

    assert created_of(row) == datetime.fromtimestamp(AT // 10**9, UTC) + timedelta(
        microseconds=123_456
    )
    assert key.int >> 80 == AT // 1_000_000


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"url": "a\0b"}, "NUL byte"),
        ({"meta": {"a": "\0"}}, "NUL character"),
        ({"meta": {"\0": 1}}, "NUL character"),
        ({"url": "\ud800"}, "lone surrogate"),
        ({"meta": {"a": "\udfff"}}, "lone surrogate"),
        ({"status": 1 << 31}, "out of range"),
        ({"status": -(1 << 31) - 1}, "out of range"),
        ({"status": "200"}, "no number"),
        ({"url": b"/"}, "wrong type"),
        ({"method": ["GET"]}, "wrong type"),
        ({"meta": {"a": float("nan")}}, "cannot be read"),
        ({"meta": {"a": {1, 2}}}, "meta holds a set"),
        ({"meta": {(1, 2): 1}}, "wrong type"),
        ({"created": date(2026, 1, 1)}, "wrong type"),
        ({"created": "yesterday"}, "cannot be read"),
        ({"created": "9999-12-31T23:59:59-14:00"}, "1 to 9999"),
        ({"created": "0001-01-01T00:00:00+14:00"}, "1 to 9999"),
        ({"id": "no-uuid"}, "cannot be read"),
        ({"id": 5}, "wrong type"),
        ({"trace_id": b"short"}, "cannot be read"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({7: 1}, "unknown field '7'"),
        (42, "wrong type"),
        (None, "wrong type"),
        ("text", "wrong type"),
    ],
)
def test_what_no_table_holds_is_refused(record: Any, text: str) -> None:
    """Each is found before the server sees it, and so spoils no batch."""
    with pytest.raises(BadRecord, match=text):
        Encoder().row(record, AT)


@pytest.mark.parametrize("depth", [5_000, 200_000])
def test_a_deep_or_endless_meta_is_refused(depth: int) -> None:
    """Recursion ends in an error of the record, not of the process."""
    deep: list[Any] = []
    for _ in range(depth):
        deep = [deep]
    circle: dict[str, Any] = {}
    circle["again"] = circle

    for meta in (deep, circle):
        with pytest.raises(BadRecord, match="too deep"):
            Encoder().row({"meta": {"a": meta}}, AT)


class Hostile(Mapping[str, Any]):
    """A mapping whose own code fails."""

    def __getitem__(self, key: str) -> Any:
        raise ZeroDivisionError

    def __iter__(self) -> Iterator[str]:
        return iter(["url"])

    def __len__(self) -> int:
        return 1


def test_code_of_others_cannot_stop_the_writer() -> None:
    """Whatever a mapping raises is an error of that record alone."""
    with pytest.raises(BadRecord, match="ZeroDivisionError"):
        Encoder().row({"meta": Hostile()}, AT)


def test_errors_show_no_value() -> None:
    """What was refused may be a secret; the text goes to logs."""
    for record in ({"url": "sesame\0"}, {"status": "sesame"}, {"id": "sesame"}):
        with pytest.raises(BadRecord) as caught:
            Encoder().row(record, AT)
        assert "sesame" not in str(caught.value)


def test_escaped_nul_is_told_from_plain_text() -> None:
    """A backslash before `u0000` in the text itself is no NUL character."""
    assert fields({"meta": {"a": "\\u0000"}})["meta"] == b'\x01{"a":"\\\\u0000"}'


def test_long_and_repeated_values_are_exact() -> None:
    """What is kept encoded for the next request is that request's value."""
    encoder = Encoder()
    for number in range(20_000):
        row = encoder.row({"method": f"M{number % 9000}", "status": number}, AT)
        assert f"M{number % 9000}".encode() in row
    assert len(encoder._kept) <= 8192
    assert len(encoder._numbers) <= 8192


def test_ids_have_version_and_variant() -> None:
    """UUID v7 as RFC 9562 has it, with the milliseconds in front."""
    key = uuid7()

    assert (key.version, key.variant) == (7, "specified in RFC 4122")
    assert abs((key.int >> 80) - time_ns() // 1_000_000) < 10_000


def test_ids_are_unique_and_in_order() -> None:
    """Ids of one process sort by time, also within a millisecond."""
    keys = [uuid7() for _ in range(20_000)]
    coarse = [key.int >> 64 for key in keys]

    assert len(set(keys)) == len(keys)
    assert coarse == sorted(coarse)


@pytest.mark.parametrize("at", [-1, 0, 1 << 80])
def test_ids_of_odd_times_are_still_ids(at: int) -> None:
    """A clock far off moves the id to the end of its range, no further."""
    key = UUID(bytes=uuid7_bytes(at, 1 << 70))

    assert (key.version, key.variant) == (7, "specified in RFC 4122")


@pytest.mark.parametrize("year", [1, 1969, 2100, 9999])
def test_every_year_of_the_calendar_is_a_row(year: int) -> None:
    """Whether there is a partition for it is the server's to say."""
    created = datetime(year, 12, 31, 23, 59, 59, 999999, UTC)

    assert created_of(Encoder().row({"created": created}, AT)) == created


def test_every_row_tells_json_the_truth() -> None:
    """What Python's own reader makes of the stored text is what was given."""
    meta = {"ü": "\u2028\U0001f600", "n": [1.5, -0.0, 10**40], "t": True, "": None}
    stored = fields({"meta": meta})["meta"]

    assert stored is not None
    assert json.loads(stored[1:]) == meta
