"""Which revisions a pull request brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import BadValue
from ai_platform.review import projects

if TYPE_CHECKING:
    from ai_platform.review.projects import Project
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow


def names(project: Project) -> list[str]:
    """Return the ids of what is to be reviewed."""
    return [source.revision for source in project.revisions]


def test_a_pull_request_is_its_revisions(shop: Shop) -> None:
    """Committed, edited and not yet known files count since the branch began."""
    shop.git("init", "--quiet")
    shop.commit()
    assert names(projects.read(shop.ini, git_base="main")) == []
    shop.git("switch", "--quiet", "--create", "work")
    shop.add("x1", "op.execute('SELECT 1')")
    shop.commit()
    shop.add("x2", "op.execute('SELECT 2')", parent="x1")
    assert names(projects.read(shop.ini, git_base="main")) == ["x1", "x2"]
    shop.replace("migrations/versions/a7_price_in_cents.py", "Call the", "Call its")

    # b8 is as it was, but stands between two that are not
    assert names(projects.read(shop.ini, git_base="main")) == ["a7", "b8", "x1", "x2"]


def test_a_folder_that_moved_changed_nothing(shop: Shop) -> None:
    """Only the revision that is new in the moved folder is reviewed."""
    shop.git("init", "--quiet")
    shop.commit()
    shop.add("x1", "op.execute('SELECT 1')")
    shop.versions.parent.rename(shop.folder / "db")
    # the package keeps its name
    (shop.folder / "migrations").mkdir()
    for name in ("__init__.py", "words.py"):
        (shop.folder / "db" / name).rename(shop.folder / "migrations" / name)
    shop.replace("alembic.ini", "= migrations", "= db")
    shop.git("add", "--all")

    assert names(projects.read(shop.ini, git_base="HEAD")) == ["x1"]


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("nowhere", "Git knows no commit 'nowhere'"),
        ("--output=x", "not a Git ref"),
    ],
)
def test_unknown_refs_are_refused(shop: Shop, ref: str, told: str) -> None:
    """A typo does not review nothing; a ref is never an option of Git."""
    shop.git("init", "--quiet")
    shop.commit()

    with pytest.raises(BadValue, match=told):
        projects.read(shop.ini, git_base=ref)


def test_a_checkout_of_another_user_is_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git does not read it for us; that is no missing repository."""
    shop.git("init", "--quiet")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    with pytest.raises(BadValue, match="detected dubious ownership") as caught:
        projects.read(shop.ini, git_base="main")

    assert "git config --global --add safe.directory" in (caught.value.hint or "")


def test_git_needs_a_repository(shop: Shop) -> None:
    """Outside one the error says so."""
    with pytest.raises(BadValue, match="not a git repository"):
        projects.read(shop.ini, git_base="main")
