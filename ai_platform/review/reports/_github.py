"""Text that GitHub's Markdown shows as it is, whatever it holds."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from ai_platform.text import printable

__all__ = ["LONGEST_COMMENT", "code", "fenced", "in_html", "length", "plain"]

LONGEST_COMMENT: Final = 65_536
"""How many characters of a comment GitHub takes."""

# what becomes a link in text that is rendered already, where no backslash helps
_LINKING: Final = r"[@\#] | (?<=\bGH)- | :(?=//) | \bwww(?=\.)"
_MAGIC: Final = re.compile(_LINKING, re.VERBOSE | re.IGNORECASE)
# the first are not safe with a backslash in a table
_MARKUP: Final = re.compile(
    rf"(?P<entity>[&<>\\|]) | (?P<mark>[`*_{{}}\[\]~$]) | {_LINKING}",
    re.VERBOSE | re.IGNORECASE,
)
_NO_SPAN: Final = re.compile(r"[`|\\]|^ | $|^$")
_TICKS: Final = re.compile(r"`+")
_NO_LINK: Final = "&#8203;"


def plain(text: str, *, at_most: int = 500) -> str:
    """Return *text* for a line or a cell: no markup, no mention, no link."""
    return _MARKUP.sub(_disarmed, _line(text, at_most))


def code(text: str, *, at_most: int = 120) -> str:
    """Return *text* as code for a line or a cell; GitHub makes no links in it."""
    line = _line(text, at_most)
    if _NO_SPAN.search(line) is None:
        return f"`{line}`"
    return f"<code>{_MARKUP.sub(_disarmed, line)}</code>"


def in_html(text: str, *, at_most: int = 120) -> str:
    """Return *text* for inside an element of HTML, where no Markdown is read."""
    shown = escape(_line(text, at_most), quote=False)
    return _MAGIC.sub(lambda found: found[0] + _NO_LINK, shown)


def fenced(text: str, *, at_most: int = 2_000, language: str = "sql") -> str:
    """Return *text* as a block of code, cut to *at_most* characters with a remark."""
    rest = len(text) - at_most
    shown = "\n".join(map(printable, text[:at_most].expandtabs(4).splitlines()))
    ticks = max(map(len, _TICKS.findall(shown)), default=0)
    fence = "`" * max(3, ticks + 1)
    sign = "-- " if language == "sql" else ""
    more = f"\n{sign}… {rest:,} more characters" if rest > 0 else ""
    return f"{fence}{language}\n{shown}{more}\n{fence}"


def length(text: str) -> int:
    """Return the characters of *text* as GitHub counts them: two beyond the BMP."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _line(text: str, at_most: int) -> str:
    line = " ".join(text.split())
    cut = line if len(line) <= at_most else line[: at_most - 1] + "…"
    return printable(cut)


def _disarmed(found: re.Match[str]) -> str:
    if found["entity"]:
        return f"&#{ord(found[0])};"
    return f"\\{found[0]}" if found["mark"] else found[0] + _NO_LINK
