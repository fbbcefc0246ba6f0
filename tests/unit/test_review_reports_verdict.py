"""The verdict of a review: what it says first, and what the command ends with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pytest

from ai_platform.review.facts import CONFLICTS, STRONG, Change, Lock, Severity
from ai_platform.review.reports.verdict import (
    LEAK,
    LOSS,
    RISKS,
    exit_code,
    exit_meaning,
    judge,
    risk_of,
)
from tests.support import reviews
from tests.support.everyday_review import everyday

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import Review

EVERYDAY = (
    "Not safe as it is: 1 downgrade not leading back, 2 errors, 1 warning, 1 accepted"
)
LEFT = Change("function", "touch()", "object", None, "yes")


def _with(*severities: Severity) -> Review:
    name = "0bd5aa16c560"
    return reviews.review(
        reviews.revision(name, reviews.statement(1, "SELECT 1", "SELECT")),
        findings=tuple(reviews.finding(name, severity=one) for one in severities),
    )


@pytest.mark.parametrize(
    ("build", "headline"),
    [
        (reviews.safe, "Safe to run: nothing found"),
        (reviews.accepted, "Safe to run: nothing found, 1 accepted"),
        (reviews.unmeasured, "Not known: 1 statement not measured"),
        (
            lambda: replace(reviews.safe(), is_measured=False),
            "Not measured: nothing found",
        ),
        (reviews.review, "Nothing to review: no revision in the range"),
        (
            reviews.failed,
            "Do not run: 1 revision failed to run, 2 statements not measured",
        ),
        (
            everyday,
            EVERYDAY,
        ),
    ],
)
def test_the_verdict_is_a_sentence(build: Callable[[], Review], headline: str) -> None:
    """Who reads nothing else knows whether to run it, and why not."""
    assert judge(build()).headline == headline


@pytest.mark.parametrize(
    ("severities", "on_error", "on_warning", "on_note"),
    [
        ((), 0, 0, 0),
        (("note",), 0, 0, 1),
        (("note", "warning"), 0, 1, 1),
        (("warning", "error"), 1, 1, 1),
    ],
)
def test_findings_decide_the_exit_code(
    severities: tuple[Severity, ...], on_error: int, on_warning: int, on_note: int
) -> None:
    """Those of the severity asked for, or worse, and only those."""
    found = _with(*severities)

    assert exit_code(found) == exit_code(found, "error") == on_error
    assert exit_code(found, "warning") == on_warning
    assert exit_code(found, "note") == on_note
    assert exit_meaning(found, "note").startswith(f"exit code {on_note}: ")


@pytest.mark.parametrize("fail_on", get_args(Severity))
def test_what_was_not_measured_never_passes(fail_on: Severity) -> None:
    """Up or down: nothing known is not nothing found, unless nobody measured."""
    found = reviews.unmeasured()
    one = found.revisions[0]
    down = replace(found, revisions=(replace(one, up=one.up[:1], down=one.up[1:]),))

    assert exit_code(found, fail_on) == exit_code(down, fail_on) == 1
    assert exit_code(replace(found, is_measured=False), fail_on) == 0
    assert exit_code(reviews.failed(), fail_on) == 4
    assert (
        exit_meaning(found, fail_on) == "exit code 1: something could not be measured"
    )
    assert exit_meaning(reviews.failed()).startswith("exit code 4: a revision failed")


@pytest.mark.parametrize(
    ("rest", "rule"), [({"left_behind": (LEFT,)}, LEAK), ({"lost": ("a.b",)}, LOSS)]
)
def test_a_leak_passes_when_accepted(rest: dict[str, object], rule: str) -> None:
    """What a way down forgets is an error by itself, and excused by its own rule."""
    name = "0bd5aa16c560"
    one = reviews.revision(name, **rest)
    bare = reviews.review(one)
    of_another = reviews.finding(name, None, accepted="so be it")
    other = replace(bare, findings=(of_another,))
    excused = replace(bare, findings=(replace(of_another, rule=rule),))

    assert (exit_code(bare), risk_of(one, bare)) == (4, "error")
    assert exit_code(other) == 4
    assert (exit_code(excused), risk_of(one, excused)) == (0, "ok")


def test_a_finding_of_no_revision_counts() -> None:
    """An acceptance that nothing needs is an error although it belongs nowhere."""
    found = reviews.review(findings=(reviews.finding("", None),))

    assert judge(found).risk == "error"
    assert judge(found).headline == "Not safe as it is: 1 error"
    assert exit_code(found) == 1


def test_risks_are_ordered_from_the_worst() -> None:
    """A failure outweighs what is unknown, and that outweighs every finding."""
    assert RISKS[:2] == ("failed", "unmeasured")
    assert RISKS[2:5] == get_args(Severity)


def test_strength_follows_the_modes() -> None:
    """The strongest lock is the one to which the others add nothing."""
    every = tuple(Lock("public.t", "table", mode) for mode in reversed(CONFLICTS))
    facts = reviews.statement(1, "LOCK TABLE t", "LOCK", locks=every)

    assert facts.strongest == Lock("public.t", "table", "AX")
    assert list(CONFLICTS)[-4:] == sorted(STRONG, key=list(CONFLICTS).index)
