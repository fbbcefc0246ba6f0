"""The day of a test, which does not end in the middle of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

__all__ = ["today"]

_LONG_ENOUGH = timedelta(seconds=90)


def today() -> datetime:
    """Return the midnight with which this day began, in UTC.

    In the last moments of a day it waits for the next: a test that begins with it
    meets no other midnight. At the top of a module it would be that of the collection.
    """
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    left = midnight + timedelta(days=1) - now
    if left > _LONG_ENOUGH:
        return midnight
    time.sleep(left.total_seconds() + 0.01)
    return midnight + timedelta(days=1)
