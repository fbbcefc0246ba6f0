"""What the env.py of a project does to its session before the revisions run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ai_platform.errors import PlatformError

from ._foreign import TIMEOUT_S, Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._foreign import Place
    from ._plan import Options, Plan
    from .facts import RevisionFacts

__all__ = ["Prologue", "begin", "told"]

_LONGEST: Final = 300
# what SQLAlchemy's inspector asks changes nothing
_INSPECTION: Final = re.compile(r"\s*SELECT\s+pg_catalog\.pg_\w+\.", re.IGNORECASE)
_SECRET: Final = re.compile(
    r"""((?:pass|secret|token|key|credential)\w*["']?\s*(?:=|,|TO\b)?\s*)"""
    r"""E?'(?:[^']|'')*'""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Prologue:
    """The statements of env.py before the first revision, in order.

    *settings* is what its session has set by then, *is_autocommit* whether it commits
    each statement alone; *fault* says why nothing is known.
    """

    statements: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    is_autocommit: bool = False
    fault: str | None = None

    def around(self, options: Options) -> Options:
        """Return *options* with its session, which theirs has the last word in."""
        return replace(options, settings={**self.settings, **options.settings})

    def plans(self, plans: Iterable[Plan]) -> list[Plan]:
        """Return *plans* as its session runs them."""
        return [plan.each_alone() if self.is_autocommit else plan for plan in plans]

    def notes(self) -> Iterator[str]:
        """Yield what the reader of a review must know of it."""
        if self.fault is not None:
            yield (
                "env.py does not run on the scratch server, so what it says before the "
                f"revisions is not known: {self.fault}"
            )
        said = [text for text in self.statements if not _INSPECTION.match(text)]
        if said:
            told = _cut("; ".join(map(_shown, said)))
            yield f"measured after what env.py runs before the revisions: {told}"
        if self.is_autocommit:
            yield (
                "measured statement by statement, each committed alone: the engine of "
                "env.py is in AUTOCOMMIT"
            )
        if self.settings:
            pairs = sorted(self.settings.items())
            told = _cut(", ".join(f"{name} = {value}" for name, value in pairs))
            yield f"measured in a session as env.py sets it: {told}"


def _shown(statement: str) -> str:
    """Return *statement* in one line, without what it gives as password or key."""
    return _SECRET.sub(r"\1'***'", " ".join(statement.split()))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def begin(place: Place, dsn: str, *, timeout_s: float = TIMEOUT_S) -> Prologue:
    """Run the env.py of the project at *place* on the database *dsn*, and no revision.

    What it makes there stays, such as a schema or the table of versions. One that does
    not run is told of, and ends nothing: revisions are measured by their SQL. It gets
    a minute, also where *timeout_s* for a statement is less.
    """
    with Interpreter(place, timeout_s=max(timeout_s, TIMEOUT_S)) as interpreter:
        try:
            found = interpreter.ask("begin", dsn=dsn)
        except PlatformError as error:
            return Prologue(fault=error.message)
        said = tuple(interpreter.clean(text) for text in found["said"])
    return Prologue(said, found["settings"], found["autocommit"])


def told(
    revisions: tuple[RevisionFacts, ...], prologues: Iterable[Prologue]
) -> tuple[RevisionFacts, ...]:
    """Return *revisions*, the first of them with what there is to say beforehand."""
    notes = tuple(note for one in prologues for note in one.notes())
    if not (revisions and notes):
        return revisions
    first = replace(revisions[0], notes=(*notes, *revisions[0].notes))
    return (first, *revisions[1:])
