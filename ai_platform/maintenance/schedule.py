"""Schedules for the nightly run, ready to paste: cron, systemd and pg_cron."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from ai_platform.errors import BadValue
from ai_platform.names import ARCHIVE_DAILY_STATS, DAILY_STATS, OWNER
from ai_platform.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

__all__ = [
    "ENVIRONMENT",
    "JOBS",
    "Job",
    "at",
    "cron",
    "parents",
    "pg_cron",
    "systemd",
]

ENVIRONMENT: Final = "/etc/platform/maintenance.env"
"""Where the schedules read the variables from; only their account may read it."""

_AT: Final = re.compile(r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})")
# What runs in the server has nobody who reads it: it gives way instead.
_LIMITS: Final = "SET lock_timeout = '4s'"

_PARENTS: Final = """
    SELECT format('%%I.%%I', n.nspname, c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'p' AND NOT c.relispartition AND c.relowner = to_regrole(%s)
     ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of pg_cron: its name, the minutes after the time asked for, its SQL."""

    name: str
    minutes: int
    command: str


JOBS: Final = (
    Job(
        "platform partitions",
        0,
        f"SET ROLE {OWNER}; {_LIMITS}; SELECT monitoring.ensure_partitions()",
    ),
    Job(
        "platform statistics",
        5,
        f"SET ROLE {OWNER}; {_LIMITS}; SELECT {ARCHIVE_DAILY_STATS}();"
        f" REFRESH MATERIALIZED VIEW CONCURRENTLY {DAILY_STATS}",
    ),
)
"""What the server can do alone; ANALYZE is added for each partitioned table."""


def at(text: str) -> time:
    """Return the time of day that *text* names, as 00:10; in UTC.

    Raises BadValue.
    """
    found = _AT.fullmatch(text)
    try:
        if found:
            return time(int(found["hour"]), int(found["minute"]))
    except ValueError:
        pass
    raise BadValue(f"not a time of day: got {quoted(text)}", hint="write it as 00:10")


def cron(when: time, command: list[str], database: str) -> str:
    """Return a crontab line that runs *command* each day at *when*, in UTC."""
    # a percent sign ends the command in a crontab
    line = shlex.join(command).replace("%", r"\%")
    return "\n".join(
        [
            f"# {ENVIRONMENT} (mode 0600) holds DATABASE_URL='…', in quotes",
            f"# since a shell reads it, of database {_plain(database)}.",
            "# CRON_TZ is of cronie; Vixie cron reads the time in the machine's zone,",
            "# which is as good: partitions are made days ahead.",
            "CRON_TZ=UTC",
            f"{when.minute} {when.hour} * * * set -a; . {ENVIRONMENT}; exec {line}",
        ]
    )


def systemd(when: time, command: list[str], database: str) -> str:
    """Return a service and its timer that run *command* each day at *when*, in UTC."""
    # systemd reads % and $ in a command
    line = shlex.join(command).replace("%", "%%").replace("$", "$$")
    shown = _plain(database).replace("%", "%%")
    return "\n".join(
        [
            "# /etc/systemd/system/platform-maintenance.service",
            "[Unit]",
            f"Description=Upkeep of database {shown}",
            "After=network-online.target",
            "Wants=network-online.target",
            "",
            "[Service]",
            "Type=oneshot",
            f"EnvironmentFile={ENVIRONMENT}",
            f"ExecStart={line}",
            "# SIGTERM ends a run between two steps; the next one goes on",
            "SuccessExitStatus=143",
            "TimeoutStartSec=6h",
            "",
            "# /etc/systemd/system/platform-maintenance.timer",
            "[Unit]",
            f"Description=Upkeep of database {shown}, every day",
            "",
            "[Timer]",
            f"OnCalendar=*-*-* {when:%H:%M}:00 UTC",
            "Persistent=true",
            "",
            "[Install]",
            "WantedBy=timers.target",
        ]
    )


def pg_cron(when: time, database: str, login: str, parents: Iterable[str] = ()) -> str:
    """Return the SQL that schedules what the server can do without a client.

    *login* runs the jobs and may act as the owner; *parents* are quoted names of the
    partitioned tables to ANALYZE.
    """
    jobs = [*JOBS]
    # one job each: statements of one job are one transaction, and keep their locks
    for number, parent in enumerate(parents):
        command = f"SET ROLE {OWNER}; {_LIMITS}; ANALYZE {parent}"
        jobs.append(Job(f"platform analyze {parent}", 10 + number, command))
    lines = [
        "-- Run it as superuser in the database that cron.database_name names.",
        "-- The times are those of cron.timezone, GMT unless it was changed.",
        "-- The server makes partitions and statistics; it removes nothing: DETACH",
        "-- CONCURRENTLY runs in no function, and a job knows no name of tomorrow.",
        "-- Beside it, from any machine:",
        "-- platform maintenance run --only detaches --only prune --only expiry",
    ]
    for job in jobs:
        minutes = when.hour * 60 + when.minute + job.minutes
        schedule = f"{minutes % 60} {minutes // 60 % 24} * * *"
        values = [f"{job.name}: {database}", schedule, job.command, database, login]
        arguments = ", ".join(_literal(value) for value in values)
        lines.append(f"SELECT cron.schedule_in_database({arguments});")
    return "\n".join(lines)


def parents(conn: psycopg.Connection[Any]) -> list[str]:
    """Return the quoted names of the partitioned tables of the platform."""
    return [row[0] for row in conn.execute(_PARENTS, [OWNER])]


def _literal(value: str) -> str:
    return sql.Literal(value).as_string(None)


def _plain(text: str) -> str:
    """Return *text* for a comment: without a line end, behind which commands begin."""
    return "".join(c if c.isprintable() else "?" for c in text)
