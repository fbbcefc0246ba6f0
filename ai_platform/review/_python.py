"""Whether a program is a Python at all, asked before it is given anything to do."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ai_platform.errors import BadValue

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["demand_python"]

_TIMEOUT_S: Final = 20.0
_OLDEST: Final = (3, 8)
_QUESTION: Final = "import sys; print('python', *sys.version_info[:2])"
_HINT: Final = "--python PATH/TO/VENV/bin/python"


def demand_python(program: Path) -> None:
    """Raise BadValue where *program* is no Python, or one older than 3.8."""
    words = _answer(program).split()
    if len(words) != 3 or words[0] != b"python":  # noqa: PLR2004 - as asked
        raise BadValue(f"{str(program)!r} is no Python", hint=_HINT)
    version = tuple(int(word) for word in words[1:])
    if version < _OLDEST:
        raise BadValue(
            f"{str(program)!r} is Python {version[0]}.{version[1]}",
            hint="the project needs Python 3.8 or newer to be reviewed",
        )


def _answer(program: Path) -> bytes:
    """Return what *program* says to the question: at most a line."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's interpreter
            [program, "-I", "-c", _QUESTION],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise BadValue(
            f"{str(program)!r} cannot be started: {error.strerror}", hint=_HINT
        ) from None
    with process:
        try:
            # nobody reads meanwhile: a program that says much fills the pipe and waits
            process.wait(_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return b""
        return os.read(process.stdout.fileno(), 64) if process.stdout else b""
