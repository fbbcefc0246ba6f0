"""Say in a few words what the catalog keeps in many properties."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._model import Item, Relation

__all__ = [
    "Told",
    "constraint_text",
    "index_definition",
    "partition_forms",
    "policy_parts",
    "relation_facts",
    "routine_facts",
    "rule_text",
    "trigger_text",
    "type_definition",
]

# An operator class that is the default of its type says nothing new.
_DEFAULT_CLASS = re.compile(
    r" (?:array|bit|bool|bpchar|bytea|char|cidr|date|float[48]|inet|int[248]|interval|"
    r"jsonb|macaddr8?|money|name|numeric|oid|pg_lsn|range|record|text|time|timestamp|"
    r"timestamptz|timetz|tsquery|tsvector|uuid|varbit|varchar|enum|xid8)_ops(?= |$)"
)
_TRIGGER_HEAD = re.compile(r'CREATE (CONSTRAINT )?TRIGGER (?:"(?:[^"]|"")*"|\S+) ')


class Told(NamedTuple):
    """One fact: a word or two, and where they need it, SQL or a name that follows."""

    word: str
    code: str = ""


def relation_facts(relation: Relation) -> list[Told]:
    """Return what is special about a table or view, its owner first."""
    return list(_relation_facts(relation))


def _relation_facts(relation: Relation) -> Iterator[Told]:
    found = relation.item.properties
    yield Told("owner", found["owner"])
    if relation.item.kind == "materialized view":
        yield Told("materialized view")
    if found.get("form") == "foreign":
        yield Told("foreign table on", str(found.get("server", "")))
    if found.get("persistence") == "unlogged":
        yield Told("unlogged")
    if "row security" in found:
        forced = ", also for the owner" if "row security forced" in found else ""
        yield Told(f"row security{forced}")
    if "partition key" in found:
        yield Told("partitioned by", found["partition key"])
    for parent in found.get("inherits", []):
        yield Told("inherits", parent)
    if found.get("access method", "heap") != "heap":
        yield Told("access method", found["access method"])
    for option in [*found.get("options", []), *found.get("toast options", [])]:
        yield Told("with", option)
    if found.get("replica identity") in {"full", "index"}:
        yield Told(f"replica identity {found['replica identity']}")


def index_definition(index: Item) -> str:
    """Return the index as one line, without operator classes that are the default."""
    found = index.properties
    keys = ", ".join(_DEFAULT_CLASS.sub("", key) for key in found["keys"])
    parts = ["UNIQUE" if found.get("unique") else "", f"{found['method']} ({keys})"]
    if found.get("include"):
        parts.append(f"INCLUDE ({', '.join(found['include'])})")
    parts += ["NULLS NOT DISTINCT"] if found.get("nulls not distinct") else []
    parts += [f"WITH ({', '.join(found['options'])})"] if found.get("options") else []
    parts += [f"WHERE {found['where']}"] if found.get("where") else []
    parts += ["INVALID"] if found.get("invalid") else []
    return " ".join(part for part in parts if part)


def policy_parts(policy: Item) -> tuple[str, Sequence[str], list[Told]]:
    """Return the command with RESTRICTIVE, the roles, and the expressions."""
    found = policy.properties
    command = str(found["command"])
    if found.get("restrictive"):
        command += ", restrictive"
    told = [
        Told(word, found[name])
        for word, name in (("USING", "using"), ("WITH CHECK", "with check"))
        if name in found
    ]
    return command, found["roles"], told


def trigger_text(trigger: Item) -> str:
    """Return when a trigger fires and what it runs, with its state if not enabled."""
    found = trigger.properties
    text = _TRIGGER_HEAD.sub(lambda head: head[1] or "", found["definition"])
    state = "" if found["state"] == "enabled" else f" ({found['state']})"
    return text + state


def constraint_text(constraint: Item) -> str:
    """Return the definition of a constraint, with its state if it is not in force."""
    found = constraint.properties
    states = [name.upper() for name in ("not valid", "not enforced") if name in found]
    return " ".join([str(found["definition"]), *states])


def rule_text(rule: Item) -> str:
    """Return the definition of a rule."""
    return str(rule.properties["definition"])


def partition_forms(relation: Relation) -> list[str]:
    """Return what the partitions that come and go by themselves look like."""
    forms = relation.item.properties.get("partitions", [])
    return [_form(form) for form in forms]


def _form(form: dict[str, object]) -> str:
    parts = [str(form["bounds"]), str(form.get("persistence", "logged"))]
    for name in ("indexes added", "constraints added"):
        added = form.get(name)
        parts += [str(item) for item in added] if isinstance(added, list) else []
    return "; ".join(parts)


def routine_facts(routine: Item) -> list[Told]:
    """Return what a caller must know of a function, its result first."""
    found = routine.properties
    facts = [Told("returns", str(found["returns"]))] if "returns" in found else []
    facts += [Told("language", str(found["language"]))]
    facts += [Told(str(found["volatility"]))]
    definer = "security definer" in found
    facts.append(Told("security definer" if definer else "security invoker"))
    if definer:
        facts[-1] = Told("security definer, runs as", str(found["owner"]))
    facts += [Told(word) for word in ("strict", "leakproof") if word in found]
    facts.append(Told(f"parallel {found['parallel']}"))
    facts += [Told("set", setting) for setting in found.get("settings", [])]
    return facts


def type_definition(item: Item) -> str:
    """Return what a type is made of."""
    found = item.properties
    if item.kind == "enum":
        values = (value.replace("'", "''") for value in found["values"])
        return ", ".join(f"'{value}'" for value in values)
    if item.kind == "domain":
        more = " NOT NULL" if "not null" in found else ""
        more += f" DEFAULT {found['default']}" if "default" in found else ""
        return " ".join([f"{found['base']}{more}", *found.get("checks", [])])
    if item.kind == "range":
        return str(found["subtype"][0])
    return ", ".join(found.get("attributes", []))
