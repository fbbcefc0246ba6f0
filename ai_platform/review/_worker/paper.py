"""The history of a project, and its SQL, written down without a database."""

from __future__ import annotations

import os
import re
import traceback
from contextlib import suppress
from functools import partial
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from .faults import Fault, NoDatabase, last_line
from .mock import ask_which_mode, demand_plain, no_files
from .rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .places import Project

__all__ = ["read"]

OTHERS = ("mysql", "mariadb", "mssql", "oracle", "cockroachdb", "redshift")
NO_OFFLINE = "env.py has no offline mode: the SQL was written without it"
OFTEN = "env.py runs the revisions {} times with the same SQL: reviewed is one of them"


class Rendered(Exception):
    """Everything is written down; leave Alembic before it notes any revision."""


def read(project: Project) -> dict[str, Any]:
    """Return the history with the SQL of each revision, both ways."""
    config = project.config()
    scripts = project.scripts(config)
    paper = Paper(scripts, project.folder)
    note = _render(config, scripts, paper, project)
    return {
        "heads": list(scripts.get_heads()),
        "note": note,
        "version_table": paper.version_table,
        "transaction_per_migration": paper.per_migration,
        "revisions": [
            {**_described(revision, project.folder), **paper.ways[revision.revision]}
            for revision in paper.history
        ],
    }


def _in_order(revisions: Iterable[Any]) -> list[Any]:
    """Return *revisions* so that what one needs stands before it."""
    waiting = list(revisions)
    by_id = {revision.revision: revision for revision in waiting}
    ordered: dict[str, Any] = {}
    while waiting:
        revision = waiting.pop()
        missing = [p for p in _parents(revision) if p not in ordered and p in by_id]
        if missing:
            waiting.append(revision)
            waiting.extend(by_id[parent] for parent in missing)
        else:
            ordered[revision.revision] = revision
    return list(ordered.values())


def _parents(revision: Any) -> list[str]:
    """Return the parents of *revision* and what it depends on, by id."""
    return sorted(revision._all_down_revisions)  # noqa: SLF001 - no public name


def _described(revision: Any, folder: str) -> dict[str, Any]:
    module = revision.module
    return {
        "revision": revision.revision,
        "down_revisions": list(revision._versioned_down_revisions),  # noqa: SLF001
        "needs": _parents(revision),
        # Alembic's public attribute has the labels of all ancestors as well
        "labels": sorted(revision._orig_branch_labels),  # noqa: SLF001
        "title": (revision.doc or "").strip(),
        "text": revision.longdoc or "",
        "phase": getattr(module, "phase", None),
        "lossy": _texts(getattr(module, "lossy", ())),
        "file": os.path.relpath(os.path.realpath(revision.path), folder),
    }


def _texts(value: Any) -> list[str] | str:
    """Return the texts of *value*, or how Python writes it where it is something else.

    The other side says what is wrong with it.
    """
    is_many = isinstance(value, (set, frozenset, list, tuple))
    if is_many and all(isinstance(item, str) for item in value):
        return sorted(value)
    return repr(value)


