"""The chain of revisions, read without Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from ai_platform.revision_files import RevisionFiles, read_revisions
from ai_platform.runner._preflight import OLDEST as OLDEST_TO_MIGRATE
from ai_platform.settings import CHECKOUT
from commands._standing import OLDEST

if TYPE_CHECKING:
    from pathlib import Path


def test_the_files_tell_what_alembic_tells() -> None:
    """Head and chain are those of Alembic's own reading."""
    scripts = ScriptDirectory.from_config(Config(str(CHECKOUT / "alembic.ini")))
    files = read_revisions()

    assert list(files.heads) == scripts.get_heads()
    assert {name: list(after) for name, after in files.after.items()} == {
        one.revision: [one.down_revision] if one.down_revision else []
        for one in scripts.walk_revisions()
    }


def test_what_is_missing_is_counted() -> None:
    """Nothing is missing at the head, everything before the first revision."""
    files = read_revisions()

    assert files.missing(files.heads) == set()
    assert files.missing([]) == set(files.after)


def test_a_merge_follows_both_parents(tmp_path: Path) -> None:
    """A revision may come after two; typed and untyped assignments are read."""
    texts = {
        "a": 'revision: str = "aa"\ndown_revision: str | None = None\n',
        "b": 'revision = "bb"\ndown_revision = "aa"\n',
        "c": 'revision = "cc"\ndown_revision = (\n    "aa",\n    "bb",\n)\n',
        "d": "# no revision\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)

    files = read_revisions(tmp_path)

    assert files == RevisionFiles({"aa": (), "bb": ("aa",), "cc": ("aa", "bb")})
    assert (files.heads, files.missing(["bb"])) == (("cc",), {"cc"})
    with pytest.raises(KeyError):
        files.missing(["ee"])


def test_one_age_of_servers_for_all() -> None:
    """Commands and runner refuse the same servers."""
    assert OLDEST == OLDEST_TO_MIGRATE
