"""Revisions of any Alembic project as SQL, read by the project's own interpreter."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from ._changed import changed_files
from ._foreign import TIMEOUT_S, Interpreter, Place
from ._history import History
from ._python import demand_python
from .preserve import lossy_columns
from .sources import Recording, RevisionSource
from .statements import sent_at_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "Project",
    "Python",
    "Step",
    "read",
    "whole",
]

_PHASE: Final = re.compile(r"^\s*Phase:\s*(expand|migrate|contract)\b", re.MULTILINE)
# what may stand before a step outside a transaction; it ends with the transaction
_LOCAL: Final = re.compile(r"SET\s+LOCAL\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement as a revision hands it over, and where it runs."""

    sql: str
    in_transaction: bool


@dataclass(frozen=True, slots=True)
class Project:
    """What of an Alembic project is to be reviewed.

    *revisions* are those of the span and *before* those that must have run by then,
    both in the order in which they run. *base* is the last of *before* (None: the
    empty database), *heads* are the project's. *steps* gives the statements of each
    revision and way (``up``, ``down``). *notes* is what the reader must know.
    """

    place: Place
    revisions: tuple[RevisionSource, ...]
    before: tuple[RevisionSource, ...]
    history: History
    version_table: str
    transaction_per_migration: bool
    steps: Mapping[tuple[str, str], tuple[Step, ...]]
    notes: tuple[str, ...] = ()

    @property
    def heads(self) -> tuple[str, ...]:
        """Return the heads of the whole history."""
        return self.history.heads

    @property
    def base(self) -> str | None:
        """Return where the review begins; several ids with commas between them."""
        tops = self.history.tops(source.revision for source in self.before)
        return ",".join(tops) or None

    @property
    def head(self) -> str | None:
        """Return where the review ends; several ids with commas between them."""
        tops = self.history.tops(source.revision for source in self.revisions)
        return ",".join(tops) or None


