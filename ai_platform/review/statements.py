"""Cut the SQL of a revision into statements with PostgreSQL's own grammar."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import pglast
from pglast import ast, enums
from pglast.visitors import Visitor

from ai_platform.errors import BadValue

from ._whole_server import REFUSED, reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg

__all__ = [
    "Relation",
    "Statement",
    "UnreadableSql",
    "elsewhere",
    "is_version_row",
    "not_made",
    "run_plainly",
    "sent_at_once",
    "split",
    "steps",
    "stops",
]

_IS: Final = r"(?:\S.*\.)?version_num ?= ?'[^']*'"
_VERSION_ROW: Final = re.compile(
    r"INSERT INTO [^()]+\(version_num\) VALUES"
    rf"|UPDATE .+ SET version_num ?= ?'[^']*'(?: WHERE {_IS})?;?$"
    rf"|DELETE FROM .+ WHERE {_IS};?$",
    re.IGNORECASE,
)
_DATA: Final = {
    ast.SelectStmt: "SELECT",
    ast.InsertStmt: "INSERT",
    ast.UpdateStmt: "UPDATE",
    ast.DeleteStmt: "DELETE",
    ast.MergeStmt: "MERGE",
}
_ENTER: Final = {
    enums.TransactionStmtKind.TRANS_STMT_BEGIN,
    enums.TransactionStmtKind.TRANS_STMT_START,
}
_LEAVE: Final = enums.TransactionStmtKind.TRANS_STMT_COMMIT
_INSIDE: Final = {
    enums.TransactionStmtKind.TRANS_STMT_SAVEPOINT,
    enums.TransactionStmtKind.TRANS_STMT_RELEASE,
    enums.TransactionStmtKind.TRANS_STMT_ROLLBACK_TO,
}
_RELATIONS: Final = {
    enums.ObjectType.OBJECT_TABLE,
    enums.ObjectType.OBJECT_INDEX,
    enums.ObjectType.OBJECT_MATVIEW,
    enums.ObjectType.OBJECT_VIEW,
    enums.ObjectType.OBJECT_SEQUENCE,
    enums.ObjectType.OBJECT_FOREIGN_TABLE,
}
# ON the table: the last name is what is dropped or commented, the rest is the table
_ON_TABLE: Final = {
    enums.ObjectType.OBJECT_TRIGGER,
    enums.ObjectType.OBJECT_POLICY,
    enums.ObjectType.OBJECT_RULE,
    enums.ObjectType.OBJECT_COLUMN,
    enums.ObjectType.OBJECT_TABCONSTRAINT,
}
_MODIFIERS: Final = {
    *("OR", "REPLACE", "UNIQUE", "UNLOGGED", "TEMP", "TEMPORARY", "GLOBAL", "LOCAL"),
    *("RECURSIVE", "TRUSTED", "PROCEDURAL"),
}
_PAIRS: Final = {
    *("MATERIALIZED VIEW", "FOREIGN TABLE", "FOREIGN DATA", "EVENT TRIGGER"),
    *("TEXT SEARCH", "DEFAULT PRIVILEGES", "ACCESS METHOD", "OPERATOR CLASS"),
    *("OPERATOR FAMILY", "USER MAPPING", "CONSTRAINT TRIGGER", "LARGE OBJECT"),
}
_OBJECT_VERBS: Final = {"CREATE", "ALTER", "DROP", "REFRESH", "REINDEX", "IMPORT"}
_WORD: Final = re.compile(r"[A-Za-z_]+")
_LACKING: Final = re.compile(r'extension "(.+?)" is not available')
_ABSENT: Final = re.compile(r"\bdoes not exist\b")
_META: Final = re.compile(r"\\\S*")

_SHOWN: Final = 120
Relation = tuple[str | None, str]
"""Schema, or None where none is written, and name of a relation."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; *number* counts from 1, *line* is where it begins.

    *transaction* numbers the transactions of the revision; None: it commits by
    itself. *relations* are those it names, which need not exist. *script*, where it is
    given, is what is run, and *sql* what is shown of it. *commits*: the SQL itself
    ends its transaction. *is_beyond* its database: a review does not run it.
    """

    number: int
    sql: str
    line: int
    tag: str
    transaction: int | None
    relations: tuple[Relation, ...]
    script: str = ""
    commits: bool = False
    is_beyond: bool = False

    @property
    def text(self) -> str:
        """Return what is sent to the server."""
        return self.script or self.sql

    @property
    def is_setting(self) -> bool:
        """Return whether it only sets something for the session: nothing to measure."""
        return self.tag in ("SET", "RESET")

    @property
    def may_change_catalog(self) -> bool:
        """Return whether it may change the catalog, other than by a comment."""
        return not self.is_setting and self.tag not in (*_DATA.values(), "COMMENT")


class UnreadableSql(BadValue):
    """SQL that no server will run: its revision fails, and is known to before."""

    exit_code = 4


def split(
    sql: str, *, in_transaction: bool = True, name: str = "SQL"
) -> tuple[Statement, ...]:
    """Return the statements of *sql* without comments around them.

    BEGIN and COMMIT are not among them: they say which statements share a
    transaction. Raises UnreadableSql, with *name*, the line and its text, for what
    the grammar of PostgreSQL 18 does not know, for psql's own commands, and for a
    ROLLBACK.
    """
    statements: list[Statement] = []
    ended: set[int | None] = set()
    transaction = 1
    is_open = in_transaction
    for raw, text, line in _parsed(sql, name):
        way = _way(raw.stmt, name, line)
        if way is None:
            statements.append(
                Statement(
                    number=len(statements) + 1,
                    sql=text,
                    line=line,
                    tag=_tag(raw.stmt, text),
                    transaction=transaction if is_open else None,
                    relations=_named(raw.stmt),
                    is_beyond=_is_beyond(raw.stmt, is_open=is_open),
                )
            )
            continue
        if is_open and not way:
            ended.add(transaction)
            transaction += 1
        is_open = way
    return tuple(replace(one, commits=one.transaction in ended) for one in statements)


def sent_at_once(sql: str) -> str:
    """Return *sql*, one message outside of a transaction, as the server runs it.

    Several statements in one message are one transaction, in which no CONCURRENTLY
    runs. What is no SQL, or has a BEGIN or COMMIT of its own, stays as it is.
    """
    try:
        found = pglast.parse_sql(sql)
    except pglast.parser.ParseError:
        return sql
    if len(found) == 1 or any(isinstance(x.stmt, ast.TransactionStmt) for x in found):
        return sql
    return f"BEGIN;\n{sql}\nCOMMIT;" if found else sql


def steps(statements: Sequence[Statement]) -> Iterator[tuple[bool, list[Statement]]]:
    """Yield what commits together, and whether it does so as one transaction."""
    for transaction, group in groupby(statements, key=lambda item: item.transaction):
        if transaction is not None:
            yield True, list(group)
            continue
        for statement in group:
            yield False, [statement]


def is_version_row(sql: str) -> bool:
    """Return whether *sql* writes the row in which Alembic keeps the version.

    Whatever the table is called; a project's own may have such a column as well.
    """
    return _VERSION_ROW.match(" ".join(sql.split())) is not None


def stops(statements: Sequence[Statement]) -> list[int]:
    """Return after which *statements*, counted from 1, a stop leaves something done.

    The last transaction is that of Alembic's own row, with which it is done or not,
    unless a revision without steps outside of one ends it by hand.
    """
    is_mixed = any(item.transaction is None for item in statements)
    found: list[int] = []
    last = len(statements)
    for number, item in enumerate(statements, start=1):
        following = statements[number].transaction if number < last else None
        is_end = item.commits and item.transaction != following
        is_over = number == last and (is_mixed or is_version_row(item.sql))
        if item.transaction is None or (is_end and not is_over):
            found.append(number)
    return found


def run_plainly(
    connection: psycopg.Connection[Any],
    statements: Sequence[Statement],
    is_left_out: Callable[[Statement], bool] = lambda _: False,
) -> None:
    """Run *statements* with their transactions, and measure nothing.

    But for those that reach beyond the database, and what *is_left_out*: it is asked
    when the statement's turn comes.
    """
    for together, group in steps(statements):
        with connection.transaction() if together else nullcontext():
            for statement in group:
                if not (statement.is_beyond or is_left_out(statement)):
                    connection.execute(statement.text.encode())


def elsewhere(told: str) -> str | None:
    """Return the next step after *told*, where another server would not say it."""
    lacking = _LACKING.search(told)
    return f"review on a server that has {lacking[1]}: --dsn URL" if lacking else None


def not_made(told: str) -> str | None:
    """Return the next step after *told*, where it misses what no revision made."""
    if _ABSENT.search(told) is None:
        return None
    return (
        "where production has it although no revision makes it: --schema FILE, "
        "written by pg_dump --schema-only"
    )


def _parsed(sql: str, name: str) -> Iterator[tuple[ast.RawStmt, str, int]]:
    """Yield syntax tree, text and line of each statement."""
    try:
        found = pglast.parse_sql(sql)
    except pglast.parser.ParseError as error:
        raise _unreadable(sql, name, error) from None
    for raw in found:
        start = raw.stmt_location or 0
        end = start + raw.stmt_len if raw.stmt_len else len(sql)
        yield raw, sql[start:end].strip(), sql.count("\n", 0, start) + 1


def _unreadable(sql: str, name: str, error: pglast.parser.ParseError) -> UnreadableSql:
    told, at = error.args[0], error.args[-1]
    place = at if isinstance(at, int) else len(sql.rstrip())
    line = sql.count("\n", 0, place) + 1
    text = sql.split("\n")[line - 1].strip()
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
    meta = _META.match(sql, place)
    if meta is not None:
        return UnreadableSql(
            f"{name}, line {line}: {meta[0]} is a command of psql, not SQL: {shown}",
            hint="take it out: a revision runs through a driver, which has no psql",
        )
    return UnreadableSql(
        f"{name}, line {line}: {told}: {shown}",
        hint="the grammar is that of PostgreSQL 18; correct the statement",
    )


def _way(node: Any, name: str, line: int) -> bool | None:
    """Return True for BEGIN, False for COMMIT, None for any other statement."""
    if not isinstance(node, ast.TransactionStmt) or node.kind in _INSIDE:
        return None
    if node.kind in _ENTER:
        return True
    if node.kind == _LEAVE:
        return False
    raise UnreadableSql(
        f"{name}, line {line}: a revision that ends its transaction in another way "
        "than COMMIT cannot be measured",
        hint="take ROLLBACK or PREPARE TRANSACTION out",
    )


def _is_beyond(node: Any, *, is_open: bool) -> bool:
    """Return whether a statement would do something beyond the database, if it ran.

    What PostgreSQL refuses in an open transaction does no harm there.
    """
    found = reach(node)
    return bool(found) and not (is_open and isinstance(node, REFUSED))


def _tag(node: Any, text: str) -> str:
    """Return what a statement is: ALTER TABLE, CREATE INDEX, UPDATE."""
    for kind, tag in _DATA.items():
        if isinstance(node, kind):
            return tag
    words = [word.upper() for word in _WORD.findall(text[:200])]
    verb, rest = (words[0] if words else ""), words[1:]
    if verb == "SET" and rest[:1] == ["CONSTRAINTS"]:
        return "SET CONSTRAINTS"
    if verb not in _OBJECT_VERBS:
        return verb
    while rest and rest[0] in _MODIFIERS:
        rest.pop(0)
    pair = " ".join(rest[:2])
    return " ".join([verb, pair if pair in _PAIRS else "".join(rest[:1])]).strip()


class _Names(Visitor):
    """Collects the relations that a statement names."""

    def __init__(self) -> None:
        self.found: set[Relation] = set()
        self.own: set[str] = set()

    def visit_RangeVar(self, _: object, node: Any) -> None:  # noqa: N802
        self.found.add((node.schemaname, node.relname))

    def visit_CommonTableExpr(self, _: object, node: Any) -> None:  # noqa: N802
        self.own.add(node.ctename)

    def visit_DropStmt(self, _: object, node: Any) -> None:  # noqa: N802
        for item in node.objects or ():
            self._object(node.removeType, item)

    def visit_CommentStmt(self, _: object, node: Any) -> None:  # noqa: N802
        self._object(node.objtype, node.object)

    def _object(self, kind: object, node: Any) -> None:
        if kind not in _RELATIONS and kind not in _ON_TABLE:
            return
        parts = [part.sval for part in node]
        if kind in _ON_TABLE:
            parts.pop()
        if parts:
            self.found.add((parts[-2] if len(parts) > 1 else None, parts[-1]))


def _named(node: Any) -> tuple[Relation, ...]:
    names = _Names()
    names(node)
    found = {item for item in names.found if item[0] or item[1] not in names.own}
    return tuple(sorted(found, key=lambda item: (item[0] or "", item[1])))
