"""The PB_ variables of a service, read without the settings of the command line.

Durations are written as Go writes them, because the first clients were Go programs.
"""

from __future__ import annotations

import os
import re
import socket
from typing import Final

from ai_platform.errors import BadValue

__all__ = ["KEEPALIVES", "conninfo", "count", "duration", "node_id", "seconds"]

KEEPALIVES: Final = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}
"""How libpq notices a dead peer: within about 20 seconds while idle, and within 5 when
data waits for its acknowledgement."""

_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "\N{MICRO SIGN}s": 1e-6,
    "\N{GREEK SMALL LETTER MU}s": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_COUNT: Final = re.compile("[0-9]{1,18}")
_HINT: Final = "write it as 2s, 500ms or 1m30s"


def seconds(text: str) -> float:
    """Return the seconds of a duration such as ``2s``, ``500ms`` or ``1h2m3.5s``.

    The form is that of Go's time.ParseDuration, without a sign: a number needs its
    unit, ``0`` does not. Raises BadValue.
    """
    if text == "0":
        return 0.0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise BadValue(f"not a duration: got {text!r}", hint=_HINT)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def duration(name: str, default: float) -> float:
    """Return the seconds in variable *name*; *default* where it is not set.

    Raises BadValue when they are not a duration above zero.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = seconds(text)
    except BadValue as error:
        raise BadValue(f"environment variable {name}: {error}", hint=_HINT) from None
    if value <= 0:
        raise BadValue(
            f"environment variable {name}: must be above zero, got {text!r}",
            hint=_HINT,
        )
    return value


def count(name: str, default: int) -> int:
    """Return the whole number above zero in variable *name*, or *default*.

    Raises BadValue when it is not one.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    # a number of more digits is not a size, and int() has a limit of its own
    if not _COUNT.fullmatch(text) or int(text) < 1:
        raise BadValue(
            f"environment variable {name}: not a whole number above zero, got {text!r}",
            hint=f"unset {name} or write it as {default}",
        )
    return int(text)


def node_id() -> str:
    """Return who this process is: PB_NODE_ID, or the name of the host."""
    return os.environ.get("PB_NODE_ID", "").strip() or socket.gethostname()


def conninfo(given: str | None = None) -> str:
    """Return *given*, DATABASE_URL or POSTGRES_URL as libpq takes it.

    The ``+psycopg`` that SQLAlchemy wants behind the scheme is taken off. Raises
    BadValue when there is none.
    """
    for text in (
        given,
        os.environ.get("DATABASE_URL"),
        os.environ.get("POSTGRES_URL"),
    ):
        if text:
            return text.replace("postgresql+psycopg://", "postgresql://", 1)
    raise BadValue(
        "no database named", hint="pass a connection string, or set DATABASE_URL"
    )
