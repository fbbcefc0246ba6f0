"""docs/schema/index.html in a browser: it searches, opens what a link means, fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pages import ask_browser
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE = CHECKOUT / "docs" / "schema" / "index.html"


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., object]:
    """Give a function that opens the page and returns what a script says there."""

    def ask(script: str, *, place: str = "", width: int = 1280) -> object:
        page = PAGE.read_text("utf-8")
        return ask_browser(page, script, tmp_path, place=place, width=width)

    return ask


def test_the_search_finds_by_name_and_by_comment(ask: Callable[..., object]) -> None:
    """Names come before comments, tables before columns; nothing found is said."""
    found = ask(
        """const said = [];
        for (const words of ["memberships", "user EMAIL", "Predecessor", "qqq"]) {
            box.value = words;
            box.dispatchEvent(new Event("input"));
            said.push(hits.querySelector("a")?.getAttribute("href") ?? hits.innerText);
        }
        return said;"""
    )

    assert found == [
        "#auth.memberships",
        "#auth.users.email",
        "#auth.api_keys.rotated_from_id",
        "Nothing has this in its name or comment.",
    ]


def test_a_link_opens_what_it_leads_to(ask: Callable[..., object]) -> None:
    """An index is inside a closed part of its table: who comes for it sees it."""
    found = ask(
        """const target = document.getElementById(location.hash.slice(1));
        const open = document.querySelectorAll("main [open]").length;
        const marked = nav.querySelector("a.on").textContent;
        return [target.checkVisibility(), open, marked];""",
        place="#index-auth.pk_memberships",
    )

    assert found == [True, 1, "memberships"]


@pytest.mark.parametrize("width", [1280, 500])
@pytest.mark.slow
def test_nothing_is_wider_than_the_screen(
    ask: Callable[..., object], width: int
) -> None:
    """No table makes a reader scroll sideways, with every part of it open."""
    found = ask(
        """for (const part of document.querySelectorAll("details")) part.open = true;
        const root = document.documentElement;
        return root.scrollWidth - root.clientWidth;""",
        width=width,
    )

    assert found == 0
