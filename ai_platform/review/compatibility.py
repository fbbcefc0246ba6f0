"""Whether the code that runs today still finds its tables after a change.

Statements of the previous release are prepared and planned, not executed, before and
after it.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from psycopg.pq import ConnStatus, ExecStatus

from ai_platform.amounts import counted
from ai_platform.connection import first_line
from ai_platform.errors import BadValue, Refused

from ._application import COMMENTS, Statement, load
from ._beyond_names import stand_ins, unfilled, unplanned
from .facts import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg.pq.abc import PGresult

    from .sources import RevisionSource

__all__ = [
    "Broken",
    "Statement",
    "beside",
    "describe",
    "findings",
    "load",
    "recording",
    "unusable",
]

RULE: Final = "old-code"
_NULL: Final = "23502"
_OF: Final = re.compile(r'column "([^"]+)" of relation "([^"]+)"')
_OPERATOR: Final = re.compile(r"operator does not exist: (.+)")
_GONE: Final = re.compile(r'(?:\w+ )?(?:"([^"]+)"|(\S+(?:\([^)]*\))?)) does not exist')
_PREPARABLE: Final = ("select", "insert", "update", "delete", "merge", "values", "with")
# below it are the types of pg_catalog, whose numbers never change
_FIRST_OWN_OID: Final = 16384
_EXTENSION: Final = """
    SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_stat_statements'
"""
_SEEN: Final = """
    SELECT DISTINCT s.query COLLATE "C"
      FROM {view} s
      JOIN pg_roles r ON r.oid = s.userid
      JOIN pg_database d ON d.oid = s.dbid
     WHERE d.datname = current_database() AND r.rolname = %s AND s.toplevel
     ORDER BY 1
"""
_SEARCH_PATH: Final = """
    SELECT substr(setting, length('search_path=') + 1)
      FROM pg_db_role_setting s
      LEFT JOIN pg_roles r ON r.oid = s.setrole
      LEFT JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS setting
     WHERE (r.rolname = %s OR s.setrole = 0)
       AND (d.datname = current_database() OR s.setdatabase = 0)
       AND starts_with(setting, 'search_path=')
     ORDER BY s.setrole = 0, s.setdatabase = 0
     LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Broken:
    """A statement that the schema does not take: SQLSTATE, object, and words."""

    statement: Statement
    sqlstate: str
    object: str
    message: str

    def __str__(self) -> str:
        return f"{self.statement.name}: {self.sqlstate}: {self.message}"


def describe(
    connection: psycopg.Connection[Any],
    statements: Iterable[Statement],
    *,
    names_only: bool = False,
) -> tuple[tuple[Statement, ...], tuple[Broken, ...]]:
    """Prepare *statements* on the schema before the change.

    Returns those that it takes, with the types of their parameters filled in, and
    those that it does not take: they say nothing about the change. With *names_only*
    they are not planned, and nobody asks what an INSERT leaves out.
    """
    fit: list[Statement] = []
    unfit: list[Broken] = []
    for statement in statements:
        fault = _prepare(connection, statement)
        if fault is not None:
            unfit.append(fault)
            continue
        known = _described(connection, statement)
        is_sound = names_only or _beyond_names(connection, known) is None
        fit.append(replace(known, is_sound=is_sound))
    return tuple(fit), tuple(unfit)


def unusable(
    connection: psycopg.Connection[Any], statements: Iterable[Statement]
) -> tuple[Broken, ...]:
    """Return those of *statements* that the schema of *connection* does not take.

    Nothing is executed. *connection* must be in autocommit; its search_path is as
    before afterwards.
    """
    faults = (
        _prepare(connection, one) or (one.is_sound and _beyond_names(connection, one))
        for one in statements
    )
    return tuple(fault for fault in faults if fault)


