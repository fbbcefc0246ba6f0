"""Acceptances: who answers for a finding, why, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import BadValue
from ai_platform.review.acceptances import FILE, UNUSED, accept, parse, read
from ai_platform.review.facts import Finding
from ai_platform.review.rules import all_rules
from ai_platform.settings import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

RULES = {"table-busy", "duplicate-index"}
TODAY = date(2027, 6, 30)
ENTRY = """
[[accept]]
rule = "table-busy"
revision = "r1"
reason = "forty rows"
expires = 2027-06-30
"""
FINDING = Finding(
    rule="table-busy",
    severity="error",
    revision="r1",
    statement=1,
    object="public.people",
    message="it is rewritten",
    remedy="do not",
    is_measured=True,
)


def judged(text: str, *findings: Finding, today: date = TODAY) -> list[Finding]:
    """Return *findings* with the acceptances of *text*, in a review of r1 alone."""
    entries = parse(text, rules=RULES)
    return list(
        accept(findings, entries, today=today, reviewed={"r1"}, known={"r0", "r1"})
    )


def test_an_entry_accepts_its_finding() -> None:
    """The reason goes with the finding into every report, on the last day too."""
    assert judged(ENTRY, FINDING) == [replace(FINDING, accepted="forty rows")]


@pytest.mark.parametrize(
    "other", [{"rule": "duplicate-index"}, {"revision": "r0"}, {"object": "x"}]
)
def test_other_findings_still_count(other: dict[str, str]) -> None:
    """An entry speaks of one rule, one revision and, where it says so, one object."""
    text = ENTRY + 'object = "public.people"\n'
    stranger = replace(FINDING, **other)  # type: ignore[arg-type]

    assert judged(text, stranger, FINDING)[0] == stranger


def test_an_expired_entry_counts_again() -> None:
    """From the day after, the finding is back and says what it was excused with."""
    (found,) = judged(ENTRY, FINDING, today=date(2027, 7, 1))

    assert found.accepted is None
    assert found.severity == "error"
    assert found.message == (
        "it is rewritten (accepted until 2027-06-30, which is over: forty rows)"
    )


def test_a_newer_entry_renews_an_old_one() -> None:
    """Two entries for one finding: the one that is valid holds."""
    newer = ENTRY.replace("2027", "2028").replace("forty", "fifty")

    (found,) = judged(ENTRY + newer, FINDING, today=date(2027, 7, 1))

    assert found.accepted == "fifty rows"


def test_an_entry_without_a_finding_is_an_error() -> None:
    """What accepts nothing would one day accept something else."""
    (found,) = judged(ENTRY)

    assert (found.rule, found.severity, found.revision) == (UNUSED, "error", "r1")
    assert found.message == "table-busy is accepted, but nothing was found"


def test_entries_of_other_revisions_wait() -> None:
    """A review of one revision says nothing about the acceptances of another."""
    assert judged(ENTRY.replace('"r1"', '"r0"')) == []


def test_an_entry_for_no_revision_is_an_error() -> None:
    """A revision that is not in the history was mistyped, or is gone."""
    (found,) = judged(ENTRY.replace('"r1"', '"r9"'))

    assert found.message == "table-busy is accepted, but there is no such revision"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"table-busy"', '"tabel-busy"', "no such rule: got 'tabel-busy'"),
        ('reason = "forty rows"', "", "reason is missing or empty"),
        ('"forty rows"', '" "', "reason is missing or empty"),
        ("2027-06-30", '"soon"', "expires is no date: got 'soon'"),
        ("expires = 2027-06-30", "", "expires is no date: got None"),
        ("2027-06-30", "2027-06-30T10:00:00", "expires is no date"),
        ("reason", "because", "there is no such key: got 'because'"),
        ("[[accept]]", "[[accepted]]", "something else than .* 'accepted'"),
        ('"r1"', "7", "revision is missing or empty"),
        ("[[accept]]", "[[accept", "is not TOML"),
        (ENTRY, "accept = [1]", "expected a table, got 1"),
        (ENTRY, "accept = 1", "something else than"),
    ],
)
def test_bad_entries_are_named(old: str, new: str, told: str) -> None:
    """A mistake in the file stops the review, and says where and what."""
    with pytest.raises(BadValue, match=told) as caught:
        parse(ENTRY.replace(old, new), rules=RULES)

    assert FILE in str(caught.value)


def test_dates_may_be_quoted() -> None:
    """A date in quotes is a date."""
    entries = parse(ENTRY.replace("2027-06-30", '"2027-06-30"'), rules=RULES)

    assert entries[0].expires == TODAY


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A file that was named must be there, and be text."""
    with pytest.raises(BadValue, match=r"cannot read .*: No such file"):
        read(tmp_path / FILE, rules=RULES)
    (tmp_path / FILE).write_bytes(b"\xff")
    with pytest.raises(BadValue, match=r"cannot read .*: it is not UTF-8"):
        read(tmp_path / FILE, rules=RULES)


def test_our_own_file_is_valid() -> None:
    """The acceptances of this project name rules that exist."""
    entries = read(CHECKOUT / FILE, rules={rule.id for rule in all_rules()})

    assert len(entries) == 3
