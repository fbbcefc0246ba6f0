from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.main import get_command

import cli  # noqa: TID251 - tests look at the door itself
from commands._contents import LazyGroup, walk
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from tests.support.programs import Run

ROOT: Any = get_command(cli.app)
COMMANDS = {" ".join(path): command for path, command in walk(ROOT)}
# speaks for itself on the terminal: nothing is left to print as JSON
WITHOUT_JSON = {"db psql"}


def test_help_lists_every_command(run: Run) -> None:
    """`platform --help` names each command with one line of help, and succeeds."""
    done = run("platform", "--help")

    assert done.returncode == 0
    told = " ".join(done.stdout.split())  # long lines are folded
    for name, (_, line) in cli.Contents.table.items():
        assert f" {name} {line}" in told


def test_help_imports_no_body() -> None:
    """The table of contents stays fast: no command and no heavy library is loaded."""
    code = (
        "import sys, cli\n"
        "try: cli.app(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    loaded = set(done.stderr.split())
    heavy = {"rich", "pydantic", "psycopg", "sqlalchemy", "alembic", "models", "seeds"}
    assert not heavy & loaded
    assert not {m for m in loaded if m.startswith("commands.") and m[9] != "_"}


@pytest.mark.parametrize("name", cli.Contents.table)
def test_the_contents_quote_the_chapter(name: str) -> None:
    """The line in the table is the first line of the command's own help."""
    command = ROOT.commands[name]

    assert cli.Contents.table[name][1] == command.help.strip().splitlines()[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    """Help has a sentence and an example that begins as the command is typed."""
    command = COMMANDS[name]

    assert command.help
    assert "Example:" in (command.epilog or "")
    assert f"platform {name}" in command.epilog


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - WITHOUT_JSON))
def test_each_command_speaks_json(name: str) -> None:
    """Whatever a person can read, a program can."""
    options = {option for param in COMMANDS[name].params for option in param.opts}

    assert "--json" in options


@pytest.mark.parametrize("name", COMMANDS)
def test_no_secret_fits_the_command_line(name: str) -> None:
    """Passwords come from a prompt, stdin, a file or the environment."""
    for param in COMMANDS[name].params:
        if "password" in param.name:
            assert param.is_flag or param.name == "password_file"


@pytest.mark.parametrize("argv", [["--help"], ["user", "--help"], ["up", "--help"]])
def test_help_of_each_level_succeeds(run: Run, argv: list[str]) -> None:
    """Asking for help is never an error, at any level."""
    done = run("platform", *argv)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: platform" in done.stdout


def test_the_version_is_printed(run: Run) -> None:
    """Reports of faults begin with it."""
    done = run("platform", "--version")

    assert done.stdout.strip().count(".") == 2


@pytest.mark.parametrize(
    ("argv", "line", "hint"),
    [
        ([], "platform: missing command", "next: platform --help"),
        (["usr"], "platform: no such command 'usr'. Did you mean", "platform --help"),
        (["user", "crate"], "no such command 'crate'", "next: platform user --help"),
        (["user", "list", "--x"], "platform: no such option", "platform user list"),
        (["user", "create", "x"], "missing option '--email'", "user create --help"),
    ],
)
def test_a_slip_is_told_in_two_lines(
    run: Run, argv: list[str], line: str, hint: str
) -> None:
    """Usage errors exit 2 and name the help to read."""
    done = run("platform", *argv)

    *_, first, second = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert line in first
    assert hint in second


def test_a_fault_of_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected error shows no traceback and says how to get one."""

    class Broken(LazyGroup):
        """A table that names a module which is not there."""

        table = {"boom": ("commands.nowhere", "Fail.")}  # noqa: RUF012

    with pytest.raises(SystemExit) as left:
        get_command(typer.Typer(cls=Broken, callback=lambda: None))(["boom"])

    err = capsys.readouterr().err
    assert left.value.code == 1
    assert err.startswith("platform: unexpected ModuleNotFoundError")
    assert "PLATFORM_DEBUG=1" in err
    assert "Traceback" not in err


def test_a_reader_may_leave_early() -> None:
    """`platform … | head -1` ends without a word on stderr."""
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"'{sys.executable}' -c 'import cli; cli.app([\"--help\"])' | :",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("--help >&-", 0),
        ("--help <&- >&- 2>&-", 0),
        ("usr 2>&-", 2),
        ("docs build --nothing >&- 2>&-", 2),
        ("--help > /dev/full", 4),
        ("usr 2> /dev/full", 2),
    ],
)
def test_closed_streams_change_no_exit_code(run: Run, shell: str, code: int) -> None:
    """A service manager that closes stdout or stderr gets no traceback."""
    done = run("bash", "-c", f"platform {shell}")

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_the_command_reference_is_current() -> None:
    """docs/commands.md is what `platform docs build` writes."""
    from commands.docs import reference  # noqa: PLC0415 - imports every body

    written = (CHECKOUT / "docs" / "commands.md").read_text(encoding="utf-8")

    assert written == reference()
