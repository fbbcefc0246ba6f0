"""The SQL that runs, as text: for DBAs, for review files, for Flyway.

The text of a range is Alembic's own offline output, so it is what `upgrade` runs.
The text of one revision without Alembic's bookkeeping (`body`) is rendered from the
same operations; Flyway keeps a version table of its own.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import alembic
import sqlalchemy as sa
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ai_platform.errors import BadValue, Refused
from ai_platform.settings import CHECKOUT

from ._command import command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alembic.script import Script

__all__ = [
    "REVIEW",
    "Revision",
    "bootstrap",
    "flyway_files",
    "range_sql",
    "review_files",
    "revisions",
]

REVIEW: Final = CHECKOUT / "migrations" / "review"
"""Folder of the committed review files."""

_FIELD: Final = re.compile(r"^(Why|Lock|Phase|Back):\s*(.*)$")
_STEP: Final = re.compile(
    r"^-- Running (?:upgrade \S* ?-> (?P<up>\S+)|downgrade (?P<down>\S+) ->.*)$",
    re.MULTILINE,
)
_SLUG: Final = re.compile(r"[^a-z0-9]+")
_BASE: Final = "base"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision and what its docstring says about it."""

    id: str
    parent: str
    subject: str
    fields: dict[str, str]
    script: Script


def revisions(ini: Path = CHECKOUT / "alembic.ini") -> list[Revision]:
    """Return the revisions from the first to the head."""
    scripts = ScriptDirectory.from_config(Config(str(ini)))
    return [_revision(script) for script in reversed(list(scripts.walk_revisions()))]


def _revision(script: Script) -> Revision:
    parent = script.down_revision
    return Revision(
        id=script.revision,
        parent=parent if isinstance(parent, str) else _BASE,
        subject=(script.doc or "").strip(),
        fields=_fields(script.longdoc or ""),
        script=script,
    )


def _fields(docstring: str) -> dict[str, str]:
    """Return Why, Lock, Phase and Back; a field goes on over indented lines."""
    fields: dict[str, str] = {}
    name = None
    for line in docstring.splitlines():
        match = _FIELD.match(line.strip())
        if match:
            name = match[1]
            fields[name] = match[2].strip()
        elif name and line.strip():
            fields[name] += " " + line.strip()
        elif not line.strip():
            name = None
    return fields


def range_sql(span: str, *, down: bool = False) -> str:
    """Return the SQL of *span*: ``A:B``, ``REV`` (that step alone) or ``head``.

    Raises BadValue for a revision that is not there or a range that runs backwards.
    """
    known = revisions()
    low, high = _ends(span, known)
    if low == high:
        return f"-- nothing to run: {low} is where the range begins and ends\n"
    start, stop = (high, low) if down else (low, high)
    output = io.StringIO()
    command(
        "downgrade" if down else "upgrade",
        f"{start}:{stop}",
        sql=True,
        output=output,
    )
    return _tidy(output.getvalue())


def _ends(span: str, known: list[Revision]) -> tuple[str, str]:
    order = [_BASE, *(revision.id for revision in known)]
    if ":" not in span:
        high = _locate(span, order)
        low = _BASE if span in ("head", "heads") else order[order.index(high) - 1]
        if high == _BASE:
            raise BadValue(
                "base has no SQL of its own", hint="platform db sql base:head"
            )
        return low, high
    if span.count(":") > 1:
        raise BadValue(f"range {span!r} has more than one colon", hint="write A:B")
    first, _, last = span.partition(":")
    low, high = _locate(first or _BASE, order), _locate(last or "head", order)
    if order.index(low) > order.index(high):
        raise BadValue(
            f"range {span!r} does not run from an older to a newer revision",
            hint=f"{last or 'head'}:{first or _BASE}, with --down for the way back",
        )
    return low, high


def _locate(name: str, order: list[str]) -> str:
    """Return the id for *name*: a whole id, a unique beginning, head or base."""
    if name in ("head", "heads"):
        return order[-1]
    matches = (
        [name] if name in order else [x for x in order if name and x.startswith(name)]
    )
    if len(matches) != 1:
        what = "is ambiguous" if matches else "does not exist"
        raise BadValue(f"revision {name!r} {what}", hint="platform db history")
    return matches[0]


