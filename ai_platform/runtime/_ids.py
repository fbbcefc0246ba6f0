"""UUID v7: ids that sort by the time they were made."""

from __future__ import annotations

import os
import struct
from time import time_ns
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["uuid7", "uuid7_bytes"]

_NS_PER_MS: Final = 1_000_000
# 48 bits of milliseconds end in the year 10889
_LAST_NS: Final = ((1 << 48) - 1) * _NS_PER_MS
_VERSION: Final = 0x7000
_VARIANT: Final = 0x2 << 62
_CHANCE: Final = (1 << 62) - 1
_halves: Final[Callable[[int, int], bytes]] = struct.Struct("!QQ").pack


def uuid7() -> UUID:
    """Return a new UUID v7 (RFC 9562) of now.

    The twelve bits after the milliseconds are their fraction, as PostgreSQL 18 does
    it, so that ids of one process sort even within a millisecond.
    """
    return UUID(bytes=uuid7_bytes(time_ns(), int.from_bytes(os.urandom(8), "big")))


def uuid7_bytes(at_ns: int, chance: int) -> bytes:
    """Return the 16 bytes of a UUID v7 for *at_ns*, nanoseconds since 1970 UTC.

    *chance* gives the last 62 bits. Times outside 1970 to 10889 are moved to the
    nearer end.
    """
    milliseconds, rest = divmod(min(max(at_ns, 0), _LAST_NS), _NS_PER_MS)
    fraction = (rest << 12) // _NS_PER_MS
    return _halves(
        milliseconds << 16 | _VERSION | fraction, _VARIANT | (chance & _CHANCE)
    )
