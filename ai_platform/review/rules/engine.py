"""Judge a review: which rules each of its revisions breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_platform.review.facts import Finding

from . import all_rules
from ._context import Evidence, RevisionContext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ai_platform.review.facts import Review

    from ._rule import Rule

__all__ = ["CRASH", "judge"]

CRASH: Final = "rule-crashed"
"""Finding of a rule that failed itself: it is not known what it would have said."""


def judge(
    review: Review,
    evidence: Mapping[str, Evidence] | None = None,
    *,
    rules: Iterable[Rule] | None = None,
) -> tuple[Finding, ...]:
    """Return what the *rules* find in *review*, in an order that is always the same.

    *evidence* is what is known of each revision beside its facts; more of it makes
    more findings measured. Production stands at the base of the review: what one of
    its revisions makes is new, and nobody waits for it. A rule that crashes is an
    error that names it.
    """
    chosen = tuple(all_rules() if rules is None else rules)
    known = evidence or {}
    made: frozenset[str] = frozenset()
    found: list[Finding] = []
    for facts in review.revisions:
        context = RevisionContext(
            facts, known.get(facts.revision), rows=review.rows, made=made
        )
        found += _judged(context, chosen)
        made = context.made
    return tuple(found)


def _judged(context: RevisionContext, rules: tuple[Rule, ...]) -> list[Finding]:
    found: dict[Finding, None] = {}
    for rule in rules:
        if not rule.is_residual:
            found.update(dict.fromkeys(_checked(rule, context)))
    families = {rule.id: rule.family for rule in rules}
    explained = {
        (item.statement, families.get(item.rule))
        for item in found
        if item.severity != "note"
    }
    for rule in rules:
        if rule.is_residual:
            for item in _checked(rule, context):
                if (item.statement, rule.family) not in explained:
                    found[item] = None
    order = {rule.id: number for number, rule in enumerate(rules)}
    return sorted(
        found,
        key=lambda item: (
            item.statement or 0,
            order.get(item.rule, len(order)),
            item.object,
            item.message,
        ),
    )


def _checked(rule: Rule, context: RevisionContext) -> Iterator[Finding]:
    try:
        yield from tuple(rule.check(context))
    except Exception as error:  # noqa: BLE001 - whatever it is, it must be seen
        yield Finding(
            rule=CRASH,
            severity="error",
            revision=context.revision,
            statement=None,
            object=rule.id,
            message=f"the rule failed: {type(error).__name__}: {error}",
            remedy="report it with this revision; the rule's verdict is missing",
            is_measured=False,
        )
