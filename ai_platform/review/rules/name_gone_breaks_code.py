"""Running code names a function, type or schema that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pglast import ast, enums

from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.catalog import CatalogObject
    from ai_platform.review.facts import Severity

    from ._context import RevisionContext

__all__ = ["RULE"]

_KINDS: Final = {
    *("function", "procedure", "aggregate", "sequence", "schema"),
    *("enum", "domain", "composite type", "range", "type", "extension"),
}
_WRITTEN: Final = {
    enums.ObjectType.OBJECT_FUNCTION,
    enums.ObjectType.OBJECT_PROCEDURE,
    enums.ObjectType.OBJECT_ROUTINE,
    enums.ObjectType.OBJECT_SEQUENCE,
    enums.ObjectType.OBJECT_TYPE,
    enums.ObjectType.OBJECT_DOMAIN,
    enums.ObjectType.OBJECT_SCHEMA,
    enums.ObjectType.OBJECT_EXTENSION,
}


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.phase == "contract":
        return
    before, after = revision.evidence.before, revision.evidence.after
    if before is None or after is None:
        yield from _read(revision)
        return
    left = {_called(item) for item in after}
    schemas = {item.key.identity for item in after if item.key.kind == "schema"}
    for item in before:
        parent = (item.parent or "").removeprefix("schema ")
        if item.parent and item.parent.startswith("schema ") and parent not in schemas:
            # the schema speaks for all that is in it
            continue
        if item.key.kind in _KINDS and item.key not in after and _is_used(item):
            yield Hit(
                item.key.identity,
                _told(item, still=_called(item) in left),
                is_measured=True,
                severity=_severity(item),
            )


def _called(item: CatalogObject) -> tuple[str, str]:
    return item.key.kind, item.key.identity.partition("(")[0]


def _is_used(item: CatalogObject) -> bool:
    """Return whether code may name it: a trigger's function it does not.

    Nor does it name the sequence that belongs to a column.
    """
    is_inner = item.properties.get("returns") in {"trigger", "event_trigger"}
    return not is_inner and not item.properties.get("owned by")


def _told(item: CatalogObject, *, still: bool) -> str:
    if item.key.kind == "extension":
        return "is gone: code that uses its functions, types or operators fails"
    if still:
        return "is gone with these arguments: a call that fits no other fails"
    return f"is gone: code that names the {item.key.kind} fails"


def _severity(item: CatalogObject) -> Severity:
    return "error" if item.key.kind == "schema" else "warning"


def _read(revision: RevisionContext) -> Iterator[Hit]:
    made = {
        dotted(item.tree.funcname)
        for item in revision.statements
        if isinstance(item.tree, ast.CreateFunctionStmt)
    }
    for statement in revision.statements:
        tree = statement.tree
        if isinstance(tree, ast.DropStmt) and tree.removeType in _WRITTEN:
            for item in tree.objects:
                if dotted(item) in made:
                    continue
                told = "goes while code that names it may still run"
                yield Hit(dotted(item), told, statement=statement.number)
        elif isinstance(tree, ast.RenameStmt) and tree.renameType in _WRITTEN:
            name = dotted(tree.object) if tree.object else tree.subname
            told = f"becomes {tree.newname}: code that knows the old name fails"
            yield Hit(name or tree.newname, told, statement=statement.number)


RULE = Rule(
    id="name-gone-breaks-code",
    number=34,
    title="running code names a function, type or schema that is gone",
    family="code",
    severity="warning",
    hazard=(
        "Old code goes on while the revision commits: a call of a function, a cast to "
        "a type, nextval() of a sequence fails from then on, and every name in a "
        "schema that is dropped or renamed."
    ),
    measured=(
        "The catalog before and after: the name is not there any more, whether it was "
        "dropped, renamed or moved. Functions of triggers do not count; an extension "
        "does. A schema is an error. Without a measurement: DROP and RENAME in the "
        "text."
    ),
    remedy=(
        "Add the new one beside the old one, let the code change over, and drop the "
        "old one in a revision that says Phase: contract."
    ),
    revision=check,
)
