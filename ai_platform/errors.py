"""One error tree; the class decides the exit code of the command line.

    PlatformError           1  findings, or a fault nobody classified
    ├── BadValue            2  the user gave a value that cannot be used
    ├── CannotConnect       3  no server, wrong password, wrong database
    └── Refused             4  connected, but version, rights, drift or state forbid it

Texts are one line, lower-case, without a full stop and without a secret; *hint* is
the next step, in words or as a command.
"""

from __future__ import annotations

__all__ = ["BadValue", "CannotConnect", "PlatformError", "Refused"]


class PlatformError(Exception):
    """Something the person at the keyboard must know, with the next step."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(" ".join(message.split()))
        self.message = str(self)
        self.hint = hint


class BadValue(PlatformError):
    """A value from the command line or the environment cannot be used."""

    exit_code = 2


class CannotConnect(PlatformError):
    """No connection: no server, wrong password, wrong database."""

    exit_code = 3


class Refused(PlatformError):
    """The server answered, but this must not or cannot be done there."""

    exit_code = 4