def read(  # noqa: PLR0913 - the options of the command
    config: Path | None = None,
    python: Path | None = None,
    span: str | None = None,
    *,
    git_base: str | None = None,
    env: Mapping[str, str] | None = None,
    x: Iterable[str] = (),
    engine: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Project:
    """Return the revisions of *span* of the project of *config*, by default ours.

    *python* is the project's interpreter, by default ours; *env* what its env.py
    needs of variables, and *x* of arguments of ``-x``; of several databases that it
    migrates *engine* is the one that is meant. *span* is REV, A..B or None: the last
    revision. With *git_base* it is the revisions whose files are new or edited since
    then; none is no error. Neither a database nor a folder of the project is touched.

    Raises BadValue for what cannot be read, with the file and line at fault, and
    Refused for a project that does not answer within *timeout_s*.
    """
    place = Place.of(config, python, env, x=x, engine=engine)
    if python is not None:
        demand_python(place.python)
    answer, history = _asked(place, timeout_s)
    if git_base is None:
        chosen = history.span(span)
    else:
        changed = changed_files(place.folder, git_base)
        chosen = history.between(
            item["revision"]
            for item in answer["revisions"]
            if (place.folder / item["file"]).resolve() in changed
        )
    return _project(place, history, answer, chosen)


def whole(place: Place, *, timeout_s: float = TIMEOUT_S) -> Project:
    """Return every revision of the project at *place*, however many heads it has."""
    answer, history = _asked(place, timeout_s)
    return _project(place, history, answer, list(history.order))


def _asked(place: Place, timeout_s: float) -> tuple[dict[str, Any], History]:
    with Interpreter(place, timeout_s=timeout_s) as interpreter:
        answer: dict[str, Any] = interpreter.ask("read")
    return answer, History.of(answer["revisions"], answer["heads"])


def _project(
    place: Place, history: History, answer: dict[str, Any], chosen: list[str]
) -> Project:
    sources = {
        item["revision"]: _source(item, is_chosen=item["revision"] in chosen)
        for item in answer["revisions"]
    }
    needed = history.ancestors(chosen) - set(chosen)
    return Project(
        place=place,
        revisions=tuple(sources[name] for name in chosen),
        before=tuple(sources[name] for name in history.order if name in needed),
        history=history,
        version_table=answer["version_table"],
        transaction_per_migration=answer["transaction_per_migration"],
        steps={
            (item["revision"], way): _steps(item[name])
            for item in answer["revisions"]
            for way, name in (("up", "upgrade"), ("down", "downgrade"))
        },
        notes=(answer["note"],) if answer["note"] else (),
    )


def _source(item: dict[str, Any], *, is_chosen: bool) -> RevisionSource:
    up, up_in_transaction = _text(_steps(item["upgrade"]))
    down, down_in_transaction = _text(_steps(item["downgrade"]))
    phase = item["phase"] or next(iter(_PHASE.findall(item["text"])), None)
    return RevisionSource(
        revision=item["revision"],
        down_revision=",".join(item["down_revisions"]) or None,
        title=item["title"],
        file=item["file"],
        up_sql=up,
        down_sql=None if item["downgrade"]["error"] else down,
        down_error=None if item["downgrade"]["refused"] else item["downgrade"]["error"],
        up_in_transaction=up_in_transaction,
        down_in_transaction=down_in_transaction,
        offline_error=item["upgrade"]["error"],
        phase=phase,
        # what is not reviewed may declare what it likes
        lossy=lossy_columns(item["lossy"], item["file"]) if is_chosen else (),
    )


def _steps(way: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(Step(sql, inside) for sql, inside in way["steps"] if sql)


def _text(steps: tuple[Step, ...]) -> tuple[str, bool]:
    """Return *steps* as one text, and whether it begins in a transaction.

    SET LOCAL alone before a step outside ends with its transaction, unused.
    """
    kept = [step for step in steps if step.in_transaction]
    outside = [sent_at_once(step.sql) for step in steps if not step.in_transaction]
    if outside and all(_LOCAL.match(step.sql) for step in kept):
        return "".join(f"{text}\n" for text in outside), False
    if not outside:
        return "".join(f"{step.sql}\n" for step in steps), True
    lines: list[str] = []
    for inside, group in groupby(steps, key=attrgetter("in_transaction")):
        body = [step.sql for step in group]
        lines += ["BEGIN;", *body, "COMMIT;"] if inside else map(sent_at_once, body)
    return "".join(f"{line}\n" for line in lines), steps[0].in_transaction


class Python:
    """Runs revisions of *project* as they are; *timeout_s* bounds each way.

    Each in an interpreter of its own, whose end is that of its sessions, but for those
    of a block of `kept`: they share one, which is quicker, and are the history.
    """

    def __init__(self, project: Project, timeout_s: float = TIMEOUT_S) -> None:
        self._project = project
        self._timeout_s = timeout_s
        self._kept: ExitStack | None = None
        self._interpreter: Interpreter | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep one interpreter within the block; only one database may be named."""
        with ExitStack() as stack:
            self._kept = stack
            try:
                yield
            finally:
                self._kept, self._interpreter = None, None

    def __call__(self, revision: str, dsn: str, is_down: bool) -> Recording:  # noqa: FBT001 - or by name
        """Run one way of *revision*, and of it alone; return what it said.

        Through the project's own env.py, which is led to the database *dsn* whatever
        URL it holds. That must stand where the way begins; its version table is set to
        that first, so it does not matter how it came there.

        Raises BadValue or Refused with what went wrong.
        """
        history = self._project.history
        name = history.locate(revision)
        standing = history.before(name, included=is_down)
        is_history = self._kept is not None
        with self._some() as interpreter:
            said = interpreter.ask(
                "run",
                revision=name,
                down=is_down,
                stamp=standing,
                history=is_history,
                dsn=dsn,
            )
        # a comment at the end of a statement must not hide the semicolon
        steps = tuple(Step(f"{sql}\n;", inside) for sql, inside in said["steps"])
        sql, in_transaction = _text(steps)
        return Recording(sql, in_transaction, said["gap"])

    @contextmanager
    def _some(self) -> Iterator[Interpreter]:
        if self._kept is None:
            with self._new() as interpreter:
                yield interpreter
            return
        if self._interpreter is None:
            self._interpreter = self._kept.enter_context(self._new())
        yield self._interpreter

    def _new(self) -> Interpreter:
        return Interpreter(self._project.place, timeout_s=self._timeout_s)
