"""A database as `pg_dump --schema-only` wrote it down, for a review to begin from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pglast
from pglast import ast
from pglast.enums import ObjectType, RoleSpecType, TransactionStmtKind
from pglast.visitors import Visitor

from ai_platform.errors import BadValue
from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Dump", "Part", "read"]

_HINT: Final = "pg_dump --schema-only of the one database, in plain text"
# they let psql run nothing else of the file, and are in every dump since 2025
_META: Final = re.compile(r"\\(?:un)?restrict\b[^\n]*")
# pg_dump --create leads to the one database that it has made, even twice
_LEADS: Final = re.compile(
    r"^CREATE DATABASE .*?^(\\connect [^\n]*)", re.MULTILINE | re.DOTALL
)
_COPY: Final = re.compile(r"^COPY .*\bFROM stdin;", re.MULTILINE)
_VERSION: Final = re.compile(r"^-- Dumped from database version (\S+)", re.MULTILINE)
_SHOWN: Final = 80
_DATA: Final = (ast.CopyStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt)
_MADE: Final = (ast.CreatedbStmt, ast.DropdbStmt)
_SERVER: Final = (*_MADE, ast.AlterSystemStmt)
_ELSEWHERE: Final = (
    ast.AlterDatabaseStmt,
    ast.AlterDatabaseSetStmt,
    ast.CreateSubscriptionStmt,
    ast.AlterSubscriptionStmt,
    ast.DropSubscriptionStmt,
)
_ELSEWHERE_TYPES: Final = {
    ObjectType.OBJECT_DATABASE,
    ObjectType.OBJECT_SUBSCRIPTION,
}
_TYPES: Final = ("objectType", "objtype", "removeType")


@dataclass(frozen=True, slots=True)
class Part:
    """One statement: its text, the line that it begins on, and its syntax tree."""

    sql: str
    line: int
    tree: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dump:
    """The statements of a dump, and the *roles* that they name.

    *version* is the server's that was dumped; None where the file does not say it.
    *left_out* says what of it no scratch database can have.
    """

    name: str
    parts: tuple[Part, ...] = ()
    roles: tuple[str, ...] = ()
    version: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return SQL that makes each of the roles, for those who tidy up after it."""
        return "\n".join(f"CREATE ROLE {quoted(role)};" for role in self.roles)


def read(path: Path) -> Dump:
    """Return the dump in the file *path*, which is plain SQL without data.

    Raises BadValue, with file and line, for anything else.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadValue(f"{path}: {error.strerror}", hint=_HINT) from None
    except UnicodeError as error:
        line = path.read_bytes()[: getattr(error, "start", 0)].count(b"\n") + 1
        raise BadValue(
            f"{path}:{line}: no dump in plain text",
            hint=f"{_HINT} (--format plain --encoding UTF8)",
        ) from None
    return _dump(text, str(path))


def _dump(text: str, name: str) -> Dump:
    parts: list[Part] = []
    left_out: list[str] = []
    names = _Roles()
    is_led = _LEADS.search(text) is not None
    for part in _parts(text, name):
        if is_led and isinstance(part.tree, _MADE):
            continue  # the scratch database stands for it
        _demand_schema(part, name)
        if _is_elsewhere(part.tree):
            left_out.append(f"{name}:{part.line}: left out, {_cut(part.sql)}")
        elif not _is_idle(part.tree):
            names(part.tree)
            parts.append(part)
    if not parts:
        raise BadValue(f"{name}:1: no dump: it holds no statement", hint=_HINT)
    version = _VERSION.search(text)
    roles = tuple(sorted(names.found))
    found = version[1] if version else None
    return Dump(name, tuple(parts), roles, found, tuple(left_out))


def _parts(text: str, name: str) -> Iterator[Part]:
    text, parsed = _parsed(text.replace("\0", "\\"), name)
    for raw in parsed:
        start = raw.stmt_location or 0
        end = start + raw.stmt_len if raw.stmt_len else len(text)
        body = text[start:end]
        shift = len(body) - len(body.lstrip())
        line = text.count("\n", 0, start + _comments(body, shift)) + 1
        yield Part(body.strip(), line, raw.stmt)


def _comments(body: str, start: int) -> int:
    """Return where the statement in *body* begins, after comments by the line."""
    while body.startswith("--", start):
        end = body.find("\n", start)
        rest = body[end:]
        start = end + len(rest) - len(rest.lstrip())
    return start


def _parsed(text: str, name: str) -> tuple[str, tuple[ast.RawStmt, ...]]:
    """Return *text* without what is psql's, and what it says."""
    led = _LEADS.search(text)
    while True:
        try:
            return text, pglast.parse_sql(text)
        except pglast.parser.ParseError as error:
            at = error.args[-1] if isinstance(error.args[-1], int) else len(text)
            meta = _META.match(text, at)
            if meta is None and led is not None:
                meta = re.compile(re.escape(led[1])).match(text, at)
            if meta is None:
                raise _unreadable(text, at, name, error.args[0]) from None
            # as long as before, so that places stay what they are
            text = text[:at] + " " * len(meta[0]) + text[meta.end() :]


