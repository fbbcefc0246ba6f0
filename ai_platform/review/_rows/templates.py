"""Values of every data type, as SQL expressions over the number of a row."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ai_platform.identifiers import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .catalog import Type

__all__ = ["ROW", "UNLIMITED", "Template", "cast", "literal", "simple", "templates"]

ROW: Final = '"#row number"'
"""The number of a row, from 1, as the generating query names it."""
UNLIMITED: Final = 1 << 40
MOMENT: Final = "2026-01-01 00:00:00"
_FILLED: Final = 40
_LONG: Final = 2000
_UNICODE: Final = "Ünïcödé ☃ 漢字 🐘"
_MOST_ITEMS: Final = 1000
_POOL: Final = 8
_POOLS: Final = 6
_WORDS: Final = 1_000
_EXACT: Final = 15
_SIGN: Final = 0x400


@dataclass(frozen=True, slots=True)
class Template:
    """One way to make a value: *sql*, NULL included.

    *capacity* is how many different values it gives: 1 for a constant. *is_edge*: at
    the boundary of the type. *columns* are those that it is computed from.
    """

    sql: str
    capacity: int = 1
    is_edge: bool = False
    is_default: bool = False
    columns: frozenset[str] = frozenset()


def literal(text: str) -> str:
    """Return *text* as an SQL literal."""
    quoted = text.replace("'", "''")
    if "\\" in quoted:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


def cast(sql: str, kind: Type) -> str:
    """Return *sql* as a value of the type below all domains."""
    return f"CAST({sql} AS {kind.plain.sql})"


def templates(
    kind: Type, *, seed: int = 0, sizes: Collection[int] = (), row: str = ROW
) -> list[Template]:
    """Return ways to make a value of *kind*: the ordinary ones, then the edges.

    *sizes* are lengths or dimensions that a constraint speaks of.
    """
    kind = kind.plain
    if kind.kind == "e":
        return [Template(literal(label)) for label in kind.labels]
    if kind.element or kind.kind == "c":
        return _nested(kind, seed, sizes, row)
    if kind.name in _SIZED:
        return _SIZED[kind.name](kind, seed, sizes, row)
    if kind.category == "S":
        return _texts(kind, seed, sizes, row)
    if kind.schema == "pg_catalog" and kind.name in _SIMPLE:
        return _SIMPLE[kind.name](row, seed)
    return _foreign(row)


def _nested(kind: Type, seed: int, sizes: Collection[int], row: str) -> list[Template]:
    if kind.element is None:
        return _composites(kind, seed, row)
    if kind.kind in "rm":
        return _ranges(kind, kind.element, seed, row)
    return _arrays(kind.element, seed, sizes, row)


def simple(name: str) -> list[Template]:
    """Return ways to make a value of the system type *name*, none if it is unknown."""
    spelled = _SPELLED.get(name, name)
    return _SIMPLE[spelled](ROW, 0) if spelled in _SIMPLE else []


def _wide(sql: str, capacity: int = UNLIMITED) -> Template:
    return Template(sql, capacity)


def _edges(*values: str) -> list[Template]:
    return [Template(literal(value), is_edge=True) for value in values]


def _integers(bits: int) -> Callable[[str, int], list[Template]]:
    most = (1 << (bits - 1)) - 1

    def made(row: str, _seed: int) -> list[Template]:
        wide = _wide(f"{row} % {most}", most)
        return [wide, *_edges(str(most), str(-most - 1), "0")]

    return made


def _floats(row: str, _seed: int) -> list[Template]:
    edges = _edges("0", "-1.5", "3e38", "0.30000000000000004")
    return [_wide(f"({row} % 16777216) * 0.5", 1 << 24), *edges]


# Where clocks change: an hour that Berlin and New York have twice, one that they skip.
_CHANGES: Final = (
    *("2025-10-26 00:30:00+00", "2025-10-26 01:30:00+00", "2025-03-30 02:30:00+00"),
    *("2025-11-02 05:30:00+00", "2025-11-02 06:30:00+00", "2025-03-09 02:30:00+00"),
)


def _moments(row: str, _seed: int) -> list[Template]:
    wide = f"timestamptz '{MOMENT}+00' + {row} * interval '1 second'"
    last = "9999-12-31 23:59:59.999999"
    ends = _edges("1970-01-01 00:00:00", "0001-01-01 00:00:00", last)
    return [_wide(wide), *ends, *_edges(*_CHANGES)]


def _dates(row: str, _seed: int) -> list[Template]:
    wide = f"date '{MOMENT[:10]}' + ({row} % 1000000)::int"
    return [_wide(wide, 10**6), *_edges("1970-01-01", "0001-01-01", "9999-12-31")]


def _json(row: str, seed: int) -> list[Template]:
    wide = (
        f"""'{{"number": ' || {row} || ', "name": "{_UNICODE}", "flag": true, """
        f""""list": [1, 2.5, null]}}'"""
    )
    plain = ("{}", "[]", '"text"', '[{"key": "value"}]', "1", "true", '{"key": null}')
    del seed
    return [_wide(wide), *(Template(literal(one)) for one in plain)]


