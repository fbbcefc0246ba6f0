"""The line of a revision's file from which a statement comes."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["line_of"]

_WORD: Final = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
_SHORTEST: Final = 8
_FEWEST_SHARED: Final = 2


@dataclass(frozen=True, slots=True)
class _Step:
    """A Python statement of the upgrade: its *words*, and its texts with their line."""

    line: int
    words: frozenset[str]
    texts: tuple[tuple[int, int, str], ...]


def line_of(sql: str, source: str) -> int | None:
    """Return the line of *source* that runs *sql*; None where none resembles it.

    The text itself is looked for first, in the upgrade and then in what the file
    names; else the call that shares the most words with it.
    """
    flat = _flat(sql)
    steps = _steps(source)
    if not flat or not steps:
        return None
    written = [
        (first, last, text)
        for step in steps
        for first, last, text in step.texts
        if flat in text or (_is_sql(text) and text in flat)
    ]
    if written:
        first, last, _ = max(written, key=lambda found: len(found[2]))
        return _within(sql, source, first, last)
    wanted = _words([sql])
    best = max(steps, key=lambda step: _alike(wanted, step.words))
    return best.line if len(wanted & best.words) >= _FEWEST_SHARED else None


def _is_sql(text: str) -> bool:
    """Return whether *text* is more than a name that stands in many statements."""
    return len(text) >= _SHORTEST and " " in text


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def _within(sql: str, source: str, first: int, last: int) -> int:
    """Return where in a text of several statements *sql* begins."""
    opening = next(line.strip() for line in sql.splitlines() if line.strip())
    lines = source.splitlines()[first - 1 : last]
    return next((first + n for n, line in enumerate(lines) if opening in line), first)


@lru_cache(maxsize=64)
def _steps(source: str) -> tuple[_Step, ...]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    upgrade = next(
        (
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == "upgrade"
        ),
        None,
    )
    if upgrade is None:
        return ()
    inside = [_step(node) for node in ast.walk(upgrade) if _is_plain(node)]
    named = [_step(node) for node in tree.body if isinstance(node, ast.Assign)]
    # what the file names is run by its name: only its text can be recognised
    return (*inside, *(_Step(one.line, frozenset(), one.texts) for one in named))


def _is_plain(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr | ast.Assign | ast.Return)


def _step(node: ast.AST) -> _Step:
    inside = list(ast.walk(node))
    texts = [
        one
        for one in inside
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    calls = [one.attr for one in inside if isinstance(one, ast.Attribute)]
    return _Step(
        line=getattr(node, "lineno", 1),
        words=_words([*(str(one.value) for one in texts), *_parts(calls)]),
        texts=tuple(
            (one.lineno, one.end_lineno or one.lineno, _flat(str(one.value)))
            for one in texts
        ),
    )


def _parts(names: Iterable[str]) -> list[str]:
    return [part for name in names for part in name.split("_")]


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in _WORD.findall(text.lower()))


def _flat(sql: str) -> str:
    return " ".join(sql.split()).rstrip("; ")
