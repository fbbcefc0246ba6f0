"""Partitions that come and go at run time, seen as a property of their parent."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from ._wording import change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._objects import CatalogObject

__all__ = ["Partition", "Policy", "bound_form", "faults", "forms"]

_RANGE = re.compile(r"FOR VALUES FROM \('?([^',)]+)'?\) TO \('?([^',)]+)'?\)")
_DAYS = {1: "1 day", 7: "1 week"}
_ALIKE_IN_LISTS = (
    "persistence",
    "row security",
    "row security forced",
    "options",
    "access method",
    "tablespace",
    "replica identity",
    "policies",
)
_ALIKE = (
    *_ALIKE_IN_LISTS,
    "columns",
    "indexes added",
    "constraints added",
    "triggers",
)
_MONTHS = {1: "1 month", 3: "3 months", 12: "1 year"}


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: its bound as text and the properties a judge looks at."""

    name: str
    parent: str
    bound: str
    detaching: bool
    form: Mapping[str, Any]


def bound_form(bound: str) -> str:
    """Return how wide a partition is, the same for every day, week or month.

    >>> bound_form("FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')")
    '1 month'
    """
    if bound == "DEFAULT":
        return "default"
    match = _RANGE.fullmatch(bound)
    if match is None:
        return re.sub(r"\d+", "N", bound.removeprefix("FOR VALUES ").lower())
    try:
        lower, upper = (datetime.fromisoformat(edge) for edge in match.groups())
    except ValueError:  # MINVALUE, infinity, a year beyond 9999
        return "open range"
    return _width(lower, upper)


def _width(lower: datetime, upper: datetime) -> str:
    midnight = lower.time() == upper.time() == datetime.min.time()
    if midnight and lower.day == upper.day == 1:
        months = (upper.year - lower.year) * 12 + upper.month - lower.month
        if months in _MONTHS:
            return _MONTHS[months]
    days = (upper - lower).days
    if midnight and days in _DAYS:
        weekday = f" from {date.strftime(lower, '%A')}" if days > 1 else ""
        return _DAYS[days] + weekday
    return f"{upper - lower}"


def _form(partition: Partition) -> dict[str, Any]:
    form = dict(partition.form)
    # the columns are compared with the parent's; sizes of vectors differ by model
    form.pop("columns", None)
    for name in ("indexes added", "constraints added"):
        if name in form:
            form[name] = [re.sub(r"\d+", "N", text) for text in form[name]]
    return {"bounds": bound_form(partition.bound), **form}


def forms(partitions: Sequence[Partition]) -> list[dict[str, Any]]:
    """Return the distinct forms of *partitions*, in a stable order."""
    distinct = {
        json.dumps(form, sort_keys=True): form for form in map(_form, partitions)
    }
    return [distinct[text] for text in sorted(distinct)]


@dataclass(frozen=True, slots=True)
class Policy:
    """Whether new partitions are logged or unlogged, and since when."""

    persistence: str
    since: datetime


def faults(
    partitions: Sequence[Partition], parent: CatalogObject, policy: Policy | None
) -> list[str]:
    """Return what is wrong with single partitions, one line each.

    A partition is right when it belongs to the owner of its *parent*, carries no
    rights or policies for anybody else, is under row security where the parent is,
    has the parent's indexes, is logged or unlogged as *policy* says, and in
    everything else is like most of its siblings. What began before the policy was
    changed may be of the other persistence: nobody rewrites it unasked.
    """
    usual = {name: _most_common(partitions, name) for name in _ALIKE}
    usual["persistence"] = policy.persistence if policy else usual["persistence"]
    return [
        f"{partition.name}: {problem}"
        for partition in sorted(partitions, key=lambda p: p.name)
        for problem in chain(
            _against(partition, parent),
            _unlike(partition, _expected(partition, usual, policy)),
        )
    ]


def _expected(
    partition: Partition, usual: Mapping[str, Any], policy: Policy | None
) -> Mapping[str, Any]:
    if policy is None or not _began_before(partition.bound, policy.since):
        return usual
    return {**usual, "persistence": partition.form.get("persistence")}


def _began_before(bound: str, moment: datetime) -> bool:
    match = _RANGE.fullmatch(bound)
    if match is None:
        return False
    try:
        lower = datetime.fromisoformat(match[1])
    except ValueError:  # MINVALUE, a year before the first
        return True
    return (lower if lower.tzinfo else lower.replace(tzinfo=UTC)) < moment


def _most_common(partitions: Sequence[Partition], name: str) -> Any:
    counted = Counter(repr(p.form.get(name)) for p in partitions)
    text = counted.most_common(1)[0][0]
    return next(p.form.get(name) for p in partitions if repr(p.form.get(name)) == text)


def _against(partition: Partition, parent: CatalogObject) -> Iterator[str]:
    form, owner = partition.form, parent.properties["owner"]
    if partition.bound == "DEFAULT":
        yield "is a default partition"
    if partition.detaching:
        yield "is half detached"
    if form["owner"] != owner:
        yield f"belongs to {form['owner']}, its parent to {owner}"
    for flag in ("row security", "row security forced"):
        if parent.properties.get(flag) and not form.get(flag):
            yield f"is without {flag}"
    for name in ("column rights", "indexes missing"):
        if form.get(name):
            yield f"{name}: {change(None, form[name])}"
    yield from _doors(form, owner)


def _doors(form: Mapping[str, Any], owner: str) -> Iterator[str]:
    """Yield the ways past the parent: grants and policies for others than *owner*."""
    for right in form.get("rights", ()):
        if not right.startswith(f"{form['owner']}: "):
            yield f"grants {right}"
    for policy in form.get("policies", ()):
        if not policy.endswith(f" to {owner}"):
            yield f"has policy {policy}"


def _unlike(partition: Partition, usual: Mapping[str, Any]) -> Iterator[str]:
    # partitions by list differ on purpose: one embedding model, one index
    by_range = partition.bound.startswith("FOR VALUES FROM")
    for name in usual if by_range else _ALIKE_IN_LISTS:
        value = partition.form.get(name)
        if value != usual[name]:
            yield f"{name}: {change(usual[name], value)}"
