"""Which tables need many rows: those whose size decides what a statement costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pglast
from pglast import ast, enums
from pglast.enums import AlterTableType as At
from pglast.visitors import Visitor

from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from .statements import Relation, Statement

__all__ = ["Shaken", "changed_type", "heavy", "shaken"]

Shaken = tuple[str | None, str, str, tuple[str, ...]]
"""Schema and name of a table, what becomes of its rows, and the columns set."""

# What is not known to cost the same on any size counts as if it did not.
_LIGHT: Final = (
    ast.AlterObjectSchemaStmt,
    ast.AlterOwnerStmt,
    ast.AlterPolicyStmt,
    ast.AlterSeqStmt,
    ast.CommentStmt,
    ast.CreateFunctionStmt,
    ast.CreatePolicyStmt,
    ast.CreateSeqStmt,
    ast.CreateStatsStmt,
    ast.CreateTrigStmt,
    ast.DropStmt,
    ast.GrantStmt,
    ast.LockStmt,
    ast.RenameStmt,
    ast.RuleStmt,
    ast.SecLabelStmt,
    ast.ViewStmt,
)
_LIGHT_COMMANDS: Final = {
    *(At.AT_ColumnDefault, At.AT_DropNotNull, At.AT_DropColumn, At.AT_DropConstraint),
    *(At.AT_SetStatistics, At.AT_SetStorage, At.AT_SetCompression, At.AT_ChangeOwner),
    *(At.AT_SetOptions, At.AT_ResetOptions, At.AT_SetRelOptions),
    *(At.AT_ResetRelOptions, At.AT_ClusterOn, At.AT_DropCluster),
    *(At.AT_ReplicaIdentity, At.AT_DropExpression, At.AT_DropIdentity),
    *(At.AT_EnableTrig, At.AT_EnableAlwaysTrig, At.AT_EnableReplicaTrig),
    *(At.AT_DisableTrig, At.AT_EnableTrigAll, At.AT_DisableTrigAll),
    *(At.AT_EnableTrigUser, At.AT_DisableTrigUser, At.AT_EnableRule),
    *(At.AT_DisableRule, At.AT_EnableAlwaysRule, At.AT_EnableReplicaRule),
    *(At.AT_EnableRowSecurity, At.AT_DisableRowSecurity),
    *(At.AT_ForceRowSecurity, At.AT_NoForceRowSecurity),
}

# ADD CONSTRAINT, SET NOT NULL, VALIDATE CONSTRAINT
_TESTS: Final = ("C", "O", "V")


_COMPOSITE: Final = enums.ObjectType.OBJECT_TYPE


def heavy(statement: Statement) -> frozenset[Relation]:
    """Return those relations of *statement* whose rows its cost may depend on.

    Comments, grants, policies, triggers, a foreign key of a table that is only made
    now, what is NOT VALID: these take their locks for as long on a small table.
    """
    named = frozenset(statement.relations)
    parsed = pglast.parse_sql(statement.sql)
    is_light = all(_is_light(one.stmt, len(named)) for one in parsed)
    return frozenset() if is_light else named


def changed_type(statement: Statement) -> str | None:
    """Return the type, as SQL, whose values in tables *statement* tests or cuts.

    A domain that gets a constraint, or a composite type whose attributes change.
    """
    for one in pglast.parse_sql(statement.sql):
        node: Any = one.stmt
        if isinstance(node, ast.AlterTableStmt) and node.objtype == _COMPOSITE:
            parts = (node.relation.schemaname, node.relation.relname)
            return ".".join(quoted(part) for part in parts if part)
        if not isinstance(node, ast.AlterDomainStmt) or node.subtype not in _TESTS:
            continue
        if not getattr(node.def_, "skip_validation", False):  # NOT VALID
            return ".".join(quoted(part.sval) for part in node.typeName)
    return None


def shaken(statement: Statement) -> frozenset[Shaken]:
    """Return the tables whose rows *statement* takes away, or updates.

    Rows of other tables may have to follow: ON DELETE, ON UPDATE.
    """
    found = _Shaken()
    for one in pglast.parse_sql(statement.sql):
        found(one.stmt)
    return frozenset(found.tables)


class _Shaken(Visitor):
    """Collects what a statement does to rows that others may refer to."""

    def __init__(self) -> None:
        self.tables: set[Shaken] = set()

    def visit_DeleteStmt(self, _: object, node: ast.DeleteStmt) -> None:  # noqa: N802
        self._add(node.relation, "DELETE")

    def visit_UpdateStmt(self, _: object, node: ast.UpdateStmt) -> None:  # noqa: N802
        self._add(node.relation, "UPDATE", node.targetList)

    def visit_InsertStmt(self, _: object, node: ast.InsertStmt) -> None:  # noqa: N802
        if node.onConflictClause is not None:
            self._add(node.relation, "UPDATE", node.onConflictClause.targetList)

    def visit_MergeStmt(self, _: object, node: ast.MergeStmt) -> None:  # noqa: N802
        for clause in node.mergeWhenClauses or ():
            if clause.commandType == enums.CmdType.CMD_DELETE:
                self._add(node.relation, "DELETE")
            elif clause.commandType == enums.CmdType.CMD_UPDATE:
                self._add(node.relation, "UPDATE", clause.targetList)

    def visit_TruncateStmt(  # noqa: N802
        self, _: object, node: ast.TruncateStmt
    ) -> None:
        if node.behavior == enums.DropBehavior.DROP_CASCADE:
            for relation in node.relations:
                self._add(relation, "TRUNCATE")

    def _add(self, relation: ast.RangeVar, verb: str, targets: Any = None) -> None:
        columns = tuple(sorted(target.name for target in targets or ()))
        self.tables.add((relation.schemaname, relation.relname, verb, columns))


def _is_light(node: Any, relations: int) -> bool:
    if isinstance(node, ast.CreateStmt):
        # a new partition has the default one searched for its rows
        return node.partbound is None
    if isinstance(node, ast.InsertStmt):
        chosen = node.selectStmt
        is_given = chosen is None or bool(chosen.valuesLists)
        return is_given and relations == 1  # else a query within the values
    if isinstance(node, ast.AlterTableStmt):
        return all(_is_light_command(command) for command in node.cmds)
    return isinstance(node, _LIGHT)


def _is_light_command(command: ast.AlterTableCmd) -> bool:
    if command.subtype == At.AT_AddConstraint:
        constraint = command.def_
        kinds = (enums.ConstrType.CONSTR_CHECK, enums.ConstrType.CONSTR_FOREIGN)
        return constraint.contype in kinds and bool(constraint.skip_validation)
    return command.subtype in _LIGHT_COMMANDS
