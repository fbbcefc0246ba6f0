"""The README is run as it stands: a first hour that fails is a lie."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT, SCRIPTS

if TYPE_CHECKING:
    from pathlib import Path

NOT_RUN = {
    "make test": "it is what runs this test",
    ". .venv/bin/activate": "the test puts the same folder on the PATH",
}
BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<body>.*?)```", re.DOTALL)


def _blocks(language: str, *names: str) -> list[str]:
    found = []
    for name in names:
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        found += [m["body"] for m in BLOCK.finditer(text) if m["language"] == language]
    return found


def _commands() -> list[str]:
    lines = [line for body in _blocks("sh", "README.md") for line in body.splitlines()]
    return [line.split("  #")[0].strip() for line in lines if line.strip()]


def test_the_commands_of_the_readme_work(folder: Path) -> None:
    """Each shell line of the README, in order, on a machine without a database."""
    environment = clean_environment(
        PLATFORM_PGDATA=str(folder / "pgdata"),
        PATH=f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
    )
    commands = _commands()
    assert commands[0] == "make up"
    try:
        for command in commands:
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
    assert set(NOT_RUN) - set(_commands()) == set()


def test_the_example_for_services_is_python() -> None:
    """The block that a service developer copies compiles and imports what exists."""
    (body,) = _blocks("python", "README.md")
    compile(body, "README.md", "exec")
    imports = [line for line in body.splitlines() if line.startswith("from ")]
    exec("\n".join(imports), {})  # noqa: S102 - our own README


def test_links_of_the_documents_lead_somewhere() -> None:
    """Every relative link in the documents names a file of the checkout."""
    documents = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")]
    broken = [
        f"{document.name}: {link}"
        for document in documents
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        if not (document.parent / link).exists()
    ]

    assert broken == []
