"""HTML that cannot be broken by what stands in a catalog: all text is escaped."""

from __future__ import annotations

import html
import re

__all__ = ["Html", "anchor", "element", "joined"]

_LINES = frozenset(
    {"article", "details", "dl", "div", "h1", "h2", "h3", "header", "li", "main", "nav"}
    | {"ol", "p", "section", "summary", "table", "tbody", "thead", "tr", "ul", "pre"}
)
_EMPTY = frozenset({"input", "br", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag: str, /, *children: str, **attributes: str) -> Html:
    """Return an element; text that is not `Html` is escaped, so is every attribute.

    Attributes that Python keeps for itself end in an underscore; an empty value makes
    the attribute stand alone.

    >>> element("b", "a<b", class_='x"y')
    '<b class="x&quot;y">a&lt;b</b>'
    """
    head = tag + "".join(_attribute(key, value) for key, value in attributes.items())
    end = "\n" if tag in _LINES else ""
    if tag in _EMPTY:
        return Html(f"<{head}>{end}")
    return Html(f"<{head}>{joined(*children)}</{tag}>{end}")


def joined(*children: str) -> Html:
    """Return *children* one after the other, escaped where they are not `Html`."""
    return Html("".join(_escaped(child) for child in children))


def anchor(kind: str, identity: str) -> str:
    """Return the id of an object in the page, a different one for each.

    >>> anchor("column", "auth.users.email"), anchor("schema", '"My Schema"')
    ('auth.users.email', 'schema-~22My~20Schema~22')
    """
    plain = re.sub(r"[^A-Za-z0-9_.,()\[\]-]", lambda c: f"~{ord(c[0]):x}", identity)
    relations = {"table", "view", "materialized view", "column"}
    return plain if kind in relations else f"{kind.replace(' ', '-')}-{plain}"


def _attribute(name: str, value: str) -> str:
    name = name.removesuffix("_").replace("_", "-")
    return f' {name}="{html.escape(value)}"' if value else f" {name}"


def _escaped(child: str) -> str:
    return child if isinstance(child, Html) else html.escape(child, quote=False)
