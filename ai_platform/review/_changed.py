"""Which files differ from a Git ref: what a pull request adds or edits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from ai_platform.errors import BadValue

__all__ = ["changed_files", "place_in_repository"]

_TIMEOUT_S: Final = 60


def changed_files(folder: Path, ref: str) -> set[Path]:
    """Return the files in the repository of *folder* that are new or edited.

    Compared is the working tree with the commit where it parted from *ref*; files
    that Git does not know yet count, those that only moved do not.

    Raises BadValue without Git, outside a repository, or for an unknown *ref*.
    """
    if ref.startswith("-") or not ref:
        raise BadValue(f"not a Git ref: {ref!r}", hint="--git-base main")
    top = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    base = _base(folder, ref)
    status = _git(top, "diff", "--name-status", "-z", "-M", base, "--").split("\0")
    new = _git(top, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    names = [*_edited(status), *filter(None, new)]
    return {(top / name).resolve() for name in names}


def place_in_repository(folder: Path) -> str:
    """Return *folder* from the head of its repository, such as ``backend/``.

    Empty where it is the head itself, or where there is no repository or no Git.
    """
    try:
        return _git(folder, "rev-parse", "--show-prefix").removesuffix("\n")
    except BadValue:
        return ""


def _base(folder: Path, ref: str) -> str:
    """Return the commit where HEAD parted from *ref*, else that of *ref* itself."""
    try:
        commit = _git(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except BadValue:
        raise BadValue(
            f"Git knows no commit {ref!r}",
            hint="fetch it: a checkout of CI holds one commit only (fetch-depth: 0)",
        ) from None
    try:
        return _git(folder, "merge-base", commit.strip(), "HEAD").strip()
    except BadValue:  # unrelated, or nothing is committed yet
        return commit.strip()


def _edited(status: list[str]) -> list[str]:
    """Return the new names of added and edited files of ``--name-status -z``."""
    found: list[str] = []
    words = iter(filter(None, status))
    for letter in words:
        name = next(words)
        if letter[0] in "RC":
            name = next(words)
        if letter[0] != "D" and letter != "R100":
            found.append(name)
    return found


def _git(folder: Path, *arguments: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise BadValue("there is no git program", hint="install Git, or name A..B")
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, a ref that is no option
            [program, "-C", folder, *arguments],
            capture_output=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise BadValue(f"git {arguments[0]} took too long", hint="name A..B") from None
    if done.returncode:
        raise _refusal(folder, done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="surrogateescape")


def _refusal(folder: Path, told: str) -> BadValue:
    """Return what Git *told* of *folder*, whose advice stands in lines of its own."""
    lines = told.strip().splitlines() or ["git failed"]
    fault = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
    hint = "--git-base needs a Git repository; else name A..B"
    if "dubious ownership" in fault:
        hint = f"it is another user's; to trust it: {lines[-1].strip()}"
    return BadValue(f"{folder}: {fault.removeprefix('fatal: ')}", hint=hint)
