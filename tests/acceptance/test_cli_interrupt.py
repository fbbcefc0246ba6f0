"""Ctrl-C at a bad moment is an answer of its own, never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.environment import clean_environment
from tests.support.programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

CTRL_C = "import os, signal; os.kill(os.getpid(), signal.SIGINT)\n"


def test_ctrl_c_while_loading_is_quiet(tmp_path: Path) -> None:
    """The first tenth of a second, when modules load, leaves with 130 and one line."""
    (tmp_path / "typer.py").write_text(f"{CTRL_C}raise SystemExit('went on')\n")
    env = clean_environment(PYTHONPATH=str(tmp_path))

    done = run_program("platform", "--help", env=env)

    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "platform: interrupted\n"


def test_ctrl_c_in_a_command_is_quiet(tmp_path: Path) -> None:
    """A command that loads its own modules answers the same."""
    (tmp_path / "psycopg").mkdir()
    (tmp_path / "psycopg" / "__init__.py").write_text(CTRL_C)
    env = clean_environment(
        PYTHONPATH=str(tmp_path), DATABASE_URL="postgresql://u@127.0.0.1:9/x"
    )

    done = run_program("platform", "org", "list", env=env)

    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "interrupted" in done.stderr
