"""What pg_cron is given to do, it does: tested where the server has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.maintenance import partitions, schedule
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

AT = time_of_day(0, 10)
DETACH = "ALTER TABLE public.request_logs DETACH PARTITION {} CONCURRENTLY"


class Cron:
    """The pg_cron of the server, with the jobs of one test's database."""

    def __init__(self, conn: psycopg.Connection[Any], database: Database) -> None:
        self.conn = conn
        self.database = database
        self.login = database.login("migrator").url.split("//")[1].split("@")[0]

    def add(self, command: str) -> None:
        """Have *command* run every second."""
        self.conn.execute(
            "SELECT cron.schedule_in_database(%s, '1 seconds', %s, %s, %s)",
            [f"{self.database.name}: more", command, self.database.name, self.login],
        )

    def hurry(self) -> None:
        """Have every job of the database run each second."""
        self.conn.execute(
            """SELECT cron.alter_job(jobid, schedule => '1 seconds')
                 FROM cron.job WHERE database = %s""",
            [self.database.name],
        )

    def ended(self, jobs: int) -> dict[str, tuple[str, str]]:
        """Return how the first run of each of *jobs* ended, by command."""
        # a job that is forgotten may be run once more
        query = """SELECT DISTINCT ON (jobid) r.command, r.status, r.return_message
                     FROM cron.job_run_details r JOIN cron.job USING (jobid)
                    WHERE r.database = %s AND r.status IN ('succeeded', 'failed')
                    ORDER BY jobid, runid"""

        def found() -> list[tuple[Any, ...]]:
            return self.conn.execute(query, [self.database.name]).fetchall()

        until(lambda: len(found()) == jobs, within_s=180)
        return {command: (status, told) for command, status, told in found()}

    def forget(self) -> None:
        """Take the jobs and their history out again."""
        parameters = [self.database.name]
        self.conn.execute(
            "SELECT cron.unschedule(jobid) FROM cron.job WHERE database = %s",
            parameters,
        )
        self.conn.execute(
            "DELETE FROM cron.job_run_details WHERE database = %s", parameters
        )


@pytest.fixture
def cron(database: Database) -> Iterator[Cron]:
    """Give pg_cron, or skip where the server has none."""
    with database.cluster.connect() as conn:
        libraries = conn.execute("SHOW shared_preload_libraries").fetchone()
        if not libraries or "pg_cron" not in libraries[0]:
            pytest.skip("pg_cron is not loaded on this server")
        home = conn.execute("SHOW cron.database_name").fetchone()
    assert home is not None
    with database.cluster.connect(home[0]) as conn:
        conn.execute("CREATE EXTENSION IF NOT EXISTS pg_cron")
        found = Cron(conn, database)
        yield found
        found.forget()


def test_the_scheduled_jobs_do_their_work(cron: Cron, database: Database) -> None:
    """Partitions made, statistics archived and refreshed, parents analyzed."""
    keeper = database.connect("migrator")
    script = schedule.pg_cron(AT, database.name, cron.login, schedule.parents(keeper))

    cron.conn.execute(script.encode())
    jobs = cron.conn.execute(
        "SELECT schedule FROM cron.job WHERE database = %s ORDER BY jobid",
        [database.name],
    ).fetchall()
    cron.hurry()

    assert [line for (line,) in jobs[:2]] == ["10 0 * * *", "15 0 * * *"]
    ended = cron.ended(len(jobs))
    assert {status for status, _ in ended.values()} == {"succeeded"}, ended
    assert [one.problems for one in partitions.status(keeper)] == [[]] * 4


def test_one_detach_alone_is_what_pg_cron_can(cron: Cron, database: Database) -> None:
    """A single command runs outside a transaction, beside another it does not."""
    keeper = database.connect("migrator")
    day = datetime.now(UTC) + timedelta(days=2)
    partitions.apply(keeper)
    owner = "ALTER ROLE {} IN DATABASE {} SET role = platform_owner"
    quoted = f'"{database.name}"'
    database.connect().execute(owner.format(f'"{cron.login}"', quoted).encode())
    detach = DETACH.format(f"logs.request_logs_{day:%Y%m%d}")

    cron.add(detach)
    ended = cron.ended(1)[detach]
    assert ended[0] == "succeeded", ended
    cron.forget()
    beside = f"SET lock_timeout = '4s'; {detach}"
    cron.add(beside)

    # SET is told first, as if that were the end of it
    until(lambda: "inside a transaction block" in cron.ended(1)[beside][1])


def test_no_name_begins_a_command() -> None:
    """A database may be called anything: in a schedule it stays a remark."""
    evil = "a\n* * * * * touch /x\r%%n"
    for printed in (schedule.cron, schedule.systemd):
        lines = printed(AT, ["platform"], evil).splitlines()
        assert not [line for line in lines if line.startswith("*")]
        assert sum("touch" in line for line in lines) == 1 + ("[Unit]" in lines)


def test_times_go_round_midnight() -> None:
    """Jobs after 23:55 are of the next day's first minutes."""
    script = schedule.pg_cron(time_of_day(23, 55), "x", "it's me", ["a.b"])

    lines = [line for line in script.splitlines() if line.startswith("SELECT")]
    assert [line.split(", ")[1] for line in lines] == [
        "'55 23 * * *'",
        "'0 0 * * *'",
        "'5 0 * * *'",
    ]
    assert all("'it''s me'" in line for line in lines)
