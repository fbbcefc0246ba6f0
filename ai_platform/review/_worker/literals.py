"""Values as PostgreSQL reads them, for drivers that do not write them themselves."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

__all__ = ["filled_in"]


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
    if isinstance(value, (int, Decimal)):
        return str(value)
    return _quoted(value)


def _quoted(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "'\\x" + bytes(value).hex() + "'"
    if isinstance(value, (date, time)):  # and datetime, which is a date
        return "'" + value.isoformat() + "'"
    if isinstance(value, (float, UUID, timedelta)):
        return "'" + str(value) + "'"
    if not isinstance(value, str):
        raise TypeError("a value of type " + type(value).__name__)
    quoted = value.replace("'", "''")
    if "\\" in quoted:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return "'" + quoted + "'"
