"""A revision that is stopped in its middle, and then run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import RevisionFacts

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

CREATE = "CREATE INDEX CONCURRENTLY {} ix ON public.shop (n);"

# as on a machine that is busy with something else
SLOW = """
    CREATE OR REPLACE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql
        AS 'BEGIN PERFORM pg_sleep(0.5); END';
    DROP EVENT TRIGGER IF EXISTS slow;
    CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE INDEX')
        EXECUTE FUNCTION slow();
"""


@pytest.mark.parametrize(
    ("up", "expected"),
    [
        (CREATE.format(""), False),
        # an INVALID index is there too
        (CREATE.format("IF NOT EXISTS"), False),
        (SLOW + CREATE.format("IF NOT EXISTS"), False),
        ("DROP INDEX IF EXISTS ix;" + CREATE.format(""), True),
        ("BEGIN; ALTER TABLE shop ADD c int; COMMIT;" + CREATE.format(""), False),
    ],
)
def test_a_stopped_step_can_be_repeated_or_not(
    only: Callable[..., RevisionFacts], up: str, *, expected: bool
) -> None:
    """Outside a transaction what a stop leaves is met by the next run."""
    facts = only(up, "DROP INDEX ix", up_in_transaction=False)

    assert facts.is_repeatable is expected
    assert not facts.up[-1].in_transaction
    assert all(lock.is_transient for lock in facts.up[-1].locks)


@pytest.mark.parametrize(
    ("up", "expected"),
    [
        ("BEGIN; CREATE TABLE t (); COMMIT;", False),
        ("BEGIN; CREATE TABLE IF NOT EXISTS t (); COMMIT;", True),
        ("CREATE TABLE t (); COMMIT; BEGIN; SELECT 1;", False),
    ],
)
def test_a_commit_by_hand_may_be_the_last_word(
    only: Callable[..., RevisionFacts], up: str, *, expected: bool
) -> None:
    """What it commits is there, and Alembic does not know: the revision runs again."""
    assert only(up, "DROP TABLE t").is_repeatable is expected
