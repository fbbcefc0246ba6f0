"""The chain of revisions, read from the names inside the files: no Alembic needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_platform.settings import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["VERSIONS", "RevisionFiles", "read_revisions"]

VERSIONS: Final = CHECKOUT / "migrations" / "versions"

_REVISION: Final = re.compile(r'^revision\b[^=\n]*= *"(\w+)"', re.MULTILINE)
_DOWN: Final = re.compile(
    r"^down_revision\b[^=\n]*= *(None|\"\w+\"|\([^)]*\))", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class RevisionFiles:
    """Every revision of the checkout with the ones it comes after."""

    after: Mapping[str, tuple[str, ...]]

    @property
    def heads(self) -> tuple[str, ...]:
        """Return the revisions that no other one names; in a sound checkout one."""
        named = {name for names in self.after.values() for name in names}
        return tuple(name for name in self.after if name not in named)

    def missing(self, done: Iterable[str]) -> set[str]:
        """Return what a database at the revisions *done* has yet to run.

        Raises KeyError for a revision that is not of this checkout.
        """
        left = set(self.after)
        waiting = list(done)
        while waiting:
            name = waiting.pop()
            waiting += self.after[name]
            left.discard(name)
        return left


def read_revisions(folder: Path = VERSIONS) -> RevisionFiles:
    """Read the files of *folder*; a file without a revision is none."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        revision, down = _REVISION.search(text), _DOWN.search(text)
        if revision is not None:
            found[revision[1]] = tuple(re.findall(r'"(\w+)"', down[1] if down else ""))
    return RevisionFiles(found)
