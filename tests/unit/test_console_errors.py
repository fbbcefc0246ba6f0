from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError
from typer import Abort

from ai_platform.errors import BadValue, CannotConnect, PlatformError, Refused
from commands._errors import explain, report

if TYPE_CHECKING:
    from pytest import CaptureFixture, MonkeyPatch  # noqa: PT013 - the types alone


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PlatformError("x"), 1),
        (BadValue("x"), 2),
        (CannotConnect("x"), 3),
        (Refused("x"), 4),
        (CommandError("x"), 4),
        (psycopg.OperationalError("server closed the connection"), 3),
        (psycopg.errors.InsufficientPrivilege("x"), 4),
        (psycopg.errors.AdminShutdown("x"), 3),
        (psycopg.errors.LockNotAvailable("x"), 4),
        (KeyboardInterrupt(), 130),
        (Abort(), 130),
        (OSError(28, "No space left on device", "/x"), 4),
        (OSError(5, "Input/output error", "/x"), 1),
        (ZeroDivisionError("x"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_each_error_has_its_code(error: BaseException, code: int) -> None:
    """Scripts branch on the exit code; the table of the README holds."""
    assert code == explain(error).exit_code


def test_a_missing_table_names_the_upgrade() -> None:
    """A database from before the first upgrade says what to run."""
    failure = explain(psycopg.errors.UndefinedTable('relation "x" does not exist'))

    assert failure.hint == "platform db upgrade"


def test_parameters_of_a_statement_stay_inside() -> None:
    """SQLAlchemy's text holds the statement with its values; ours does not."""
    inner = psycopg.errors.NotNullViolation("null value in column")
    error = DBAPIError("INSERT … VALUES (%s)", ("hunter2-secret",), inner)

    assert "hunter2" not in explain(error).message


def test_a_password_in_a_url_is_masked(capsys: CaptureFixture[str]) -> None:
    """Whatever library quotes the URL, its password does not reach the terminal."""
    failure = explain(ValueError("bad: postgresql://me:hunter2@host/db"))
    report(failure, as_json=False)

    err = capsys.readouterr().err
    assert "postgresql://me:***@host/db" in err
    assert "hunter2" not in err


def test_an_error_is_two_lines(capsys: CaptureFixture[str]) -> None:
    """One line what happened, one line what to do; stdout stays clean."""
    code = report(explain(BadValue("got\nnothing", hint="try")), as_json=False)

    assert (
        code,
        capsys.readouterr(),
    ) == (2, ("", "platform: got nothing\nnext: try\n"))


def test_json_errors_are_one_object(capsys: CaptureFixture[str]) -> None:
    """With --json a program parses failures as well."""
    report(explain(Refused("no", hint="yes")), as_json=True)

    told = json.loads(capsys.readouterr().err)
    assert told == {"error": "no", "next": "yes", "exit_code": 4}


def test_a_traceback_needs_the_switch(
    capsys: CaptureFixture[str], monkeypatch: MonkeyPatch
) -> None:
    """People see one line; PLATFORM_DEBUG=1 shows developers the rest."""
    report(explain(KeyError("k")), as_json=False)
    assert "Traceback" not in capsys.readouterr().err.replace("KeyError", "")

    monkeypatch.setenv("PLATFORM_DEBUG", "1")
    report(explain(KeyError("k")), as_json=False)
    assert "KeyError: 'k'" in capsys.readouterr().err
