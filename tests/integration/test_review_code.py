"""Tables that only the code of a revision names are measured with rows, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.review.facts import Scan
from tests.support.measured import ROWS, source

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import Review

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

COUNT = """CREATE FUNCTION public.renumber() RETURNS void LANGUAGE plpgsql
    AS 'BEGIN UPDATE public.shop SET n = 1; END'"""


@pytest.mark.parametrize(
    "call",
    [
        "DO $$ BEGIN UPDATE shop SET n = 1; END $$",
        "SELECT renumber()",
        "DO $$ BEGIN PERFORM renumber(); END $$",
    ],
)
def test_code_meets_rows_in_its_tables(
    measured: Callable[..., Review], call: str
) -> None:
    """What a DO block, or a function that is called, names is full of rows."""
    review = measured(
        source("makes", COUNT, "DROP FUNCTION renumber"), source("calls", call)
    )

    assert review.revisions[1].up[0].updated == (Scan("public.shop", ROWS),)
