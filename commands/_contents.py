"""A command group that imports a command only when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TextIO, cast

from typer.core import TyperGroup
from typer.main import get_command

from . import _interrupt
from ._errors import EXIT_INTERRUPTED, EXIT_READER_LEFT, explain, report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typer._click import Command, Context, HelpFormatter

__all__ = ["LazyGroup"]


class _Loaded(MutableMapping[str, "Command"]):
    """The commands by name; a body is imported by the first look at its name."""

    def __init__(self, table: Mapping[str, tuple[str, str]]) -> None:
        self._table = table
        self._made: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._made:
            self._made[name] = _load(self._table[name][0])
        return self._made[name]

    def __setitem__(self, name: str, command: Command) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands come from a table")

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def __contains__(self, name: object) -> bool:
        # the inherited one would import the body to find out
        return name in self._table


def _load(location: str) -> Command:
    """Return the command at *location*: ``module`` or ``module:command``.

    The module calls its Typer object ``app``.
    """
    module, _, name = location.partition(":")
    command = get_command(import_module(module).app)
    return cast("Any", command).commands[name] if name else command


class LazyGroup(TyperGroup):
    """A group whose help needs only its table; every error leaves in one line."""

    table: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Name to (module or module:command, one line of help)."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": None})
        self.commands = _Loaded(self.table)

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the names without importing anything."""
        del ctx
        return list(self.table)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the table of contents from the one-line helps."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.table.items()])

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        **extra: Any,
    ) -> None:
        """Run a command line and leave the process with its exit code."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra = {**extra, "prog_name": "platform", "standalone_mode": False}
        _open_what_is_closed()
        for stream in (sys.stdout, sys.stderr):
            # a name that the terminal cannot show must not end the command
            cast("Any", stream).reconfigure(errors="backslashreplace")
        sys.exit(self._run(arguments, extra))

    def _run(self, arguments: list[str], extra: dict[str, Any]) -> int:
        as_json = "--json" in arguments
        stdout = sys.stdout
        try:
            _interrupt.hand_over()
            code = int(super().main(args=arguments, **extra) or 0)
            sys.stdout.flush()
        except BrokenPipeError:
            _drop_output(stdout)
            return EXIT_READER_LEFT
        except SystemExit as left:
            if sys.stdout is not stdout:
                # Typer puts another stream there when the reader of a pipe has left
                _drop_output(stdout)
                return EXIT_READER_LEFT
            return left.code if isinstance(left.code, int) else 1
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence
            if isinstance(error, OSError):
                _drop_output(stdout)
            return report(explain(error), as_json=as_json)
        if code == EXIT_INTERRUPTED:
            return report(explain(KeyboardInterrupt()), as_json=as_json)
        return code


def _open_what_is_closed() -> None:
    """Give a standard stream that the shell has closed (``>&-``) a place to write to.

    Otherwise the next file or connection would become stdout.
    """
    missing = [name for name in ("stdin", "stdout", "stderr") if not _is_open(name)]
    if not missing:
        return
    handle = os.open(os.devnull, os.O_RDWR)
    while handle <= 2:  # noqa: PLR2004 - the three standard streams
        handle = os.open(os.devnull, os.O_RDWR)
    os.close(handle)
    for name in missing:
        mode = "r" if name == "stdin" else "w"
        stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - for good
        setattr(sys, name, stream)


def _is_open(name: str) -> bool:
    return getattr(sys, name) is not None


def _drop_output(stdout: TextIO) -> None:
    """Throw away what could not be written, or Python would try again at the end."""
    with suppress(OSError, ValueError):
        stdout.flush()
        return
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())


def walk(group: TyperGroup, *path: str) -> Iterator[tuple[tuple[str, ...], Command]]:
    """Yield every command below *group* with its path; imports all bodies."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from walk(command, *path, name)
        else:
            yield (*path, name), command