def _uuids(row: str, seed: int) -> list[Template]:
    nil = "00000000-0000-0000-0000-000000000000"
    return [_wide(f"md5('{seed}:' || {row})"), *_edges(nil)]


def _networks(row: str, _seed: int) -> list[Template]:
    wide = f"inet '10.0.0.0' + ({row} % 16777216)"
    return [_wide(wide, 1 << 24), *_edges("::1", "255.255.255.255", "2001:db8::/64")]


def _booleans(_row: str, _seed: int) -> list[Template]:
    return [Template("true"), Template("false")]


def _searched(row: str, _seed: int) -> list[Template]:
    return [
        _wide(f"to_tsvector('simple', 'w' || {row} % {_WORDS} || ' x' || {row} / 999)"),
        *_edges(""),
    ]


def _intervals(row: str, _seed: int) -> list[Template]:
    wide = f"{row} * interval '1 second'"
    return [_wide(wide), *_edges("00:00:00", "-1 day", "1000 years")]


def _just(sql: str, capacity: int = UNLIMITED) -> Callable[[str, int], list[Template]]:
    return lambda row, _seed: [Template(sql.format(i=row), capacity)]


_SIMPLE: Final[dict[str, Callable[[str, int], list[Template]]]] = {
    "int2": _integers(16),
    "int4": _integers(32),
    "int8": _integers(64),
    "float4": _floats,
    "float8": _floats,
    "bool": _booleans,
    "uuid": _uuids,
    "date": _dates,
    "timestamp": _moments,
    "timestamptz": _moments,
    "json": _json,
    "jsonb": _json,
    "inet": _networks,
    "tsvector": _searched,
    "interval": _intervals,
    "cidr": _just("set_masklen(inet '10.0.0.0' + ({i} % 16777216), 32)::cidr", 1 << 24),
    "time": _just("time '00:00' + {i} * interval '1 second'", 86400),
    "timetz": lambda row, _seed: [
        _wide(f"timetz '00:00+00' + {row} * interval '1 second'", 86400),
        *_edges("12:30:00+05:45", "23:59:59.999999-08"),
    ],
    "macaddr": _just("lpad(to_hex({i}), 12, '0')"),
    "macaddr8": _just("lpad(to_hex({i}), 16, '0')"),
    "tsquery": _just("to_tsquery('simple', 'word' || {i})"),
    "money": _just("({i} % 1000000000)::int8::money", 10**9),
    "oid": _just("({i} % 2147483647)::oid", 1 << 31),
    "xid": _just("({i} % 2147483647)::text::xid", 1 << 31),
    "xid8": _just("{i}::text::xid8"),
    "pg_lsn": _just("pg_lsn '0/0' + {i}"),
    "regclass": _just("'pg_catalog.pg_class'", 1),
    "regtype": _just("'pg_catalog.int4'", 1),
    "regrole": _just("10::oid", 1),
    "regproc": _just("'pg_catalog.now'", 1),
    "xml": _just("('<row>' || {i} || '</row>')"),
    "jsonpath": _just("('$.key' || {i})"),
    "point": _just("point({i}, {i})"),
    "line": _just("'{{1,-1,0}}'", 1),
    "lseg": _just("lseg(point(0, 0), point({i}, 1))"),
    "box": _just("box(point({i}, 0), point({i} + 0.5, 1))"),
    "path": _just("('((0,0),(' || {i} || ',1))')"),
    "polygon": _just("('((0,0),(' || {i} || ',1),(0,1))')"),
    "circle": _just("circle(point({i} * 3, 0), 1)"),
    "tid": _just("('(' || {i} % 1000000 || ',1)')", 10**6),
    "pg_snapshot": _just("'10:20:'", 1),
    "txid_snapshot": _just("'10:20:'", 1),
    "cid": _just("({i} % 2147483647)::text", 1 << 31),
    "regnamespace": _just("'pg_catalog'", 1),
    "regprocedure": _just("'pg_catalog.now()'", 1),
    "regoper": _just("'pg_catalog.||/'", 1),
    "regoperator": _just("'pg_catalog.+(int4,int4)'", 1),
    "regcollation": _just("'pg_catalog.\"C\"'", 1),
    "regconfig": _just("'pg_catalog.simple'", 1),
    "regdictionary": _just("'pg_catalog.simple'", 1),
    "oidvector": _just("({i} % 1000)::text", 1000),
    "int2vector": _just("({i} % 1000)::text", 1000),
    "aclitem": _just("makeaclitem(10::oid, 10::oid, 'SELECT', false)", 1),
}

