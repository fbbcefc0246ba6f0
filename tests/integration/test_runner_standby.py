"""On a standby nothing is changed: what only reads answers, the rest is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _pytest.mark.structures import ParameterSet

    from tests.support.programs import Run
    from tests.support.standby import Pair


@pytest.fixture
def standby(pair: Pair) -> Mapping[str, str]:
    """Give the environment of a client of a standby that follows a live primary."""
    return pair.environment


QUICK = {"platform db upgrade", "platform db check"}
WRITING = (
    "platform db upgrade",
    "alembic upgrade head",
    "alembic downgrade -1",
    "alembic stamp head",
)
READING = {
    "alembic current": "(head)",
    "alembic check": "No new upgrade operations detected.",
    "platform db current": "missing  0",
    "platform db check": "the database is as declared",
    "platform partitions status": "public.request_logs",
    "platform status": "missing           0",
}


def _commands(names: Iterable[str]) -> list[ParameterSet]:
    """Return one of each sort for every run, the others for the long one."""
    return [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.torture)
        for name in names
    ]


@pytest.mark.parametrize("command", _commands(WRITING))
def test_nothing_is_changed_on_a_standby(
    standby: Mapping[str, str], run: Run, command: str
) -> None:
    """What writes is refused before it begins, and leads to the primary."""
    done = run(*command.split(), env=standby)

    assert (done.returncode, done.stdout) == (4, "")
    assert "is a read-only standby" in done.stderr
    assert "connect to the primary" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", _commands(READING))
def test_a_standby_answers_questions(
    standby: Mapping[str, str], run: Run, command: str
) -> None:
    """What only reads works; the declaration is built on a server of our own."""
    done = run(*command.split(), env=standby)

    assert done.returncode == 0, done.stderr
    assert READING[command] in done.stdout


@pytest.mark.torture
def test_a_comparison_names_the_standby(standby: Mapping[str, str], run: Run) -> None:
    """Where no server of our own can stand in, the refusal says why one was needed."""
    env = {**standby, "PLATFORM_PG_BIN": "/nowhere"}

    done = run("platform", "db", "check", env=env)

    assert done.returncode == 4
    assert "the server is a read-only standby, and no embedded server" in done.stderr
    assert "on the primary" in done.stderr
