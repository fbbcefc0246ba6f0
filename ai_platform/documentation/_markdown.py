"""One Markdown page per schema, as GitHub shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._diagram import diagram
from ._rights import holders, rights_of
from ._text import code, fenced, one_line, plain, table
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
    from collections.abc import Iterable, Iterator, Sequence

    from ._model import Item, Library, Relation, Schema
    from ._wording import Told

__all__ = ["file_name", "schema_page"]


def file_name(schema: str) -> str:
    """Return the name of the page of *schema*; never that of the index.

    >>> file_name("auth"), file_name('"My Schema"'), file_name("readme")
    ('auth.md', 'My_20Schema.md', 'readme_.md')
    """
    bare = schema.removeprefix('"').removesuffix('"')
    name = "".join(c if c.isalnum() or c in "-_" else f"_{ord(c):x}" for c in bare)
    return f"{name}{'_' if name.lower() in {'readme', 'index'} else ''}.md"


def schema_page(schema: Schema, library: Library) -> str:
    """Return the page of *schema*."""
    return "\n".join(_Page(schema, library).lines()) + "\n"


class _Page:
    def __init__(self, schema: Schema, library: Library) -> None:
        self.schema = schema
        self.library = library

    def lines(self) -> Iterator[str]:
        schema = self.schema
        yield f"# {plain(schema.name)}"
        yield from _paragraph(plain(schema.item.comment))
        roles = [code(role) for role in holders(schema.item, "USAGE")]
        facts = f"Owner {code(schema.item.properties['owner'])}"
        facts += f"; used by {', '.join(roles)}" if roles else ""
        yield from _paragraph(f"{facts}. [All schemas](README.md)")
        yield from self._contents()
        yield from self._diagram()
        yield from self._part("Tables", schema.tables)
        yield from self._part("Views", schema.views)
        yield from self._routines()
        yield from self._types()
        yield from self._sequences()

    def _contents(self) -> Iterator[str]:
        rows = [
            [self.link(relation.item.identity), plain(relation.item.comment)]
            for relation in self.schema.relations
        ]
        if rows:
            yield from ("", *table(["Table or view", "What it holds"], rows))

    def _diagram(self) -> Iterator[str]:
        drawn = diagram(self.schema)
        if drawn is None:
            return
        yield from ("", "## Diagram", "", "```mermaid", drawn.text, "```")
        text = "Key columns only."
        if drawn.hubs:
            hubs = ", ".join(self.link(hub) for hub in drawn.hubs)
            text += f" Not drawn, because most tables refer to it: {hubs}."
        yield from _paragraph(text)

    def _part(self, title: str, relations: Sequence[Relation]) -> Iterator[str]:
        if relations:
            yield from ("", f"## {title}")
        for relation in relations:
            yield from ("", f"### {plain(relation.name)}")
            yield from self._relation(relation)

    def _relation(self, relation: Relation) -> Iterator[str]:
        yield from _paragraph(plain(relation.item.comment))
        yield from _paragraph(_sentence(relation_facts(relation)))
        yield from self._columns(relation)
        yield from self._constraints(relation)
        yield from _titled("Referenced by", self._referrers(relation))
        rows = [
            [code(index.name), code(index_definition(index)), plain(index.comment)]
            for index in relation.indexes
        ]
        yield from _tabled("Indexes", ["Name", "Definition", "Comment"], rows)
        yield from _titled("Row security policies", _policies(relation.policies))
        yield from _rights(relation)
        triggers = [
            [code(item.name), code(trigger_text(item)), plain(item.comment)]
            for item in relation.triggers
        ]
        yield from _tabled("Triggers", ["Name", "Fires", "Comment"], triggers)
        rules = [f"- {code(rule_text(item))}" for item in relation.rules]
        yield from _titled("Rules", rules)
        yield from _titled("Partitions", _partitions(relation))
        if not relation.is_table:
            yield from _definition(relation.item)

    def _columns(self, relation: Relation) -> Iterator[str]:
        rows = [
            [
                code(column.name),
                code(column.type),
                " ".join(column.keys),
                "" if column.required or not relation.is_table else "yes",
                code(column.default),
                plain(column.item.comment),
            ]
            for column in relation.columns
        ]
        heads = ["Column", "Type", "Key", "Null", "Default", "Comment"]
        yield from ("", *table(heads, rows))

    def _constraints(self, relation: Relation) -> Iterator[str]:
        targets = {item.name: item.target for item in relation.references}
        rows = [
            [
                code(item.name),
                code(constraint_text(item)),
                self.link(targets[item.name]) if item.name in targets else "",
                plain(item.comment),
            ]
            for item in relation.constraints
        ]
        heads = ["Name", "Definition", "Refers to", "Comment"]
        yield from _tabled("Keys and constraints", heads, rows)

    def _referrers(self, relation: Relation) -> list[str]:
        return [
            f"- {self.link(item.source)} ({', '.join(map(code, item.columns))})"
            for item in relation.referenced_by
        ]

    def link(self, identity: str) -> str:
        """Return a link to the table or view, its bare name where there is none."""
        home = self.library.home.get(identity)
        if home is None:
            return code(identity)
        page = "" if home == self.schema.name else file_name(home)
        text = identity if page else identity.removeprefix(f"{home}.")
        return f"[{plain(text)}]({page}#{self.library.anchors[identity]})"

    def _routines(self) -> Iterator[str]:
        if self.schema.routines:
            yield from ("", "## Functions")
        for item in self.schema.routines:
            name = item.name.partition("(")[0]
            kind = "" if item.kind == "function" else f" ({item.kind})"
            arguments = one_line(str(item.properties["arguments"]))
            yield from ("", f"### {plain(name)}(){kind}", "")
            yield from fenced(f"{name}({arguments})")
            yield from _paragraph(plain(item.comment))
            yield from _paragraph(_sentence(routine_facts(item)))
            roles = ", ".join(code(role) for role in holders(item, "EXECUTE"))
            yield from _paragraph(f"Executed by: {roles or 'its owner only'}")

    def _types(self) -> Iterator[str]:
        rows = [
            [code(i.name), i.kind, code(type_definition(i)), plain(i.comment)]
            for i in self.schema.types
        ]
        if rows:
            yield from ("", "## Types", "")
            yield from table(["Name", "Kind", "Definition", "Comment"], rows)

    def _sequences(self) -> Iterator[str]:
        rows = [
            [
                code(item.name),
                code(str(item.properties["type"])),
                code(str(item.properties.get("owned by", ""))),
                ", ".join(code(role) for role in holders(item, "USAGE")),
                plain(item.comment),
            ]
            for item in self.schema.sequences
        ]
        if rows:
            yield from ("", "## Sequences", "")
            yield from table(["Name", "Type", "Of column", "Used by", "Comment"], rows)


def _policies(policies: Iterable[Item]) -> Iterator[str]:
    for policy in policies:
        command, roles, told = policy_parts(policy)
        to = ", ".join(map(code, roles))
        yield f"- {code(policy.name)} for {command} to {to}"
        yield from ([f"  {plain(policy.comment)}"] if policy.comment else [])
        yield from (f"  - {part.word} {code(part.code)}" for part in told)


def _rights(relation: Relation) -> Iterator[str]:
    found = rights_of(relation.item, relation.columns)
    rows = [
        [code(role), *map(plain, cells)] for role, cells in sorted(found.rows.items())
    ]
    yield from _tabled("Rights", ["Role", *found.rights], rows)


def _partitions(relation: Relation) -> Iterator[str]:
    if relation.policy is not None:
        yield f"- Policy: {plain(str(relation.policy))}"
    for form in partition_forms(relation):
        yield f"- Made at run time: {code(form)}"
    for item in relation.partitions:
        yield f"- {code(item.identity)} {code(item.properties['partition bound'])}"


def _definition(item: Item) -> Iterator[str]:
    yield from ("", "<details><summary>Definition</summary>", "")
    yield from fenced(str(item.properties["definition"]).strip("\n"))
    yield from ("", "</details>")


def _sentence(facts: Iterable[Told]) -> str:
    told = [f"{fact.word} {code(fact.code)}".strip() for fact in facts]
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}."


def _paragraph(text: str) -> Iterator[str]:
    if text:
        yield from ("", text)


def _titled(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield from ("", f"**{title}**", "", *lines)


def _tabled(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[str]:
    if rows:
        yield from _titled(title, table(heads, rows))
