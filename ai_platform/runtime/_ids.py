"""UUID v7: ids that sort by the time they were made."""

from __future__ import annotations

import os
from time import time_ns
from uuid import UUID

__all__ = ["uuid7", "uuid7_bytes"]

_NS_PER_MS = 1_000_000
# 48 bits of milliseconds end in the year 10889
_LAST_MS = (1 << 48) - 1
_FRACTION_BITS = 12
_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_RANDOM = (1 << 62) - 1


def uuid7() -> UUID:
    """Return a new UUID v7 (RFC 9562) of now.

    The twelve bits after the milliseconds are their fraction, as PostgreSQL 18 does
    it, so that ids of one process sort even within a millisecond.
    """
    return UUID(bytes=uuid7_bytes(time_ns()))


def uuid7_bytes(at_ns: int) -> bytes:
    """Return the 16 bytes of a UUID v7 for *at_ns*, nanoseconds since 1970 UTC.

    Times outside 1970 to 10889 are moved to the nearer end.
    """
    milliseconds, rest = divmod(max(at_ns, 0), _NS_PER_MS)
    fraction = (rest << _FRACTION_BITS) // _NS_PER_MS
    chance = int.from_bytes(os.urandom(8), "big") & _RANDOM
    value = min(milliseconds, _LAST_MS) << 80 | _VERSION | fraction << 64
    return (value | _VARIANT | chance).to_bytes(16, "big")
