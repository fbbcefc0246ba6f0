"""A colon in SQL becomes NULL."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

_TAKES: Final = {"execute", "text"}
# as SQLAlchemy reads a parameter
_BIND: Final = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")


def check(revision: RevisionContext) -> Iterator[Hit]:
    source = revision.evidence.source
    if source is not None and source.offline_error is not None:
        return  # it runs as Python, where a missing value is an error
    try:
        tree = ast.parse(revision.evidence.python or "")
    except SyntaxError:
        return
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    bound = {
        id(call.func.value)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "bindparams"
    }
    for call in calls:
        if _name(call) in _TAKES and call.args and id(call) not in bound:
            for line, word in _parameters(call.args[0]):
                told = f"line {line}: :{word} is read as a parameter"
                yield Hit(revision.facts.file, told)


def _name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _parameters(node: ast.expr) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for word in dict.fromkeys(_BIND.findall(node.value)):
            yield node.lineno, word


RULE = Rule(
    id="bind-parameter-lost",
    number=30,
    title="a colon in SQL becomes NULL",
    family="repeat",
    severity="error",
    hazard=(
        "SQL in op.execute and text() takes :word for a parameter. Online the upgrade "
        "fails; written as SQL it says NULL there, without a complaint."
    ),
    measured=(
        "Read from the text of the revision's file: a string given to op.execute "
        "or text with an unescaped :word for which no value is bound."
    ),
    remedy=(
        "Write \\:word, or put the SQL in a file that is escaped before it is run."
    ),
    revision=check,
)
