"""Odder values, for tables whose constraints refuse the ordinary ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ai_platform.identifiers import quoted

from .candidates import identifying
from .templates import MOMENT, ROW, UNLIMITED, Template, cast, literal, templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .catalog import Column, Type
    from .hints import Hints

__all__ = ["Known", "short", "spares"]

_MOST_CONSTANTS: Final = 8
_PREFIXES: Final = (24, 16)
_INCREASING: Final = 4
_LONGEST_LIST: Final = 100
_ROOM: Final = 30_000


@dataclass(frozen=True, slots=True)
class Known:
    """What constraints tell of a column, and the *numbers* of the whole table's."""

    hints: Hints
    numbers: frozenset[int]


def short() -> Template:
    """Return a text so short that hundreds of them fit into one row."""
    return Template(f"({ROW} % 100000)::text", 100_000)


def spares(column: Column, known: Known, *, seed: int) -> list[Template]:
    """Return more to try for *column*, different in most rows, and few constants."""
    kind = column.type.plain
    makers: dict[str, Callable[[Column, Known, int], Iterator[Template]]] = {
        "uuid": _uuids,
        "inet": _networks,
        "cidr": _networks,
        "vector": _vectors,
        "halfvec": _vectors,
        "sparsevec": _vectors,
        "json": _documents,
        "jsonb": _documents,
    }
    if kind.kind in "rm":
        found = _ranges(kind, seed)
    elif kind.element:
        found = _arrays(kind.element, known, seed)
    elif kind.name in makers:
        found = makers[kind.name](column, known, seed)
    elif kind.category in _BY_CATEGORY:
        found = _BY_CATEGORY[kind.category](kind, known, seed)
    else:
        found = iter(map(Template, map(literal, _ODD)))
    return list({way.sql: way for way in found}.values())


_ODD: Final = (
    *("9780393040029", "978-0-393-04002-9", "0-393-04002-X", "1436-4522"),
    *("220356483481", "M-2306-7118-7", "simple", "POINT(1 2)", "k=>v", "1 .. 2"),
)


def _wide(*sql: str) -> Iterator[Template]:
    yield from (Template(one, UNLIMITED) for one in sql)


def _texts(_kind: Type, known: Known, seed: int) -> Iterator[Template]:
    digest = f"left(md5('{seed}:' || {ROW}), 15)"
    padded = f"lpad({ROW}::text, 12, '0')"
    yield from _wide(
        f"'r' || {digest}",
        f"upper('r' || {digest})",
        f"'R' || {digest}",
        f"{ROW}::text",
        f"reverse({padded})",
        f"translate({padded}, '0123456789', 'abcdefghij')",
        f"translate(reverse({padded}), '0123456789', 'abcdefghij')",
        f"translate({padded}, '0123456789', 'ABCDEFGHIJ')",
        f"'{{\"number\": ' || {ROW} || '}}'",
        f"'[' || {ROW} || ']'",
    )
    texts = [one for one in known.hints.constants if one.startswith("'")]
    for text in texts[:_MOST_CONSTANTS]:
        yield from _wide(
            f"{text} || {ROW}", f"{ROW} || {text}", f"'a' || {ROW} || {text} || 'b.c'"
        )
    for size in sorted(known.hints.sizes | known.numbers):
        if 0 < size <= len("123456789012"):
            yield Template(f"right({padded}, {size})", 10**size)
            letters = f"translate({padded}, '0123456789', 'abcdefghij')"
            yield Template(f"right({letters}, {size})", 10**size)


def _numbers(kind: Type, known: Known, _seed: int) -> Iterator[Template]:
    room = f"({ROW} % {_ROOM})"
    is_whole = kind.name.startswith("int")
    yield Template("1")
    yield Template(f"-{room}", _ROOM)
    yield Template(f"{room} * 1000", 30 if kind.name == "int2" else _ROOM)
    if not is_whole:
        yield Template(f"{room} / {_ROOM + 1}.0", _ROOM)
    for number in sorted(known.numbers)[:_MOST_CONSTANTS]:
        for sign in "+-*":
            yield Template(f"{number} {sign} {room}", _ROOM)


def _moments(kind: Type, _known: Known, seed: int) -> Iterator[Template]:
    if "time" in kind.name and not kind.name.startswith("timestamp"):
        return
    del seed
    start = f"timestamptz '{MOMENT}+00'"
    for step in ("1 day", "-1 day", "-1 second", "1 hour"):
        yield from _wide(f"{start} + ({ROW} % 300000) * interval '{step}'")
    yield from _wide(
        f"timestamp '1000-01-01' + ({ROW} % 60000) * interval '1 month'",
        f"({start} + {ROW} * interval '1 day') AT TIME ZONE 'UTC'",
    )


