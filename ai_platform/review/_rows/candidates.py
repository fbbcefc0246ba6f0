"""The values that are tried for one column: of its type, its hints, its default."""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Final

from . import pattern
from .hints import Hints, Interval, cast_sizes, mine
from .templates import ROW, UNLIMITED, Template, cast, literal, simple, templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .catalog import Check, Column, Type

__all__ = ["candidates", "hints_of", "identifying"]

_NEAR: Final = 30_000
_MOST: Final = 120
_LONGEST: Final = 1_000
_JSON_TYPES: Final = ("object", "array", "string", "number", "boolean", "null")
_FINE: Final = 1_000_003
_TIMES: Final = {"timestamp", "timestamptz"}
_INTEGERS: Final = {"int2", "int4", "int8"}
_VOLATILE: Final = ("now(", "current_", "random", "clock_timestamp", "uuid", "nextval")


def hints_of(
    columns: Sequence[Column], checks: Sequence[Check], indexed: Sequence[Check] = ()
) -> dict[str, Hints]:
    """Return what *checks*, and the domains of *columns*, tell about each column.

    Of what is *indexed* only the dimensions count that vectors are cast to.
    """
    names = [column.name for column in columns]
    found = {name: Hints() for name in names}
    for check in checks:
        for name, hints in mine(check.sql, check.columns or names).items():
            _merge(found[name], hints)
    for one in indexed:
        for name, sizes in cast_sizes(one.sql, one.columns).items():
            found[name].sizes |= sizes
    for column in columns:
        kind = column.type
        while kind.kind == "d" and kind.base:
            for sql in kind.checks:
                _merge(found[column.name], mine(sql, ["value"]).get("value", Hints()))
            kind = kind.base
    return found


def _merge(into: Hints, more: Hints) -> None:
    into.constants = list(dict.fromkeys([*into.constants, *more.constants]))
    into.intervals += [one for one in more.intervals if one not in into.intervals]
    into.regexes += more.regexes
    into.patterns += more.patterns
    into.sizes |= more.sizes
    into.keys = list(dict.fromkeys([*into.keys, *more.keys]))
    into.relations += more.relations
    into.types += more.types


def candidates(
    column: Column, hints: Hints, *, seed: int, moments: Sequence[str] = ()
) -> list[Template]:
    """Return what to try for *column*; NULL, where allowed, is the last.

    *moments* are times inside the partitions of the table: identifiers that carry
    a time take theirs from there.
    """
    kind = column.type.plain
    found = [*_of_intervals(column, hints.intervals)]
    found += [*_of_texts(hints), *_of_json(column, hints)]
    found += templates(kind, seed=seed, sizes=hints.sizes)
    found += [*_of_relations(column, hints)]
    if kind.name == "uuid":
        found += [Template(identifying(moment), UNLIMITED) for moment in moments]
    found += [*_of_constants(column, hints)]
    found = list({template.sql: template for template in found}.values())[:_MOST]
    default = column.default
    if default and not any(word in default.lower() for word in _VOLATILE):
        found.append(Template(default, is_default=True))
    if not column.is_not_null:
        found.append(Template("NULL"))
    return found


def identifying(moment: str) -> str:
    """Return a UUID of version 7 made at *moment*, an SQL timestamp."""
    since = f"(extract(epoch FROM ({moment})) * 1000)::int8"
    return (
        f"lpad(to_hex({since}), 12, '0') || '7' || lpad(to_hex({ROW} % 4096), 3, '0')"
        f" || '8' || lpad(to_hex({ROW} / 4096), 15, '0')"
    )


def _of_intervals(column: Column, intervals: Sequence[Interval]) -> Iterator[Template]:
    kind = column.type.plain
    for one in intervals:
        if kind.name in _INTEGERS:
            yield from _integer(one)
        elif kind.category == "N":
            yield _number(one)
        elif kind.name in _TIMES or kind.name == "date":
            yield _moment(one, kind.name)
        elif kind.name == "interval":
            step = f"{ROW} * interval '1 second'"
            sql = f"{one.low} + {step}" if one.low else f"{one.high} - {step}"
            yield Template(sql, UNLIMITED)
        for bound in (one.low, one.high):
            if bound:
                yield Template(bound, is_edge=True)


def _integer(one: Interval) -> Iterator[Template]:
    """Make numbers with both bounds, then without: nobody knows if they belong."""
    if one.low and one.high:
        low, high = f"({one.low})::int8", f"({one.high})::int8"
        room = _room(one)
        yield Template(f"{low} + {ROW} % greatest(1, {high} - {low} + 1)", room)
        inner = f"{low} + 1 + {ROW} % greatest(1, {high} - {low} - 1)"
        yield Template(inner, max(1, room - 2))
    elif one.low:
        yield Template(f"({one.low})::int8 + 1 + {ROW} % {_NEAR}", _NEAR)
    else:
        yield Template(f"({one.high})::int8 - 1 - {ROW} % {_NEAR}", _NEAR)