def _tidy(text: str) -> str:
    """Drop blanks at line ends and runs of empty lines; bodies are free of both."""
    lines = [line.rstrip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def body(revision: Revision) -> tuple[str, bool]:
    """Return the SQL of a revision's upgrade and whether it may run in a transaction.

    Without BEGIN, COMMIT and the row in `alembic_version`.
    """
    output = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        opts={"as_sql": True, "output_buffer": output, "literal_binds": True},
    )
    marks = _Marks(output)
    context.impl.emit_commit = marks.leave  # type: ignore[method-assign]
    context.impl.emit_begin = marks.enter  # type: ignore[method-assign]
    with Operations.context(context):
        revision.script.module.upgrade()
    return _tidy(output.getvalue()), not marks.left


class _Marks:
    """Notes that a revision left its transaction, instead of writing COMMIT."""

    def __init__(self, output: io.StringIO) -> None:
        self._output = output
        self.left = False

    def leave(self) -> None:
        # Of the transaction that is left only the role may have been set: anything
        # else would be lost here, and is committed apart from its revision online.
        before = self._output.getvalue().strip().rstrip(";")
        if before not in ("", "SET LOCAL ROLE platform_owner"):
            raise Refused(
                "a step outside a transaction is not alone in its revision",
                hint="move what comes before it into a revision of its own",
            )
        self._output.seek(0)
        self._output.truncate()
        self.left = True

    def enter(self) -> None:
        return


def bootstrap() -> str:
    """Return what a DBA runs once where the migrator may make neither role nor type."""
    text, _ = body(revisions()[0])
    return (
        "-- Roles, rights and extensions of the platform, to be run once per database\n"
        "-- by a superuser: psql -1 -v ON_ERROR_STOP=1 -d <database> -f this-file.sql\n"
        "-- Then give platform_migrator a password or certificate, and as that login:\n"
        "--   platform db upgrade\n\n" + text
    )


def review_files() -> Iterator[tuple[str, str]]:
    """Yield name and text of each committed review file, up and down."""
    known = revisions()
    up, down = (_steps(range_sql("head", down=way)) for way in (False, True))
    for revision in known:
        for way, steps in (("up", up), ("down", down)):
            yield (
                f"{revision.id}.{way}.sql",
                _header(revision, way) + steps[revision.id],
            )


def _steps(text: str) -> dict[str, str]:
    """Cut offline SQL into its steps: the transaction of each revision, by its id."""
    marks = list(_STEP.finditer(text))
    starts = [text.rindex("BEGIN;", 0, mark.start()) for mark in marks]
    ends = [*starts[1:], len(text)]
    return {
        mark["up"] or mark["down"]: text[start:end].strip() + "\n"
        for mark, start, end in zip(marks, starts, ends, strict=True)
    }


def _header(revision: Revision, way: str) -> str:
    """Say what a DBA asks first; library versions, because they shape the text."""
    told = [
        f"{name + ':':<7}{revision.fields.get(name, '-')}"
        for name in ("Why", "Lock", "Phase", "Back")
    ]
    tools = (
        f"Alembic {_minor(alembic.__version__)}, SQLAlchemy {_minor(sa.__version__)}"
    )
    lines = [
        f"{revision.id} ({way}): {revision.subject}",
        *told,
        f"After: {revision.parent}",
        f"With:  PostgreSQL 16 to 18, {tools}",
        "Run:   SET lock_timeout = '4s' first, so that nobody queues behind a wait",
        "Written by: platform db sql --review",
    ]
    return "".join(f"-- {line}\n" for line in lines) + "\n"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def flyway_files(
    ini: Path = CHECKOUT / "alembic.ini",
) -> Iterator[tuple[str, str]]:
    """Yield name and text of the files a Flyway user copies.

    A step that cannot run in a transaction gets a ``.conf`` beside it.
    """
    for number, revision in enumerate(revisions(ini), start=1):
        text, transactional = body(revision)
        slug = _SLUG.sub("_", revision.subject.lower()).strip("_")[:50]
        name = f"V{number}__{slug}.sql"
        yield name, f"-- {revision.id}: {revision.subject}\n\n{text}"
        if not transactional:
            yield f"{name}.conf", "executeInTransaction=false\n"
