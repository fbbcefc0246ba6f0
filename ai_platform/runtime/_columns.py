"""Which loose fields are columns of `request_logs`, and of which type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["taken"]

_INT4_LAST: Final = 2**31 - 1


def taken(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the columns among *fields*, in their type, and the rest.

    What does not fit its column stays in the rest: it is not lost. None is left out.
    """
    columns: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            continue
        try:
            columns[name] = _COLUMNS[name](value)
        except Exception:  # noqa: BLE001 - no such column, or somebody else's type
            rest[name] = value
    return columns, rest


def _number(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError("not a number")
    number = round(float(value))
    if not 0 <= number <= _INT4_LAST:
        raise ValueError("does not fit")
    return number


def _identity(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


_COLUMNS: Final[dict[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("url", "method", "auth", "remote_ip", "user_agent"), str),
    "referer": str,
    **dict.fromkeys(("status", "organization_id", "duration_ms"), _number),
    "trace_id": _identity,
}
