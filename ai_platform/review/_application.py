"""Files of statements that an application runs: SQL, or JSON as it is recorded."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ai_platform.connection import first_line
from ai_platform.errors import BadValue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["COMMENTS", "Statement", "load"]

COMMENTS: Final = re.compile(r"^(\s*--[^\n]*\n|\s*/\*.*?\*/|\s)+", re.DOTALL)
"""What may stand before a statement."""
_NAME: Final = re.compile(r"^\s*--\s*name:\s*(.+?)\s*$", re.MULTILINE)
_TYPES: Final = re.compile(r"^\s*--\s*types:\s*(.+?)\s*$", re.MULTILINE)
_WRITES: Final = "platform stats statements --login NAME FILE writes such a file"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the application, with ``$1``, ``$2`` for what it fills in.

    *types* are those of the parameters, where known (empty text: not), *search_path*
    what the application's login has, as SHOW prints it (None: the session's).
    *is_sound*: nothing was wrong with it before the change, but for its names.
    """

    name: str
    sql: str
    types: tuple[str, ...] = ()
    search_path: str | None = None
    is_sound: bool = True


def load(path: Path) -> tuple[Statement, ...]:
    """Return the statements of a file, ``.json`` as `recording` writes it or ``.sql``.

    In SQL they end with semicolons; ``-- name: …`` and ``-- types: integer, text``
    before one say what they say. Raises BadValue for a file that is not like that.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadValue(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}",
            hint=_WRITES,
        ) from None
    found = tuple(
        _of_json(path, text) if path.suffix == ".json" else _of_sql(path, text)
    )
    if not found:
        raise BadValue(f"{path} holds no statement", hint="end each with a semicolon")
    twice = [name for name, n in Counter(item.name for item in found).items() if n > 1]
    if twice:
        raise BadValue(
            f"{path} has two statements named {twice[0]!r}",
            hint="findings name them: call one of them otherwise",
        )
    return found


def _of_json(path: Path, text: str) -> Iterator[Statement]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_list(path, first_line(error)) from None
    known = content.get("statements") if isinstance(content, dict) else None
    if not isinstance(known, list):
        raise _no_list(path, "it has no list called statements")
    usual = content.get("search_path")
    if not isinstance(usual, str | None):
        raise _no_list(path, f"search_path must be a text, got {usual!r:.40}")
    for number, item in enumerate(known, start=1):
        fault = _fault(item)
        if fault is not None:
            raise _no_list(path, f"number {number}: {fault}")
        types = tuple(one or "" for one in item.get("types") or ())
        yield Statement(item["name"], item["sql"], types, usual)


def _fault(item: Any) -> str | None:
    """Return why *item* is no statement; None where it is one."""
    if not isinstance(item, dict):
        return f"must be an object, got {item!r:.40}"
    for key in ("name", "sql"):
        value = item.get(key)
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            return f"{key} must be a text, got {value!r:.40}"
    types = item.get("types") or []
    if not isinstance(types, list) or not all(isinstance(x, str | None) for x in types):
        return f"types must be a list of texts, got {types!r:.40}"
    return None


def _no_list(path: Path, told: str) -> BadValue:
    return BadValue(
        f"{path} is no list of statements: {told}",
        hint='{"statements": [{"name": …, "sql": …, "types": […]}]}',
    )


def _of_sql(path: Path, text: str) -> Iterator[Statement]:
    from pglast import split  # noqa: PLC0415 - slow to import
    from pglast.parser import ParseError  # noqa: PLC0415

    position = 0
    try:
        slices = split(text, with_parser=False, only_slices=True)
    except ParseError as error:
        raise BadValue(
            f"{path} cannot be cut into statements: {error.args[0]}",
            hint="close each quote, and end each statement with a semicolon",
        ) from None
    for number, part in enumerate(slices, start=1):
        # what says its name stands between the statement before and this one
        remarks = text[position : part.start] + text[part]
        position = part.stop
        name, types = _NAME.findall(remarks), _TYPES.findall(remarks)
        yield Statement(
            name[-1] if name else f"statement {number}",
            COMMENTS.sub("", text[part]).strip(),
            tuple(word.strip() for word in types[-1].split(",")) if types else (),
        )
