"""How commands talk: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Annotated, Any, Final, cast

import typer

from ai_platform.errors import BadValue
from ai_platform.text import is_unsafe, printable

from ._text import pad, width

__all__ = [
    "AsJson",
    "DryRun",
    "Yes",
    "confirm",
    "example",
    "group",
    "json_safe",
    "json_text",
    "note",
    "progress",
    "read_secret",
    "say",
    "show",
]

_NARROWEST_FOLDED: Final = 24
_FRAME: Final = 3
"""Cells that a table takes for the gap beside each column."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, change nothing.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def group(help: str) -> typer.Typer:  # noqa: A002 - Typer's own word
    """Return a command group in the house style: plain help, no completion."""
    return typer.Typer(
        help=help,
        rich_markup_mode=None,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )


def example(*lines: str) -> str:
    """Return the epilog of a command's help that shows *lines* as typed."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


def say(text: str = "") -> None:
    """Print a line of the result to stdout."""
    print(printable_lines(text))  # noqa: T201 - this is the printer


def note(text: str) -> None:
    """Print a remark to stderr, where it does not disturb a pipe."""
    print(printable_lines(text), file=sys.stderr)  # noqa: T201 - this is the printer


def printable_lines(text: str) -> str:
    """Return *text* without terminal control, its own line ends kept."""
    return "\n".join(printable(line) for line in text.split("\n"))


def show(
    rows: object,
    *,
    as_json: bool,
    columns: Sequence[str] | Mapping[str, str] | None = None,
    title: str | None = None,
    empty: str = "nothing to show",
) -> None:
    """Print *rows*: a table on a terminal, aligned text in a pipe, or JSON.

    *rows* is one mapping or dataclass, or an iterable of them. *columns* names the
    keys to show, or maps them to headings; JSON holds every key.
    """
    if isinstance(rows, Mapping) or is_dataclass(rows):
        _show_one(_record(rows), as_json, columns)
        return
    records = [_record(row) for row in cast("Iterable[object]", rows)]
    if as_json:
        _print_json(records)
    elif records:
        _print_rows(records, _headings(columns, records[0]), title)
    else:
        note(empty)


def _show_one(
    record: dict[str, Any],
    as_json: bool,  # noqa: FBT001 - private
    columns: Sequence[str] | Mapping[str, str] | None,
) -> None:
    if as_json:
        _print_json(record)
        return
    # never a table: a terminal would fold a long key, and nobody could copy it
    rows = [
        [head, _cell(record[key])] for key, head in _headings(columns, record).items()
    ]
    _print_text(rows)


@contextmanager
def progress(label: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that *label* is going on; elsewhere show nothing.

    What it gives is called with another label when that is going on by now.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import

    console = Console(stderr=True, markup=False)
    spinner = "line" if console.options.ascii_only else "dots"
    with console.status(printable(label), spinner=spinner) as status:
        yield lambda text: status.update(printable(text))


def confirm(question: str, *, yes: bool) -> None:
    """Ask *question* unless *yes*; anything but y ends the command (130).

    Raises BadValue where nobody can answer.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadValue("nobody is here to confirm", hint="add --yes")
    typer.confirm(printable(question), abort=True, err=True)


def read_secret(prompt: str, *, twice: bool = False) -> str:
    """Return a secret typed without echo; *twice* asks again and compares.

    Raises BadValue without a terminal, or when the two differ.
    """
    if not sys.stdin.isatty():
        raise BadValue(
            "no terminal to ask for the password",
            hint="use --password-stdin or --password-file",
        )
    from getpass import getpass  # noqa: PLC0415 - only where a person types

    secret = getpass(f"{prompt}: ")
    if twice and getpass(f"{prompt} again: ") != secret:
        raise BadValue("the two passwords differ", hint="type the same one twice")
    return secret


def _record(row: object) -> dict[str, Any]:
    if is_dataclass(row) and not isinstance(row, type):
        return asdict(row)
    if hasattr(row, "_asdict"):
        return dict(row._asdict())
    return dict(cast("Mapping[str, Any]", row))


def _headings(
    columns: Sequence[str] | Mapping[str, str] | None, first: Mapping[str, Any]
) -> dict[str, str]:
    if isinstance(columns, Mapping):
        return dict(columns)
    return {key: key.replace("_", " ") for key in (columns or first)}


def _plain(value: object) -> object:
    """Return *value* as JSON has it: dates ISO, durations in seconds."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def _cell(value: object) -> str:
    text = _plain(value)
    if value is None:
        text = "-"
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, datetime):
        text = value.isoformat(sep=" ", timespec="seconds")
    elif isinstance(value, timedelta):
        text = value
    elif isinstance(value, list | tuple):
        text = ", ".join(_cell(item) for item in value)
    return printable(str(text))


def _print_json(value: object) -> None:
    print(json_text(value, indent=2))  # noqa: T201 - this is the printer


def json_text(value: object, *, indent: int | None = None) -> str:
    """Return *value* as JSON that no terminal obeys, whatever its texts hold."""
    text = json.dumps(value, default=_plain, ensure_ascii=False, indent=indent)
    return "\n".join(json_safe(line) for line in text.split("\n"))


def json_safe(text: str) -> str:
    """Return a line of JSON with unsafe characters spelled as JSON spells them."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{ord(char):04x}" if is_unsafe(char) else char for char in text)


def _print_rows(
    records: Iterable[Mapping[str, Any]], headings: dict[str, str], title: str | None
) -> None:
    rows = [[_cell(record.get(key)) for key in headings] for record in records]
    heads = list(headings.values())
    if not sys.stdout.isatty():
        _print_text([heads, *rows])
    elif widths := _fitted(heads, rows, shutil.get_terminal_size().columns):
        _print_table(dict(zip(heads, widths, strict=True)), rows, title)
    else:
        _print_blocks(heads, rows, title)


def _fitted(heads: list[str], rows: list[list[str]], cells: int) -> list[int] | None:
    """Return widths of columns in which no word is cut but in the widest; else None."""
    columns = list(zip(heads, *rows, strict=True))
    wanted = [max(map(width, column)) for column in columns]
    widths = [max(map(width, " ".join(column).split())) for column in columns]
    widest = widths.index(max(widths))
    widths[widest] = min(widths[widest], _NARROWEST_FOLDED)
    room = cells - sum(widths) - _FRAME * len(columns) - 1
    if room < 0:
        return None
    for n in sorted(range(len(columns)), key=lambda n: wanted[n] - widths[n]):
        more = min(room, wanted[n] - widths[n])
        widths[n] += more
        room -= more
    return widths


def _print_blocks(heads: list[str], rows: list[list[str]], title: str | None) -> None:
    """Print each row downwards: a name that is folded cannot be copied."""
    if title:
        say(title)
    for number, row in enumerate(rows):
        if number:
            say()
        _print_text([list(pair) for pair in zip(heads, row, strict=True)])


def _print_text(lines: list[list[str]]) -> None:
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [pad(cell, size) for cell, size in zip(line, widths, strict=True)]
        say("  ".join(cells).rstrip())


def _print_table(
    heads: Mapping[str, int], rows: list[list[str]], title: str | None
) -> None:
    """Draw with Rich; cells are Text, so that ``[bold]`` in a name stays a name."""
    from rich import box  # noqa: PLC0415 - slow to import
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title, box=box.SIMPLE_HEAD)
    for head, cells in heads.items():
        table.add_column(Text(head), width=cells, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(markup=False, highlight=False).print(table)
