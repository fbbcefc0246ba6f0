"""Request records as rows of binary COPY.

The format is that of "Binary Format" in PostgreSQL's documentation of COPY: a count
of fields, then for each field its length in bytes (-1: NULL) and its value as the
type's receive function reads it; all integers in network order.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from json import encoder as json_encoder
from operator import attrgetter
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from ._ids import uuid7_bytes
from ._record import COLUMNS, RequestRecord

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HEADER", "TRAILER", "BadRecord", "Encoder", "Record", "created_of"]

Record: TypeAlias = RequestRecord | Mapping[str, Any]

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER: Final = struct.pack("!h", -1)

_NULL: Final = struct.pack("!i", -1)
_UUID_HEAD: Final = struct.pack("!i", 16)
_ROW_HEAD: Final = struct.pack("!h", len(COLUMNS)) + _UUID_HEAD
_CREATED_AT: Final = len(_ROW_HEAD) + 16 + 4

_head: Final[Callable[[int, int, int, int, int, int], bytes]] = struct.Struct(
    "!hiQQiq"
).pack
_length: Final[Callable[[int], bytes]] = struct.Struct("!i").pack
_timestamp: Final[Callable[[int, int], bytes]] = struct.Struct("!iq").pack
_int4: Final[Callable[[int, int], bytes]] = struct.Struct("!ii").pack
_jsonb: Final[Callable[[int, int], bytes]] = struct.Struct("!iB").pack

_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - of columns without a zone
_EPOCH_UTC: Final = _EPOCH.replace(tzinfo=UTC)
_EPOCH_US: Final = int(_EPOCH_UTC.timestamp()) * 1_000_000
# microseconds since 1970 that the 48 bits of a UUID v7 can tell, in milliseconds
_LAST_US: Final = (1 << 48) * 1000
_MICROSECOND: Final = timedelta(microseconds=1)
_CALENDAR_BEGINS: Final = datetime.min.replace(tzinfo=UTC) - _EPOCH_UTC
_CALENDAR_ENDS: Final = datetime.max.replace(tzinfo=UTC) - _EPOCH_UTC

_values: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(*COLUMNS)
_KNOWN: Final = frozenset(COLUMNS)
# an even number of backslashes before it would be backslashes and plain letters
_ESCAPED_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

# what repeats from request to request is kept encoded
_KEPT: Final = 8192
_LONGEST_KEPT: Final = 256
# one that takes seconds to send would take its whole batch along at the timeout
_LONGEST: Final = 16 << 20


def _unknown(value: object) -> object:
    raise TypeError(f"meta holds a {type(value).__name__}")


def _json_encoder() -> Callable[[object], str]:
    """Return what writes JSON; one for all rows, where JSONEncoder makes one a call."""
    options: dict[str, Any] = {"ensure_ascii": False, "allow_nan": False}
    encode = json.JSONEncoder(
        **options, separators=(",", ":"), default=_unknown, check_circular=False
    ).encode
    try:
        chunks = json_encoder.c_make_encoder(  # type: ignore[attr-defined, unused-ignore]
            None,
            _unknown,
            json_encoder.encode_basestring,  # type: ignore[attr-defined, unused-ignore]
            None,
            ":",
            ",",
            False,  # noqa: FBT003 - sort_keys
            False,  # noqa: FBT003 - skipkeys
            False,  # noqa: FBT003 - allow_nan
        )
        if "".join(chunks({"a": [1]}, 0)) != encode({"a": [1]}):
            return encode
    except (AttributeError, TypeError):
        return encode  # an interpreter without it
    return lambda value: "".join(chunks(value, 0))


_to_json: Final = _json_encoder()


class BadRecord(ValueError):
    """A record that no table can hold; the text says why, without its values."""


class Encoder:
    """Turns records into rows of binary COPY; of one thread at a time."""

    def __init__(self) -> None:
        self._kept: dict[str | None, bytes] = {None: _NULL}
        self._numbers: dict[int | None, bytes] = {None: _NULL}
        self._chance = Random(os.urandom(32)).getrandbits  # noqa: S311 - ids are no secrets

    def row(self, record: Record, pushed_ns: int) -> bytes:
        """Return *record*, pushed at *pushed_ns* (since 1970 UTC), as one row.

        Raises BadRecord: unknown field, wrong type, NUL byte, lone surrogate, number
        out of range, what JSON cannot hold, more than 16 MB.
        """
        try:
            row = self._row(record, pushed_ns)
        except BadRecord:
            raise
        except UnicodeEncodeError:
            raise BadRecord("text with a lone surrogate") from None
        except (struct.error, OverflowError):
            raise BadRecord("a number out of range, or no number") from None
        except RecursionError:
            raise BadRecord("meta is nested too deep") from None
        except (AttributeError, TypeError) as error:
            raise BadRecord(f"a value of the wrong type: {_kind(error)}") from None
        except ValueError:
            raise BadRecord("an id, a time or meta that cannot be read") from None
        except Exception as error:  # noqa: BLE001 - a mapping runs somebody else's code
            raise BadRecord(f"cannot be read: {type(error).__name__}") from None
        if len(row) > _LONGEST:
            raise BadRecord("a record of more than 16 MB")
        return row

    def _row(self, record: Record, pushed_ns: int) -> bytes:
        # One expression a field: this runs for every request of every service.
        (
            key,
            created,
            url,
            method,
            status,
            auth,
            remote_ip,
            user_agent,
            meta,
            referer,
            organization_id,
            duration_ms,
            trace_id,
        ) = _values(record) if type(record) is RequestRecord else _other(record)
        kept, numbers = self._kept, self._numbers
        unix_us = pushed_ns // 1000 if created is None else _microseconds(created)
        if key is None and 0 <= unix_us < _LAST_US:
            milliseconds, rest = divmod(unix_us, 1000)
            head = _head(
                len(COLUMNS),
                16,
                milliseconds << 16 | 0x7000 | (rest << 12) // 1000,
                0x2 << 62 | self._chance(62),
                8,
                unix_us - _EPOCH_US,
            )
        else:
            head = self._head(key, unix_us)
        return b"".join(
            (
                head,
                _NULL if url is None else _text(url),
                kept.get(method) or self._keep(method),
                numbers.get(status) or self._keep_number(status),
                kept.get(auth) or self._keep(auth),
                kept.get(remote_ip) or self._keep(remote_ip),
                kept.get(user_agent) or self._keep(user_agent),
                _NULL if meta is None else _json(meta),
                kept.get(referer) or self._keep(referer),
                numbers.get(organization_id) or self._keep_number(organization_id),
                numbers.get(duration_ms) or self._keep_number(duration_ms),
                _NULL if trace_id is None else _UUID_HEAD + _uuid(trace_id),
            )
        )

    def _head(self, key: Any, unix_us: int) -> bytes:
        """Return the fields id and created where they are not both ordinary."""
        made = uuid7_bytes(unix_us * 1000, self._chance(62)) if key is None else None
        return b"".join(
            (_ROW_HEAD, made or _uuid(key), _timestamp(8, unix_us - _EPOCH_US))
        )

    def _keep(self, text: str) -> bytes:
        field = _text(text)
        if len(text) <= _LONGEST_KEPT:
            if len(self._kept) >= _KEPT:
                self._kept = {None: _NULL}
            self._kept[text] = field
        return field

    def _keep_number(self, number: int) -> bytes:
        field = _int4(4, number)
        if len(self._numbers) >= _KEPT:
            self._numbers = {None: _NULL}
        self._numbers[number] = field
        return field


def created_of(row: bytes) -> datetime:
    """Return the time in the column `created` of an encoded *row*, in UTC."""
    (microseconds,) = struct.unpack_from("!q", row, _CREATED_AT)
    return _EPOCH_UTC + timedelta(microseconds=microseconds)


def _other(record: Record) -> tuple[Any, ...]:
    if isinstance(record, RequestRecord):
        return _values(record)
    if unknown := record.keys() - _KNOWN:
        raise BadRecord(f"unknown field {min(map(str, unknown))[:63]!r}")
    get = record.get
    return tuple([get(name) for name in COLUMNS])


def _text(text: str) -> bytes:
    value = text.encode()
    if b"\0" in value:
        raise BadRecord("text with a NUL byte")
    return _length(len(value)) + value


def _json(meta: object) -> bytes:
    if type(meta) is not dict and isinstance(meta, Mapping):
        meta = dict(meta)
    text = _to_json(meta)
    if "\\u0000" in text and _ESCAPED_NUL.search(text):
        raise BadRecord("meta with a NUL character")
    value = text.encode()
    # version 1 of the binary format of jsonb: the text of the JSON
    return _jsonb(len(value) + 1, 1) + value


def _uuid(value: UUID | str | bytes) -> bytes:
    if isinstance(value, UUID):
        return value.bytes
    return UUID(bytes=value).bytes if isinstance(value, bytes) else UUID(value).bytes


def _microseconds(created: datetime | str) -> int:
    """Return the microseconds since 1970 UTC."""
    if isinstance(created, str):
        created = datetime.fromisoformat(created)
    epoch = _EPOCH if created.tzinfo is None else _EPOCH_UTC
    since = created - epoch
    if not _CALENDAR_BEGINS <= since <= _CALENDAR_ENDS:  # its zone moved it out
        raise BadRecord("created is not in the years 1 to 9999")
    return since // _MICROSECOND + _EPOCH_US


def _kind(error: Exception) -> str:
    """Return the text of a type error, which names types and attributes only."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
