"""Run the project's programs as a person would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import zygote
from .environment import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHECKOUT", "SCRIPTS", "Run", "run_program"]

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
"""The folder of this interpreter's scripts: platform, alembic, …"""


def run_program(
    *argv: str | Path,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
    cwd: Path = CHECKOUT,
    timeout: float = 120,
    check: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run *argv* with *text* on stdin; a program of ours is that of this interpreter.

    Without *env* the environment is a clean one that knows no database.
    """
    environment = dict(clean_environment() if env is None else env)
    environment["PATH"] = f"{SCRIPTS}{os.pathsep}{environment.get('PATH', os.defpath)}"
    if zygote.can_run(argv, environment):
        done = zygote.run(
            argv, env=environment, text=text or "", cwd=cwd, timeout=timeout
        )
        return _checked(done, check=check)
    ours = SCRIPTS / argv[0]
    done = subprocess.run(
        [ours if ours.is_file() else argv[0], *argv[1:]],
        env=environment,
        input="" if text is None else text,
        cwd=cwd,
        timeout=timeout,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return _checked(done, check=check)


def _checked(
    done: subprocess.CompletedProcess[str], *, check: bool
) -> subprocess.CompletedProcess[str]:
    if check and done.returncode:
        said = f"{done.stdout}\n{done.stderr}"
        pytest.fail(f"{done.args}: exit {done.returncode}\n{said}")
    return done


class Run:
    """``run("platform", "status", env=…)`` gives a CompletedProcess with text."""

    __call__ = staticmethod(run_program)


@pytest.fixture
def run() -> Run:
    """Return the function that runs a program with a clean environment."""
    return Run()