def _room(one: Interval) -> int:
    try:
        return max(1, int(one.high or "") - int(one.low or "") + 1)
    except ValueError:
        return _NEAR


def _number(one: Interval) -> Template:
    part = f"(({ROW} % {_FINE}) + 1)::numeric / {_FINE + 2}"
    if one.low and one.high:
        span = f"(({one.high})::numeric - ({one.low})::numeric)"
        return Template(f"({one.low})::numeric + {span} * {part}", _FINE)
    if one.low:
        return Template(f"({one.low})::numeric + {ROW} % {_FINE} + 1", _FINE)
    return Template(f"({one.high})::numeric - {ROW} % {_FINE} - 1", _FINE)


def _moment(one: Interval, kind: str) -> Template:
    step = "1" if kind == "date" else "interval '1 second'"
    number = f"{ROW} % 36500"
    if one.low and one.high:
        span = f"({one.high})::{kind} - ({one.low})::{kind}"
        if kind != "date":
            span = f"extract(epoch FROM {span})::int8"
        number = f"1 + ({ROW} - 1) % greatest(1, {span} - 1)"
    number = f"({number})::int * {step}"
    start = f"({one.low})::{kind} + " if one.low else f"({one.high})::{kind} - "
    return Template(start + number, 36500 if kind == "date" else UNLIMITED)


def _of_texts(hints: Hints) -> Iterator[Template]:
    sizes = sorted(size for size in hints.sizes if 0 < size <= _LONGEST)
    for regex in hints.regexes:
        for sql, is_wide in pattern.matching(regex, ROW):
            capacity = UNLIMITED if is_wide else 1
            yield Template(sql, capacity)
            for size in sizes:
                yield Template(f"rpad({sql}, {size}, right({sql}, 1))", capacity)
    for like in hints.patterns:
        for sql, is_wide in pattern.like(like, ROW):
            yield Template(sql, UNLIMITED if is_wide else 1)
    for name in hints.types:
        for template in simple(name):
            sql = f"CAST(CAST({template.sql} AS {name}) AS text)"
            yield Template(sql, template.capacity, template.is_edge)


def _of_json(column: Column, hints: Hints) -> Iterator[Template]:
    """Build objects with the keys that a constraint asks for."""
    if column.type.plain.name == "hstore" and hints.keys:
        yield Template(literal(", ".join(f'"{key}"=>"1"' for key in hints.keys)))
    if column.type.plain.name not in ("json", "jsonb") or not hints.keys:
        return
    told = {literal(one) for one in (*hints.keys, *_JSON_TYPES)}
    texts = [one for one in hints.constants if one.startswith("'") and one not in told]
    values = [f"{text}::text" for text in texts]
    values += [f"{ROW}", "'value'::text", "true", "'[]'::json", "'{}'::json"]
    for chosen in islice(product(values, repeat=min(len(hints.keys), 3)), 80):
        rest = chosen[-1:] * (len(hints.keys) - len(chosen))
        pairs = zip(hints.keys, [*chosen, *rest], strict=True)
        inner = ", ".join(f"{literal(key)}, {value}" for key, value in pairs)
        capacity = UNLIMITED if ROW in chosen else 1
        yield Template(f"json_build_object({inner})::text", capacity)


def _of_relations(column: Column, hints: Hints) -> Iterator[Template]:
    """Compute the value from the columns it is compared with."""
    steps = {"N": "1", "T": "interval '1 second'"}
    kind = column.type.plain
    step = steps.get(kind.category, "")
    if kind.category == "D":
        step = "1" if kind.name == "date" else "interval '1 hour'"
    for sign, sql, others in hints.relations:
        if "=" in sign:
            yield Template(sql, columns=others)
        if sign != "=" and step:
            direction = "+" if ">" in sign else "-"
            yield Template(f"({sql}) {direction} {step}", columns=others)


def _of_constants(column: Column, hints: Hints) -> Iterator[Template]:
    kind = column.type.plain
    for sql in hints.constants:
        is_text = sql.startswith(("'", "E'"))
        if kind.kind == "c" and is_text:
            yield _composite(kind, sql)
            continue
        if kind.element and kind.category == "A":
            if sql.startswith("'{"):
                yield Template(sql)
            elif is_text or kind.element.category == "N":
                yield Template(f"ARRAY[{cast(sql, kind.element)}]", is_edge=True)
        elif is_text != (kind.category in "NB"):
            yield Template(sql, is_edge=True)
            if kind.name in _INTEGERS:
                yield Template(f"{sql} + 1", is_edge=True)
                yield Template(f"{sql} - 1", is_edge=True)


def _composite(kind: Type, text: str) -> Template:
    """Return a composite value whose fields of texts are all *text*."""
    values = [
        cast(text if one.plain.category == "S" else templates(one)[0].sql, one)
        for one in kind.fields
    ]
    return Template(f"ROW({', '.join(values)})", UNLIMITED)
