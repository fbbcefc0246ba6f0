"""Where a password comes from and where a generated one goes; never through argv."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

import typer

from ai_platform.errors import BadValue

from ._console import read_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Generate",
    "PasswordFile",
    "PasswordSource",
    "PasswordStdin",
    "secrets_folders",
    "write_secret",
]

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from stdin.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="Read the password from a file."),
]
Generate = Annotated[
    bool,
    typer.Option(
        "--generate",
        help="Make a password: shown on a terminal, else written to a 0600 file.",
    ),
]

_LONGEST = 4096
"""Characters of a password; the line end comes on top."""


@dataclass
class PasswordSource:
    """Finds the password of *username* when asked; remembers one it made itself.

    With *may_generate* it makes one where nobody can be asked; *is_new* asks twice.
    As a context it removes the file of a generated password when the work fails.
    """

    username: str
    stdin: bool = False
    file: Path | None = None
    variable: str | None = None
    generate: bool = False
    may_generate: bool = False
    is_new: bool = True
    advice: str = "use --password-stdin or --password-file"
    result: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    """What to tell about a generated password: the text or the name of its file."""
    _text: str | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.stdin + (self.file is not None) + self.generate > 1:
            raise BadValue(
                "the password can come from one place only",
                hint="one of --password-stdin, --password-file, --generate",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.discard()

    def discard(self) -> None:
        """Forget a generated password that nobody has now, and remove its file."""
        if file := self.result.get("password_file"):
            Path(file).unlink(missing_ok=True)
        self.result = {}

    def check_room(self) -> None:
        """Raise BadValue when a generated password could not be kept."""
        if self._makes and not _is_shown():
            self._kept("").unlink()

    def ask(self) -> None:
        """Read the password now, so that no transaction waits for a person.

        One to be generated is left for `get`. Raises BadValue where none can be had.
        """
        if self._text is None and not self._makes:
            self._text = self._read()

    def get(self) -> str:
        """Return the password; a generated one is in `result` from now on."""
        self.ask()
        if self._text is None:
            self._text = self._made()
        return self._text

    @property
    def _makes(self) -> bool:
        given = self.stdin or self.file or self._from_variable()
        alone = self.may_generate and not sys.stdin.isatty()
        return not given and (self.generate or alone)

    def _from_variable(self) -> str | None:
        return os.environ.get(self.variable) if self.variable else None

    def _read(self) -> str:
        if self.stdin:
            return _from_stdin()
        if self.file is not None:
            return _from_file(self.file)
        if text := self._from_variable():
            return text
        return read_secret(f"Password for {self.username}", twice=self.is_new)

    def _made(self) -> str:
        from ai_platform.accounts.passwords import (  # noqa: PLC0415 - rarely needed
            generate_password,
        )

        password = generate_password()
        if _is_shown():
            self.result = {"password": password}
        else:
            self.result = {"password_file": str(self._kept(password))}
        return password

    def _kept(self, password: str) -> Path:
        try:
            return write_secret(f"{self.username}.{place()}", password)
        except BadValue as error:
            raise BadValue(error.message, hint=self.advice) from None


def _is_shown() -> bool:
    """Return whether a generated password goes to the terminal, not to a file."""
    return sys.stdout.isatty()


def secrets_folders() -> list[Path]:
    """Return where generated secrets may go, best first; git knows none of them.

    PLATFORM_SECRETS alone when it is set; else the checkout, then the state folder
    of the person.
    """
    from ai_platform.settings import CHECKOUT, settings  # noqa: PLC0415 - slow

    given = settings().secrets
    if given is not None:
        return [given]
    # Path.expanduser() raises for somebody without a home
    home = os.path.expanduser("~/.local/state")  # noqa: PTH111
    state = os.environ.get("XDG_STATE_HOME") or home
    return [CHECKOUT / ".secrets", Path(state) / "ai-platform"]


def place() -> str:
    """Return a short name of the database meant, for the name of a file."""
    from ai_platform.connection import configured_by, resolve  # noqa: PLC0415 - slow
    from ai_platform.settings import Settings, settings  # noqa: PLC0415

    if configured_by() is None:
        data = settings().pgdata
        usual = data == Settings.model_fields["pgdata"].default
        return "platform.embedded" + ("" if usual else f"-{data.name}")
    target = resolve()
    server = urlsplit(target.url).netloc.rpartition("@")[2] or "local"
    return f"{target.database}.{server}"


def write_secret(name: str, secret: str, folders: Sequence[Path] | None = None) -> Path:
    """Write *secret* to a new 0600 file in the first folder that takes it.

    A file that exists is never touched: the name gets a number. Raises BadValue
    when no folder can be written.
    """
    stem = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".")[:90] + "-password"
    folders = secrets_folders() if folders is None else folders
    refusals = []
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _write_new(folder, stem, secret)
        except OSError as error:
            refusals.append(f"{folder}: {error.strerror}")
    raise BadValue(
        f"cannot keep the generated password in {' or '.join(refusals)}",
        hint="use --password-stdin or --password-file",
    )


def _write_new(folder: Path, stem: str, secret: str) -> Path:
    for number in range(1, 1000):
        path = folder / (stem if number == 1 else f"{stem}-{number}")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(secret + "\n")
        except BaseException:
            path.unlink()  # a full disk: half a password is none
            raise
        return path
    raise FileExistsError(17, "too many files of that name", str(folder / stem))


def _from_stdin() -> str:
    if sys.stdin.isatty():
        return read_secret("Password")
    return _line(sys.stdin.readline(_LONGEST + 3), "stdin")


def _from_file(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return _line(file.read(_LONGEST + 3), f"the file {path}")
    except OSError as error:
        raise BadValue(
            f"cannot read the password file {path}: {error.strerror}"
        ) from None
    except UnicodeDecodeError:
        raise BadValue(f"the password file {path} is not UTF-8") from None


def _line(text: str, source: str) -> str:
    """Return *text* without its line end.

    Raises BadValue for a longer text: half a password is another password.
    """
    text = text.removesuffix("\n").removesuffix("\r")
    if len(text) > _LONGEST:
        raise BadValue(
            f"the password from {source} is longer than {_LONGEST} characters",
            hint="is it the right file?",
        )
    return text
