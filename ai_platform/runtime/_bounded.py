"""Cut texts to what a column holds, without cutting a secret in two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ENOUGH", "LONGEST", "bounded"]

LONGEST: Final = 4096
"""Characters of one field that are kept."""
_OVERLAP: Final = 2048
ENOUGH: Final = LONGEST + _OVERLAP + 1
"""As many characters become the same field as any more of them."""


def bounded(
    text: str, redact: Callable[[str], str] | None = None, longest: int = LONGEST
) -> str:
    """Return *text* as a column of PostgreSQL takes it, redacted, not endless.

    A secret that is cut would not be known any more: what stands near the cut before
    redaction never gets into the result.
    """
    is_cut = len(text) > longest + _OVERLAP
    text = text[: longest + _OVERLAP]
    if redact is not None:
        text = redact(text)
    if is_cut:
        text = text[:-_OVERLAP]
    if is_cut or len(text) > longest:
        text = text[: longest - 1] + "…"
    if "\x00" in text:
        text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
