"""A policy lets through more than before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pglast import ast

from ai_platform.catalog import Key

from ._rule import Hit, Rule
from ._tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_platform.catalog import CatalogObject, Snapshot

    from ._context import RevisionContext

__all__ = ["RULE"]

_CONDITIONS: Final = {"using": "USING", "with check": "WITH CHECK"}
_ALL: Final = "true"
# a call, a query or the role: what may depend on who asks
_ASKS: Final = re.compile(
    r"\w\(|\bSELECT\b|\b(?:CURRENT|SESSION)_(?:USER|ROLE)\b", re.IGNORECASE
)
_LOOKS: Final = re.compile(_ASKS.pattern.replace("SELECT", "FROM"), re.IGNORECASE)


def check(revision: RevisionContext) -> Iterator[Hit]:
    if revision.evidence.after is None or revision.evidence.before is None:
        yield from _read(revision)
        return
    for item in revision.evidence.before:
        if item.key.kind == "policy" and _is_guarded(revision, item):
            now = revision.evidence.after.objects.get(item.key)
            yield from _changed(item, None if now is None else now.properties)
    for item in revision.objects("policy", new=True):
        if _is_guarded(revision, item):
            yield from _added(revision, item)
    yield from _asked(revision, revision.evidence.after)


def _asked(revision: RevisionContext, after: Snapshot) -> Iterator[Hit]:
    """Yield a hit for each function that policies ask, and that answers otherwise."""
    guarded = [
        " ".join(str(item.properties.get(key)) for key in _CONDITIONS)
        for item in revision.objects("policy")
        if _is_guarded(revision, item)
    ]
    for item in after:
        was = revision.before("function", item.key.identity)
        if item.key.kind != "function" or was is None:
            continue
        if was.get("body") != item.properties.get("body"):
            call = re.escape(item.key.identity.partition("(")[0]) + r"\("
            asking = sum(bool(re.search(rf"(?<![\w.]){call}", one)) for one in guarded)
            if asking:
                yield _answer(item, was, asking)


def _answer(function: CatalogObject, was: Mapping[str, Any], asking: int) -> Hit:
    """Return what is told of a *function* with another body, that policies ask."""
    old, new = str(was.get("body")), str(function.properties.get("body"))
    is_blind = bool(_LOOKS.search(old)) and not _LOOKS.search(new)
    told = (
        "it answers the same to everybody from now on"
        if is_blind
        else "its body is another: is that less?"
    )
    return Hit(
        function.key.identity,
        f"{asking} policies ask it, and {told}",
        is_measured=True,
        severity=None if is_blind else "note",
    )


def _is_guarded(revision: RevisionContext, policy: CatalogObject) -> bool:
    """Return whether row security held on the table of *policy*, and still does."""
    table = _table(policy)
    before = revision.before("table", table) or {}
    after = revision.evidence.after
    remains = after is not None and Key("table", table) in after
    return bool(before.get("row security")) and remains


def _table(policy: CatalogObject) -> str:
    return policy.key.identity.partition(" on ")[2]


def _changed(policy: CatalogObject, now: Mapping[str, Any] | None) -> Iterator[Hit]:
    was, name = policy.properties, policy.key.identity
    if was.get("restrictive") and (now is None or not now.get("restrictive")):
        yield Hit(name, "holds nothing back any more", is_measured=True)
    if now is None:
        return
    for key, word in _CONDITIONS.items():
        old, new = was.get(key), now.get(key)
        if old == new:
            continue
        if new == _ALL:
            yield Hit(name, f"{word} lets every row through", is_measured=True)
        elif old is not None and _or_more(old, new):
            told = f"{word} lets through what it did, and more: {new}"
            yield Hit(name, told, is_measured=True)
        elif old is not None:
            asked = "what USING asks" if new is None else new
            told = f"{word} asks {asked} instead of {old}: is that less?"
            yield Hit(name, told, is_measured=True, severity="note")
    old, new = _roles(was), _roles(now)
    more = old - new if now.get("restrictive") else new - old
    if more:
        verb = "holds no more for" if now.get("restrictive") else "now lets in"
        yield Hit(name, f"{verb} {', '.join(sorted(more))}", is_measured=True)


def _or_more(old: object, new: object) -> bool:
    """Return whether *new* is *old* OR something else, as the server writes it."""
    text = str(new)
    return text.startswith(f"({old} OR ") or text.endswith(f" OR {old})")


def _roles(policy: Mapping[str, Any]) -> set[str]:
    return set(policy.get("roles") or ())


def _added(revision: RevisionContext, policy: CatalogObject) -> Iterator[Hit]:
    """Yield a hit for a new policy that opens a table that was guarded before."""
    now, table = policy.properties, _table(policy)
    owner = (revision.before("table", table) or {}).get("owner")
    others = _roles(now) - {owner}
    is_said = "PUBLIC" in others and now.get("command") != "SELECT"  # by policy-open
    conditions = {now.get(key) for key in _CONDITIONS} - {None}
    if conditions == {_ALL} and others and not (now.get("restrictive") or is_said):
        who = ", ".join(sorted(others))
        told = f"opens every row of {table} to {who} for {now.get('command')}"
        yield Hit(policy.key.identity, told, is_measured=True)
    elif others and not now.get("restrictive") and (using := now.get("using")):
        asking = [
            item.key.identity.partition(" on ")[0]
            for item in revision.evidence.before or ()
            if item.key.kind == "policy"
            and _table(item) == table
            and _grants_alike(item.properties, now)
        ]
        if asking and not _ASKS.search(str(using)):
            told = f"lets through {using}, whosever rows they are; {asking[0]} asks"
            yield Hit(policy.key.identity, told, is_measured=True)


def _grants_alike(known: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return whether *known* lets in who *new* does, and asks who that is."""
    shared = _roles(known) & _roles(new) or "PUBLIC" in _roles(known)
    commands = {known.get("command"), new.get("command")}
    return bool(
        shared
        and not known.get("restrictive")
        and (len(commands) == 1 or "ALL" in commands)
        and _ASKS.search(str(known.get("using")))
    )


def _read(revision: RevisionContext) -> Iterator[Hit]:
    for statement in revision.statements:
        tree = statement.tree
        if not isinstance(tree, ast.AlterPolicyStmt):
            continue
        for node, word in ((tree.qual, "USING"), (tree.with_check, "WITH CHECK")):
            if isinstance(node, ast.A_Const) and getattr(node.val, "boolval", False):
                yield Hit(
                    f"{tree.policy_name} on {dotted(tree.table)}",
                    f"{word} lets every row through",
                    statement=statement.number,
                )


RULE = Rule(
    id="policy-wider",
    number=28,
    title="a policy lets through more than before",
    family="security",
    severity="warning",
    hazard=(
        "Rows that a policy held back can be read or written from the commit on: a "
        "restrictive policy is dropped, a condition becomes true, a policy holds for "
        "more roles, OR widens its condition, or a new one stands beside it that does "
        "not ask whose rows they are."
    ),
    measured=(
        "The policies before and after, on tables whose rows were guarded before. A "
        "condition that asks something else is a note: nobody can compare two for you; "
        "so is another body of a function that conditions call, as long as that asks "
        "something. Without a "
        "measurement: ALTER POLICY with the condition true."
    ),
    remedy=(
        "Say in the condition whose rows they are; read the old and the new one side "
        "by side; let a test log in as each role and count what it sees."
    ),
    revision=check,
)