def _prepare(
    connection: psycopg.Connection[Any], statement: Statement
) -> Broken | None:
    """Have the server parse and analyse *statement*; return what it says against it."""
    with _as_login(connection, statement):
        try:
            numbers = _numbers(connection, statement.types)
        except psycopg.Error as error:
            return _refused(statement, error)
        # the protocol's own PREPARE: one statement only, whatever the text says
        fault = _analysed(connection, statement, statement.sql, numbers)
    for text in () if fault else stand_ins(statement.sql):
        with _as_login(connection, statement):
            fault = fault or _analysed(connection, statement, text)
    return fault


def _analysed(
    connection: psycopg.Connection[Any],
    statement: Statement,
    text: str,
    numbers: Sequence[int] = (),
) -> Broken | None:
    result = connection.pgconn.prepare(b"", text.encode(), numbers)
    if result.status == ExecStatus.COMMAND_OK:
        return None
    if connection.pgconn.status == ConnStatus.BAD:  # says nothing of the statement
        raise psycopg.OperationalError(connection.pgconn.get_error_message())
    return _broken(statement, result)


def _beyond_names(
    connection: psycopg.Connection[Any], statement: Statement
) -> Broken | None:
    """Return what is wrong with *statement*, although the server finds its names."""
    error = unplanned(connection, statement)
    if error is not None:
        return _refused(statement, error)
    with _as_login(connection, statement):
        for text in (statement.sql, *stand_ins(statement.sql)):
            missing = unfilled(connection, text)
            if missing is not None:
                column, table = missing
                message = (
                    f'null value in column "{column}" of relation "{table}" violates '
                    "not-null constraint"
                )
                return Broken(statement, _NULL, _object(message), message)
    return None


@contextmanager
def _as_login(
    connection: psycopg.Connection[Any], statement: Statement
) -> Iterator[None]:
    """Look names up as the application's login does, for as long as this lasts."""
    with connection.transaction(force_rollback=True):
        if statement.search_path is not None:
            query = "SELECT set_config('search_path', %s, true)"
            connection.execute(query, [statement.search_path])
        yield


def _refused(statement: Statement, error: psycopg.Error) -> Broken:
    message = first_line(error)
    return Broken(statement, error.sqlstate or "", _object(message), message)


def _numbers(connection: psycopg.Connection[Any], types: Sequence[str]) -> list[int]:
    if not types:
        return []
    query = """SELECT coalesce(nullif(t, '')::regtype::oid, 0)
                 FROM unnest(%s::text[]) WITH ORDINALITY AS x (t, n) ORDER BY n"""
    with connection.transaction():
        return [int(oid) for (oid,) in connection.execute(query, [list(types)])]


def _broken(statement: Statement, result: PGresult) -> Broken:
    from psycopg.pq import DiagnosticField  # noqa: PLC0415 - one name, used here

    sqlstate = result.error_field(DiagnosticField.SQLSTATE) or b""
    primary = result.error_field(DiagnosticField.MESSAGE_PRIMARY) or b""
    message = primary.decode(errors="replace")
    return Broken(statement, sqlstate.decode(), _object(message), message)


def _object(message: str) -> str:
    """Return the object that *message* is about, or an empty text."""
    if match := _OF.search(message):
        return f"{match[2]}.{match[1]}"
    if match := _OPERATOR.search(message):
        return match[1]
    if match := _GONE.search(message):
        return match[1] or match[2]
    return ""


def _described(connection: psycopg.Connection[Any], statement: Statement) -> Statement:
    """Return *statement* with the types that the server takes its parameters for.

    Only those of pg_catalog: drivers send what they know as that, and leave an enum
    or another type of the project to the server.
    """
    with _as_login(connection, statement):
        numbers = _numbers(connection, statement.types)
        connection.pgconn.prepare(b"", statement.sql.encode(), numbers)
        result = connection.pgconn.describe_prepared(b"")
        oids = [result.param_type(index) for index in range(result.nparams)]
        query = """SELECT CASE WHEN t < %s THEN t::regtype::text ELSE '' END
                     FROM unnest(%s::oid[]) WITH ORDINALITY AS x (t, n) ORDER BY n"""
        names = connection.execute(query, [_FIRST_OWN_OID, oids]).fetchall()
    return replace(statement, types=tuple(name for (name,) in names))


