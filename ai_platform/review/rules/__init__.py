"""The rules of the review, each in a file of its own."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from ai_platform.errors import BadValue

from ._context import Evidence, RevisionContext, StatementContext
from ._rule import Hit, Rule

__all__ = [
    "Evidence",
    "Hit",
    "RevisionContext",
    "Rule",
    "StatementContext",
    "all_rules",
    "rule",
]

_OTHERS = {"engine", "reference"}


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, by number and id."""
    modules = [
        importlib.import_module(f"{__name__}.{info.name}")
        for info in pkgutil.iter_modules(__path__)
        if not info.name.startswith("_") and info.name not in _OTHERS
    ]
    rules: list[Rule] = [module.RULE for module in modules]
    return tuple(sorted(rules, key=lambda item: (item.number, item.id)))


def rule(name: str) -> Rule:
    """Return the rule *name*; raises BadValue where there is none."""
    found = {item.id: item for item in all_rules()}
    if name not in found:
        raise BadValue(f"no such rule: got {name!r}", hint="see docs/review-rules.md")
    return found[name]