class Paper:
    """Takes down what each revision would run."""

    def __init__(self, scripts: Any, folder: str) -> None:
        self.history: list[Any] = []
        self.is_filled = False
        self.is_writing = False
        self.is_one = True
        self.ways: dict[str, dict[str, Any]] = {}
        self.version_table = "alembic_version"
        self.per_migration = False
        self._scripts = scripts
        self._folder = folder

    def fill(self, context: Any, **options: Any) -> None:
        """Write down every revision under *context*; *options* go to `upgrade`."""
        demand_plain(context.connection)
        self.is_writing = True
        try:
            history, ways = self._all(context, options)
        finally:
            self.is_writing = False
        if self.is_filled:
            # for another schema perhaps, where the same statements run
            self.is_one = self.is_one and ways == self.ways
            return
        self.is_filled, self.history, self.ways = True, history, ways
        schema = context.version_table_schema
        self.version_table = (schema + "." if schema else "") + context.version_table
        self.per_migration = bool(context._transaction_per_migration)  # noqa: SLF001

    def _all(
        self, context: Any, options: dict[str, Any]
    ) -> tuple[list[Any], dict[str, dict[str, Any]]]:
        """Return the history, and what each revision of it writes."""
        # not before: env.py may say where the revisions lie
        history = _in_order(self._scripts.walk_revisions())
        return history, {
            revision.revision: {
                name: self._written(context, revision, name, options)
                for name in ("upgrade", "downgrade")
            }
            for revision in history
        }

    def _written(
        self, context: Any, revision: Any, name: str, options: dict[str, Any]
    ) -> dict[str, Any]:
        steps: list[Any] = []
        mode = {"in_transaction": True}

        def write(text: str) -> None:
            body = re.sub(r";[;\s]*$", ";", text.strip())
            steps.append([body, mode["in_transaction"]])

        def leave() -> None:
            mode["in_transaction"] = False

        def enter() -> None:
            mode["in_transaction"] = True

        context.impl.static_output = write
        context.impl.emit_commit = leave
        context.impl.emit_begin = enter
        # Alembic makes a type once in a run: production runs this revision alone
        context.impl.memo.clear()
        function = getattr(revision.module, name, None)
        if function is None:
            return {"steps": [], "error": "has no " + name + "()", "refused": True}
        try:
            function(**options)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever they raise
            return {
                "steps": [],
                "error": self._where(revision.path, error),
                "refused": isinstance(error, NotImplementedError),
            }
        return {"steps": steps, "error": None, "refused": False}

    def _where(self, path: str, error: BaseException) -> str:
        """Return file, line and last line of the traceback of *error*."""
        frames = traceback.extract_tb(error.__traceback__)
        mine = [frame.lineno for frame in frames if frame.filename == path]
        place = os.path.relpath(os.path.realpath(path), self._folder)
        line = ":" + str(mine[-1]) if mine else ""
        return place + line + ": " + last_line(error)


def _render(config: Any, scripts: Any, paper: Paper, project: Project) -> str | None:
    """Fill *paper* through env.py, or past it where it has no offline mode."""
    rounds = Rounds(project, is_online=False)
    try:
        with no_files():
            _through_env(config, scripts, paper, rounds)
        rounds.demand_some()
    except Fault:
        raise
    except (NoDatabase, SystemExit):
        pass
    except Exception as error:
        # what env.py does afterwards is its own affair
        if not (paper.is_filled or "offline" in str(error).lower()):
            raise
    if not paper.is_filled:
        _past_env(paper)
        return NO_OFFLINE
    rounds.demand_one_kind()
    if not paper.is_one:
        raise rounds.several()
    count = len(rounds.options)
    return OFTEN.format(count) if count > 1 else None


def _through_env(config: Any, scripts: Any, paper: Paper, rounds: Rounds) -> None:
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415

    def upgrade(_heads: Any, context: Any) -> Iterator[Any]:
        def everything(**options: Any) -> None:
            paper.fill(context, **options)
            raise Rendered

        yield SimpleNamespace(short_log="all", migration_fn=everything)

    environment = EnvironmentContext(
        config, scripts, fn=upgrade, as_sql=True, destination_rev="heads"
    )
    run = environment.run_migrations

    def run_migrations(**options: Any) -> None:
        with suppress(Rendered):
            run(**options)

    # not by a subclass: Alembic's module `context` knows instances of its class only
    environment.run_migrations = rounds.around(run_migrations)  # type: ignore[method-assign]
    environment.configure = partial(  # type: ignore[method-assign]
        _configure, environment.configure
    )
    # a revision that asks is two: the one that is written and the one that runs
    environment.is_offline_mode = (  # type: ignore[method-assign]
        lambda: not paper.is_writing or ask_which_mode()
    )
    with environment:
        scripts.run_env()


def _configure(
    configure: Callable[..., None],
    connection: Any = None,
    url: Any = None,
    **options: Any,
) -> None:
    """Do what env.py asks `configure` for, for PostgreSQL and without a connection."""
    if connection is not None:
        raise NoDatabase("env.py configures a connection")
    _refuse_other(str(url or options.get("dialect_name") or ""))
    for name in ("dialect", "dialect_name", "output_buffer"):
        options.pop(name, None)
    # any other paramstyle doubles each % of a function body
    options["dialect_opts"] = {"paramstyle": "named"}
    options["literal_binds"] = True
    configure(dialect_name="postgresql", output_buffer=StringIO(), **options)


def _refuse_other(url: str) -> None:
    dialect = url.partition("://")[0].partition("+")[0]
    if dialect in OTHERS:
        raise Fault("dialect", "env.py is for " + dialect + ", not for PostgreSQL")


def _past_env(paper: Paper) -> None:
    from alembic.operations import Operations  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    context = MigrationContext.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        opts={"as_sql": True, "output_buffer": StringIO(), "literal_binds": True},
    )
    with Operations.context(context):
        paper.fill(context)
