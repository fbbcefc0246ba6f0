"""One spelling for what PostgreSQL spells in several ways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ai_platform.identifiers import unquoted

from ._chains import flattened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["properties", "readable_rights", "respelled", "without_maintain"]

_LETTERS = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "X": "EXECUTE",
    "U": "USAGE",
    "C": "CREATE",
    "c": "CONNECT",
    "T": "TEMPORARY",
    "s": "SET",
    "A": "ALTER SYSTEM",
}
_ITEM = re.compile(
    r"""(?P<grantee>"(?:[^"]|"")*"|[^=]*)=(?P<letters>[a-zA-Z*]*)/(?P<grantor>.*)""",
    re.DOTALL,
)
# the last of the words, as its letter is the last of the letters
_MAINTAIN = r"MAINTAIN(?: WITH GRANT OPTION)?(?= \(granted by |$)"
_MAINTAIN_LAST = re.compile(f", {_MAINTAIN}")
_MAINTAIN_ALONE = re.compile(f": {_MAINTAIN}")

# '0'::numeric and 0 are one default: SQLAlchemy quotes what a person does not.
_NUMBER = re.compile(
    r"'(-?\d+(?:\.\d+)?)'::(?:numeric|integer|bigint|smallint|double precision|real)"
    r"(?:\(\d+(?:,\d+)?\))?"
)
# (ARRAY['a'::character varying])::text[] becomes ARRAY[('a'::character varying)::text]
# when a dump is restored; the meaning is the same.
_CAST_ARRAY = re.compile(
    r"\(ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]\)::text\[\]"
)
_ELEMENT = re.compile(r"'(?:[^']|'')*'::character varying")
# the values of a partition's list, in whatever order they were given
_LIST = re.compile(r"FOR VALUES IN \((.*)\)", re.DOTALL)
_LISTED = re.compile(r"(?:'(?:[^']|'')*'|[^,'])+")
_EXPRESSIONS = frozenset(
    {"default", "definition", "where", "keys", "using", "with check", "tables"}
)


def readable_rights(items: Sequence[str], owner: str | None) -> list[str]:
    """Return *items* of an access list as words, sorted; the owner's grants unmarked.

    >>> readable_rights(["app=ar*/boss", "=U/boss"], "boss")
    ['PUBLIC: USAGE', 'app: INSERT, SELECT WITH GRANT OPTION']
    """
    return sorted(_readable_item(item, owner) for item in items)


def without_maintain(value: Any) -> Any:
    """Return rights in words, or what holds them, without the right MAINTAIN.

    >>> without_maintain(["app: SELECT, MAINTAIN", "PUBLIC: MAINTAIN"])
    ['app: SELECT']
    """
    if isinstance(value, list):
        kept = [without_maintain(item) for item in value]
        return [item for item in kept if item is not None] or None
    if isinstance(value, dict):
        return {name: without_maintain(item) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    return None if _MAINTAIN_ALONE.search(value) else _MAINTAIN_LAST.sub("", value)


def _readable_item(item: str, owner: str | None) -> str:
    match = _ITEM.fullmatch(item)
    if match is None:
        return item
    words = [
        _LETTERS.get(letter, letter) + (" WITH GRANT OPTION" if star else "")
        for letter, star in re.findall(r"([a-zA-Z])(\*?)", match["letters"])
    ]
    by = unquoted(match["grantor"])
    suffix = "" if by == owner else f" (granted by {by})"
    return f"{unquoted(match['grantee']) or 'PUBLIC'}: {', '.join(words)}{suffix}"


def respelled(text: str) -> str:
    """Return an expression as PostgreSQL would print it after dump and restore."""
    whole = _NUMBER.fullmatch(text)
    if whole is not None:
        return whole[1]
    if "character varying" in text:
        text = _CAST_ARRAY.sub(_cast_each, text)
    return flattened(text)


def _cast_each(array: re.Match[str]) -> str:
    items = (f"({item})::text" for item in _ELEMENT.findall(array[1]))
    return f"ARRAY[{', '.join(items)}]"


def properties(kind: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return *raw* as it counts: nothing where nothing is set, rights in words."""
    result: dict[str, Any] = {}
    owner = raw.get("owner", raw.get("database owner"))
    for name, value in raw.items():
        if name == "rights" and value is not None:
            result.update(_rights(kind, value, owner, raw))
        elif name != "hardenable" and value not in (None, False, [], {}):
            result[name] = _spelled(name, value)
    if kind == "column":
        result.pop("owner", None)
    return result


def _rights(
    kind: str, items: Sequence[str], owner: str | None, raw: Mapping[str, Any]
) -> dict[str, Any]:
    lines = readable_rights(items, owner)
    if kind == "database":
        lines = [line for line in lines if not line.startswith(f"{owner}: ")]
        lines = [line.replace(f" (granted by {owner})", "") for line in lines]
    result: dict[str, Any] = {}
    public = [line for line in lines if line.startswith("PUBLIC: ")]
    if kind == "database" or (kind == "schema" and raw.get("hardenable")):
        # what `platform harden` takes away and a plain installation leaves
        result["rights of PUBLIC"] = public
        lines = [line for line in lines if line not in public]
    result["rights"] = lines
    return {name: value for name, value in result.items() if value}


def _spelled(name: str, value: Any) -> Any:
    if name == "partition bound" and (listed := _LIST.fullmatch(value)):
        values = sorted(one.strip() for one in _LISTED.findall(listed[1]))
        return f"FOR VALUES IN ({', '.join(values)})"
    if name not in _EXPRESSIONS:
        return value
    if isinstance(value, list):
        return [respelled(item) for item in value]
    return respelled(value) if isinstance(value, str) else value
