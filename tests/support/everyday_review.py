"""A review as one meets it: a rewrite, an index, a downgrade that forgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ai_platform.review.facts import (
    Blocked,
    Change,
    Column,
    Lock,
    Rewrite,
    Scan,
    Table,
    Timing,
)

from .reviews import finding, review, revision, statement

if TYPE_CHECKING:
    from ai_platform.review.facts import Review, RevisionFacts

__all__ = ["everyday"]


def everyday() -> Review:
    """Return three revisions: a rewrite, an index built beside the work, a leak."""
    return review(
        _widen(),
        _index(),
        _leaking(),
        findings=(
            finding("5ed3b79de57a", 2),
            finding(
                "5ed3b79de57a",
                3,
                rule="statement-after-exclusive-lock",
                severity="warning",
                object="public.request_logs",
                message="the lock of statement 2 is held while this one runs",
                remedy="move it into a revision of its own",
            ),
            finding(
                "48472038ce9b",
                1,
                rule="duplicate-index",
                severity="note",
                object="algorithm_platform.ix_runs_tenant",
                message="the primary key begins with the same column",
                remedy="drop one of them",
                is_measured=False,
                accepted="kept until the planner statistics of June (DBA-142)",
            ),
            finding(
                "2656c31927f7",
                None,
                rule="downgrade-leak",
                object="data_platform.touch()",
                message="the downgrade leaves 1 object behind",
                remedy="drop the function in downgrade()",
            ),
        ),
    )


def _widen() -> RevisionFacts:
    table = "public.request_logs"
    exclusive = Lock(table, "table", "AX")
    everyone = Blocked(table, reads=True, writes=True, ddl=True)
    return revision(
        "5ed3b79de57a",
        statement(
            1,
            "SET LOCAL ROLE platform_owner",
            "SET",
            timing=Timing(duration_s=0.0004),
        ),
        statement(
            2,
            "ALTER TABLE public.request_logs\n"
            "    ALTER COLUMN status TYPE bigint, -- was integer\n"
            "    ALTER COLUMN path SET DEFAULT '/'",
            "ALTER TABLE",
            locks=(
                exclusive,
                Lock("public.ix_request_logs_created", "index", "AX"),
                Lock("auth.users", "table", "AS", is_transient=True),
            ),
            blocked=(everyone,),
            rewritten=(Rewrite(table, 36_700_160),),
            scanned=(Scan(table, 100_000),),
            changes=(
                Change("column", f"{table}.path", "default", None, "'/'::text"),
                Change("column", f"{table}.status", "type", "integer", "bigint"),
            ),
            notices=("WARNING:  index was rebuilt",),
            timing=Timing(
                start_s=0.0011,
                duration_s=0.412,
                wal_bytes=37_900_000,
                held_s=1.31,
                estimated_s=41.2,
            ),
        ),
        statement(
            3,
            "UPDATE public.request_logs SET status = 0 WHERE status IS NULL",
            "UPDATE",
            locks=(
                replace(exclusive, is_new=False),
                Lock(table, "table", "RX"),
            ),
            blocked=(everyone,),
            scanned=(Scan(table, 100_000),),
            updated=(Scan(table, 12_500),),
            timing=Timing(
                start_s=0.4131, duration_s=0.88, wal_bytes=8_100_000, estimated_s=88.0
            ),
        ),
        statement(
            4,
            "ALTER TABLE public.request_logs ADD CONSTRAINT fk_request_logs_user"
            " FOREIGN KEY (user_id) REFERENCES auth.users (id) NOT VALID",
            "ALTER TABLE",
            locks=(
                replace(exclusive, is_new=False),
                Lock("auth.users", "table", "SRX", waited=True),
            ),
            blocked=(
                Blocked("auth.users", reads=False, writes=True, ddl=True),
                everyone,
            ),
            timing=Timing(start_s=1.2931, duration_s=0.012, held_s=0.013),
        ),
        title="Widen the status of a request",
        down=(
            statement(
                1,
                "ALTER TABLE public.request_logs ALTER COLUMN status TYPE integer",
                "ALTER TABLE",
                locks=(exclusive,),
                blocked=(everyone,),
                rewritten=(Rewrite(table, 36_700_160),),
                timing=Timing(duration_s=0.37, held_s=0.37),
            ),
        ),
        tables=(
            Table(
                table,
                before=(
                    Column("id", "uuid NOT NULL", ("PK",)),
                    Column("created", "timestamp with time zone NOT NULL", ("PK",)),
                    Column("user_id", "integer", ()),
                    Column("path", "text", ()),
                    Column("status", "integer", ()),
                    Column("legacy_code", "character varying(20)", ()),
                ),
                after=(
                    Column("id", "uuid NOT NULL", ("PK",)),
                    Column("created", "timestamp with time zone NOT NULL", ("PK",)),
                    Column("user_id", "integer", ("FK auth.users",)),
                    Column("path", "text DEFAULT '/'::text", ()),
                    Column("status", "bigint", ()),
                    Column("duration_ms", "integer", ()),
                ),
            ),
        ),
    )


def _index() -> RevisionFacts:
    table = "algorithm_platform.runs"
    return revision(
        "48472038ce9b",
        statement(
            1,
            "CREATE INDEX CONCURRENTLY ix_runs_tenant\n"
            "    ON algorithm_platform.runs (tenant_id, state)",
            "CREATE INDEX",
            in_transaction=False,
            lock_timeout_ms=0,
            locks=(Lock(table, "table", "SUX", is_transient=True),),
            blocked=(Blocked(table, reads=False, writes=False, ddl=True),),
            scanned=(Scan(table, 200_000),),
            changes=(
                Change(
                    "index", "algorithm_platform.ix_runs_tenant", "object", None, "yes"
                ),
            ),
            timing=Timing(duration_s=0.31, wal_bytes=2_200_000, estimated_s=62.0),
        ),
        down_revision="5ed3b79de57a",
        title="Index runs by tenant and state",
    )


def _leaking() -> RevisionFacts:
    function = "data_platform.touch()"
    made = Column("id", "integer GENERATED BY DEFAULT AS IDENTITY", ("PK",))
    return revision(
        "2656c31927f7",
        statement(
            1,
            "CREATE TABLE data_platform.数据 (id integer PRIMARY KEY, name text)",
            "CREATE TABLE",
            changes=(Change("table", "data_platform.数据", "object", None, "yes"),),
            timing=Timing(duration_s=0.004),
        ),
        statement(
            2,
            "CREATE FUNCTION data_platform.touch() RETURNS trigger LANGUAGE plpgsql\n"
            "AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$",
            "CREATE FUNCTION",
            changes=(Change("function", function, "object", None, "yes"),),
            timing=Timing(start_s=0.0041, duration_s=0.002),
        ),
        down_revision="48472038ce9b",
        title="Add samples",
        tables=(Table("data_platform.数据", None, (made, Column("name", "text", ()))),),
        left_behind=(Change("function", function, "object", None, "yes"),),
        is_reversible=False,
    )
