from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import BadValue
from ai_platform.settings import CHECKOUT
from commands._secret import PasswordSource, secrets_folders, write_secret

if TYPE_CHECKING:
    from pytest import MonkeyPatch  # noqa: PT013 - the type alone


def test_the_environment_beats_generating(monkeypatch: MonkeyPatch) -> None:
    """A password that was given is used, also where one would be made otherwise."""
    monkeypatch.setenv("PLATFORM_X", "from the environment")
    source = PasswordSource("ada", variable="PLATFORM_X", generate=True)

    assert source.get() == "from the environment"
    assert source.result == {}


def test_asking_does_not_generate(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """No file is written before the transaction that needs its password."""
    monkeypatch.setenv("PLATFORM_SECRETS", str(tmp_path / ".secrets"))
    source = PasswordSource("ada", generate=True)
    source.ask()
    assert list(tmp_path.iterdir()) == []

    password = source.get()
    assert password == source.get()
    [file] = (tmp_path / ".secrets").iterdir()
    assert file.read_text() == password + "\n"
    assert file.name == "ada.platform.embedded-no-embedded-server-password"


def test_a_password_has_one_source(tmp_path: Path) -> None:
    """Two options for one password are a slip, not a choice for us to make."""
    with pytest.raises(BadValue, match="one place only"):
        PasswordSource("ada", stdin=True, file=tmp_path)


def test_a_secret_overwrites_nothing(tmp_path: Path) -> None:
    """Each secret gets a new file that its owner alone can read."""
    first, second = (write_secret("a/../b", text, [tmp_path]) for text in ("1", "2"))

    assert [path.name for path in (first, second)] == [
        "a_.._b-password",
        "a_.._b-password-2",
    ]
    assert first.read_text() == "1\n"
    assert first.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_fails_is_named(tmp_path: Path) -> None:
    """Where the file cannot be kept, nothing is made and the way out is named."""
    blocker = tmp_path / "file"
    blocker.touch()
    with pytest.raises(BadValue, match="cannot keep the generated password") as caught:
        write_secret("ada", "secret", [blocker / "below"])

    assert "--password-stdin" in str(caught.value.hint)


def test_the_second_folder_is_taken(tmp_path: Path) -> None:
    """Where the checkout cannot be written, the state folder keeps the password."""
    (tmp_path / "file").touch()
    second = tmp_path / "state" / "ai-platform"
    path = write_secret("ada", "secret", [tmp_path / "file" / "below", second])

    assert path == second / "ada-password"
    assert second.stat().st_mode & 0o777 == 0o700


def test_secrets_are_kept_in_the_checkout(monkeypatch: MonkeyPatch) -> None:
    """Not beside the data, which may be anywhere, unless told so."""
    monkeypatch.setenv("PLATFORM_SECRETS", "")
    monkeypatch.setenv("PLATFORM_PGDATA", "/srv/data")
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/state")

    assert secrets_folders() == [CHECKOUT / ".secrets", Path("/srv/state/ai-platform")]


def test_a_failure_removes_the_file(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """A password that nobody got is not left lying about."""
    monkeypatch.setenv("PLATFORM_SECRETS", str(tmp_path))
    source = PasswordSource("ada", generate=True)
    with pytest.raises(BadValue, match="too late"), source:  # noqa: PT012
        source.get()
        raise BadValue("too late")

    assert (list(tmp_path.iterdir()), source.result) == ([], {})


def test_a_source_never_shows_its_secret(tmp_path: Path) -> None:
    """A traceback or a log that prints the object does not print the password."""
    file = tmp_path / "secret"
    file.write_text("hunter2-hunter2\n")
    source = PasswordSource("ada", file=file)

    assert source.get() == "hunter2-hunter2"
    assert "hunter2" not in repr(source)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_long_password_is_never_cut(tmp_path: Path, end: str) -> None:
    """What is longer than we read is refused; the longest we take arrives whole."""
    file = tmp_path / "secret"
    file.write_bytes(b"x" * 4096 + end.encode())
    assert PasswordSource("ada", file=file).get() == "x" * 4096

    file.write_bytes(b"x" * 4097 + end.encode())
    with pytest.raises(BadValue, match="longer than 4096") as caught:
        PasswordSource("ada", file=file).get()
    assert "xx" not in caught.value.message


def test_a_long_password_on_stdin_is_refused(monkeypatch: MonkeyPatch) -> None:
    """The same through a pipe, where a line ends the password."""
    for length in (4096, 4097):
        monkeypatch.setattr("sys.stdin", io.StringIO("x" * length + "\nmore\n"))
        source = PasswordSource("ada", stdin=True)
        if length == 4096:
            assert source.get() == "x" * 4096
        else:
            with pytest.raises(BadValue, match="from stdin is longer"):
                source.get()
