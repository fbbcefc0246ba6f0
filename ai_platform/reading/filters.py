"""Which requests are meant: bounds of time, always, and what the reader asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from ai_platform.errors import BadValue
from ai_platform.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from .window import Window

__all__ = ["TABLE", "Filters", "naive", "statuses", "where"]

TABLE: Final = "public.request_logs"

_HIGHEST: Final = 2**31 - 1
_STATUS: Final = re.compile(r"(>=|<=|>|<)?([0-9]{3})|([1-9])xx|([0-9]{3})-([0-9]{3})")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a row must match; None and empty ask for nothing.

    *status* holds ranges made by `statuses`. *url* is the beginning of one, and with
    a ``*`` a pattern for the whole of it; *auth* is exact, and with a ``*`` a pattern.
    """

    status: Sequence[tuple[int, int] | None] = ()
    auth: str | None = None
    method: str | None = None
    url: str | None = None
    organization_id: int | None = None


def statuses(texts: Sequence[str]) -> list[tuple[int, int] | None]:
    """Return the ranges that *texts* name, both ends included; None is: no status.

    A text is ``5xx``, ``404``, ``>=400``, ``200-299`` or ``none``, or several of
    them with commas. Raises BadValue.
    """
    parts = [part.strip() for text in texts for part in text.split(",")]
    return [_status(part) for part in parts]


def where(window: Window, filters: Filters) -> tuple[sql.Composed, dict[str, Any]]:
    """Return the conditions after WHERE and their parameters.

    The bounds of `created` stand first: by them partitions are left out. Raises
    BadValue for a text that PostgreSQL cannot hold.
    """
    values: dict[str, Any] = {"since": naive(window.since)}
    parts: list[sql.Composable] = [sql.SQL("created >= %(since)s")]
    if window.until is not None:
        values["until"] = naive(window.until)
        parts.append(sql.SQL("created < %(until)s"))
    for name, part, value in _texts(filters):
        values[name] = _storable(name, value)
        parts.append(part)
    if filters.organization_id is not None:
        values["org"] = filters.organization_id
        parts.append(sql.SQL("organization_id = %(org)s"))
    if filters.status:
        parts.append(_any_status(filters.status, values))
    return sql.SQL(" AND ").join(parts), values


def naive(at: datetime) -> datetime:
    """Return *at*, which is UTC, as `created` is stored: without its zone."""
    return at.replace(tzinfo=None)


def _texts(filters: Filters) -> Iterator[tuple[str, sql.SQL, str]]:
    if filters.auth is not None:
        if "*" in filters.auth:
            yield "auth", sql.SQL("auth LIKE %(auth)s"), _like(filters.auth)
        else:
            yield "auth", sql.SQL("auth = %(auth)s"), filters.auth
    if filters.method is not None:
        yield "method", sql.SQL("upper(method) = %(method)s"), filters.method.upper()
    if filters.url is not None:
        if "*" in filters.url:
            yield "url", sql.SQL("url LIKE %(url)s"), _like(filters.url)
        else:
            yield "url", sql.SQL("starts_with(url, %(url)s)"), filters.url


def _like(pattern: str) -> str:
    """Return *pattern* for LIKE: only a star stands for anything."""
    return re.sub(r"([\\%_])", r"\\\1", pattern).replace("*", "%")


def _storable(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadValue(
            f"--{name} is not text in UTF-8: got {quoted(value)}",
            hint="percent-encode bytes that are no text",
        ) from None
    return value


def _any_status(
    ranges: Sequence[tuple[int, int] | None], values: dict[str, Any]
) -> sql.Composed:
    parts = []
    for number, one in enumerate(ranges):
        if one is None:
            parts.append(sql.SQL("status IS NULL"))
            continue
        low, high = f"low{number}", f"high{number}"
        values[low], values[high] = one
        parts.append(sql.SQL(f"status BETWEEN %({low})s AND %({high})s"))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(parts))


def _status(text: str) -> tuple[int, int] | None:
    if text.lower() == "none":
        return None
    found = _STATUS.fullmatch(text.lower())
    if found is None or (found[4] or "") > (found[5] or ""):
        raise BadValue(
            f"not a status: got {quoted(text)}",
            hint="write it as 404, 5xx, '>=400', 200-299 or none",
        )
    sign, code, hundred, low, high = found.groups()
    if hundred:
        return int(hundred) * 100, int(hundred) * 100 + 99
    if low:
        return int(low), int(high)
    number = int(code)
    return {
        None: (number, number),
        ">=": (number, _HIGHEST),
        ">": (number + 1, _HIGHEST),
        "<=": (0, number),
        "<": (0, number - 1),
    }[sign]
