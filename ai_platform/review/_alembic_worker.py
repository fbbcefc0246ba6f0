"""Runs in the interpreter of the project under review and answers in JSON.

Started as a program, with the numbers of two file descriptors: requests come in on
one, a line each, answers go out on the other; env.py and revisions may print what
they like. Nothing of ours is imported here, only the standard library and the
project's own Alembic (1.8 or newer) and SQLAlchemy (1.4 or newer), and the language
is that of Python 3.8.

No connection is made but to the database that a request names: every engine that
env.py or a revision opens is led there, or refused where there is none.
"""

from __future__ import annotations

import os
import sys

# The folder of this file holds modules of ours, with names that may be theirs.
_HERE = os.path.realpath(os.path.dirname(__file__))  # noqa: PTH120 - before pathlib
sys.path[:] = [path for path in sys.path if os.path.realpath(path) != _HERE]

import importlib  # noqa: E402 - after the path is theirs
import json  # noqa: E402
import re  # noqa: E402
import traceback  # noqa: E402
from functools import partial  # noqa: E402
from io import StringIO  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import TYPE_CHECKING, Any  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

OLDEST = (1, 8)
DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")
OTHERS = ("mysql", "mariadb", "mssql", "oracle", "cockroachdb", "redshift")
NO_OFFLINE = "env.py has no offline mode: the SQL was written without it"


class Fault(Exception):
    """What the person must know; *kind* tells the other side what to advise."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class NoDatabase(Exception):
    """Somebody connects while SQL is only written down."""


class Rendered(BaseException):
    """Everything is written down; leave env.py, whatever it still would do."""


class Project:
    """The Alembic project of one configuration file."""

    known: dict[str, Any] = {}  # noqa: RUF012 - of the process

    def __init__(self, config: str, dsn: str | None) -> None:
        self.folder = os.path.dirname(config)  # noqa: PTH120 - one str is enough
        self._file = config
        self._dsn = dsn

    def config(self) -> Any:
        """Return a fresh configuration whose URL is that of the named database."""
        from alembic.config import Config  # noqa: PLC0415 - theirs, not ours

        if self._file.endswith(".toml"):
            try:
                config = Config(None, toml_file=self._file)
            except TypeError:
                text = "this Alembic reads no pyproject.toml: 1.16 or newer does"
                raise Fault("config", text) from None
        else:
            config = Config(self._file)
        config.stdout = sys.stderr
        url = config.get_main_option("sqlalchemy.url") or ""
        if self._dsn is not None or not url or url.startswith("driver://"):
            wanted = _url(self._dsn or "postgresql://nobody@localhost/nowhere", url)
            config.set_main_option("sqlalchemy.url", wanted.replace("%", "%%"))
        return config

    def scripts(self, config: Any) -> Any:
        """Return the folder of revisions, read once."""
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        if self._file not in self.known:
            self.known[self._file] = ScriptDirectory.from_config(config)
        return self.known[self._file]


def _url(dsn: str, before: str) -> str:
    """Return *dsn* with the driver of the URL *before*, or with one that is there."""
    scheme = before.partition("://")[0]
    if not scheme.startswith("postgresql+"):
        scheme = "postgresql+" + next(filter(_is_there, DRIVERS), "psycopg2")
    return scheme + "://" + dsn.partition("://")[2]


def _is_there(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


# --- one database, or none


class Place:
    """Where connections may go; None: nowhere."""

    dsn: str | None = None


def lead_connections() -> None:
    """Lead every connection of every engine to `Place`."""
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    if not event.contains(Engine, "do_connect", _redirected):
        event.listen(Engine, "do_connect", _redirected)
        event.listen(Engine, "connect", _checked)


def _redirected(dialect: Any, _record: Any, _args: Any, _options: Any) -> Any:
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    if Place.dsn is None:
        raise NoDatabase("a connection is opened, and there is no database offline")
    if dialect.name != "postgresql":
        raise Fault("dialect", "env.py connects to " + dialect.name)
    url = make_url(Place.dsn).set(drivername="postgresql+" + dialect.driver)
    args, options = dialect.create_connect_args(url)
    return dialect.connect(*args, **options)


def _checked(connection: Any, _record: Any) -> None:
    """Refuse a connection that came around the redirection (``creator=``)."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    if Place.dsn is None:
        connection.close()
        raise NoDatabase("a connection is opened, and there is no database offline")
    cursor = connection.cursor()
    cursor.execute("SELECT current_database()")
    name = cursor.fetchone()[0]
    cursor.close()
    connection.rollback()
    if name != make_url(Place.dsn).database:
        connection.close()
        raise Fault("creator", "env.py connects past SQLAlchemy's URL (creator=)")