def _unreadable(text: str, at: int, name: str, told: str) -> BadValue:
    copies = list(_COPY.finditer(text, 0, at))
    if copies:
        line = text.count("\n", 0, copies[-1].start()) + 1
        return _refusal(name, line, f"holds data: {_cut(copies[-1][0])}")
    line = text.count("\n", 0, at) + 1
    if text.startswith("\\connect", at) or text.startswith("\\c ", at):
        return _refusal(name, line, "leads to another database, by \\connect")
    return _refusal(name, line, f"no dump of a schema: {told}")


def _refusal(name: str, line: int, told: str) -> BadValue:
    return BadValue(f"{name}:{line}: {told}", hint=_HINT)


def _demand_schema(part: Part, name: str) -> None:
    if isinstance(part.tree, _DATA):
        raise _refusal(name, part.line, f"holds data: {_cut(part.sql)}")
    kinds = (
        TransactionStmtKind.TRANS_STMT_BEGIN,
        TransactionStmtKind.TRANS_STMT_COMMIT,
    )
    is_odd = isinstance(part.tree, ast.TransactionStmt) and part.tree.kind not in kinds
    if isinstance(part.tree, _SERVER) or is_odd:
        raise _refusal(name, part.line, f"is more than a schema: {_cut(part.sql)}")


def _is_elsewhere(tree: Any) -> bool:
    """Return whether *tree* is of what a scratch database has not, or is itself."""
    kinds = {getattr(tree, name, None) for name in _TYPES}
    return isinstance(tree, _ELSEWHERE) or not kinds.isdisjoint(_ELSEWHERE_TYPES)


def _is_idle(tree: Any) -> bool:
    """Return whether *tree* means nothing to us: its text is decoded, its end ours."""
    if isinstance(tree, ast.VariableSetStmt):
        return bool(tree.name == "client_encoding")
    return isinstance(tree, ast.TransactionStmt)


def _cut(sql: str) -> str:
    line = " ".join(re.sub(r"--[^\n]*", "", sql).split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]} …"


class _Roles(Visitor):
    """Collects the roles that statements name, but for those of every server."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def visit_RoleSpec(self, _: Any, node: ast.RoleSpec) -> None:  # noqa: N802 - theirs
        if node.roletype == RoleSpecType.ROLESPEC_CSTRING:
            self._add(node.rolename)

    def visit_VariableSetStmt(self, _: Any, node: ast.VariableSetStmt) -> None:  # noqa: N802 - theirs
        if node.name == "session_authorization" and node.args:
            self._add(node.args[0].val.sval)

    def visit_CreateRoleStmt(self, _: Any, node: ast.CreateRoleStmt) -> None:  # noqa: N802 - theirs
        self._add(node.role)

    def _add(self, name: str) -> None:
        if not name.startswith("pg_"):
            self.found.add(name)
