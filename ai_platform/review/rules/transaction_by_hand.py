"""A revision begins or ends a transaction by hand."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

import pglast
from pglast.ast import TransactionStmt
from pglast.enums import TransactionStmtKind

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

_WORDS: Final = {
    TransactionStmtKind.TRANS_STMT_BEGIN: "BEGIN",
    TransactionStmtKind.TRANS_STMT_START: "START TRANSACTION",
    TransactionStmtKind.TRANS_STMT_COMMIT: "COMMIT",
}


def check(revision: RevisionContext) -> Iterator[Hit]:
    try:
        tree = ast.parse(revision.evidence.python or "")
    except SyntaxError:
        return
    upgrades = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("upgrade")
    ]
    for function in upgrades:
        for node in ast.walk(function):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for word in dict.fromkeys(_words(node.value)):
                    yield _hit(revision, node.lineno, word)


def _hit(revision: RevisionContext, line: int, word: str) -> Hit:
    told = f"line {line}: {word} by hand"
    if word != "COMMIT" or revision.facts.is_repeatable is not False:
        return Hit(revision.facts.file, told)
    told += "; after a stop before Alembic's own row is written, a second run fails"
    return Hit(revision.facts.file, told, is_measured=True, severity="error")


def _words(text: str) -> Iterator[str]:
    """Yield what begins and ends transactions in *text*, if it is SQL."""
    if not any(word.split()[0] in text.upper() for word in _WORDS.values()):
        return
    try:
        found = pglast.parse_sql(text)
    except pglast.parser.ParseError:
        return
    for item in found:
        if isinstance(item.stmt, TransactionStmt) and item.stmt.kind in _WORDS:
            yield _WORDS[item.stmt.kind]


RULE = Rule(
    id="transaction-by-hand",
    number=41,
    title="a revision begins or ends a transaction by hand",
    family="repeat",
    severity="warning",
    hazard=(
        "Alembic runs a revision in a transaction of its own. BEGIN in it is ignored "
        "with a warning; COMMIT ends it: what follows, and the row that says how far "
        "the database is, commit apart. A BEGIN without COMMIT outside any transaction "
        "is rolled back when the session ends."
    ),
    measured=(
        "Read from the text of the revision's file: BEGIN, START TRANSACTION or COMMIT "
        "as a statement in a string of upgrade(). An error where a second run, after a "
        "stop behind the COMMIT, was seen to fail or to end elsewhere."
    ),
    remedy=(
        "Leave them out: each revision is one transaction. What must commit apart goes "
        "into a revision of its own, or into op.get_context().autocommit_block()."
    ),
    revision=check,
)