# --- reading


def read(project: Project) -> dict[str, Any]:
    """Return the history with the SQL of each revision, both ways."""
    config = project.config()
    scripts = project.scripts(config)
    history = _in_order(list(scripts.walk_revisions()))
    paper = Paper(history, project.folder)
    note = _render(config, scripts, paper)
    return {
        "heads": list(scripts.get_heads()),
        "note": note,
        "version_table": paper.version_table,
        "transaction_per_migration": paper.per_migration,
        "revisions": [
            {**_described(revision, project.folder), **paper.ways[revision.revision]}
            for revision in history
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
        "labels": sorted(revision.branch_labels),
        "title": (revision.doc or "").strip(),
        "text": revision.longdoc or "",
        "phase": getattr(module, "phase", None),
        "lossy": sorted(str(item) for item in getattr(module, "lossy", ())),
        "file": os.path.relpath(os.path.realpath(revision.path), folder),
    }


class Paper:
    """Takes down what each revision would run."""

    def __init__(self, history: list[Any], folder: str) -> None:
        self.ways: dict[str, dict[str, Any]] = {}
        self.version_table = "alembic_version"
        self.per_migration = False
        self._history = history
        self._folder = folder

    def fill(self, context: Any, **options: Any) -> None:
        """Write down every revision under *context*; *options* go to `upgrade`."""
        if self.ways:
            raise Fault("multidb", "env.py runs the revisions on several databases")
        schema = context.version_table_schema
        self.version_table = (schema + "." if schema else "") + context.version_table
        self.per_migration = bool(context._transaction_per_migration)  # noqa: SLF001
        for revision in self._history:
            way = {}
            for name in ("upgrade", "downgrade"):
                way[name] = self._written(context, revision, name, options)
            self.ways[revision.revision] = way

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
        return place + line + ": " + _last_line(error)


def _render(config: Any, scripts: Any, paper: Paper) -> str | None:
    """Fill *paper* through env.py, or past it where it has no offline mode."""
    try:
        _through_env(config, scripts, paper)
    except Rendered:
        return None
    except (NoDatabase, SystemExit):
        pass
    except Exception as error:
        if "offline" not in str(error).lower():
            raise
    if paper.ways:  # env.py caught what we left it by
        return None
    _past_env(paper)
    return NO_OFFLINE


def _through_env(config: Any, scripts: Any, paper: Paper) -> None:
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415

    def upgrade(_heads: Any, context: Any) -> Iterator[Any]:
        def everything(**options: Any) -> None:
            paper.fill(context, **options)
            raise Rendered

        yield SimpleNamespace(short_log="all", migration_fn=everything)

    environment = EnvironmentContext(
        config, scripts, fn=upgrade, as_sql=True, destination_rev="heads"
    )
    # not by a subclass: Alembic's module `context` knows instances of its class only
    environment.configure = partial(  # type: ignore[method-assign]
        _configure, environment.configure
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


# --- running


def run(
    project: Project, revision: str | None, *, down: bool, stamp: list[str] | None
) -> None:
    """Run one *revision* as env.py would; None only makes the version table.

    With *stamp* the database is first declared to stand at these revisions.
    """
    from alembic import command  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.runtime.migration import MigrationStep  # noqa: PLC0415

    config = project.config()
    scripts = project.scripts(config)
    if stamp is not None:
        command.stamp(config, stamp or ["base"], purge=True)
        config = project.config()
    steps = []
    if revision is not None:
        make = getattr(
            MigrationStep, "downgrade_from_script" if down else "upgrade_from_script"
        )
        steps = [make(scripts.revision_map, scripts.get_revision(revision))]

    def upgrade(_heads: Any, _context: Any) -> list[Any]:
        return steps

    # env.py may ask for the name of the function to learn which command this is
    upgrade.__name__ = "downgrade" if down else "upgrade"
    with EnvironmentContext(
        config, scripts, fn=upgrade, as_sql=False, destination_rev=revision
    ):
        scripts.run_env()


def create_all(project: Project, attribute: str, schemas: list[str]) -> None:
    """Make the tables of the MetaData *attribute* (``module:name``).

    Raises Fault when there is no such thing.
    """
    from sqlalchemy import create_engine  # noqa: PLC0415

    project.scripts(project.config())  # its prepend_sys_path
    module, _, name = attribute.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in (name or "metadata").split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise Fault("metadata", attribute + ": " + _last_line(error)) from error
    metadata = getattr(found, "metadata", found)
    if not hasattr(metadata, "create_all"):
        raise Fault("metadata", attribute + " is no MetaData: " + type(found).__name__)
    engine = create_engine(_url(Place.dsn or "", _sync_driver()))
    named = {table.schema for table in metadata.tables.values() if table.schema}
    with engine.begin() as connection:
        for schema in sorted(named - set(schemas)):
            quoted = engine.dialect.identifier_preparer.quote(schema)
            connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS " + quoted)
        metadata.create_all(connection)
    engine.dispose()


def _sync_driver() -> str:
    for driver in ("psycopg", "psycopg2", "pg8000"):
        if _is_there(driver):
            return "postgresql+" + driver + "://"
    raise Fault("driver", "no driver to make tables with: psycopg or psycopg2")


# --- answering


def _last_line(error: BaseException) -> str:
    lines = traceback.format_exception_only(type(error), error)
    return lines[-1].strip().split("\n")[0]


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to *request*: a result or a fault, never an exception."""
    try:
        _demand_alembic()
        lead_connections()
        project = Project(request["config"], request.get("dsn"))
        Place.dsn = request.get("dsn")
        return {"result": _actions()[request["do"]](project, request)}
    except Fault as fault:
        return {"fault": fault.kind, "text": str(fault)}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever they raise
        return _explained(error, os.path.dirname(request["config"]))  # noqa: PTH120


def _actions() -> dict[str, Callable[[Project, dict[str, Any]], Any]]:
    return {
        "read": lambda project, _: read(project),
        "run": lambda project, request: run(
            project, request["revision"], down=request["down"], stamp=request["stamp"]
        ),
        "create_all": lambda project, request: create_all(
            project, request["attribute"], request["schemas"]
        ),
    }


def _demand_alembic() -> None:
    try:
        import alembic  # noqa: PLC0415
        import sqlalchemy  # noqa: F401, PLC0415
    except ImportError as error:
        raise Fault("no_alembic", _last_line(error)) from error
    version = tuple(int(part) for part in alembic.__version__.split(".")[:2])
    if version < OLDEST:
        raise Fault("old_alembic", "Alembic " + alembic.__version__ + " is too old")


def _explained(error: BaseException, folder: str) -> dict[str, Any]:
    """Return *error* with the innermost file of the project that it went through."""
    if isinstance(error, SyntaxError) and error.filename:
        path, line = error.filename, error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        root = folder + os.sep
        theirs = [
            frame
            for frame in frames
            if os.path.realpath(frame.filename).startswith(root)
            and "site-packages" not in frame.filename
        ]
        path, line = (theirs[-1].filename, theirs[-1].lineno) if theirs else ("", 0)
    place = os.path.relpath(os.path.realpath(path), folder) if path else ""
    return {
        "fault": "error",
        "text": _last_line(error),
        "type": type(error).__name__,
        "place": place + ":" + str(line) if place else "",
    }


def main(requests: int, answers: int, banned: str) -> None:
    """Answer one request after the other until there are no more."""
    sys.path[:] = [
        path for path in sys.path if not banned or os.path.realpath(path) != banned
    ]
    sys.argv = ["alembic"]
    with os.fdopen(requests) as source, os.fdopen(answers, "w") as sink:
        for line in source:
            sink.write(json.dumps(answer(json.loads(line))) + "\n")
            sink.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
