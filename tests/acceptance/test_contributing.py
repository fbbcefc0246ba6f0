"""The worked example of CONTRIBUTING.md, done as it says, in a copy of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.programs import CHECKOUT, SCRIPTS, run_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database

NOT_RUN = {"make test", "make up", "make check", "make help"}
FOLDERS = ("ai_platform", "commands", "migrations", "models", "seeds")
FILES = ("alembic.ini", "cli.py", "pyproject.toml")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of what a revision touches."""
    for folder in FOLDERS:
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    for file in FILES:
        shutil.copy(CHECKOUT / file, tmp_path / file)
    return tmp_path


def _blocks(language: str) -> list[str]:
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.slow
def test_the_worked_example_works(database: Database, copy: Path) -> None:
    """Model, revision, docstring, up, down, up, judged: each command as shown."""
    _add_the_column(copy)
    (docstring,) = _blocks("text")
    for command in "".join(_blocks("sh")).splitlines():
        line = command.split("  #")[0].strip()
        if line not in NOT_RUN:
            _succeeds(line, database, copy)
        if "revision --autogenerate" in line:
            _answer(copy, docstring)

    columns = database.connect().execute(
        "SELECT col_description('data_platform.datasets'::regclass, attnum)"
        " FROM pg_attribute WHERE attname = 'homepage'"
    )
    assert columns.fetchall() == [("Where people read about it",)]
    assert list((copy / "migrations" / "review").glob("*.up.sql"))
    page = copy / "docs" / "schema" / "data_platform.md"
    assert "Where people read about it" in page.read_text(encoding="utf-8")


def _add_the_column(copy: Path) -> None:
    (line,) = _blocks("python")
    path = copy / "models" / "data_platform" / "datasets.py"
    before = "    latest_version: Mapped[int]"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, line + before, 1), encoding="utf-8")


def _answer(copy: Path, docstring: str) -> None:
    """Replace the questions in the newest revision by the answers of the example."""
    shipped = {path.name for path in (CHECKOUT / "migrations/versions").glob("*.py")}
    (new,) = [
        path
        for path in (copy / "migrations" / "versions").glob("*.py")
        if path.name not in shipped
    ]
    text = new.read_text(encoding="utf-8")
    answered = re.sub(
        r"Why:.*?(?=\n\n|\"\"\")", docstring.strip(), text, flags=re.DOTALL
    )
    assert answered != text
    assert "as_owner()" in text
    new.write_text(answered, encoding="utf-8")


def _succeeds(command: str, database: Database, copy: Path) -> None:
    """Run *command* in the copy: its own cli and alembic.ini, our interpreter."""
    scripts = copy / "bin"
    scripts.mkdir(exist_ok=True)
    launcher = scripts / "platform"
    launcher.write_text(f"#!{sys.executable}\nfrom cli import app\napp()\n")
    launcher.chmod(0o755)
    environment = database.environment(PYTHONPATH=str(copy))
    environment["PATH"] = os.pathsep.join(
        [str(scripts), str(SCRIPTS), os.environ["PATH"]]
    )
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=copy,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_every_make_verb_shown_exists() -> None:
    """`make <verb>` in the documents names a target of the Makefile."""
    shown = {
        verb
        for name in ("README.md", "CONTRIBUTING.md")
        for verb in re.findall(
            r"^make ([a-z]+)", (CHECKOUT / name).read_text("utf-8"), re.MULTILINE
        )
    }
    done = run_program("make", "--no-print-directory", "help")

    assert shown
    assert shown <= {line.split()[0] for line in done.stdout.splitlines()}
