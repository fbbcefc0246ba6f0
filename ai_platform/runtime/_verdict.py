"""What an error of the server means for the batch that met it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from ._libpq import Failed

__all__ = ["OUTSIDE_WINDOW", "Verdict", "verdict"]

Verdict: TypeAlias = Literal["gone", "no_partition", "rows", "for_good", "later"]
"""What to do next: reconnect, make the partition, look for the bad rows, set the batch
aside at once, or try again a little later."""

OUTSIDE_WINDOW: Final = "22023"
"""What monitoring.ensure_partition_for raises for a day too far away."""

_CHECK_VIOLATION: Final = "23514"
# class 25006: the server became a standby; 57P: it ends or has just begun
_GOES_AWAY: Final = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})
# data exceptions, constraints, limits of the program, what a trigger raises
_ABOUT_ROWS: Final = ("22", "23", "54", "P0")
# no such table or column, no right, no such database: trying again is of no use
_FOR_GOOD: Final = ("42", "3D", "3F", "28", "0A")


def verdict(failed: Failed) -> Verdict:
    """Return what to do about *failed*."""
    if failed.sqlstate in _GOES_AWAY or failed.is_fatal:
        return "gone"
    if failed.sqlstate == _CHECK_VIOLATION and failed.constraint is None:
        return "no_partition"
    if failed.sqlstate.startswith(_ABOUT_ROWS):
        return "rows"
    return "for_good" if failed.sqlstate.startswith(_FOR_GOOD) else "later"
