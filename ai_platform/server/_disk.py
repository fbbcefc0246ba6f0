"""What to say when the disk does not take the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_platform.errors import CannotConnect

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cannot_write"]


def cannot_write(folder: Path, error: OSError) -> CannotConnect:
    """Say why the disk under *folder* does not take the server."""
    reason = (error.strerror or type(error).__name__).lower()
    hint = (
        "free some space there"
        if "space" in reason
        else "make it writable, or set PLATFORM_PGDATA to a folder on another disk"
    )
    return CannotConnect(
        f"the embedded server cannot write to {folder}: {reason}", hint=hint
    )
