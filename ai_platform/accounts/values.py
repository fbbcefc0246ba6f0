"""What a name, an address, a scope or a date may look like, before SQL sees it.

A value is taken verbatim or refused; nothing is trimmed, folded or repaired.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from ai_platform.errors import BadValue
from ai_platform.text import is_unsafe, quoted

__all__ = [
    "check_cidrs",
    "check_email",
    "check_scopes",
    "check_slug",
    "check_text",
    "check_username",
    "expiry",
]

_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\]\\.]+(\.[^\s@\"(),:;<>\[\]\\.]+)*")
_LABEL = re.compile(r"\w([\w-]*\w)?")
# the grammar of auth.permissions_valid; a test holds the two together
_SCOPE = re.compile(r"([a-z_]+|\*)(\.([a-z_]+|\*))?:([a-z_]+|\*)")
_DURATION = re.compile(r"([1-9][0-9]{0,4})([hdwy])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7, "y": 24 * 365}


def check_text(what: str, value: str, *, longest: int) -> str:
    """Return *value*: 1 to *longest* characters on one line, visible at both ends.

    Raises BadValue for control and reordering characters and text not in NFC.
    """
    if not value or value != value.strip():
        raise BadValue(
            f"{what} is empty or has space at an end, got {quoted(value)}",
            hint="give it without the space",
        )
    if len(value) > longest:
        raise BadValue(
            f"{what} is {len(value)} characters long",
            hint=f"use at most {longest} characters",
        )
    if any(map(is_unsafe, value)):
        raise BadValue(
            f"{what} has a control character or a stray byte, got {value!a}",
            hint="type it anew; a pasted text may hold what cannot be seen",
        )
    if not unicodedata.is_normalized("NFC", value):
        raise BadValue(
            f"{what} is not in Unicode normal form C, got {value!a}",
            hint=f"use {unicodedata.normalize('NFC', value)!r}",
        )
    return value


def check_username(value: str, *, email: str) -> str:
    """Return *value* as a login name.

    Raises BadValue; an ``@`` is allowed only in the person's own address, because
    a login is looked up by name and by address.
    """
    check_text("login name", value, longest=150)
    if "@" in value and value.lower() != email.lower():
        raise BadValue(
            f"login name looks like the address of somebody else, got {quoted(value)}",
            hint="leave out the @, or use the same text for --email",
        )
    return value


def check_email(value: str) -> str:
    """Return *value* as a mail address. Raises BadValue."""
    local, _, domain = value.rpartition("@")
    if (
        len(value) > 254  # noqa: PLR2004 - RFC 5321 and the column
        or not _LOCAL.fullmatch(local)
        or not all(_LABEL.fullmatch(label) for label in domain.split("."))
    ):
        raise BadValue(
            f"not a mail address, got {quoted(value)}", hint="write name@example.org"
        )
    return check_text("mail address", value, longest=254)


def check_slug(value: str) -> str:
    """Return *value* as the short name of an organization. Raises BadValue."""
    if not _SLUG.fullmatch(value):
        raise BadValue(
            f"not a short name for an organization, got {quoted(value)}",
            hint="use 1 to 63 of a-z, 0-9 and '-', a letter or digit at both ends",
        )
    return value


def check_scopes(values: list[str]) -> list[str]:
    """Return *values* without repeats, in order. Raises BadValue for the first bad."""
    for value in values:
        if not _SCOPE.fullmatch(value):
            raise BadValue(
                f"not a scope, got {quoted(value)}",
                hint="write schema.object:action, for example data_platform.*:read",
            )
    return list(dict.fromkeys(values))


def check_cidrs(values: list[str]) -> list[str]:
    """Return *values* as networks in canonical form. Raises BadValue."""
    return [_network(value) for value in values]


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError as error:
        cause = " (host bits are set)" if "host bits" in str(error) else ""
        raise BadValue(
            f"not a network{cause}, got {quoted(value)}",
            hint="write 10.0.0.0/8 or 2001:db8::/32",
        ) from None


def expiry(value: str, *, now: datetime) -> datetime:
    """Return the moment that *value* means: ``90d``, ``12h``, ``4w``, ``1y`` or ISO.

    A date without a zone is UTC. Raises BadValue, also for the past.
    """
    duration = _DURATION.fullmatch(value)
    try:
        if duration:
            hours = int(duration[1]) * _HOURS[duration[2]]
            return now + timedelta(hours=hours)
        moment = datetime.fromisoformat(value)
    except OverflowError:
        raise BadValue(
            f"expires too far away, got {quoted(value)}",
            hint="stay before the year 10000, or leave it out: the key does not expire",
        ) from None
    except ValueError:
        raise BadValue(
            f"not a duration or a date, got {quoted(value)}",
            hint="write 90d, 12h, 4w, 1y or 2030-01-31",
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment <= now:
        raise BadValue(
            f"expires in the past, got {quoted(value)}",
            hint="write 90d or a later date",
        )
    return moment
