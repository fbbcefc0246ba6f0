"""Texts that match a regular expression or a LIKE pattern, as SQL over a row number."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Final

__all__ = ["like", "matching"]

_ALL: Final = string.ascii_lowercase + string.digits + string.ascii_uppercase + "_-./ "
_SHORTHAND: Final = {
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_",
    "s": " ",
    "D": string.ascii_lowercase,
    "W": "-",
    "S": string.ascii_lowercase + string.digits,
}
_NAMED: Final = {
    "alpha": string.ascii_letters,
    "digit": string.digits,
    "alnum": string.ascii_letters + string.digits,
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "xdigit": "0123456789abcdef",
    "space": " ",
    "punct": "-._",
}
_NO_WIDTH: Final = "AZmMyYbB"
_ENDLESS: Final = 1 << 30
_DIGITS: Final = 19
_VARIANTS: Final = 8
_LONGEST: Final = 2000


class _Unreadable(Exception):
    """The pattern uses what this reader does not know."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """*least* to *most* characters out of *chars*."""

    chars: str
    least: int
    most: int


@dataclass(slots=True)
class _Reader:
    """Read a pattern from left to right, choosing alternative number *pick*."""

    text: str
    pick: int
    at: int = 0
    found: list[str | _Slot] = field(default_factory=list)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise _Unreadable
        self.at += 1
        return char

    def accept(self, wanted: str) -> bool:
        if not self.text.startswith(wanted, self.at):
            return False
        self.at += len(wanted)
        return True

    def alternatives(self) -> list[str | _Slot]:
        """Return the chosen one of the branches up to a closing bracket."""
        branches = [self.branch()]
        while self.accept("|"):
            branches.append(self.branch())
        return branches[self.pick % len(branches)]

    def branch(self) -> list[str | _Slot]:
        items: list[str | _Slot] = []
        while (char := self.peek()) and char not in "|)":
            items += self.piece()
        return items

    def piece(self) -> list[str | _Slot]:
        atom = self.atom()
        least, most = self.quantifier()
        if len(atom) == 1 and isinstance(atom[0], _Slot) and atom[0].most == 1:
            return [_Slot(atom[0].chars, least, most)]
        return atom * max(least, min(most, self.pick % 2))

    def atom(self) -> list[str | _Slot]:
        char = self.take()
        if char in "^$":
            return []
        if char == "(":
            return self.group()
        if char == "[":
            return [_Slot(self.charset(), 1, 1)]
        if char == ".":
            return [_Slot(_ALL, 1, 1)]
        if char == "\\":
            return self.escape()
        return [char]

    def escape(self) -> list[str | _Slot]:
        char = self.take()
        if char in _SHORTHAND:
            return [_Slot(_SHORTHAND[char], 1, 1)]
        if char in _NO_WIDTH:
            return []
        if char.isalnum():
            raise _Unreadable
        return [char]

    def group(self) -> list[str | _Slot]:
        # what a lookaround demands is left to the server's own test
        is_seen = not any(self.accept(m) for m in ("?=", "?!", "?<=", "?<!"))
        self.accept("?:")
        items = self.alternatives()
        if self.take() != ")":
            raise _Unreadable
        return items if is_seen else []

    def charset(self) -> str:
        is_negated = self.accept("^")
        chars = ""
        while not (chars and self.peek() == "]"):
            chars += self.member()
        self.take()
        if is_negated:
            chars = "".join(char for char in _ALL if char not in chars)
        if not chars:
            raise _Unreadable
        return "".join(dict.fromkeys(chars))

    def member(self) -> str:
        if self.accept("[:"):
            name, _, rest = self.text[self.at :].partition(":]")
            self.at = len(self.text) - len(rest)
            return _NAMED.get(name, "")
        char = self.take()
        if char == "\\":
            char = self.take()
            if char in _SHORTHAND:
                return _SHORTHAND[char]
        if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in {"", "]"}:
            self.take()
            last = self.take()
            return "".join(map(chr, range(ord(char), min(ord(last), 0x17F) + 1)))
        return char

    def quantifier(self) -> tuple[int, int]:
        char = self.peek()
        bounds = {"*": (0, _ENDLESS), "+": (1, _ENDLESS), "?": (0, 1)}.get(char, (1, 1))
        if char and char in "*+?":
            self.take()
        elif char == "{" and self.text[self.at + 1 : self.at + 2].isdigit():
            inner, _, rest = self.text[self.at + 1 :].partition("}")
            self.at = len(self.text) - len(rest)
            low, comma, high = inner.partition(",")
            bounds = (int(low), int(high or _ENDLESS) if comma else int(low))
        else:
            return bounds
        self.accept("?")  # a lazy one matches the same texts
        return bounds


def matching(regex: str, row: str) -> list[tuple[str, bool]]:
    """Return SQL texts that ought to match *regex*; True: different in every row.

    *row* is the SQL of the row's number. The server decides whether they match; a
    pattern that cannot be read gives none.
    """
    found: dict[str, bool] = {}
    for pick in range(_VARIANTS):
        reader = _Reader(regex.removeprefix("***:").removeprefix("(?i)"), pick)
        try:
            items = reader.alternatives()
        except (_Unreadable, ValueError):
            return []
        sql, is_wide = _render(items, row)
        found.setdefault(sql, is_wide)
    return list(found.items())


def like(pattern: str, row: str) -> list[tuple[str, bool]]:
    """Return SQL texts that match a LIKE *pattern*, as `matching` does."""
    items: list[str | _Slot] = []
    chars = iter(pattern)
    for char in chars:
        if char == "%":
            items.append(_Slot(_ALL, 0, _ENDLESS))
        elif char == "_":
            items.append(_Slot(_ALL, 1, 1))
        else:
            items.append(next(chars, "") if char == "\\" else char)
    return [_render(items, row)]


def _render(items: list[str | _Slot], row: str) -> tuple[str, bool]:
    """Write *items* as one SQL text; the roomiest slot carries the row's number."""
    slots = [item for item in items if isinstance(item, _Slot)]
    roomiest = (
        max(slots, key=lambda s: (len(s.chars) >= len("0123456789"), s.most))
        if slots
        else None
    )
    parts: list[str] = []
    plain = ""
    is_wide = False
    for item in items:
        if isinstance(item, str):
            plain += item
        elif item is roomiest and len(item.chars) >= len(string.digits) and item.most:
            parts += [_quoted(plain), _numbered(item, row)]
            plain, roomiest, is_wide = "", None, item.most >= _DIGITS
        else:
            plain += _first(item.chars) * min(item.least, _LONGEST)
    return " || ".join([*parts, _quoted(plain)]), is_wide


def _numbered(slot: _Slot, row: str) -> str:
    digits = string.digits
    if not set(digits) <= set(slot.chars):
        ordered = sorted(slot.chars, key=lambda c: (not c.islower(), not c.isupper()))
        chosen = "".join(ordered[: len(digits)])
        number = f"translate(({row})::text, '0123456789', {_quoted(chosen)})"
        filler = chosen[0]
    else:
        number, filler = f"({row})::text", _first(slot.chars)
    least = min(slot.least, _LONGEST)
    padded = (
        f"repeat({_quoted(filler)}, greatest(0, {least} - length({number})))"
        f" || {number}"
    )
    return f"right({padded}, {min(slot.most, _LONGEST)})"


def _first(chars: str) -> str:
    return next((char for char in "a0A" if char in chars), chars[0])


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return (
        f"E'{escaped.replace(chr(92), chr(92) * 2)}'"
        if "\\" in text
        else (f"'{escaped}'")
    )
