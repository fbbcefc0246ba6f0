"""Texts of the catalog, made safe for Markdown and short where SQL is long-winded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["cell", "code", "fenced", "one_line", "plain", "slug", "table"]

# an underscore inside a word is no emphasis; escaping it would only hurt the reader
_SPECIAL = re.compile(r"([\\`*\[\]<>|~#$]|(?<!\w)_|_(?!\w))")
# what would begin a list, or underline the line above into a heading
_LIST = re.compile(r"^(\d*)([-+=.)])(?=[\s=-]|$)")
_BREAK = re.compile(r"\s*\n\s*")


def one_line(text: str) -> str:
    """Return *text* without line breaks and the indentation that follows them."""
    return _BREAK.sub(" ", text.strip())


def plain(text: str) -> str:
    r"""Return *text* so that Markdown shows just these characters.

    >>> plain("a*b <c> snake_case _d_")
    'a\\*b \\<c\\> snake_case \\_d\\_'
    """
    escaped = _SPECIAL.sub(r"\\\1", one_line(text)).replace("&", "&amp;")
    return _LIST.sub(r"\1\\\2", escaped)


def code(text: str) -> str:
    """Return *text* as a code span, also when it holds backticks.

    >>> code("a`b")
    '`` a`b ``'
    """
    text = one_line(text)
    if not text:
        return ""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def fenced(text: str) -> list[str]:
    """Return the lines of a block of SQL, closed by nothing inside it."""
    runs = [len(run) for run in re.findall("`{3,}", text)]
    fence = "`" * (max(runs, default=2) + 1)
    return [f"{fence}sql", *text.split("\n"), fence]


def cell(text: str) -> str:
    """Return Markdown *text* for a cell: a bar ends a cell even inside a code span."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table without its empty columns; without rows none."""
    rows = [[cell(text) for text in row] for row in rows]
    if not rows:
        return []
    kept = [n for n in range(len(heads)) if any(row[n] for row in rows)]
    lines = [[heads[n] for n in kept], ["---" for _ in kept]]
    lines += [[row[n] for n in kept] for row in rows]
    return [f"| {' | '.join(line)} |".replace("  |", " |") for line in lines]


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading.

    >>> slug("chunk_embeddings (partitioned)")
    'chunk_embeddings-partitioned'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
