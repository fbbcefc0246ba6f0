"""The project, and the one database to which it may connect, if any."""

from __future__ import annotations

import importlib
import os
from typing import Any

from .attributes import Attributes
from .configuration import configuration
from .drivers import arguments
from .faults import Fault, NoDatabase
from .flask_app import Application

__all__ = [
    "Place",
    "Project",
    "is_there",
    "lead_connections",
    "sync_driver",
    "url_of",
]

OFFLINE = "a connection is opened, and there is no database offline"
DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")


class Project:
    """The Alembic project of one configuration file."""

    known: dict[str, Any] = {}  # noqa: RUF012 - of the process

    def __init__(self, request: dict[str, Any]) -> None:
        self._file = request["config"]
        self.folder = os.path.dirname(self._file)  # noqa: PTH120 - one str is enough
        self.engine: str | None = request.get("engine")
        self._x = request.get("x") or []
        self._is_down = bool(request.get("down"))
        self._dsn = request.get("dsn")
        self._opened: list[Any] = []
        self._attributes: Attributes | None = None
        self._is_told = False
        self.is_begun = False

    def config(self) -> Any:
        """Return a fresh configuration whose URL is that of the named database."""
        config = configuration(
            self._file,
            self._x,
            is_down=self._is_down,
            is_offline=self._dsn is None,
        )
        self._attributes = Attributes(self._connect, is_told=self._is_told)
        config.attributes = self._attributes
        section = config.config_ini_section
        # as it is written: env.py may fill in what it refers to
        if config.file_config.has_option(section, "sqlalchemy.url"):
            url = config.file_config.get(section, "sqlalchemy.url", raw=True)
        else:  # that there is no such section is an error
            url = config.get_main_option("sqlalchemy.url") or ""
        if self._dsn is not None or not url or url.startswith("driver://"):
            wanted = url_of(self._dsn or "postgresql://nobody@localhost/nowhere", url)
            config.set_main_option("sqlalchemy.url", wanted.replace("%", "%%"))
        return config

    def _connect(self) -> Any:
        """Return a connection for an env.py that opens none; ends with `close`."""
        from sqlalchemy import create_engine, pool  # noqa: PLC0415 - theirs, not ours

        if self._dsn is None:
            raise NoDatabase(OFFLINE)
        url = url_of(self._dsn, sync_driver())
        self._opened.append(create_engine(url, poolclass=pool.NullPool).connect())
        return self._opened[-1]

    def tell(self) -> bool:
        """Tell env.py from now on of a connection; return whether it asked for one.

        Not after it has begun to run revisions: they would run twice.
        """
        attributes = self._attributes
        if self.is_begun or self._is_told or attributes is None:
            return False
        self._is_told = attributes.is_asked
        return self._is_told

    def leave(self) -> None:
        """Commit, and end, what env.py left to the program that it is a part of."""
        for connection in self._opened:
            # without that method, before SQLAlchemy 2, each statement is committed
            if hasattr(connection, "commit") and not connection.closed:
                connection.commit()
        self.close()

    def close(self) -> None:
        """End the connections that were made for env.py."""
        while self._opened:
            self._opened.pop().close()

    def scripts(self, config: Any) -> Any:
        """Return the folder of revisions, read once."""
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        if self._file not in self.known:
            self.known[self._file] = ScriptDirectory.from_config(config)
            Application.enter(os.path.realpath(self.known[self._file].env_py_location))
        return self.known[self._file]


def sync_driver() -> str:
    """Return a URL with a driver that waits; raises Fault where there is none."""
    for driver in ("psycopg", "psycopg2", "pg8000"):
        if is_there(driver):
            return "postgresql+" + driver + "://"
    raise Fault("driver", "no driver to make tables with: psycopg or psycopg2")


def url_of(dsn: str, before: str) -> str:
    """Return *dsn* with the driver of the URL *before*, or with one that is there."""
    scheme = before.partition("://")[0]
    if not scheme.startswith("postgresql+"):
        scheme = "postgresql+" + next(filter(is_there, DRIVERS), "psycopg2")
    return scheme + "://" + dsn.partition("://")[2]


def is_there(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


class Place:
    """Where connections may go; None: nowhere, as if the server were down."""

    dsn: str | None = None


def lead_connections() -> None:
    """Lead every connection of every engine to `Place`."""
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    if not event.contains(Engine, "do_connect", _redirected):
        event.listen(Engine, "do_connect", _redirected)
        event.listen(Engine, "connect", _checked)


def _redirected(dialect: Any, _record: Any, _args: Any, _options: Any) -> Any:
    if Place.dsn is None:
        raise _nowhere(dialect)
    if dialect.name != "postgresql":
        raise Fault("dialect", "env.py connects to " + dialect.name)
    args, options = arguments(dialect, Place.dsn)
    return dialect.connect(*args, **options)


def _nowhere(dialect: Any) -> Exception:
    """Return what says so: to an application the driver's own error, as it knows it."""
    kind = getattr(getattr(dialect, "dbapi", None), "OperationalError", None)
    return kind(OFFLINE) if Application.is_starting and kind else NoDatabase(OFFLINE)


def _checked(connection: Any, _record: Any) -> None:
    """Refuse a connection that came around the redirection (``creator=``)."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    if Place.dsn is None:
        connection.close()
        raise NoDatabase(OFFLINE)
    cursor = connection.cursor()
    cursor.execute("SELECT current_database()")
    name = cursor.fetchone()[0]
    cursor.close()
    connection.rollback()
    if name != make_url(Place.dsn).database:
        connection.close()
        raise Fault("creator", "env.py connects past SQLAlchemy's URL (creator=)")
