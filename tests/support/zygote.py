"""Start our own programs from a process that has imported what they import.

A test session runs `platform` and `alembic` some hundred times, and each time the
imports cost more than the command. Here every run is still a process of its own, with
its own environment, streams, exit code and settings; only the imports are shared.
Tests about starting up, locales or signals use a whole interpreter instead.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["can_run", "run"]

PROGRAMS = ("alembic", "platform")
# an interpreter reads these before it runs anything: they need one of their own
_AT_START = ("PYTHON", "LC_", "LANG", "TZ")
_IMPORTS = (
    "alembic.command",
    "alembic.config",
    "cli",
    "models",
    "psycopg",
    "pydantic_settings",
    "sqlalchemy.dialects.postgresql.psycopg",
    "tests.support.zygote",
    "typer.main",
)


def can_run(argv: Sequence[str | Path], env: Mapping[str, str]) -> bool:
    """Return whether *argv* is ours and needs no interpreter of its own."""
    changed = {
        name for name in {*env, *os.environ} if env.get(name) != os.environ.get(name)
    }
    return argv[0] in PROGRAMS and not any(n.startswith(_AT_START) for n in changed)


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    text: str,
    cwd: Path,
    timeout: float,
) -> subprocess.CompletedProcess[str]:
    """Run *argv* in a fork of the prepared process.

    Raises subprocess.TimeoutExpired; the process is killed then.
    """
    words = [str(word) for word in argv]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTS))
    with tempfile.TemporaryDirectory(prefix="run-") as name:
        streams = [Path(name) / stream for stream in ("stdin", "stdout", "stderr")]
        streams[0].write_bytes(text.encode())
        process = context.Process(
            target=_become, args=(words, dict(env), str(cwd), [str(s) for s in streams])
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        out, err = (s.read_bytes().decode() if s.exists() else "" for s in streams[1:])
        return subprocess.CompletedProcess(words, process.exitcode, out, err)


def _become(
    words: list[str], env: dict[str, str], cwd: str, streams: list[str]
) -> None:
    """Be the program: environment, folder, streams and arguments, then its main."""
    flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_TRUNC] * 2)
    for number, (path, flag) in enumerate(zip(streams, flags, strict=True)):
        os.dup2(os.open(path, flag, 0o600), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = words
    if words[0] == "platform":
        from cli import app  # noqa: PLC0415, TID251 - what the script does

        app()
    else:
        from alembic.config import main  # noqa: PLC0415

        main(prog="alembic")