def findings(source: RevisionSource, broken: Iterable[Broken]) -> tuple[Finding, ...]:
    """Return a finding for each statement that *source* breaks.

    A revision of phase contract says that the old code is gone: its findings are
    accepted for that reason.
    """
    accepted = "phase: contract" if source.phase == "contract" else None
    return tuple(
        Finding(
            rule=RULE,
            severity="error",
            revision=source.revision,
            statement=None,
            object=item.object or item.statement.name,
            message=f"the previous release's {item}",
            remedy="expand first and contract when the old code is gone, then mark "
            'this revision with phase = "contract"',
            is_measured=True,
            accepted=accepted,
        )
        for item in broken
    )


def beside(
    source: RevisionSource, fit: Sequence[Statement], unfit: Sequence[Broken]
) -> tuple[Finding, ...]:
    """Return a finding for *unfit*, which not even the schema before *source* takes.

    They prove nothing about the change; where none is *fit*, nothing was proved.
    """
    if not unfit:
        return ()
    return (
        Finding(
            rule=RULE,
            severity="note" if fit else "error",
            revision=source.revision,
            statement=None,
            object=unfit[0].statement.name,
            message=f"{len(unfit)} of {counted(len(fit) + len(unfit), 'statement')} "
            f"cannot be prepared even before this revision: {unfit[0]}",
            remedy="take them from the release that runs on the schema before it",
            is_measured=True,
        ),
    )


def recording(
    connection: psycopg.Connection[Any], login: str
) -> tuple[str, int, tuple[Broken, ...]]:
    """Return a file of what *login* was seen to run here, and how many statements.

    Last come those that are not in it, because *connection* cannot prepare them. From
    pg_stat_statements, which keeps the statements without their values. Raises
    Refused where it is missing or may not be read, BadValue for an unknown login.
    """
    seen = _seen(connection, login)
    row = connection.execute(_SEARCH_PATH, [login]).fetchone()
    path_of_login = row[0] if row else None
    statements = [
        Statement(
            hashlib.sha256(text.encode()).hexdigest()[:12], text, (), path_of_login
        )
        for text in seen
        if COMMENTS.sub("", text).lower().startswith(_PREPARABLE)
    ]
    fit, unfit = describe(connection, statements, names_only=True)
    content = {
        "login": login,
        "search_path": path_of_login,
        "statements": [
            {"name": item.name, "sql": item.sql, "types": list(item.types)}
            for item in fit
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n", len(fit), unfit


def _seen(connection: psycopg.Connection[Any], login: str) -> list[str]:
    known = "SELECT 1 FROM pg_roles WHERE rolname = %s"
    if connection.execute(known, [login]).fetchone() is None:
        raise BadValue(f"there is no login {login!r}", hint="name the application's")
    row = connection.execute(_EXTENSION).fetchone()
    if row is None:
        raise Refused(
            "pg_stat_statements is not in this database",
            hint="CREATE EXTENSION pg_stat_statements",
        )
    view = sql.Identifier(row[0], "pg_stat_statements")
    try:
        rows = connection.execute(sql.SQL(_SEEN).format(view=view), [login]).fetchall()
    except psycopg.Error as error:
        raise Refused(
            f"pg_stat_statements cannot be read: {first_line(error)}",
            hint="shared_preload_libraries must name it",
        ) from None
    texts = [text for (text,) in rows]
    if "<insufficient privilege>" in texts:
        raise Refused(
            f"this login may not see the statements of {login}",
            hint="GRANT pg_read_all_stats to it",
        )
    return texts
