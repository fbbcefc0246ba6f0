"""SQL as HTML with its comments, texts and words told apart by colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_platform.page import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["highlighted"]

# a shape is enough to read by: what is a word in capitals is taken for a keyword
_TOKEN: Final = re.compile(
    r"""(?P<c>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<s>'(?:[^']|'')*(?:'|\Z)|(?P<tag>\$\w*\$).*?(?:(?P=tag)|\Z))
    | (?P<i>"(?:[^"]|"")*(?:"|\Z))
    | (?P<k>\b[A-Z][A-Z]+\b)
    | (?P<n>\b\d+(?:\.\d+)?\b)""",
    re.VERBOSE | re.DOTALL,
)


def highlighted(sql: str) -> str:
    """Return *sql* as a ``pre`` element."""
    text = "\n".join(sql.expandtabs(4).splitlines())
    return f'<pre class="sql">{"".join(_pieces(text))}</pre>'


def _pieces(text: str) -> Iterator[str]:
    place = 0
    for found in _TOKEN.finditer(text):
        yield _lines(text[place : found.start()])
        kind = next(name for name in "csikn" if found[name] is not None)
        yield f'<span class="{kind}">{_lines(found[0])}</span>'
        place = found.end()
    yield _lines(text[place:])


def _lines(text: str) -> str:
    return "\n".join(map(text_of, text.split("\n")))
