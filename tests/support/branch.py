"""Revisions that only a test knows, on top of the shipped ones or on their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .programs import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Branch"]

_INI = """[alembic]
script_location = {checkout}/migrations
prepend_sys_path = {checkout}
path_separator = newline
version_locations =
    {checkout}/migrations/versions
    {folder}
"""
_REVISION = '''"""{revision}

Why:   a test needs it.
Lock:  as the statement says.
Phase: expand
Back:  the statement given.
"""

from alembic import op
from migrations.ddl import *

revision = "{revision}"
down_revision = "{parent}"
branch_labels = None
depends_on = None


def upgrade():
    {up}


def downgrade():
    {down}
'''


class Branch:
    """An alembic.ini whose history goes on after the shipped head."""

    def __init__(self, folder: Path) -> None:
        from ai_platform.runner import offline  # noqa: PLC0415 - slow to import

        self._folder = folder / "versions"
        self._folder.mkdir()
        self.ini = folder / "alembic.ini"
        self.ini.write_text(
            _INI.format(checkout=CHECKOUT, folder=self._folder), encoding="utf-8"
        )
        known = offline.revisions()
        self.shipped = known[-1].id
        self.half = known[len(known) // 2].id
        self.head = self.shipped

    def add(self, revision: str, up: str, down: str = "pass") -> str:
        """Add a revision with the Python lines *up* and *down*; return its id."""
        text = _REVISION.format(revision=revision, parent=self.head, up=up, down=down)
        (self._folder / f"{revision}.py").write_text(text, encoding="utf-8")
        self.head = revision
        return revision

    def change(self, revision: str, old: str, new: str) -> None:
        """Replace *old* by *new* in a revision, as its author would."""
        path = self._folder / f"{revision}.py"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new))


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    """Return a history that goes on after the shipped head."""
    folder = tmp_path / "branch"
    folder.mkdir()
    return Branch(folder)
