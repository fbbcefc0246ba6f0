"""Records that could not be written, and where they go."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ._encode import Record

__all__ = ["Fallback", "SetAside", "print_json_lines"]


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
        """Return it as JSON takes it, the fields that are None left out."""
        record = self.record
        fields = record if isinstance(record, Mapping) else asdict(record)
        return {
            "reason": self.reason,
            "error": self.error,
            "pushed_ns": self.pushed_ns,
            "record": {
                str(key): value for key, value in fields.items() if value is not None
            },
        }


Fallback: TypeAlias = Callable[[list[SetAside]], object]
"""Takes what could not be written; called by the writer, never by `push`."""


def print_json_lines(records: list[SetAside]) -> None:
    """Write each record as one line of JSON to standard output."""
    lines = [
        json.dumps(one.as_dict(), default=str, skipkeys=True) + "\n" for one in records
    ]
    sys.stdout.write("".join(lines))
    sys.stdout.flush()
