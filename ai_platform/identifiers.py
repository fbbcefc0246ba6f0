"""Names as SQL writes them: in quotes, and without."""

from __future__ import annotations

__all__ = ["quoted", "unquoted"]


def quoted(name: str) -> str:
    """Return *name* in quotes, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def unquoted(name: str) -> str:
    """Return *name*, in quotes or not, as it stands in the catalog."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
