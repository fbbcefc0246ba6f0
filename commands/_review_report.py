"""How a review looks on a terminal: verdict, table, findings, colour where it can."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ai_platform.text import printable

from ._console import say, show

if TYPE_CHECKING:
    from ai_platform.review.reports.terminal import TerminalReport
    from ai_platform.review.reports.verdict import Risk

__all__ = ["show_review"]

_COLOURS: Final[dict[Risk, str]] = {
    "failed": "bold red",
    "unmeasured": "bold red",
    "error": "bold red",
    "warning": "bold yellow",
    "note": "bold cyan",
    "ok": "bold green",
}


def show_review(report: TerminalReport) -> None:
    """Print *report* to stdout: plain in a pipe, in colour on a terminal."""
    _head(report.headline, report.risk)
    say(report.scope)
    widest = max((len(question) for question, _ in report.short), default=0)
    for question, answer in report.short:
        say(f"{question + ':':{widest + 1}} {' '.join(answer.split())}")
    if report.rows:
        say()
        show(report.rows, as_json=False, columns=report.headings)
    for block in report.blocks:
        say()
        # accepted ones keep the terminal's own colour: nobody needs to act
        _head(block.head, block.risk)
        for line in block.lines:
            for part in line.splitlines() or [""]:
                say(f"  {part}")


def _head(text: str, risk: Risk) -> None:
    """Print one line in the colour of *risk*."""
    if not sys.stdout.isatty():
        say(" ".join(text.splitlines()))
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.text import Text  # noqa: PLC0415

    line = Text(printable(" ".join(text.splitlines())), style=_COLOURS[risk])
    Console(markup=False, highlight=False, soft_wrap=True).print(line)
