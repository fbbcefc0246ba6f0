"""What `platform review` refuses before anything is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import BadValue
from commands.review import review

if TYPE_CHECKING:
    from pathlib import Path


def test_estimates_need_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From empty tables every lock of production would seem short."""
    stats = tmp_path / "stats.json"
    monkeypatch.setattr("ai_platform.review.production.load", lambda _: None)

    with pytest.raises(BadValue, match="--stats needs rows"):
        review(stats=stats, rows=0, timeout=1.0)


@pytest.mark.parametrize("name", ["file/review.md", "folder.md", "review.pdf"])
def test_a_report_must_be_writable(tmp_path: Path, name: str) -> None:
    """Nobody waits for minutes to hear that the report cannot be written."""
    (tmp_path / "file").touch()
    (tmp_path / "folder.md").mkdir()

    with pytest.raises(BadValue, match=name.rpartition("/")[2]):
        review(out=[tmp_path / name], config=tmp_path / "none.ini")
