"""Take down what a revision says to the server while its Python runs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .faults import last_line
from .literals import filled_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Recorder", "is_autocommit", "session_of"]

MOST = 50_000
LONGEST = 32_000_000
BETWEEN = "COMMIT;\nBEGIN;"


class Recorder:
    """The statements of one session, as they arrive at the server.

    *steps* holds each with whether it ran in a transaction; *gap* says why they are
    not all that happened.
    """

    def __init__(self) -> None:
        self.steps: list[list[Any]] = []
        self.gap: str | None = None
        self._session: Any = None
        self._is_on = False
        self._committed = False
        self._length = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear every engine, also those that are made within the block."""
        from sqlalchemy import event  # noqa: PLC0415 - theirs, not ours
        from sqlalchemy.engine import Engine  # noqa: PLC0415

        heard: dict[str, Callable[..., None]] = {
            "after_cursor_execute": self._executed,
            "commit": self._commits,
            "rollback": self._rolls_back,
        }
        for name, function in heard.items():
            event.listen(Engine, name, function)
        try:
            yield
        finally:
            for name, function in heard.items():
                event.remove(Engine, name, function)

    def wrapped(self, function: Callable[..., None]) -> Callable[..., None]:
        """Return *function*, written down while it runs."""

        def run(**options: Any) -> None:
            self._is_on = True
            try:
                function(**options)
            finally:
                self._is_on = False

        return run

    def answer(self) -> dict[str, Any]:
        """Return what was written down."""
        return {"steps": [] if self.gap else self.steps, "gap": self.gap}

    def _executed(self, connection: Any, cursor: Any, *said: Any) -> None:
        if not self._is_on or self.gap:
            return
        session = session_of(connection)
        if self._session not in (None, session):
            self.gap = "it speaks through several sessions"
            return
        self._session = session
        statement, parameters, context, many = said
        driver = _Driver(connection, cursor, context)
        try:
            texts = driver.texts(statement, parameters, many=many)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            self.gap = "its driver does not tell the values: " + last_line(error)
            return
        inside = not is_autocommit(session)
        for text in texts:
            self._add(text, inside)

    def _add(self, text: str, inside: bool) -> None:  # noqa: FBT001 - private
        if inside and self._committed and self.steps and self.steps[-1][1]:
            self.steps.append([BETWEEN, True])
        self._committed = False
        self.steps.append([text, inside])
        self._length += len(text)
        if len(self.steps) > MOST or self._length > LONGEST:
            self.gap = "it says more than " + str(MOST) + " statements, or long ones"

    def _commits(self, connection: Any) -> None:
        if self._is_on and session_of(connection) is self._session:
            self._committed = True

    def _rolls_back(self, connection: Any) -> None:
        if not self._is_on or session_of(connection) is not self._session:
            return
        if not is_autocommit(self._session):
            self.gap = "it takes back what it did"


def session_of(connection: Any) -> Any:
    """Return the connection of the DBAPI, which SQLAlchemy 1.4 names in two ways."""
    pooled = connection.connection
    return getattr(pooled, "dbapi_connection", None) or pooled.connection


def is_autocommit(session: Any) -> bool:
    """Return whether each statement of *session* is committed alone."""
    return getattr(session, "autocommit", False) is True


class _Driver:
    """What a DBAPI knows of the text of a statement with its values."""

    def __init__(self, connection: Any, cursor: Any, context: Any) -> None:
        self._connection = connection
        self._cursor = cursor
        self._style = connection.dialect.paramstyle
        options = context.execution_options if context is not None else {}
        self._is_plain = bool(options.get("no_parameters"))

    def texts(self, statement: str, parameters: Any, *, many: bool) -> list[str]:
        """Return *statement* with its values, once for each set of *parameters*."""
        if not parameters:
            return [self._bare(statement)]
        # many rows in one statement (insertmanyvalues) have one set together
        is_list = many and isinstance(parameters, list)
        sets = parameters[: MOST + 1] if is_list else [parameters]
        return [self._text(statement, one) for one in sets]

    def _bare(self, statement: str) -> str:
        """Return what the server gets: SQLAlchemy doubled each % for the driver."""
        if self._is_plain or "format" not in self._style:
            return statement
        return statement.replace("%%", "%")

    def _text(self, statement: str, parameters: Any) -> str:
        driver = self._connection.dialect.driver
        if driver == "psycopg2":
            written: bytes = self._cursor.mogrify(statement, parameters)
            return written.decode("utf-8")
        if driver.startswith("psycopg"):
            from psycopg import AsyncClientCursor, ClientCursor  # noqa: PLC0415

            is_async = self._connection.dialect.is_async
            maker: Any = AsyncClientCursor if is_async else ClientCursor
            session = self._connection.connection.driver_connection
            return str(maker(session).mogrify(statement, parameters))
        return filled_in(statement, parameters, self._style)
