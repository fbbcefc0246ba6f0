"""Statements of the application that are planned otherwise, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_platform.page import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ai_platform.review.facts import PlanChange

__all__ = ["plan_difference", "plans"]


def plans(found: Iterable[PlanChange]) -> str:
    """Return both plans of each of *found*, side by side."""
    return "".join(
        f'<figure class="shape"><figcaption>{text_of(one.statement)} {_tag(one)}'
        '</figcaption><div class="pairs"><b>Before</b><i></i><b>After</b>'
        f"{_plan(one.before)}<i>→</i>{_plan(one.after)}</div></figure>"
        for one in found
    )


def plan_difference(one: PlanChange) -> str:
    """Return both plans of *one* as a text of what is gone and what is new."""
    lines = [f"@@ {' '.join(one.statement.split())} @@"]
    lines += [f"- {' '.join(line.splitlines())}" for line in one.before]
    lines += [f"+ {' '.join(line.splitlines())}" for line in one.after]
    return "\n".join(lines)


def _tag(one: PlanChange) -> str:
    kind, word = ("warn", "worse") if one.is_worse else ("calm", "different")
    return f'<span class="tag {kind}">{word}</span>'


def _plan(lines: Sequence[str]) -> str:
    text = "\n".join(map(text_of, lines))
    return f'<pre class="sql">{text}</pre>'