def _lengths(_kind: Type, _known: Known, _seed: int) -> Iterator[Template]:
    yield from _wide(*(f"{ROW} * interval '1 {unit}'" for unit in ("minute", "day")))
    yield Template(f"({ROW} % 24) * interval '1 hour'", 24)


def _uuids(_column: Column, _known: Known, seed: int) -> Iterator[Template]:
    digest = f"md5('{seed}:' || {ROW})"
    yield from _wide(
        f"overlay(overlay({digest} placing '4' from 13) placing '8' from 17)",
        identifying(f"timestamptz '{MOMENT}+00' + {ROW} * interval '1 ms'"),
    )


def _networks(column: Column, known: Known, _seed: int) -> Iterator[Template]:
    last = "::cidr" if column.type.plain.name == "cidr" else ""
    for bits in _PREFIXES:
        step = 1 << (32 - bits)
        host = f"inet '0.0.0.0' + ({ROW} % {1 << bits}) * {step}"
        yield Template(f"set_masklen({host}, {bits}){last}", 1 << bits)
    yield from _wide(f"(inet '2001:db8::' + {ROW}){last}")
    texts = [one for one in known.hints.constants if one.startswith("'")]
    for text in texts[:_MOST_CONSTANTS]:
        inside = f"set_masklen(({text})::inet, 32) + ({ROW} % {_ROOM})"
        yield Template(f"({inside}){last}", _ROOM)


def _vectors(column: Column, known: Known, seed: int) -> Iterator[Template]:
    kind = column.type.plain
    sizes = known.hints.sizes | known.numbers
    schema = quoted(kind.schema)
    for way in templates(kind, seed=seed, sizes=sizes):
        yield way
        value = cast(way.sql, kind)
        yield replace(way, sql=f"{schema}.l2_normalize({value})")


def _documents(_column: Column, known: Known, _seed: int) -> Iterator[Template]:
    """Nest the keys of a path such as {a,b}; put objects into arrays."""
    paths = [key[1:-1].split(",") for key in known.hints.keys if key.startswith("{")]
    for value in (ROW, f"'\"' || {ROW} || '\"'"):
        for path in paths:
            start = "".join(f"{{{_json(key)}: " for key in path)
            end = "}" * len(path)
            yield from _wide(f"{literal(start)} || {value} || {literal(end)}")
        yield from _wide(f"'[' || {value} || ']'")
        for size in sorted(known.hints.sizes):
            if 1 < size <= _LONGEST_LIST:
                rest = literal(", 0" * (size - 1) + "]")
                yield from _wide(f"'[' || {value} || {rest}")
    plain = [key for key in known.hints.keys if not key.startswith("{")]
    if plain:
        pairs = ", ".join(f"{literal(key)}, {ROW}" for key in plain)
        yield from _wide(f"json_build_array(json_build_object({pairs}))::text")


def _json(text: str) -> str:
    return '"' + text.strip().replace("\\", "\\\\").replace('"', '\\"') + '"'


def _arrays(element: Type, known: Known, seed: int) -> Iterator[Template]:
    """Make arrays that grow, of constants, and of two dimensions."""
    sizes = [n for n in sorted(known.hints.sizes) if 0 < n <= _INCREASING * 4]
    for size in dict.fromkeys([*sizes, *range(1, _INCREASING + 1)]):
        items = ", ".join(
            cast(templates(element, seed=seed, row=f"({ROW} + {n})")[0].sql, element)
            for n in range(size)
        )
        yield from _wide(f"ARRAY[{items}]", f"ARRAY[ARRAY[{items}], ARRAY[{items}]]")
        first = cast(templates(element, seed=seed)[0].sql, element)
        yield from _wide(f"array_fill({first}, ARRAY[{size}, 2])")
    texts = [one for one in known.hints.constants if one.startswith("'")]
    if texts:
        many = ", ".join(cast(text, element) for text in texts[:_MOST_CONSTANTS])
        yield Template(f"ARRAY[{many}]")


def _ranges(kind: Type, seed: int) -> Iterator[Template]:
    """Make ranges with one end, with both ends in them, and with none."""
    if kind.element is None:
        return
    name = f"{quoted(kind.schema)}.{quoted(kind.name)}"
    ways = templates(kind.element, seed=seed)
    if kind.kind == "m" or not ways:
        return
    low = cast(ways[0].sql, kind.element)
    last = cast(
        templates(kind.element, seed=seed, row=f"({ROW} + 1)")[0].sql, kind.element
    )
    both = f"least({low}, {last}), greatest({low}, {last})"
    inner = (f"{low}, NULL", f"NULL, {low}", f"{both}, '[]'", f"{both}, '()'")
    yield from _wide(*(f"{name}({one})" for one in inner))


_BY_CATEGORY: Final[dict[str, Callable[[Type, Known, int], Iterator[Template]]]] = {
    "S": _texts,
    "N": _numbers,
    "D": _moments,
    "T": _lengths,
}
