"""The README is run as it stands: a first hour that fails is a lie."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.documents import commands
from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT, SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

NOT_RUN = {
    "make test": "it is what runs this test",
    ". .venv/bin/activate": "the test puts the same folder on the PATH",
}


def test_the_commands_of_the_readme_work(folder: Path) -> None:
    """Each shell line of the README, in order, on a machine without a database."""
    environment = clean_environment(
        PLATFORM_PGDATA=str(folder / "pgdata"),
        PATH=f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
    )
    lines = commands("README.md")
    assert lines[0] == "make up"
    try:
        for command in lines:
            if command not in NOT_RUN:
                _succeeds(command, environment)
    finally:
        subprocess.run(["make", "down"], cwd=CHECKOUT, env=environment, check=False)


def _succeeds(command: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")


def test_exceptions_are_in_the_readme() -> None:
    """A command that is no longer in the README needs no excuse here."""
    assert set(NOT_RUN) - set(commands("README.md")) == set()


def _prose(document: Path) -> str:
    """Return the text of *document* without code, where brackets mean other things."""
    text = document.read_text(encoding="utf-8")
    return re.sub(r"```.*?```|(`+).+?\1", "", text, flags=re.DOTALL)


def test_links_of_the_documents_lead_somewhere() -> None:
    """Every relative link in the documents names a file of the checkout."""
    documents = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")]
    broken = [
        f"{document.name}: {link}"
        for document in documents
        for link in re.findall(r"\]\(([^)#:]+)\)", _prose(document))
        if not (document.parent / link).exists()
    ]

    assert broken == []
