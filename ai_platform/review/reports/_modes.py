"""What the letters of the lock modes stand for, and who waits for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_platform.review.facts import CONFLICTS, MODES

from ._describe import WAITING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ai_platform.review.facts import Mode, Review

__all__ = ["legend", "modes_of"]

_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES: Final = {
    short: _CAPITAL.sub(" ", name.removesuffix("Lock")).upper()
    for name, short in MODES.items()
}
# what reads, writes, and DDL or VACUUM take themselves
_TAKEN: Final[dict[str, Mode]] = {"R": "AS", "W": "RX", "D": "SUX"}


def modes_of(review: Review) -> list[Mode]:
    """Return the modes that *review* speaks of, the strongest first."""
    seen = {
        lock.mode
        for one in review.revisions
        for step in (*one.up, *one.down)
        for lock in step.locks
    }
    return [mode for mode in reversed(CONFLICTS) if mode in seen]


def legend(modes: Iterable[Mode]) -> list[tuple[str, str, str]]:
    """Return letters, name and who waits of each of *modes*."""
    return [(mode, _NAMES[mode], _waiting(mode)) for mode in modes]


def _waiting(mode: Mode) -> str:
    who = [
        WAITING[letter] for letter, taken in _TAKEN.items() if taken in CONFLICTS[mode]
    ]
    return f"{', '.join(who)} wait" if who else "none of them waits"
