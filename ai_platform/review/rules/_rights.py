"""Who has which right on an object, as the catalog records it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PUBLIC", "rights_of"]

PUBLIC: Final = "PUBLIC"
_LISTS: Final = ("rights", "rights of PUBLIC")


def rights_of(properties: Mapping[str, Any] | None) -> dict[str, set[str]]:
    """Return the rights of each role on an object; the owner's do not count."""
    found: dict[str, set[str]] = {}
    for name in _LISTS:
        for text in (properties or {}).get(name) or ():
            role, _, rights = text.partition(": ")
            if role != (properties or {}).get("owner"):
                found.setdefault(role, set()).update(rights.split(", "))
    return found
