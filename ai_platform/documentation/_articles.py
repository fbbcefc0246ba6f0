"""One article per table, view and function of the HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._elements import Html, anchor, element, joined
from ._rights import holders, rights_of
from ._text import one_line
from ._wording import (
    constraint_text,
    index_definition,
    partition_forms,
    policy_parts,
    relation_facts,
    routine_facts,
    rule_text,
    trigger_text,
    type_definition,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ._model import Column, Item, Library, Relation, Schema
    from ._wording import Told

__all__ = ["relation_article", "routine_article", "small_objects"]


def relation_article(relation: Relation, library: Library) -> Html:
    """Return the article of a table or view."""
    item = relation.item
    schema = library.home[item.identity]
    return element(
        "article",
        element("h3", _faint(f"{schema}."), relation.name, _self_link(item)),
        _comment(item),
        _facts(relation_facts(relation)),
        _columns(relation, library),
        _constraints(relation, library),
        _referrers(relation, library),
        _rows("Indexes", relation.indexes, index_definition),
        _policies(relation),
        _rights(relation),
        _rows("Triggers", relation.triggers, trigger_text),
        _rows("Rules", relation.rules, rule_text),
        _partitions(relation),
        _definition(item) if not relation.is_table else Html(),
        id=anchor(item.kind, item.identity),
    )


def routine_article(item: Item, schema: Schema) -> Html:
    """Return the article of a function, procedure or aggregate."""
    name = item.name.partition("(")[0]
    arguments = one_line(str(item.properties["arguments"]))
    roles = holders(item, "EXECUTE")
    return element(
        "article",
        element("h3", _faint(f"{schema.name}."), f"{name}()", _self_link(item)),
        element("pre", element("code", f"{name}({arguments})")),
        _comment(item),
        _facts(routine_facts(item)),
        element("p", "Executed by ", *(_codes(roles) if roles else ["its owner only"])),
        id=anchor(item.kind, item.identity),
    )


def small_objects(title: str, items: Sequence[Item]) -> Html:
    """Return types or sequences as rows of one article."""
    return _rows(title, items, _small)


def _small(item: Item) -> str:
    if item.kind != "sequence":
        return f"{item.kind}: {type_definition(item)}"
    roles = ", ".join(holders(item, "USAGE"))
    owned = item.properties.get("owned by")
    parts = [
        str(item.properties["type"]),
        f"of {owned}" if owned else "",
        f"used by {roles}" if roles else "",
    ]
    return ", ".join(part for part in parts if part)


def _faint(text: str) -> Html:
    return element("span", text, class_="faint")


def _codes(names: Iterable[str]) -> Iterator[Html]:
    for place, name in enumerate(names):
        yield joined(", " if place else "", element("code", name))


def _self_link(item: Item) -> Html:
    target = "#" + anchor(item.kind, item.identity)
    return element("a", "#", href=target, class_="self", aria_label="link to this")


def _comment(item: Item) -> Html:
    return element("p", item.comment, class_="comment") if item.comment else Html()


def _facts(facts: Iterable[Told]) -> Html:
    items = [
        element("li", fact.word, " " if fact.code else "", *_codes(_only(fact.code)))
        for fact in facts
    ]
    return element("ul", *items, class_="facts")


def _only(text: str) -> list[str]:
    return [text] if text else []


def _columns(relation: Relation, library: Library) -> Html:
    heads = ("Column", "Type", "Default", "Comment")
    row = element("tr", *(element("th", head, scope="col") for head in heads))
    body = [_column(column, relation, library) for column in relation.columns]
    return element(
        "table", element("thead", row), element("tbody", *body), class_="columns"
    )


def _column(column: Column, relation: Relation, library: Library) -> Html:
    marks = [_mark(column, key, relation, library) for key in column.keys]
    null = "" if column.required or not relation.is_table else "null"
    target = anchor(column.item.kind, column.item.identity)
    name = element("a", column.name, href=f"#{target}")
    return element(
        "tr",
        element("th", name, *marks, scope="row"),
        element("td", element("code", column.type), element("i", null) if null else ""),
        element("td", *_codes(_only(column.default))),
        element("td", column.item.comment),
        id=target,
    )


def _mark(column: Column, key: str, relation: Relation, library: Library) -> Html:
    """Return the mark of a key; that of a foreign key leads to the other table."""
    class_ = f"key {key.lower()}"
    mine = [item for item in relation.references if column.name in item.columns]
    # of several the one that is about this column most
    nearest = min(mine, key=lambda item: len(item.columns), default=None)
    if key != "FK" or nearest is None or nearest.target not in library.home:
        return element("b", key, class_=class_)
    href = "#" + anchor("table", nearest.target)
    return element("a", key, class_=class_, href=href, title=nearest.target)


def _section(title: str, count: int, *content: str) -> Html:
    number = element("span", str(count), class_="count") if count else Html()
    summary = element("summary", title, " ", number)
    return element("details", summary, *content)


def _rows(title: str, items: Sequence[Item], text: Callable[[Item], str]) -> Html:
    if not items:
        return Html()
    rows = [_row(item, element("code", one_line(text(item)))) for item in items]
    return _section(title, len(items), element("ul", *rows))


def _row(item: Item, *content: str) -> Html:
    comment = [_faint(f" {item.comment}")] if item.comment else []
    return element(
        "li",
        element("strong", item.name),
        " ",
        *content,
        *comment,
        id=anchor(item.kind, item.identity),
    )


def _constraints(relation: Relation, library: Library) -> Html:
    if not relation.constraints:
        return Html()
    targets = {item.name: item.target for item in relation.references}
    rows: list[Html] = []
    for item in relation.constraints:
        to = targets.get(item.name, "")
        link = joined(" → ", _link(to, library)) if to else Html()
        rows.append(_row(item, element("code", constraint_text(item)), link))
    title = "Keys and constraints"
    return _section(title, len(rows), element("ul", *rows))


def _link(identity: str, library: Library) -> Html:
    if identity not in library.home:
        return element("code", identity)
    return element("a", identity, href="#" + anchor("table", identity))


def _referrers(relation: Relation, library: Library) -> Html:
    rows = [
        element("li", _link(item.source, library), " ", *_codes(item.columns))
        for item in relation.referenced_by
    ]
    if not rows:
        return Html()
    return _section("Referenced by", len(rows), element("ul", *rows))


def _policies(relation: Relation) -> Html:
    rows: list[Html] = []
    for item in relation.policies:
        command, roles, told = policy_parts(item)
        expressions = [
            element("div", _faint(f"{word} "), element("code", one_line(expression)))
            for word, expression in told
        ]
        rows.append(_row(item, f"for {command} to ", *_codes(roles), *expressions))
    if not rows:
        return Html()
    return _section("Row security policies", len(rows), element("ul", *rows))


def _rights(relation: Relation) -> Html:
    found = rights_of(relation.item, relation.columns)
    if not found.rows:
        return Html()
    heads = [element("th", head, scope="col") for head in ("Role", *found.rights)]
    rows = [
        element(
            "tr",
            element("th", role, scope="row"),
            *(element("td", cell) for cell in cells),
        )
        for role, cells in found.rows.items()
    ]
    body = element("tbody", *rows)
    content = element("table", element("thead", element("tr", *heads)), body)
    wide = element("div", content, class_="wide")
    return _section("Rights", len(rows), wide)


def _partitions(relation: Relation) -> Html:
    policy = [] if relation.policy is None else [str(relation.policy)]
    rows = [
        *(element("li", f"policy: {text}") for text in policy),
        *(
            element("li", "made at run time: ", element("code", form))
            for form in partition_forms(relation)
        ),
        *(
            _row(item, element("code", item.properties["partition bound"]))
            for item in relation.partitions
        ),
    ]
    if not rows:
        return Html()
    return _section("Partitions", len(relation.partitions), element("ul", *rows))


def _definition(item: Item) -> Html:
    text = str(item.properties["definition"]).strip("\n")
    return _section("Definition", 0, element("pre", element("code", text)))
