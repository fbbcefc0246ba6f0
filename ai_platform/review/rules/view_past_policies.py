"""A view shows rows past the policies of its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast.visitors import Visitor

from ._rule import Hit, Rule
from ._tree import dotted, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pglast import ast

    from ai_platform.catalog import CatalogObject

    from ._context import RevisionContext

__all__ = ["RULE"]


class _Tables(Visitor):
    """Collects the relations that a query names."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_RangeVar(self, _: object, node: ast.RangeVar) -> None:  # noqa: N802
        self.found.add(dotted(node))


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None:
        return
    closed = {
        item.key.identity: item
        for item in revision.objects("table")
        if item.properties.get("row security")
    }
    for kind in ("view", "materialized view"):
        for view in revision.objects(kind):
            if revision.before(kind, view.key.identity) == view.properties:
                continue
            for table in sorted(_read(view) & set(closed)):
                if _passes(view, closed[table]):
                    yield Hit(
                        view.key.identity,
                        f"shows rows of {table} past its policies",
                        is_measured=True,
                    )


def _read(view: CatalogObject) -> set[str]:
    tables = _Tables()
    tree = parsed(str(view.properties.get("definition")))
    if tree is not None:
        tables(tree)
    return tables.found


def _passes(view: CatalogObject, table: CatalogObject) -> bool:
    """Return whether *view* reads *table* as somebody whom no policy holds."""
    if view.key.kind == "materialized view":
        return True
    options = view.properties.get("options") or ()
    if any(
        item in {"security_invoker=true", "security_invoker=on"} for item in options
    ):
        return False
    same_owner = view.properties.get("owner") == table.properties.get("owner")
    return same_owner and not table.properties.get("row security forced")


RULE = Rule(
    id="view-past-policies",
    number=28,
    title="a view shows rows past the policies of its table",
    family="security",
    severity="warning",
    hazard=(
        "A view reads its tables as its owner, whom row security that is not forced "
        "does not hold: whoever may read the view reads every row. A materialized view "
        "keeps what its owner saw, and knows no policies."
    ),
    measured=(
        "The catalog after the revision: a new or changed view without "
        "security_invoker over a table of the same owner with row security that is not "
        "forced; a materialized view over any table with row security."
    ),
    remedy=(
        "CREATE VIEW ... WITH (security_invoker = true), or FORCE ROW LEVEL SECURITY "
        "on the table. A materialized view: give rights on it only to who may see all "
        "rows."
    ),
    revision=check,
)
