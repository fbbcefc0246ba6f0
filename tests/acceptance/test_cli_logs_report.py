"""`platform logs stats`: figures, charts, and a page that a browser shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from ai_platform.names import READONLY
from commands._database import session
from tests.support.documents import commands
from tests.support.programs import SCRIPTS
from tests.support.requests_logged import HOSTILE, now, write_requests

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database
    from tests.support.programs import Run


def _some(logged: Database) -> None:
    write_requests(
        logged,
        *(
            {
                "created": now() - timedelta(minutes=n),
                "url": f"/v1/things/{n}?q={n}",
                "status": 500 if n % 10 == 0 else 200,
                "duration_ms": n,
            }
            for n in range(1, 101)
        ),
        {"url": HOSTILE, "status": 404},
    )


def test_figures_speak_to_people_and_programs(logged: Database, run: Run) -> None:
    """A chart and tables, or JSON with every figure of every bucket."""
    _some(logged)
    env = logged.environment("readonly", TZ="Asia/Tokyo", PGTZ="Asia/Tokyo")

    text = run("platform", "logs", "stats", "--since", "2h", env=env).stdout
    found = json.loads(
        run("platform", "logs", "stats", "--since", "2h", "--json", env=env).stdout
    )

    assert "UTC" in text
    assert "█" in text
    assert re.search(r"/v1/things/:id +100 +10 +10\.0 +0 +50 +95 +99", text)
    assert all(char.isprintable() for char in text if char != "\n")
    assert (found["total"]["requests"], found["total"]["server_errors"]) == (101, 10)
    assert sum(one["figures"]["requests"] for one in found["buckets"]) == 101


def test_figures_are_of_one_moment(logged: Database) -> None:
    """What arrives between two questions is in the answers of neither."""
    count = "SELECT count(*) FROM request_logs"
    target = logged.login("readonly")
    with session(target, READONLY, steady=True) as begin, begin() as connection:
        before = connection.execute(count).fetchone()
        write_requests(logged, {})
        assert connection.execute(count).fetchone() == before == (0,)


def test_a_chart_in_ascii(logged: Database, run: Run) -> None:
    """A terminal that knows no blocks gets characters that it knows."""
    _some(logged)
    env = logged.environment("readonly", PYTHONIOENCODING="ascii", COLUMNS="60")

    done = run("platform", "logs", "stats", "--since", "2h", env=env)

    assert done.stdout.isascii()
    assert "#" in done.stdout
    assert r"\u" not in done.stdout.partition("most requests")[0]


@pytest.fixture
def report(logged: Database, run: Run, tmp_path: Path) -> Path:
    """Write the page about some requests and return where it is."""
    _some(logged)
    path = tmp_path / "new" / "report.html"
    words = ("logs", "stats", "--since", "2h", "--html", str(path))
    run("platform", *words, env=logged.environment("readonly"), check=True)
    return path


def test_the_page_is_whole(report: Path) -> None:
    """Well-formed, no address in it, every figure in its plots and tables."""
    text = report.read_text(encoding="utf-8")
    root = ET.fromstring(text.partition("\n")[2])  # noqa: S314 - our own

    assert not re.search(r"https?:|url\(|@import|\b(src|href)=", text)
    said = "".join(root.itertext())
    for figure in ("101", "9.90 %", "0.99 %", "95 ms", "/v1/things/:id", "<script>"):
        assert figure in said
    names = {title.text for title in root.findall(".//h2")}
    assert {"Latency", "Most requests by url", "Statuses"} <= names
    assert len(root.findall(".//polyline")) >= 4
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]


class _Elements(HTMLParser):
    """Count the elements of a page by name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, int] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Count one."""
        del attrs
        self.found[tag] = self.found.get(tag, 0) + 1


def test_a_browser_reads_the_page(report: Path, tmp_path: Path) -> None:
    """What it makes of the file has the same elements: none was refused or moved."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    words = "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync"
    more = "--disable-background-networking --disable-component-update --dump-dom"
    done = subprocess.run(
        [
            chromium,
            *words.split(),
            *more.split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            report.as_uri(),
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=180,
        check=True,
    )

    assert _Elements(done.stdout).found == _Elements(report.read_text()).found


def test_a_page_is_replaced_as_a_whole(
    logged: Database, run: Run, report: Path
) -> None:
    """A link to it, and its mode, stay; a folder without room is a plain refusal."""
    link = report.with_name("link.html")
    link.symlink_to(report)
    report.write_text("old")
    report.chmod(0o640)
    words = ("logs", "stats", "--since", "2h", "--html")
    env = logged.environment("readonly")

    run("platform", *words, str(link), env=env, check=True)
    refused = run("platform", *words, "/dev/null/report.html", env=env)

    assert link.is_symlink()
    assert report.read_text().startswith("<!DOCTYPE html>")
    assert report.stat().st_mode & 0o777 == 0o640
    assert refused.returncode == 2
    assert "cannot write" in refused.stderr


@pytest.mark.slow
def test_the_guide_can_be_typed(logged: Database, tmp_path: Path) -> None:
    """Each line of the section works; one that follows is ended by Ctrl-C."""
    _some(logged)
    env = logged.environment("readonly")
    env["PATH"] = f"{SCRIPTS}{os.pathsep}{env['PATH']}"
    lines = commands("docs/logging.md", "Reading")
    assert len(lines) >= 6
    for line in lines:
        follows = "--follow" in line
        words = f"timeout --preserve-status -s INT 2 {line}" if follows else line
        done = subprocess.run(
            ["sh", "-c", words], cwd=tmp_path, env=env, capture_output=True, check=False
        )
        assert done.returncode == (130 if follows else 0), (line, done.stderr)
    assert (tmp_path / "report.html").is_file()
