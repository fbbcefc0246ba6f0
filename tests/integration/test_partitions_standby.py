"""On a standby the commands say why logs are not there, and durable ones are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.errors import Refused
from ai_platform.maintenance import partitions, policies, standby
from tests.support.servers import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.programs import Run
    from tests.support.standby import Pair

LOGS = "public.request_logs"
COUNT = "SELECT count(*) FROM public.request_logs WHERE created >= {}"


@pytest.fixture
def follower(pair: Pair) -> Iterator[psycopg.Connection[tuple[int]]]:
    """Give a connection to the standby that has seen all."""
    rows(pair.primary, "SELECT * FROM monitoring.ensure_partitions()")
    pair.catch_up()
    with psycopg.connect(pair.standby.url(), autocommit=True) as conn:
        yield conn


def test_unlogged_rows_are_explained(
    follower: psycopg.Connection[tuple[int]],
) -> None:
    """The server's riddle becomes a reason and a next step; other errors pass."""
    with (
        pytest.raises(Refused, match="UNLOGGED partitions are not replicated") as told,
        standby.explained(follower, LOGS),
    ):
        follower.execute("SELECT count(*) FROM public.request_logs")
    assert f"policy {LOGS} --durable" in str(told.value.hint)

    with (
        pytest.raises(psycopg.errors.UndefinedTable),
        standby.explained(follower, LOGS),
    ):
        follower.execute("SELECT FROM nothing")


def test_a_primary_explains_nothing(pair: Pair) -> None:
    """What a primary does not support is another matter."""
    with psycopg.connect(pair.primary.url()) as conn:
        assert not standby.is_standby(conn)
        with (
            pytest.raises(psycopg.errors.FeatureNotSupported),
            standby.explained(conn, LOGS),
        ):
            conn.execute("SELECT DISTINCT id FROM auth.users FOR UPDATE")


@pytest.mark.parametrize(
    "command", ["maintenance run", "partitions apply", "partitions prune"]
)
def test_upkeep_is_refused_on_a_standby(pair: Pair, run: Run, command: str) -> None:
    """It leads to the primary before anything is tried."""
    done = run("platform", *command.split(), env=pair.environment)

    assert (done.returncode, done.stdout) == (4, "")
    assert "next: connect to the primary" in done.stderr


def test_health_is_told_on_a_standby(
    pair: Pair, follower: psycopg.Connection[tuple[int]], run: Run
) -> None:
    """The horizon is replicated; what is not there to be looked at is no alarm."""
    done = run("platform", "maintenance", "health", env=pair.environment)

    assert done.returncode == 0, done.stdout
    assert LOGS in done.stdout


def test_status_says_what_it_cannot_see(
    pair: Pair, follower: psycopg.Connection[tuple[int]], run: Run
) -> None:
    """The horizon is told, rows are not, with the reason; that is no alarm."""
    done = run("platform", "partitions", "status", env=pair.environment)

    assert done.returncode == 0, done.stderr
    assert f"{LOGS}: rows: UNLOGGED partitions are not on a standby" in done.stderr
    done = run("platform", "partitions", "status", "--json", env=pair.environment)
    found = {one["parent"]: one for one in json.loads(done.stdout)}
    assert found[LOGS]["oldest_row"] is None
    assert found[LOGS]["covered_until"]


def test_durable_rows_are_on_the_standby(
    pair: Pair, follower: psycopg.Connection[tuple[int]], run: Run
) -> None:
    """After the policy says durable, rows of converted days are replicated."""
    with psycopg.connect(pair.primary.url()) as conn:
        policies.change(conn, LOGS, policies.Change(is_durable=True))
    env = {**pair.environment, "DATABASE_URL": pair.primary.url()}
    run("platform", "partitions", "apply", env=env, check=True)
    tomorrow = "date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day'"
    try:
        rows(
            pair.primary,
            f"""INSERT INTO public.request_logs (id, created)
                VALUES (gen_random_uuid(), {tomorrow}) RETURNING id""",
        )
        pair.catch_up()

        with pytest.raises(psycopg.errors.FeatureNotSupported):
            follower.execute("SELECT count(*) FROM public.request_logs")
        query = f"SELECT to_char({tomorrow}, 'YYYYMMDD')"
        ((day,),) = rows(pair.primary, query)
        found = follower.execute(
            f"SELECT count(*) FROM logs.request_logs_{day}".encode()
        )
        assert found.fetchone() == (1,)
    finally:
        with psycopg.connect(pair.primary.url()) as conn:
            policies.change(conn, LOGS, policies.Change(is_durable=False))
            partitions.apply(conn, convert_all=True)
