"""A review as text: on a terminal, and as a comment that GitHub renders."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from ai_platform.review.facts import (
    Change,
    Column,
    Lock,
    PlanChange,
    Rewrite,
    Table,
)
from ai_platform.review.reports._describe import in_words
from ai_platform.review.reports._github import code, fenced, in_html, length, plain
from ai_platform.review.reports._summary import rows, waits
from ai_platform.review.reports.markdown import MARKER, to_markdown
from ai_platform.review.reports.terminal import to_terminal
from commands._review_report import show_review
from tests.support import reviews
from tests.support.everyday_review import everyday

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import Mode, Review

EVERY = (
    *(reviews.safe, everyday, reviews.failed, reviews.unmeasured),
    *(reviews.accepted, reviews.hostile, reviews.review),
)
OURS = {"details", "summary", "code", "pre", "table", "thead", "tbody", "tr", "th"}
OURS |= {"td", "h3", "h4", "p", "ul", "li", "strong", "em", "br", "blockquote"}


class _Rendered(HTMLParser):
    """The elements of a rendered comment, and its text outside code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.codes: list[str] = []
        self.feed(MarkdownIt("commonmark").enable("table").render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note an element."""
        del attrs
        self.elements.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Hold it against the one that is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        (self.codes if "code" in self.open else self.texts).append(data)


@pytest.mark.parametrize("build", EVERY)
def test_a_comment_holds_only_our_markup(build: Callable[[], Review]) -> None:
    """No text of a revision becomes an element, a link, a mention or a reference."""
    markdown = to_markdown(build())
    found = _Rendered(markdown)
    text = "".join(found.texts)

    assert markdown.startswith(f"{MARKER}\n### ")
    assert markdown.count(MARKER) == 1
    assert found.elements <= OURS
    assert not found.open
    assert not re.search(r"@\w|#\d|\bGH-\d|https?://|www\.", text)


@pytest.mark.parametrize("shown", [plain, code, in_html, fenced])
def test_hostile_text_is_shown_as_it_is(shown: Callable[[str], str]) -> None:
    """What GitHub renders is what stood there, controls spelled out."""
    markdown = shown(reviews.HOSTILE)
    inside = f"<p>{markdown}</p>" if shown is in_html else f"x | y\n\n{markdown}"
    found = _Rendered(inside)
    text = "".join(found.texts + found.codes).replace("\u200b", "")

    assert "<script>alert(1)</script> `a` ```b``` | \\|" in text
    assert found.elements <= {"p", "code", "pre"}
    assert "\x1b" not in markdown


def test_a_cell_keeps_its_place() -> None:
    """A pipe in a name does not make one more column."""
    name = "a|b\\|c`d"
    lines = f"| x | y |\n|---|---|\n| {plain(name)} | {code(name)} |\n"
    found = _Rendered(lines)

    assert "".join(found.texts).split() == ["x", "y", name]
    assert "".join(found.codes) == name


def test_a_comment_shows_the_figures() -> None:
    """Verdict, a line per revision, findings with remedy, SQL and facts folded."""
    text = to_markdown(everyday())

    for part in (
        "### ❌ Not safe as it is: 1 downgrade not leading back, 2 errors",
        "| `5ed3b79de57a` Widen the status of a request | ❌ error | `AX public.",
        "| 200,000 | 1.3 s here, \\~2.2 min in production | yes | yes |",
        "*Do:* add a column of the new type",
        "*Accepted:* kept until the planner statistics of June (DBA-142)",
        "left by the way down: function data\\_platform.touch(): new",
        "ALTER COLUMN status TYPE bigint, -- was integer",
        "412 ms here, about 41 s in production",
        "CREATE TABLE data_platform.数据",
    ):
        assert part in text
    before, _, folded = text.partition("<details>")
    assert "ALTER COLUMN" in folded
    assert "ALTER COLUMN" not in before
    assert "Left out" not in text
    assert "(`--out review.html`)" in to_markdown(reviews.long())


@pytest.mark.parametrize("limit", [65_536, 20_000, 4_000])
def test_a_comment_fits_and_says_what_it_left(limit: int) -> None:
    """Whatever has to go, the error stays, and what went is counted."""
    text = to_markdown(reviews.long(), limit=limit)

    assert length(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    assert f"Left out to fit {limit:,} characters: " in text
    assert "100 statements without findings" in text
    assert "❌ **type-change-rewrites**" in text


def test_a_comment_of_the_worst_still_fits() -> None:
    """Two hundred revisions of hostile text: what is counted is all that is there."""
    one = reviews.hostile().revisions[0]
    many = tuple(replace(one, revision=f"{n} {one.revision}") for n in range(200))
    text = to_markdown(reviews.review(*many))

    assert length(text) <= 65_536
    assert _Rendered(text).elements <= OURS


def test_sql_never_leaves_its_fence() -> None:
    """Backticks in SQL make the fence longer; a long text is cut with a remark."""
    assert fenced("a ```` b").startswith("`````sql\n")
    assert "-- … 10 more characters" in fenced("x" * 2010)


def test_the_estimate_covers_the_lock() -> None:
    """From the first strong lock to the commit, estimated where that is known."""
    holds = [row.hold for row in rows(everyday())]
    strong = reviews.hostile().revisions[0]

    assert holds == ["1.3 s here, ~2.2 min in production", "-", "-"]
    assert rows(reviews.review(strong))[0].hold == "1 s here"


@pytest.mark.parametrize("build", EVERY)
def test_a_pipe_gets_plain_text(
    build: Callable[[], Review], capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdict first, nothing a terminal obeys, every finding with what to do."""
    found = build()
    show_review(to_terminal(found))
    text = capsys.readouterr().out

    assert text.startswith(to_terminal(found).headline)
    assert ("Way back: " in text) == bool(found.revisions)
    assert all(char.isprintable() or char in "\n\ufffe" for char in text)
    assert text.count("  do: ") == len(found.findings)
    assert all(len(line) > 0 for line in text.splitlines()[:2])


def test_a_terminal_gets_colour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict is red on a terminal, and names stay names."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    show_review(to_terminal(everyday()))
    text = capsys.readouterr().out

    assert re.match(r"\x1b\[1;31mNot safe as it is: ", text)
    assert "data_platform.touch()" in text


def test_a_comment_says_what_a_change_means() -> None:
    """In short above the table; limits, rights, columns and lock modes folded."""
    old, new = Column("a", "int"), Column("a", "bigint", ("PK",))
    given = Change("table", "public.t", "rights", None, '["PUBLIC: SELECT"]')
    lock = Lock("public.t", "table", "SRX")
    one = reviews.revision(
        "c9",
        reviews.statement(1, "GRANT", "GRANT", locks=(lock,)),
        changes=(given,),
        notes=("no rows in t",),
        tables=(Table("public.t", (old,), (new,)),),
        plans=(PlanChange("find t", ("Index Scan",), ("Seq Scan",), is_worse=True),),
    )
    text = to_markdown(reviews.review(one))
    head, _, folded = text.partition("<details>")

    assert "- **Rights:** table public.t: given PUBLIC: SELECT\n" in head
    assert "- **Not known:** no rows in t\n" in head
    assert "**Not all is known:** `no rows in t`" in folded
    assert "```diff\n@@ public.t @@\n- a int\n+ a bigint (PK)\n```" in folded
    assert "@@ find t @@\n- Index Scan\n+ Seq Scan\n" in folded
    assert "- **Plans:** worse for find t\n" in head
    assert "- **SRX** SHARE ROW EXCLUSIVE: writes, DDL and VACUUM wait" in folded


def test_what_never_ran_is_one_line() -> None:
    """Where a revision stopped is told first, and what stands behind it once."""
    found, cause = reviews.failed(), 'extension "missing" is not available'
    told = f"not run, because the revision ended before: {cause}"
    one = found.revisions[0]
    behind = [replace(one.up[2], number=number, error=told) for number in (3, 4, 5)]
    stopped = replace(one, error=cause, up=(*one.up[:2], *behind))

    report = to_terminal(replace(found, revisions=(stopped,)))

    assert report.short[0] == (
        "Failed",
        f"8cfa609d83ea at statement 2, CREATE EXTENSION: {cause}",
    )
    assert report.blocks[0].lines == (
        f"failed at statement 2, CREATE EXTENSION: {cause}",
        "up 3 to 5 were not run, because of that",
    )


def test_a_failure_is_told_once() -> None:
    """Why it failed, and what was not measured because of it."""
    (block,) = to_terminal(reviews.failed()).blocks

    assert block.lines == (
        'failed: statement 2: extension "missing" is not available',
        "up 3 SELECT was not measured",
    )


def test_what_was_empty_is_not_called_unmeasured() -> None:
    """Terminal and comment say why a measured statement could show nothing."""
    note = "public.people has no rows: people_check cannot be met"
    facts = reviews.revision("a1", reviews.statement(1, "SELECT 1", "SELECT"))
    found = reviews.finding("a1", is_measured=False, unseen=note)
    review = reviews.review(replace(facts, notes=(note,)), findings=(found,))

    lines = [block.lines for block in to_terminal(review).blocks]
    assert f"measured, but {note}: read from the text" in lines[0]
    assert lines[-1] == (note,)
    assert "(measured, but public.people has no rows" in to_markdown(review)
    text = replace(review, findings=(replace(found, unseen=None),))
    assert "read from the text, not measured" in to_terminal(text).blocks[0].lines


@pytest.mark.parametrize(
    ("mode", "rewritten", "told"),
    [
        ("AX", (Rewrite("public.t", 8192),), [(True, True)]),
        ("S", (Rewrite("public.t", 8192),), [(False, True)]),
        ("SUX", (Rewrite("public.t", 8192),), []),
        ("AX", (), []),
    ],
)
def test_steps_that_commit_themselves_block_too(
    mode: Mode, rewritten: tuple[Rewrite, ...], told: list[tuple[bool, bool]]
) -> None:
    """Nobody can be probed after VACUUM FULL: its lock and its work say who waited."""
    lock = Lock("public.t", "table", mode, is_transient=True)
    facts = {"locks": (lock,), "rewritten": rewritten, "in_transaction": False}
    step = reviews.statement(1, "VACUUM FULL public.t", "VACUUM", **facts)

    assert [(item.reads, item.writes) for item in waits([step])] == told


def test_rights_are_told_by_what_moved() -> None:
    """Of a list of rights only what was given and taken is shown."""
    before = '["app: SELECT, UPDATE", "boss: SELECT"]'
    after = '["boss: SELECT", "app: SELECT, DELETE"]'

    told = in_words(Change("table", "public.t", "rights", before, after))
    assert told == "table public.t: given app: DELETE; taken app: UPDATE"
