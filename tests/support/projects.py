"""Alembic projects that are not ours, copied for one test."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from .programs import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Shop"]

_REVISION = '''"""{title}"""

from alembic import op

revision = "{revision}"
down_revision = {parent!r}


def upgrade():
    {up}


def downgrade():
    {down}
'''


class Shop:
    """A copy of tests/projects/shop, to be edited at will; *ini* configures it."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(CHECKOUT / "tests" / "projects" / "shop", folder)
        self.folder = folder
        self.ini = folder / "alembic.ini"
        self.versions = folder / "migrations" / "versions"
        self.env = folder / "migrations" / "env.py"

    def add(
        self,
        revision: str,
        up: str,
        down: str = "pass",
        *,
        parent: str | None = "b8",
        title: str = "Change",
    ) -> Path:
        """Add a revision with the Python lines *up* and *down*; return its file."""
        path = self.versions / f"{revision}.py"
        text = _REVISION.format(
            revision=revision, parent=parent, up=up, down=down, title=title
        )
        path.write_text(text, encoding="utf-8")
        return path

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace *old*, which must be there, by *new* in *file*."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def git(self, *arguments: str) -> None:
        """Run Git in the folder, as nobody in particular."""
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        subprocess.run(
            ["git", *who, "-c", "init.defaultBranch=main", *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "state")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a copy of the shop."""
    return Shop(tmp_path / "shop")
