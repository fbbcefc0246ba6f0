"""Arrange a snapshot for reading: what hangs on what, in an order that stays."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ai_platform.identifiers import unquoted

from ._model import Column, Item, Library, Reference, Relation, Schema
from ._text import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_platform.catalog import CatalogObject, Snapshot

    from .policies import PartitionPolicy

__all__ = ["arrange"]

ROUTINES = ("function", "procedure", "aggregate")
TYPES = ("enum", "domain", "range", "composite type", "type")
VIEWS = ("view", "materialized view")
KEYS = ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY")
HANGING = ("constraint", "policy", "trigger", "rule")

_NAME = r'(?:"(?:[^"]|"")*"|[^\s",()]+)'
_NAMES = r'\((?P<{}>[^()"]*(?:"(?:[^"]|"")*"[^()"]*)*)\)'
_SCHEMA = re.compile(r'(?:"(?:[^"]|"")*"|[^".(]+)\.')
_KEY = re.compile(
    r"(?:PRIMARY KEY|UNIQUE)(?: NULLS NOT DISTINCT)? " + _NAMES.format("columns")
)
_FOREIGN_KEY = re.compile(
    rf"FOREIGN KEY {_NAMES.format('columns')}"
    r' REFERENCES (?P<target>(?:"(?:[^"]|"")*"|[^"(])+)' + _NAMES.format("targets")
)

Group = dict[str | None, list[Item]]


def arrange(snapshot: Snapshot, policies: Iterable[PartitionPolicy]) -> Library:
    """Return everything in *snapshot* as a reader meets it, ordered by name.

    Partitions are part of their parent, which has the policy of *policies* that
    names it.
    """
    children: Group = defaultdict(list)
    for found in snapshot:
        children[found.parent].append(_item(found))
    keys = {policy.parent: policy for policy in policies}
    relations = [
        _relation(item, children, keys)
        for item in _of(snapshot, ("table", *VIEWS))
        if not _is_partition(item)
    ]
    relations = _with_partitions(relations, _of(snapshot, ("table",)))
    relations = _with_referrers(relations)
    schemas = [_schema(item, children, relations) for item in _of(snapshot, "schema")]
    home = {
        item.item.identity: schema.name
        for schema in schemas
        for item in schema.relations
    }
    anchors: dict[str, str] = {}
    for schema in schemas:
        anchors |= _anchors(schema)
    return Library(schemas, home, anchors)


def _anchors(schema: Schema) -> dict[str, str]:
    """Return the anchors of relations, numbered where a heading before says the same.

    The order of headings is that of the page.
    """
    seen = Counter([slug(schema.name), "diagram"])
    anchors = {}
    for title, relations in (("tables", schema.tables), ("views", schema.views)):
        seen[title] += 1
        for relation in relations:
            anchor = slug(relation.name)
            count = seen[anchor]
            seen[anchor] += 1
            anchors[relation.item.identity] = f"{anchor}-{count}" if count else anchor
    return anchors


def _item(found: CatalogObject) -> Item:
    kind, identity = found.key
    return Item(kind, identity, _short(found), found.properties)


def _short(found: CatalogObject) -> str:
    """Return the identity without what the parent already says.

    >>> from ai_platform.catalog import CatalogObject, Key
    >>> _short(CatalogObject(Key("table", "auth.users"), "schema auth", {}))
    'users'
    """
    kind, identity = found.key
    parent = re.sub(r"^(?:materialized view|\S+) ", "", found.parent or "")
    if kind in HANGING:
        return identity.removesuffix(f" on {parent}")
    if kind == "column":
        return identity.removeprefix(f"{parent}.")
    return _SCHEMA.sub("", identity, count=1)


def _of(snapshot: Snapshot, kinds: str | Sequence[str]) -> list[Item]:
    wanted = (kinds,) if isinstance(kinds, str) else kinds
    return [_item(found) for found in snapshot if found.key.kind in wanted]


def _is_partition(item: Item) -> bool:
    return "partition bound" in item.properties


def _relation(
    item: Item, children: Group, policies: Mapping[str, PartitionPolicy]
) -> Relation:
    own = children[f"{item.kind} {item.identity}"]
    constraints = [child for child in own if child.kind == "constraint"]
    indexes = [child for child in own if child.kind == "index"]
    for constraint in constraints:
        indexes += children[f"constraint {constraint.identity}"]
    columns = {child.name: child for child in own if child.kind == "column"}
    references = [
        reference
        for constraint in constraints
        if (reference := _reference(item, constraint, constraints, columns))
    ]
    return Relation(
        item,
        _columns(item, columns, constraints),
        constraints,
        sorted(indexes, key=lambda index: index.name),
        [child for child in own if child.kind == "policy"],
        [child for child in own if child.kind == "trigger"],
        [child for child in own if child.kind == "rule"],
        references,
        [],
        [],
        policies.get(item.identity),
    )


def _columns(
    item: Item, columns: Mapping[str, Item], constraints: Sequence[Item]
) -> list[Column]:
    keys: dict[str, list[str]] = defaultdict(list)
    for constraint in sorted(constraints, key=_rank):
        mark = ("PK", "UK", "FK", "")[_rank(constraint)]
        for name in _key_columns(constraint):
            if mark and mark not in keys[name]:
                keys[name].append(mark)
    order = [*item.properties.get("column order", ())]
    found = sorted(columns.values(), key=lambda own: order.index(unquoted(own.name)))
    return [Column(column, tuple(keys[column.name])) for column in found]


def _rank(constraint: Item) -> int:
    definition = str(constraint.properties["definition"])
    return next((n for n, key in enumerate(KEYS) if definition.startswith(key)), 3)


def _key_columns(constraint: Item) -> tuple[str, ...]:
    definition = str(constraint.properties["definition"])
    match = _KEY.match(definition) or _FOREIGN_KEY.match(definition)
    return _split(match["columns"]) if match else ()


def _split(names: str) -> tuple[str, ...]:
    """Return the names of a list as SQL writes them.

    >>> _split('a, "b, c", PERIOD d')
    ('a', '"b, c"', 'd')
    """
    return tuple(name for name in re.findall(_NAME, names) if name != "PERIOD")


def _reference(
    table: Item,
    constraint: Item,
    constraints: Sequence[Item],
    columns: Mapping[str, Item],
) -> Reference | None:
    match = _FOREIGN_KEY.match(str(constraint.properties["definition"]))
    if match is None:
        return None
    own = _split(match["columns"])
    foreign = KEYS.index("FOREIGN KEY")
    unique = [set(_key_columns(o)) for o in constraints if _rank(o) < foreign]
    return Reference(
        constraint.name,
        table.identity,
        own,
        match["target"],
        _split(match["targets"]),
        all(columns[name].properties.get("not null") for name in own),
        any(key <= set(own) for key in unique),
    )


def _with_partitions(
    relations: Sequence[Relation], tables: Sequence[Item]
) -> list[Relation]:
    of: dict[str, list[Item]] = defaultdict(list)
    for table in tables:
        if _is_partition(table):
            of[table.properties["inherits"][0]].append(table)
    return [replace(item, partitions=of[item.item.identity]) for item in relations]


def _with_referrers(relations: Sequence[Relation]) -> list[Relation]:
    to: dict[str, list[Reference]] = defaultdict(list)
    for relation in relations:
        for reference in relation.references:
            to[reference.target].append(reference)
    return [replace(item, referenced_by=to[item.item.identity]) for item in relations]


def _schema(item: Item, children: Group, relations: Sequence[Relation]) -> Schema:
    own = children[f"schema {item.identity}"]
    names = {child.identity for child in own}
    mine = [relation for relation in relations if relation.item.identity in names]
    return Schema(
        item,
        [relation for relation in mine if relation.is_table],
        [relation for relation in mine if not relation.is_table],
        [child for child in own if child.kind in ROUTINES],
        [_with_checks(child, children) for child in own if child.kind in TYPES],
        sorted(_sequences(own, mine, children), key=lambda item: item.name),
    )


def _with_checks(item: Item, children: Group) -> Item:
    checks = [
        child.properties["definition"] for child in children[f"domain {item.identity}"]
    ]
    return replace(item, properties={**item.properties, "checks": checks})


def _sequences(
    own: Sequence[Item], relations: Sequence[Relation], children: Group
) -> Iterator[Item]:
    """Yield the sequences of a schema: those of columns stand with their columns."""
    yield from (child for child in own if child.kind == "sequence")
    for relation in relations:
        for column in relation.columns:
            yield from children[f"column {column.item.identity}"]
