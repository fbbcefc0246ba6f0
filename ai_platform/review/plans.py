"""How the server would run statements of the application, before and after a change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg

from ._beyond_names import explained
from .compatibility import describe
from .facts import Finding, PlanChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .compatibility import Statement
    from .facts import RevisionFacts

__all__ = ["CHANGED", "RULE", "QueryPlan", "compared", "findings", "query_plans"]

RULE: Final = "plan-got-worse"
CHANGED: Final = "plan-changed"
_DEARER: Final = 2.0
"""A plan of another shape is worse when the planner expects so many times the cost."""
_PLACE: Final = ("Schema", "Relation Name")


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A statement's plan: a line for each node, its *cost* in the planner's units.

    *full* are the tables that it reads from their begin to their end.
    """

    lines: tuple[str, ...]
    full: frozenset[str]
    cost: float


def query_plans(
    connection: psycopg.Connection[Any], statements: Iterable[Statement]
) -> dict[str, QueryPlan]:
    """Return the generic plan of each statement that the schema takes, by its name.

    Nothing is executed. They are planned without parallel workers and as the login of
    *connection*, which must be in autocommit: a superuser's plans know no row security.
    """
    fit, _ = describe(connection, statements, names_only=True)
    found: dict[str, QueryPlan] = {}
    for statement in fit:
        plan = _planned(connection, statement)
        if plan is not None:
            found[statement.name] = plan
    return found


def _planned(
    connection: psycopg.Connection[Any], statement: Statement
) -> QueryPlan | None:
    """Return the plan; None for what has none, such as a utility statement."""
    try:
        answer = explained(connection, statement)
    except psycopg.Error:
        return None
    content = json.loads(answer) if isinstance(answer, str) else answer or []
    return _of_json(content[0]["Plan"]) if content else None


def _of_json(root: Mapping[str, Any]) -> QueryPlan:
    nodes = tuple(_nodes(root, 0))
    full = (_relation(node) for _, node in nodes if node["Node Type"] == "Seq Scan")
    return QueryPlan(
        tuple(f"{'  ' * depth}{_line(node)}" for depth, node in nodes),
        frozenset(name for name in full if name),
        float(root["Total Cost"]),
    )


def _nodes(
    node: Mapping[str, Any], depth: int
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    yield depth, node
    for below in node.get("Plans", ()):
        yield from _nodes(below, depth + 1)


def _line(node: Mapping[str, Any]) -> str:
    name = str(node["Node Type"])
    if node.get("Join Type", "Inner") != "Inner":
        name += f" {node['Join Type']}"
    if "Index Name" in node:
        name += f" using {node['Index Name']}"
    relation = _relation(node)
    return f"{name} on {relation}" if relation else name


def _relation(node: Mapping[str, Any]) -> str:
    return ".".join(str(node[key]) for key in _PLACE if key in node)


def compared(
    before: Mapping[str, QueryPlan], after: Mapping[str, QueryPlan]
) -> tuple[PlanChange, ...]:
    """Return the statements that are planned otherwise than before, by name.

    Worse is one that reads a table in full which it did not, or that the planner
    expects to cost at least twice as much.
    """
    return tuple(
        PlanChange(
            name,
            old.lines,
            new.lines,
            is_worse=bool(new.full - old.full) or new.cost >= _DEARER * old.cost,
        )
        for name, old in sorted(before.items())
        if (new := after.get(name)) is not None and new.lines != old.lines
    )


def findings(one: RevisionFacts) -> Iterator[Finding]:
    """Yield a finding for each statement whose plan the revision of *one* changed."""
    for item in one.plans:
        old, new = _differing(item.before, item.after)
        yield Finding(
            rule=RULE if item.is_worse else CHANGED,
            severity="warning" if item.is_worse else "note",
            revision=one.revision,
            statement=None,
            object=item.statement,
            message=f"the application's {item.statement} was planned as {old}, "
            f"and now as {new}",
            remedy="keep the index that it used, or make the one that it needs, before "
            "the old one goes"
            if item.is_worse
            else "see whether that is what the change is for",
            is_measured=True,
        )


def _differing(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, str]:
    """Return the nodes of each plan that the other has not, in words."""
    nodes = [line.strip() for line in before], [line.strip() for line in after]
    old = [node for node in nodes[0] if node not in nodes[1]]
    new = [node for node in nodes[1] if node not in nodes[0]]
    return ", ".join(old or nodes[0]), ", ".join(new or nodes[1])
