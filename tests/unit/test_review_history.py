"""Spans of a history with a branch, a merge and a label."""

from __future__ import annotations

from typing import Final

import pytest

from ai_platform.errors import BadValue
from ai_platform.review._history import History

NEEDS: Final[dict[str, list[str]]] = {
    "a1": [],
    "c3": ["a1"],
    "b2": ["a1"],
    "d4": ["b2", "c3"],
    "e5": ["d4"],
    "a7": ["e5"],
}
HISTORY = History(NEEDS, ["a7"], {**dict.fromkeys(NEEDS, ()), "b2": ["sales"]}, NEEDS)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (None, ["a7"]),
        ("d4", ["d4"]),
        ("d", ["d4"]),
        ("sales", ["b2"]),
        ("sales@head", ["a7"]),
        ("d4..head", ["e5", "a7"]),
        ("b2..d4", ["c3", "d4"]),
        ("..c3", ["a1", "c3"]),
        ("base..b2", ["a1", "b2"]),
        ("e5..", ["a7"]),
        ("a7..a7", []),
    ],
)
def test_spans_are_what_git_users_expect(span: str | None, expected: list[str]) -> None:
    """A..B is what B has and A has not, in the order in which it runs."""
    assert expected == HISTORY.span(span)


@pytest.mark.parametrize(
    ("span", "told"),
    [
        ("zz", "'zz' is not in the history"),
        ("", "'' is not in the history"),
        ("a", "'a' could be a1, a7"),
        ("a7..a1", "runs backwards"),
        ("a1..base", "runs backwards"),
        ("b2..c3", "c3 does not stand on b2"),
        ("base", "base has nothing to review"),
    ],
)
def test_wrong_spans_are_explained(span: str, told: str) -> None:
    """One line that says what does not fit, and a next step."""
    with pytest.raises(BadValue, match=told) as caught:
        HISTORY.span(span)

    assert caught.value.hint


def test_an_empty_history_has_no_last() -> None:
    """A project before its first revision is no success."""
    with pytest.raises(BadValue, match="no revisions"):
        History({}, [], {}, {}).span(None)


def test_labelled_branches_have_heads_of_their_own() -> None:
    """A branch is what stands on its label; one that it depends on is another."""
    needs: dict[str, list[str]] = {"a1": [], "g1": ["a1"], "b2": ["a1"], "b3": ["a1"]}
    parents = {**needs, "g1": []}
    labels = {"a1": ["core"], "g1": ["geo"], "b2": [], "b3": []}

    history = History(needs, ["g1", "b2", "b3"], labels, parents)

    assert history.branches() == [["g1"], ["b2", "b3"]]
    assert history.locate("core@head") == "b2"
    assert history.span("heads") == ["g1", "b2", "b3"]
    assert history.span("a1..heads") == ["g1", "b2", "b3"]


def test_a_place_in_history_is_its_tops() -> None:
    """A database stands at the revisions on which nothing else stands yet."""
    assert HISTORY.before("d4") == ["c3", "b2"]
    assert HISTORY.before("d4", included=True) == ["d4"]
    assert HISTORY.before("a1") == []


def test_what_lies_between_changed_ones_counts() -> None:
    """An unchanged revision between two changed ones runs between them."""
    assert HISTORY.between(["b2", "e5"]) == ["b2", "d4", "e5"]
