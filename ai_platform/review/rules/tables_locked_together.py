"""One transaction closes several tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext, StatementContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    numbers = dict.fromkeys(item.transaction for item in revision.statements)
    for number in numbers:
        groups: list[set[str]] = []
        last = None
        for statement in revision.statements:
            if number is None or statement.transaction != number:
                continue
            closed = _closed(statement)
            if closed:
                last = statement
                groups = _joined(groups, closed | _parents(revision, closed))
        if last is not None and len(groups) > 1:
            names = [min(group) for group in groups]
            yield Hit(
                names[-1],
                f"ACCESS EXCLUSIVE on {len(names)} tables in use in one transaction: "
                f"{', '.join(names)}; while it waits for one, the others stay locked",
                is_measured=last.is_measured,
                statement=last.number,
            )


def _closed(statement: StatementContext) -> set[str]:
    """Return the tables that nobody may read from this statement on."""
    if statement.is_measured:
        return {name for name, mode in statement.locked().items() if mode == "AX"}
    return set()


def _parents(revision: RevisionContext, names: set[str]) -> set[str]:
    """Return what *names* are partitions or children of: locking both is one matter."""
    known = (revision.before("table", name) or {} for name in names)
    return {parent for one in known for parent in one.get("inherits") or ()}


def _joined(groups: list[set[str]], names: set[str]) -> list[set[str]]:
    """Return *groups* with *names*, which join those that they are part of."""
    apart = [group for group in groups if not group & names]
    return [*apart, names.union(*(group for group in groups if group & names))]


RULE = Rule(
    id="tables-locked-together",
    number=19,
    title="one transaction closes several tables",
    family="lock",
    severity="note",
    hazard=(
        "Each lock is held until the commit. While the transaction waits for the "
        "second table, the first stays closed to everybody; and code that uses both "
        "in the other order ends in a deadlock with it."
    ),
    measured=(
        "ACCESS EXCLUSIVE on two or more tables that were there before, taken by "
        "different statements of a transaction. Partitions count as their parent, and "
        "what one statement locks, such as both ends of a foreign key, as one."
    ),
    remedy=(
        "Change each table in a revision of its own; where both must commit together, "
        "in the order in which the application locks them, and with a short "
        "lock_timeout."
    ),
    revision=check,
)