_SPELLED: Final = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "boolean": "bool",
    "real": "float4",
    "double precision": "float8",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}


def _texts(kind: Type, seed: int, sizes: Collection[int], row: str) -> list[Template]:
    size = kind.typmod - 4 if kind.typmod > 0 else 0
    if kind.name == "name":
        size = 63
    elif kind.name == "char":
        return [Template(f"chr(97 + ({row} % 26)::int)", 26)]
    if 0 < size < len("123456789012"):
        made = [_wide(f"({row} % {10**size})::text", 10**size)]
    else:
        word = f"'row ' || {row} || ' ' || md5('{seed}:' || {row})"
        made = [_wide(f"left({word}, {min(size or _FILLED, _FILLED)})")]
    made += [_sized(one, row) for one in sorted(sizes) if 0 < one <= _LONG * 50]
    longest = size or _LONG
    edges = ["", *(one[: size or None] for one in (_UNICODE, " in blanks "))]
    return made + _edges(*dict.fromkeys([*edges, "漢" * min(longest, _LONG)]))


def _sized(size: int, row: str) -> Template:
    return Template(
        f"right(repeat('x', {max(0, size - 12)}) || lpad({row}::text, 12, '0'),"
        f" {size})",
        10 ** min(size, 12),
    )


def _bytes(_kind: Type, seed: int, sizes: Collection[int], row: str) -> list[Template]:
    made = [_wide(f"sha256(convert_to('{seed}:' || {row}, 'UTF8'))")]
    for size in sorted(sizes):
        if 0 < size <= _LONG * 50:
            digits = f"right(lpad(to_hex({row}), {max(16, 2 * size)}, '0'), {2 * size})"
            made.append(_wide(f"decode({digits}, 'hex')", 1 << min(8 * size, 40)))
    return made + _edges("\\x", "\\x00ff")


def _numerics(
    kind: Type, _seed: int, _sizes: Collection[int], row: str
) -> list[Template]:
    if kind.typmod < 0:
        return [_wide(f"{row} * 1.01"), *_edges("0", "-1", "1" * 40 + "." + "9" * 20)]
    precision = (kind.typmod - 4) >> 16
    scale = (kind.typmod - 4) & 0x7FF
    scale = (scale ^ _SIGN) - _SIGN
    room = min(precision, _EXACT)
    wide = f"({row} % {10**room}) * 1e{-scale}::numeric"
    most = f"{'9' * precision}e{-scale}"
    return [_wide(wide, 10**room), *_edges(most, f"-{most}", "0")]


def _bits(kind: Type, _seed: int, _sizes: Collection[int], row: str) -> list[Template]:
    size = kind.typmod if kind.typmod > 0 else 1 if kind.name == "bit" else 64
    return [
        _wide(f"(({row})::int8)::bit({size})", 1 << min(size, 40)),
        *_edges("1" * size, "0" * size),
    ]


