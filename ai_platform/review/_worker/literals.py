"""Values as PostgreSQL reads them, for drivers that do not write them themselves."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import Decimal
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Any
from uuid import UUID

__all__ = ["filled_in"]

NETWORKS = (
    *(IPv4Address, IPv4Interface, IPv4Network),
    *(IPv6Address, IPv6Interface, IPv6Network),
)


def filled_in(statement: str, parameters: Any, style: str) -> str:
    """Return *statement* with *parameters* in place of ``$1`` or ``%s``.

    Raises TypeError for a value or a style that is not known here.
    """
    if style == "numeric_dollar":
        values = [literal(value) for value in parameters]
        return re.sub(r"\$(\d+)", lambda at: values[int(at[1]) - 1], statement)
    if style == "format":
        return statement % tuple(literal(value) for value in parameters)
    raise TypeError("parameters of style " + style)


def literal(value: Any) -> str:
    """Return *value* as a literal; raises TypeError for what is not plain."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite()):
        # behind another minus it would begin a comment
        return "(" + str(value) + ")" if value < 0 else str(value)
    if isinstance(value, (list, tuple)):
        return literal("{" + ",".join(map(_element, value)) + "}")
    return _quoted(value)


def _element(value: Any) -> str:
    """Return *value* as it stands within the literal of an array."""
    if value is None:
        return "NULL"
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(map(_element, value)) + "}"
    text = _plain(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted(value: Any) -> str:
    quoted = _plain(value).replace("'", "''")
    if isinstance(value, str) and "\\" in quoted:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return "'" + quoted + "'"


def _plain(value: Any) -> str:
    """Return the text of *value*; raises TypeError for what is not plain."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, (date, time)):  # and datetime, which is a date
        return value.isoformat()
    if isinstance(value, (bool, int, float, Decimal, UUID, timedelta, *NETWORKS)):
        return str(value)
    if not isinstance(value, str):
        raise TypeError("a value of type " + type(value).__name__)
    return str(value)
