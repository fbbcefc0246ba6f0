"""Row security hides every row of a table in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pglast import ast, enums

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.catalog import Snapshot

    from ._context import RevisionContext

__all__ = ["RULE"]


def check(revision: RevisionContext) -> Iterator[Hit]:
    before, after = revision.evidence.before, revision.evidence.after
    if before is None or after is None:
        yield from _read(revision)
        return
    was_shut = set(_shut(before))
    there = {item.key.identity for item in before if item.key.kind == "table"}
    for table in _shut(after):
        if table in there and table not in was_shut:
            yield Hit(
                table,
                "has row security and no permissive policy: code finds no row any more",
                is_measured=True,
            )


def _shut(catalog: Snapshot) -> Iterator[str]:
    open_ = {
        item.key.identity.partition(" on ")[2]
        for item in catalog
        if item.key.kind == "policy" and not item.properties.get("restrictive")
    }
    for item in catalog:
        is_table = item.key.kind == "table" and item.properties.get("row security")
        if is_table and item.key.identity not in open_:
            yield item.key.identity


def _read(revision: RevisionContext) -> Iterator[Hit]:
    enable = enums.AlterTableType.AT_EnableRowSecurity
    for statement in revision.statements:
        for table, _ in statement.commands(enable):
            if not _has_policy(revision, table):
                yield Hit(
                    table,
                    "gets row security and no policy",
                    severity="warning",
                    statement=statement.number,
                )


def _has_policy(revision: RevisionContext, table: str) -> bool:
    return any(
        isinstance(item.tree, ast.CreatePolicyStmt)
        and item.name(item.tree.table) == table
        for item in revision.statements
    )


RULE = Rule(
    id="row-security-without-policy",
    number=28,
    title="row security hides every row of a table in use",
    family="code",
    severity="error",
    hazard=(
        "With row security on and no permissive policy, everybody but the owner reads "
        "no row, changes none, and is refused an INSERT; with FORCE the owner too. "
        "Reads do not fail: they come back empty."
    ),
    measured=(
        "The catalog before and after: a table that was there, with row security and "
        "without a permissive policy, which was not so before. Without a measurement: "
        "ENABLE ROW LEVEL SECURITY without CREATE POLICY, as a warning."
    ),
    remedy=(
        "Create the policies in the same transaction, before row security is switched "
        "on; exchange a policy within one transaction."
    ),
    revision=check,
)
