"""Records that could not be written, and where they go."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ._record import COLUMNS, RequestRecord

if TYPE_CHECKING:
    from ._encode import Record

__all__ = ["Fallback", "SetAside", "print_json_lines"]

_LONGEST: Final = 10_000
_DEEPEST: Final = 50
_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that was not written, and why.

    *reason* is one word of `logs_set_aside_total`; *error* is what the server or the
    encoder said, in one line; *pushed_ns* are nanoseconds since 1970 UTC.
    """

    record: Record
    reason: str
    error: str
    pushed_ns: int

    def as_dict(self) -> dict[str, Any]:
        """Return it with the fields of the record that are not None.

        What is no record at all is told by its text.
        """
        return {
            "reason": self.reason,
            "error": self.error,
            "pushed_ns": self.pushed_ns,
            "record": _fields(self.record),
        }


Fallback: TypeAlias = Callable[[list[SetAside]], object]
"""Takes what could not be written; called by the writer, never by `push`."""


def print_json_lines(records: list[SetAside]) -> None:
    """Write each record as one line of JSON to standard output.

    What JSON has no form for is written as text: NaN, bytes, a circle, any object.
    """
    sys.stdout.write("".join([_line(one.as_dict()) for one in records]))
    sys.stdout.flush()


def _fields(record: object) -> dict[str, Any] | str:
    try:
        if isinstance(record, RequestRecord):
            found = {name: getattr(record, name) for name in COLUMNS}
        elif isinstance(record, Mapping):
            found = {str(key): value for key, value in record.items()}
        else:
            return _text(record)
    except Exception:  # noqa: BLE001 - a mapping runs somebody else's code
        return _text(record)
    return {key: value for key, value in found.items() if value is not None}


def _line(fields: dict[str, Any]) -> str:
    try:
        return json.dumps(fields, allow_nan=False) + "\n"
    except Exception:  # noqa: BLE001 - whatever it was, the text below has a form for it
        return json.dumps(_plain(fields, ())) + "\n"


def _plain(value: Any, within: tuple[int, ...]) -> Any:
    """Return *value* as JSON can hold it; *within*: the ids of what it is part of."""
    try:
        if not isinstance(value, Mapping | list | tuple | set):
            return _scalar(value)
        if id(value) in within or len(within) > _DEEPEST:
            return "..."
        path = (*within, id(value))
        if isinstance(value, Mapping):
            return {_text(key): _plain(item, path) for key, item in value.items()}
        return [_plain(item, path) for item in value]
    except Exception:  # noqa: BLE001 - runs somebody else's code
        return _text(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool) or type(value) is str:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, int) and value.bit_length() < _BITS:
        return int(value)
    return _text(value)


def _text(value: object) -> str:
    try:
        return str(value)[:_LONGEST]
    except Exception:  # noqa: BLE001 - runs somebody else's code
        return f"<{type(value).__name__}>"
