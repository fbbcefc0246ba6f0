from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ai_platform.amounts import in_bytes
from ai_platform.errors import BadValue
from ai_platform.text import printable
from commands._console import confirm, example, note, progress, read_secret, show
from commands._text import pad, width

if TYPE_CHECKING:
    from pytest import CaptureFixture  # noqa: PT013 - the type alone


@dataclass
class Planet:
    """Something with a name and a date."""

    name: str
    seen: datetime | None = None


DAY = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def test_a_pipe_gets_aligned_text(capsys: CaptureFixture[str]) -> None:
    """Columns line up without a frame, so that awk and a person read them."""
    show([Planet("Mars", DAY), Planet("Jupiter")], as_json=False)

    assert capsys.readouterr().out.splitlines() == [
        "name     seen",
        "Mars     2026-02-03 04:05:06+00:00",
        "Jupiter  -",
    ]


def test_wide_characters_keep_their_columns(capsys: CaptureFixture[str]) -> None:
    """A Chinese name takes two cells a character, a combining mark none."""
    show([{"a": "地球", "b": 1}, {"a": "e\u0301", "b": 2}], as_json=False)

    assert capsys.readouterr().out == "a     b\n地球  1\ne\u0301     2\n"


@pytest.mark.parametrize(
    ("cells", "shown"),
    [(80, "  planet"), (60, "  planet"), (40, "planet  "), (1, "planet  ")],
)
def test_a_narrow_terminal_gets_rows_downwards(
    capsys: CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    cells: int,
    shown: str,
) -> None:
    """No word is cut but in the widest column; else it is a line for each field."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(cells))
    names = [f"planet number {n}" for n in range(2)]
    rows = [{"planet": n, "star": "Betelgeuse", "seen": "x" * 99} for n in names]
    show(rows, as_json=False)

    text = capsys.readouterr().out
    assert all(name in text for name in names)
    assert any(line.startswith(shown) for line in text.splitlines())


def test_json_keeps_every_key(capsys: CaptureFixture[str]) -> None:
    """Columns choose what people see; a program gets all, dates in ISO form."""
    show([Planet("Mars", DAY)], as_json=True, columns=["name"])

    expected = [{"name": "Mars", "seen": "2026-02-03T04:05:06+00:00"}]
    assert expected == json.loads(capsys.readouterr().out)


def test_one_record_is_one_json_object(capsys: CaptureFixture[str]) -> None:
    """A single result is an object, not a list of one."""
    show({"age": timedelta(hours=1), "hash": b"\x01\xff"}, as_json=True)

    assert json.loads(capsys.readouterr().out) == {"age": 3600.0, "hash": "01ff"}


def test_one_record_reads_downwards(capsys: CaptureFixture[str]) -> None:
    """A single result is shown as lines of name and value."""
    show({"is_ready": True, "hosts": ["a", "b"]}, as_json=False)

    assert capsys.readouterr().out == "is ready  yes\nhosts     a, b\n"


def test_nothing_is_said_on_stderr(capsys: CaptureFixture[str]) -> None:
    """An empty result leaves stdout empty, so that a script counts no line."""
    show([], as_json=False, empty="no planets")

    assert capsys.readouterr() == ("", "no planets\n")


def test_nothing_in_json_is_an_empty_list(capsys: CaptureFixture[str]) -> None:
    """A program that parses the answer needs no special case."""
    show([], as_json=True)

    assert capsys.readouterr().out == "[]\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb", "a\\nb"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\udc80", "\\udc80"),
        ("naïve 👩‍🚀 שלום", "naïve 👩‍🚀 שלום"),
    ],
)
def test_no_name_steers_the_terminal(text: str, shown: str) -> None:
    """Control and reordering characters are spelled out, other writing is not."""
    assert shown == printable(text)


def test_a_note_cannot_steer_the_terminal(capsys: CaptureFixture[str]) -> None:
    """Remarks quote names too."""
    note("hello \x07")

    assert capsys.readouterr().err == "hello \\x07\n"


def test_padding_counts_cells() -> None:
    """Padding ends at the cell asked for, whatever the writing."""
    assert [width(pad(text, 6)) for text in ("abc", "地球")] == [6, 6]


def test_no_terminal_means_no_question() -> None:
    """A script that nobody watches is told the option, it does not hang."""
    with pytest.raises(BadValue, match="nobody is here") as caught:
        confirm("Sure?", yes=False)

    assert caught.value.hint == "add --yes"


def test_no_terminal_means_no_prompt() -> None:
    """A secret is never read from a stdin that nobody said holds it."""
    with pytest.raises(BadValue, match="no terminal"):
        read_secret("Password")


def test_progress_is_silent_in_a_pipe(capsys: CaptureFixture[str]) -> None:
    """A log file gets no spinner."""
    with progress("counting") as tell:
        tell("counting: 3 rows")

    assert capsys.readouterr() == ("", "")


def test_an_example_keeps_its_lines() -> None:
    """Typer refills paragraphs unless the mark says not to."""
    assert example("platform up", "platform down") == (
        "\b\nExample:\n  platform up\n  platform down"
    )


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (None, None),
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 kB"),
        (5 * 1024**3, "5.0 GB"),
        (3 * 1024**5, "3072.0 TB"),
    ],
)
def test_sizes_have_a_unit(size: int | None, told: str | None) -> None:
    """Nobody counts the digits of a size in bytes."""
    assert in_bytes(size) == told
