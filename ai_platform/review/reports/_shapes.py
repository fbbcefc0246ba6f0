"""Touched tables before and after a revision, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_platform.amounts import counted
from ai_platform.page import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_platform.review.facts import Column, Table

__all__ = ["difference", "shapes"]

_MOST_COLUMNS = 24
_SIGNS = {"same": "", "changed": "→", "new": "+", "gone": "x"}


def shapes(tables: Sequence[Table]) -> str:
    """Return a drawing of each of *tables*, column beside column."""
    return "".join(map(_shape, tables))


def difference(table: Table) -> str:
    """Return what changes of the columns of *table* as a text of additions and gone."""
    before, after = list(table.before or ()), list(table.after or ())
    lines = [f"@@ {_on_one_line(table.relation)} @@"]
    for column in before:
        other = next((one for one in after if one.name == column.name), None)
        if other != column:
            lines.append(f"- {_in_words(column)}")
            lines += [f"+ {_in_words(other)}"] if other is not None else []
    known = {column.name for column in before}
    lines += [f"+ {_in_words(one)}" for one in after if one.name not in known]
    return "\n".join(lines)


def _in_words(column: Column) -> str:
    keys = f"  ({', '.join(column.keys)})" if column.keys else ""
    return _on_one_line(f"{column.name} {column.definition}{keys}")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _shape(table: Table) -> str:
    whole = "before" if table.after is None else "after"
    heads = {"before": "Before", "after": "After"}
    if table.before is None or table.after is None:
        state = "dropped" if table.after is None else "new"
        rows = table.before if table.after is None else table.after
        kind = "gone" if table.after is None else "new"
        body = "".join(_cell(column, kind) for column in rows or ())
        return (
            f'<figure class="shape one"><figcaption>{text_of(table.relation)} '
            f'<span class="tag">{state}</span></figcaption>'
            f'<div class="entity" aria-label="{heads[whole]}">{body}</div></figure>'
        )
    pairs = list(_pairs(table.before, table.after))
    same = "".join(pair for is_same, pair in pairs if is_same)
    others = "".join(pair for is_same, pair in pairs if not is_same)
    if len(pairs) <= _MOST_COLUMNS or not others:
        others, same = "".join(pair for _, pair in pairs), ""
    count = counted(sum(is_same for is_same, _ in pairs), "column")
    rest = (
        f'<details class="more"><summary>{count} as before</summary>'
        f'<div class="pairs">{same}</div></details>'
    )
    return (
        f'<figure class="shape"><figcaption>{text_of(table.relation)}</figcaption>'
        f'<div class="pairs"><b>Before</b><i></i><b>After</b>{others}</div>'
        f"{rest if same else ''}</figure>"
    )


def _pairs(
    before: Sequence[Column], after: Sequence[Column]
) -> Iterator[tuple[bool, str]]:
    """Yield whether a column stays, and its left, sign and right side."""
    new = {column.name: column for column in after}
    old = {column.name for column in before}
    for column in before:
        other = new.get(column.name)
        if other is None:
            gone = f"{_cell(column, 'gone')}<i>{_SIGNS['gone']}</i><span></span>"
            yield False, gone
            continue
        kind = "same" if other == column else "changed"
        pair = f"{_cell(column, kind)}<i>{_SIGNS[kind]}</i>{_cell(other, kind)}"
        yield kind == "same", pair
    for column in after:
        if column.name not in old:
            new_one = f"<span></span><i>{_SIGNS['new']}</i>{_cell(column, 'new')}"
            yield False, new_one


def _cell(column: Column, kind: str) -> str:
    keys = "".join(f'<span class="key">{text_of(key)}</span>' for key in column.keys)
    return (
        f'<span class="column {kind}"><code>{text_of(column.name)}</code>{keys}'
        f"<small>{text_of(column.definition)}</small></span>"
    )
