"""What `platform review` refuses before anything is measured."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ai_platform.errors import BadValue
from ai_platform.review._python import demand_python
from commands._review_files import check_out
from commands._review_options import environment, sizes
from commands.review import review


def test_estimates_need_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From empty tables every lock of production would seem short."""
    stats = tmp_path / "stats.json"
    monkeypatch.setattr("ai_platform.review.production.load", lambda _: None)

    with pytest.raises(BadValue, match="--stats needs rows"):
        review(stats=stats, rows=0, timeout=1.0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"rows": -5}, "--rows must be from 0 to 10,000,000, got -5"),
        ({"timeout": float("nan")}, "--timeout must be from 1 to 86,400, got nan"),
        ({"rows": 9, "profile": "small"}, "either --profile small or --rows 9"),
        ({"profile": "huge"}, "no such profile: got 'huge'"),
        ({"as_json": True, "format_": "md"}, "either --json or --format md"),
        ({"span": "b2", "git_base": "main"}, "either 'b2' or --git-base main"),
        ({"insist": "shop"}, "--insist shop is for a server named by --dsn"),
        ({"dsn": " "}, "--dsn is empty"),
        ({"dsn": "db.example.org"}, "--dsn is not a URL"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    given: dict[str, Any], told: str
) -> None:
    """None is passed over in silence: an empty --dsn would mean the usual server."""
    with pytest.raises(BadValue, match=told):
        review(**given)


def test_a_variable_is_passed_on_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that env.py needs would else be in every list of processes."""
    monkeypatch.setenv("SHOP_URL", "postgresql://shop:secret@db/shop")

    found = environment(["SHOP_URL", "STAGE=a=b"])

    assert found == {"SHOP_URL": "postgresql://shop:secret@db/shop", "STAGE": "a=b"}
    with pytest.raises(BadValue, match="--env NOWHERE: there is no such variable"):
        environment(["NOWHERE"])


@pytest.mark.parametrize(
    ("given", "is_told"),
    [
        ("APP_SECRET_KEY=hunter2", True),
        ("SHOP_URL=postgresql+asyncpg://shop:hunter2@db/shop", True),
        ("SHOP_DSN=host=db password=hunter2", True),
        ("SHOP_URL=postgresql://shop@db:5432/shop", False),
        ("APP_SECRET_KEY=", False),
        ("STAGE=a:b@c", False),
        ("CACHE_KEY=shop", False),
    ],
)
def test_a_secret_in_a_command_line_is_told(
    given: str, capsys: pytest.CaptureFixture[str], *, is_told: bool
) -> None:
    """It stands in every list of processes; the remark does not repeat it."""
    environment([given])

    said = capsys.readouterr().err
    assert is_told == (f"give --env {given.partition('=')[0]} alone" in said)
    assert "hunter2" not in said


def test_a_profile_is_a_size_or_a_file(tmp_path: Path) -> None:
    """A name stands for rows, a file for the sizes of production."""
    stats = tmp_path / "stats.json"
    stats.touch()

    assert sizes("small", None, None, is_measured=True) == (1_000, None)
    assert sizes(str(stats), 20_000, None, is_measured=True) == (20_000, stats)
    assert sizes(None, 0, stats, is_measured=True) == (0, stats)


@pytest.mark.parametrize("program", ["true", "echo", "cat"])
def test_a_program_must_be_python(program: str) -> None:
    """Told before it is handed requests, which it might take for something else."""
    path = shutil.which(program)
    assert path is not None

    with pytest.raises(BadValue, match="is no Python"):
        demand_python(Path(path))


def test_a_report_is_tried_before(tmp_path: Path) -> None:
    """Where not even root may write, and without leaving a trace where one may."""
    check_out(tmp_path / "new" / "review.md")

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadValue, match=r"cannot write /proc/review\.md"):
        check_out(Path("/proc/review.md"))


@pytest.mark.parametrize("name", ["file/review.md", "folder.md", "review.pdf"])
def test_a_report_must_be_writable(tmp_path: Path, name: str) -> None:
    """Nobody waits for minutes to hear that the report cannot be written."""
    (tmp_path / "file").touch()
    (tmp_path / "folder.md").mkdir()

    with pytest.raises(BadValue, match=name.rpartition("/")[2]):
        review(out=[tmp_path / name], config=tmp_path / "none.ini")
