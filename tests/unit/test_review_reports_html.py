"""A review as a page: whole, safe, readable by a browser, true to the facts."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from ai_platform.review.facts import Change, Column, Lock, Scan, Table, Timing
from ai_platform.review.reports._rights import rights_delta
from ai_platform.review.reports._shapes import shapes
from ai_platform.review.reports._short import in_short
from ai_platform.review.reports._sql_html import highlighted
from ai_platform.review.reports._timeline import held, timeline
from ai_platform.review.reports.html_page import to_html
from tests.support import reviews
from tests.support.everyday_review import everyday
from tests.support.pages import ask_browser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_platform.review.facts import Review

EVERY = (
    *(reviews.safe, everyday, reviews.failed, reviews.unmeasured),
    *(reviews.accepted, reviews.hostile, reviews.review),
)


def _root(page: str) -> ET.Element:
    return ET.fromstring(page.partition("\n")[2])  # noqa: S314 - our own


@pytest.mark.parametrize("build", EVERY)
def test_the_page_is_whole(build: Callable[[], Review]) -> None:
    """Well-formed whatever it holds, no script, no address but its own anchors."""
    page = to_html(build())
    root = _root(page)
    names = {one.tag for one in root.iter()}
    links = [one.get("href") for one in root.iter() if one.get("href")]

    assert not names & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert {one.get("id") for one in root.iter()} >= {str(x)[1:] for x in links}
    assert not any(one.get("src") or one.get("style") for one in root.iter())
    (style,) = root.findall(".//style")
    assert not re.search(r"url\(|@import|https?:", style.text or "")
    assert "default-src 'none'" in page


def test_hostile_text_is_shown_as_it_is() -> None:
    """It stands in the page to be read, controls spelled out."""
    said = "".join(_root(to_html(reviews.hostile())).itertext())

    assert said.count("</code></details><script>alert(1)</script> `a`") > 20
    assert "\\x1b[31m \\u202eh \ufffd 数据库" in said


def test_the_page_says_the_figures() -> None:
    """Verdict, figures, findings with remedy, SQL, matrix, limits, what was left."""
    root = _root(to_html(everyday()))
    said = " ".join("".join(root.itertext()).split())

    for part in (
        "Not safe as it is: 1 downgrade not leading back",
        "measured on PostgreSQL 18.6 with up to 100,000 rows",
        "AX public.request_logs",
        "Do: add a column of the new type",
        "left by the way down: function data_platform.touch(): new",
        "ALTER COLUMN status TYPE bigint, -- was integer",
        "412 ms here, about 41 s in production, strongest lock held 1.3 s",
        "waits at most 4 s for a lock, runs at most 15 min",
        "column public.request_logs.status: type: integer → bigint",
        "WARNING: index was rebuilt",
        "数据",
    ):
        assert part in said
    assert said.index("Not safe as it is") < said.index("Findings")


def _heads(root: ET.Element, *, opened: bool) -> list[str]:
    """Return what the folded or unfolded parts are called, to the first full stop."""
    return [
        "".join(one[0].itertext()).partition(".")[0]
        for one in root.findall(".//details")
        if ("open" in one.attrib) == opened
    ]


def test_only_what_matters_is_unfolded() -> None:
    """Errors, warnings and failures are open; notes and what was accepted folded."""
    root = _root(to_html(everyday()))
    many = _root(to_html(reviews.long(6)))

    assert _heads(root, opened=True) == ["2", "3"]
    assert _heads(root, opened=False)[1:3] == ["1 accepted finding", "1"]
    assert _heads(many, opened=True) == ["5"]
    assert _heads(many, opened=False)[1:] == ["3 notes", "1", "2", "3", "4", "6"]
    assert _heads(_root(to_html(reviews.failed())), opened=True) == ["2"]


def test_many_quiet_revisions_are_folded() -> None:
    """Of a long history one sees at once which revisions need a look."""
    quiet, failed = reviews.safe().revisions[0], reviews.failed().revisions[0]
    four = (quiet, quiet, failed, quiet)
    names = _heads(_root(to_html(reviews.review(*four))), opened=False)
    few = _heads(_root(to_html(reviews.review(*four[:3]))), opened=False)

    assert names.count("1 statement, locks, tables") == 3
    assert few.count("1 statement, locks, tables") == 0


def test_overlapping_times_are_one() -> None:
    """A lock taken again while it is held is not held twice as long."""
    root = ET.fromstring(f"<div>{timeline(reviews.long(50).revisions[0].up)}</div>")  # noqa: S314 - our own
    steps, lane = root.iter("li")

    assert len(steps.findall(".//rect")) == 51
    assert len(lane.findall(".//rect")) == 2
    assert [part.text for part in lane[:2]] == ["SRX auth.users", "500 ms"]


def test_the_matrix_says_who_waits() -> None:
    """Reads, writes and DDL for every table, as the probes found them."""
    root = _root(to_html(everyday()))
    (matrix, _) = root.findall(".//table[@class='matrix']")
    lines = [["".join(cell.itertext()) for cell in row] for row in matrix.iter("tr")]

    assert [line[:4] for line in lines] == [
        ["table", "reads", "writes", "DDL and VACUUM"],
        ["auth.users", "free", "waits", "waits"],
        ["public.request_logs", "waits", "waits", "waits"],
    ]
    assert [line[4] for line in lines[1:]] == [
        "13 ms here",
        "1.3 s here, ~2.2 min in production",
    ]


def test_the_page_answers_what_a_dba_asks() -> None:
    """Who waits and how long, what goes, the way back, rights, what is not known."""
    hidden = Change("table", "public.t", "row security", None, "true")
    seen = Change("table", "public.t", "rights", '["a: SELECT"]', '["PUBLIC: SELECT"]')
    gone = Change("column", "public.t.c", "object", "present", None)
    found = everyday()
    first, *rest = found.revisions[0].up
    one = replace(
        found.revisions[0],
        up=(replace(first, outwaits=True), *rest),
        changes=(hidden, seen, gone),
        notes=("no rows in t",),
        filled=(Scan("public.request_logs", 90_000),),
    )
    answers = dict(in_short(replace(found, revisions=(one,))))

    assert answers == {
        "Who waits": "reads and writes of public.request_logs, for about 2.2 min at "
        "production's size (1.3 s with 90,000 rows); and 1 other",
        "Waits itself": "statement 1 of 5ed3b79de57a, for every older transaction",
        "Gone": "column public.t.c",
        "Way back": "leads back: same catalog, same data",
        "Rights": "table public.t: given PUBLIC: SELECT, table public.t: taken "
        "a: SELECT, table public.t: row security: none → true",
        "Not known": "no rows in t",
    }
    assert in_short(replace(found, is_measured=False)) == ()


def test_a_right_given_and_taken_is_none() -> None:
    """Also what a statement gives on a table that the revision makes is told."""
    given, taken = ('["a: SELECT"]', '["a: SELECT", "b: UPDATE, DELETE"]')
    steps = [
        reviews.statement(
            number, "GRANT", "GRANT", changes=(Change("table", "t", "rights", *way),)
        )
        for number, way in enumerate(((given, taken), (taken, given)), 1)
    ]

    assert rights_delta(reviews.revision("a", *steps)) == ()
    assert rights_delta(reviews.revision("a", steps[0])) == (
        "table t: given b: UPDATE, DELETE",
    )


def test_transactions_have_edges() -> None:
    """One sees what commits together, and what runs outside of it."""
    inside, outside = (
        reviews.statement(n, "SELECT 1", "SELECT", in_transaction=n < 3) for n in (1, 3)
    )
    page = to_html(reviews.review(reviews.revision("a", inside, outside)))

    edges = re.findall(r'<p class="edge">(.*?)</p>', page)
    assert edges == ["BEGIN", "COMMIT", "outside any transaction"]


def test_a_lock_is_held_until_the_commit() -> None:
    """In a transaction to its end, by itself to the end of the statement."""
    table, weak = Lock("public.t", "table", "AX"), Lock("a.b", "table", "AS")
    first, second, third = (
        reviews.statement(
            number,
            "SELECT 1",
            "SELECT",
            locks=(replace(table, is_transient=number == 2), weak),
            in_transaction=number < 3,
            timing=Timing(start_s=float(number), duration_s=0.5),
        )
        for number in (1, 2, 3)
    )

    found = [(one.start_s, one.end_s) for one in held((first, second, third))]

    assert found == [(1.0, 2.5), (2.0, 2.5), (3.0, 3.5)]


def test_the_timeline_is_to_scale() -> None:
    """Bars lie within the picture, where and as long as the lock was held."""
    root = ET.fromstring(f"<div>{timeline(everyday().revisions[0].up)}</div>")  # noqa: S314 - our own
    lanes = {one[0].text: one.findall(".//rect") for one in root.iter("li")}
    spans = {
        name: [(float(bar.get("x", "0")[:-1]), float(bar.get("width", "")[:-1]))]
        for name, (_, bar, *_) in lanes.items()
    }

    assert list(lanes) == [
        "statements",
        "AX public.ix_request_logs_created",
        "AX public.request_logs",
        "SRX auth.users",
    ]
    assert spans["AX public.request_logs"] == [(0.08, 99.92)]
    assert spans["SRX auth.users"][0][0] == pytest.approx(98.6, abs=0.1)
    weak = Lock("public.t", "table", "SRX")
    both = (weak, replace(weak, mode="AX"))
    twice = reviews.statement(1, "X", "X", locks=both, timing=Timing(duration_s=1))
    assert "SRX" not in timeline((twice,))
    assert timeline(()) == timeline((reviews.statement(1, "SELECT 1", "SELECT"),)) == ""


def test_tables_are_drawn_side_by_side() -> None:
    """New, gone and changed columns are marked, kept ones stand beside each other."""
    old = (Column("a", "int"), Column("b", "int"), Column("c", "text"))
    new = (Column("a", "int", ("PK",)), Column("c", "text"), Column("d", "date"))
    drawn = shapes((Table("s.t", old, new), Table("s.n", None, new[:1])))
    root = ET.fromstring(f"<div>{drawn}</div>")  # noqa: S314 - our own
    kinds = [
        (one.find("code").text, (one.get("class") or "").split()[1])  # type: ignore[union-attr]
        for one in root.findall(".//span")
        if (one.get("class") or "").startswith("column")
    ]

    changed, gone, kept = ("a", "changed"), ("b", "gone"), ("c", "same")
    many = tuple(Column(f"c{number}", "int") for number in range(200))
    assert "199 columns as before" in shapes((Table("s.t", many, many[1:]),))
    assert kinds == [changed, changed, gone, kept, kept, ("d", "new"), ("a", "new")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'it''s -- no comment', $$a ' b$$ -- one",
        "CREATE FUNCTION f() AS $x$ SELECT '$$' $x$",
        '/* a\nb */ SELECT "A""B", 1.5 -- <x>',
        "SELECT 'never ended",
        "$a$ never ended",
        "'",
        reviews.HOSTILE,
    ],
)
def test_highlighting_changes_no_character(sql: str) -> None:
    """Colour is laid over the text that runs; the text is what it was."""
    root = ET.fromstring(highlighted(sql))  # noqa: S314 - our own
    shown = "".join(root.itertext())

    plain = sql.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert shown == plain.replace("\ufffe", "\ufffd")


def test_comments_and_texts_are_told_apart() -> None:
    """A comment sign within a text is text, and a text within a comment comment."""
    root = ET.fromstring(highlighted("SELECT '--a' -- 'b'"))  # noqa: S314 - our own

    found = [(one.get("class"), one.text) for one in root]
    assert found == [("k", "SELECT"), ("s", "'--a'"), ("c", "-- 'b'")]


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


def test_a_browser_reads_the_page(tmp_path: Path) -> None:
    """What it makes of the file has the same elements: none was refused or moved."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    both = (everyday(), reviews.hostile())
    page = to_html(replace(both[0], revisions=(*both[0].revisions, *both[1].revisions)))
    path = tmp_path / "review.html"
    path.write_text(page, encoding="utf-8")
    words = "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync"
    more = "--disable-background-networking --disable-component-update --dump-dom"
    done = subprocess.run(
        [
            chromium,
            *words.split(),
            *more.split(),
            f"--user-data-dir={tmp_path / 'profile'}",
            path.as_uri(),
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    assert _Elements(done.stdout).found == _Elements(page).found


@pytest.mark.parametrize("width", [1280, 800, 500])
@pytest.mark.slow
def test_nothing_is_wider_than_the_screen(tmp_path: Path, width: int) -> None:
    """Long names, wide tables and hostile SQL break; none makes a reader scroll."""
    both = (everyday(), reviews.hostile())
    odd = reviews.revision("x" * 80, title="y" * 300)
    four = (*both[0].revisions, *both[1].revisions, odd)
    found = replace(both[0], revisions=four, findings=both[1].findings)
    wider = ask_browser(
        to_html(found),
        """for (const part of document.querySelectorAll("details")) part.open = true;
        const root = document.documentElement;
        return root.scrollWidth - root.clientWidth;""",
        tmp_path,
        width=width,
    )

    assert wider == 0


@pytest.mark.slow
def test_what_is_fine_can_be_hidden(tmp_path: Path) -> None:
    """One box leaves the revisions that need a look, without a script of the page."""
    quiet, failed = reviews.safe().revisions[0], reviews.failed().revisions[0]
    shown = ask_browser(
        to_html(reviews.review(quiet, quiet, failed, quiet)),
        """const parts = ".wide tbody tr, section[id^=r]:not(#revisions)";
        const seen = () => [...document.querySelectorAll(parts)].filter(
            (one) => one.checkVisibility()).length;
        const before = seen();
        document.getElementById("only").click();
        return [before, seen()];""",
        tmp_path,
    )

    assert shown == [8, 2]