def _arrays(
    element: Type, seed: int, sizes: Collection[int], row: str
) -> list[Template]:
    # few different elements, as in real life; their pairs differ in every row
    ways = templates(element, seed=seed, row=f"({row} % {_WORDS})")
    more = templates(element, seed=seed, row=f"({row} / {_WORDS})")
    first, last = cast(ways[0].sql, element), cast(more[0].sql, element)
    edge = cast(ways[-1].sql, element)
    made = [
        Template(f"ARRAY[{first}, {last}]", min(ways[0].capacity ** 2, UNLIMITED)),
        Template(f"ARRAY[{first}]", min(ways[0].capacity, _WORDS)),
        Template(f"ARRAY[{edge}]", is_edge=True),
        Template("'{}'", is_edge=True),
    ]
    made += [
        Template(f"array_fill({first}, ARRAY[{size}])", ways[0].capacity)
        for size in sorted(sizes)
        if 0 < size <= _MOST_ITEMS
    ]
    return made


def _composites(kind: Type, seed: int, row: str) -> list[Template]:
    first, last = [], []
    for field in kind.fields:
        ways = templates(field, seed=seed, row=row)
        first.append(cast(ways[0].sql, field))
        last.append(cast(ways[-1].sql, field))
    return [_wide(f"ROW({', '.join(first)})"), Template(f"ROW({', '.join(last)})")]


def _ranges(kind: Type, element: Type, seed: int, row: str) -> list[Template]:
    if kind.kind == "m":
        ways = templates(element, seed=seed, row=row)
        wide = f"{_qualified(kind)}({cast(ways[0].sql, element)})"
        more = templates(element, seed=seed, row=f"({row} + {_WORDS})")
        two = f"{wide} + {_qualified(kind)}({cast(more[0].sql, element)})"
        return [replace(ways[0], sql=wide), Template(two, is_edge=True), *_edges("{}")]
    # neighbours do not overlap: constraints of the EXCLUDE kind ask for that
    low, high = (
        cast(templates(element, seed=seed, row=f"({row} * 2 + {n})")[0].sql, element)
        for n in (0, 1)
    )
    wide = f"{_qualified(kind)}(least({low}, {high}), greatest({low}, {high}))"
    return [_wide(wide), *_edges("empty", "(,)")]


def _qualified(kind: Type) -> str:
    return f"{quoted(kind.schema)}.{quoted(kind.name)}"


def _vectors(kind: Type, seed: int, sizes: Collection[int], row: str) -> list[Template]:
    dimensions = [kind.typmod] if kind.typmod > 0 else sorted(sizes) or [3]
    return [
        _wide(_vector(kind, size, seed, row), _POOL**_POOLS)
        for size in dimensions
        if 0 < size <= _EXACT * _MOST_ITEMS
    ]


def _vector(kind: Type, size: int, seed: int, row: str) -> str:
    """Add up one vector out of each pool: an index of equal ones would be cheap."""
    name = _qualified(kind)
    if kind.name == "sparsevec":
        return f"'{{' || 1 + {row} % {size} || ':' || 1 + {row} % 7 || '}}/{size}'"
    chance = random.Random(f"{seed}:{size}")  # noqa: S311 - data, not a secret
    items = ", ".join(
        "'[" + ",".join(f"{chance.uniform(-1, 1):.3f}" for _ in range(size)) + "]'"
        for _ in range(_POOL * _POOLS)
    )
    chosen = f" OPERATOR({quoted(kind.schema)}.+) ".join(
        f"p[{1 + _POOL * n} + ({row} / {_POOL**n} % {_POOL})::int]"
        for n in range(_POOLS)
    )
    return f"(SELECT {chosen} FROM (SELECT ARRAY[{items}]::{name}[] AS p) AS pools)"


_SIZED: Final[
    dict[str, Callable[[Type, int, Collection[int], str], list[Template]]]
] = {
    "vector": _vectors,
    "halfvec": _vectors,
    "sparsevec": _vectors,
    "char": _texts,
    "bit": _bits,
    "varbit": _bits,
    "numeric": _numerics,
    "bytea": _bytes,
}


def _foreign(row: str) -> list[Template]:
    """Return texts that types of extensions may take; the server tries them."""
    texts = ("1", "a", "{}", "()", "[]", "[1,2,3]", "a=>1", "0/0", "POINT(0 0)", "1.0")
    wide = [f"{row}::text", f"'a' || {row}", f"'\"a\"=>\"' || {row} || '\"'"]
    return [*map(_wide, wide), *(Template(literal(text)) for text in texts)]
