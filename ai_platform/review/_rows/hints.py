"""What a constraint's expression tells about values that satisfy it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pglast import ast, parse_sql
from pglast.enums import A_Expr_Kind, BoolExprType
from pglast.parser import ParseError
from pglast.stream import RawStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["Hints", "Interval", "cast_sizes", "conjuncts", "mentioned", "mine"]

_FLIPPED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}
_REGEX: Final = {"~", "~*"}
_LIKE: Final = {"~~", "~~*"}
_KEYED: Final = {"->", "->>", "?", "?&", "?|", "#>", "#>>", "@>"}
_VALIDATORS: Final = {"pg_input_is_valid"}
_VECTORS: Final = {"vector", "halfvec", "sparsevec"}


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds as SQL; None where there is none."""

    low: str | None
    high: str | None


@dataclass(slots=True)
class Hints:
    """What is known of one column's values; SQL texts where not said otherwise.

    *relations* are comparisons with expressions over other columns: operator, SQL,
    their names. *types* are names that the text must be valid for.
    """

    constants: list[str] = field(default_factory=list)
    intervals: list[Interval] = field(default_factory=list)
    regexes: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    sizes: set[int] = field(default_factory=set)
    keys: list[str] = field(default_factory=list)
    relations: list[tuple[str, str, frozenset[str]]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """Return the whole numbers among the constants."""
        return [int(one) for one in self.constants if one.isdecimal()]


def mine(sql: str, columns: Collection[str]) -> dict[str, Hints]:
    """Return hints for those of *columns* that the expression *sql* speaks of.

    An expression that cannot be parsed gives none: the server's own test decides.
    """
    expression = _parsed(sql)
    if expression is None:
        return {}
    found: dict[str, Hints] = {}
    miner = _Miner(frozenset(columns), found)
    miner.visit(expression)
    miner.intervals(expression)
    constants = [_sql(node) for node in _constants(expression)]
    for name in miner.mentioned(expression):
        hints = found.setdefault(name, Hints())
        known = dict.fromkeys([*hints.constants, *constants])
        hints.constants = list(known)
    return found


@dataclass(slots=True)
class _Miner:
    columns: frozenset[str]
    found: dict[str, Hints]

    def of(self, name: str) -> Hints:
        return self.found.setdefault(name, Hints())

    def visit(self, node: Any) -> None:
        """Look at every comparison and call below *node*."""
        for one in _walk(node):
            if _is(one, ast.A_Expr) and one.lexpr and one.rexpr:
                self.comparison(one)
            elif _is(one, ast.FuncCall) and _name(one) in _VALIDATORS:
                self.validator(one)

    def comparison(self, node: Any) -> None:
        operator = node.name[-1].sval
        for left, right, sign in (
            (node.lexpr, node.rexpr, operator),
            (node.rexpr, node.lexpr, _FLIPPED.get(operator, "")),
        ):
            name = self.column(left)
            if name and sign:
                self.compared(name, sign, right, node)
            elif sign in _FLIPPED:
                self.measured(left, right)

    def compared(self, name: str, sign: str, other: Any, node: Any) -> None:
        hints = self.of(name)
        texts = [value for value in map(_text, _constants(other)) if value is not None]
        if sign in _REGEX:
            hints.regexes += texts
        elif sign in _LIKE:
            hints.patterns += texts
        elif sign in _KEYED:
            hints.keys += texts
        elif sign in _FLIPPED and node.kind == A_Expr_Kind.AEXPR_OP:
            others = self.mentioned(other)
            if others and name not in others:
                hints.relations.append((sign, _sql(other), frozenset(others)))

    def measured(self, left: Any, right: Any) -> None:
        """Note the number that a function of one column is compared to."""
        call, number = _bare(left), _bare(right)
        names = self.mentioned(call)
        if not _is(call, ast.FuncCall) or len(names) != 1:
            return
        for one in _constants(number):
            if _is(one.val, ast.Integer):
                size = one.val.ival
                self.of(next(iter(names))).sizes |= {size - 1, size, size + 1}

    def validator(self, node: Any) -> None:
        name = self.column(node.args[0]) if node.args else None
        if name:
            texts = map(_text, (c for arg in node.args[1:] for c in _constants(arg)))
            self.of(name).types += [text for text in texts if text]

    def intervals(self, node: Any) -> dict[str, tuple[str | None, str | None]]:
        """Collect the bounds that hold together, one interval for each conjunction."""
        node = _bare(node)
        if _is(node, ast.BoolExpr) and node.boolop == BoolExprType.AND_EXPR:
            merged: dict[str, tuple[str | None, str | None]] = {}
            for part in node.args:
                for name, (low, high) in self.bounds(part).items():
                    old = merged.get(name, (None, None))
                    merged[name] = (low or old[0], high or old[1])
            self.keep(merged)
            return merged
        if _is(node, ast.BoolExpr):
            for part in node.args:
                self.intervals(part)
            return {}
        alone = self.bounds(node)
        self.keep(alone)
        return alone

    def bounds(self, node: Any) -> dict[str, tuple[str | None, str | None]]:
        node = _bare(node)
        if _is(node, ast.BoolExpr):
            if node.boolop == BoolExprType.AND_EXPR:
                return self.intervals(node)
            self.intervals(node)
            return {}
        if not _is(node, ast.A_Expr) or not (node.lexpr and node.rexpr):
            return {}
        sign = node.name[-1].sval
        for left, right, operator in (
            (node.lexpr, node.rexpr, sign),
            (node.rexpr, node.lexpr, _FLIPPED.get(sign, "")),
        ):
            name = self.column(left)
            if (
                name
                and operator in {"<", "<=", ">", ">="}
                and not self.mentioned(right)
            ):
                bound = _sql(right)
                is_low = operator in {">", ">="}
                return {name: (bound, None) if is_low else (None, bound)}
        return {}

    def keep(self, bounds: dict[str, tuple[str | None, str | None]]) -> None:
        for name, (low, high) in bounds.items():
            interval = Interval(low, high)
            if interval not in self.of(name).intervals:
                self.of(name).intervals.append(interval)

    def column(self, node: Any) -> str | None:
        """Return the column that *node* is, below casts."""
        node = _bare(node)
        if _is(node, ast.ColumnRef) and len(node.fields) == 1:
            name = getattr(node.fields[0], "sval", None)
            return name if name in self.columns else None
        return None

    def mentioned(self, node: Any) -> set[str]:
        names = (self.column(one) for one in _walk(node))
        return {name for name in names if name}


def _walk(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        for one in node:
            yield from _walk(one)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from _walk(getattr(node, name))


def _is(node: Any, *kinds: type) -> bool:
    """Return isinstance without narrowing: the parser's fields are all optional."""
    return isinstance(node, kinds)


def _bare(node: Any) -> Any:
    while _is(node, ast.TypeCast, ast.CollateClause):
        node = node.arg
    return node


def _constants(node: Any) -> list[Any]:
    return [one for one in _walk(node) if _is(one, ast.A_Const) and not one.isnull]


def _text(node: Any) -> str | None:
    return node.val.sval if _is(node.val, ast.String) else None


def _name(node: Any) -> str:
    return str(node.funcname[-1].sval)


def _sql(node: Any) -> str:
    return str(RawStream()(node))


def cast_sizes(sql: str, columns: Collection[str]) -> dict[str, set[int]]:
    """Return the dimensions that *sql* casts vectors of *columns* to."""
    found: dict[str, set[int]] = {}
    miner = _Miner(frozenset(columns), {})
    for node in _walk(_parsed(sql)):
        name = miner.column(node) if _is(node, ast.TypeCast) else None
        if name and node.typeName.names[-1].sval in _VECTORS:
            sizes = {one.val.ival for one in _constants(node.typeName.typmods)}
            found.setdefault(name, set()).update(sizes)
    return found


def conjuncts(sql: str, columns: Collection[str]) -> list[tuple[str, frozenset[str]]]:
    """Return the parts that *sql* joins by AND, each with the columns it speaks of."""
    names = frozenset(columns)
    node = _parsed(sql)
    if not _is(node, ast.BoolExpr) or node.boolop != BoolExprType.AND_EXPR:
        return [(sql, names)]
    miner = _Miner(names, {})
    return [(_sql(part), frozenset(miner.mentioned(part))) for part in node.args]


def mentioned(sql: str, columns: Collection[str]) -> frozenset[str]:
    """Return those of *columns* that *sql* speaks of; all where it cannot be parsed."""
    names = frozenset(columns)
    node = _parsed(sql)
    return names if node is None else frozenset(_Miner(names, {}).mentioned(node))


def _parsed(sql: str) -> Any:
    """Return the tree of an expression, None where it cannot be parsed."""
    try:
        statements: Any = parse_sql(f"SELECT {sql}")
    except ParseError:
        return None
    return statements[0].stmt.targetList[0].val
