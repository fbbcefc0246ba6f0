"""What the server says of a failed statement, in one line that is always the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_platform.connection import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["words_of"]

_LONGEST: Final = 500
# Values differ from run to run: workers of one sort race, defaults read the clock.
_ROW: Final = re.compile(r"failing row contains", re.IGNORECASE)
_KEY: Final = re.compile(
    r"\b(key \(.+?\))=\(.*\)(?=[\s,.]|$)", re.IGNORECASE | re.DOTALL
)
# Numbers of processes and transactions do so too, and paths are the server's own.
_OF_THE_SERVER: Final = re.compile(
    r"\b(?:process|transaction|PID|OID) \d|server log|could not (?:open|access|stat)",
    re.IGNORECASE,
)


def words_of(error: BaseException) -> str:
    """Return the first line of *error* with the DETAIL and HINT of PostgreSQL.

    Without values of rows, and without what only this one server knows; at most 500
    characters.
    """
    told = "; ".join(dict.fromkeys((first_line(error), *_more(error))))
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 2]} …"


def _more(error: BaseException) -> Iterator[str]:
    diag = getattr(error, "diag", None)
    for part in ("message_detail", "message_hint"):
        text = getattr(diag, part, None) or ""
        if _ROW.search(text) or _OF_THE_SERVER.search(text):
            continue
        lines = _KEY.sub(r"\1", text).strip().splitlines()
        if lines:
            yield ", ".join(line.strip() for line in lines).rstrip(".")
