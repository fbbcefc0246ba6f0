"""Clients written for the founding DDL go on working, unchanged."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from tests.support.tenants import OTHER, OWN, Tenants

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTOR = "[" + ",".join(["0.1"] * 1536) + "]"
LINE = ("/v1/chat", "POST", 200, "user:7", "192.0.2.1", "curl", '{"a": 1}', None)
COLUMNS = "id, url, method, status, auth, remote_ip, user_agent, meta, referer"
# as the founding documents have a service write them; no organization is named
INSERTS = {
    "auth.users": "(username, email, password_hash) VALUES ('ada', 'ada@x', '$2b$x')",
    "auth.groups": "(name, description) VALUES ('analysts', 'read reports')",
    "data_platform.data_sources": "(name, source_type, connection_info, created_by) "
    "VALUES ('lake', 's3', '{\"bucket\": \"raw\"}', NULL)",
    "data_platform.text_embeddings": "(dataset_id, record_id, text_content, embedding) "
    f"VALUES (4711, 'r1', 'text', '{VECTOR}')",
    "algo_platform.algorithms": "(name, version) VALUES ('bert', '1.0')",
    "request_logs": "(id, url, status) VALUES (uuid_generate_v7(), '/x', 404)",
    "monitoring.metrics": "(time, node_id, sys_mem_mb) "
    "VALUES (now() AT TIME ZONE 'UTC', 'node-1', 512)",
}


def one(connection: psycopg.Connection[Any], query: str, *args: Any) -> Any:
    """Return the single value of *query*."""
    row = connection.execute(query.encode(), args).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
def written(tenants: Tenants) -> Iterator[psycopg.Connection[Any]]:
    """Give a superuser's connection to the filled database, rolled back."""
    connection = tenants.connect(autocommit=False)
    yield connection
    connection.rollback()


def copied(writer: psycopg.Connection[Any], form: str, lines: int = 3) -> list[UUID]:
    """Copy *lines* into the unqualified table in one of COPY's formats."""
    ids = [uuid4() for _ in range(lines)]
    statement = f"COPY request_logs ({COLUMNS}) FROM STDIN (FORMAT {form})"
    with writer.cursor().copy(statement.encode()) as copy:
        if form == "csv":
            for key in ids:
                copy.write(f'{key},/v1/chat,POST,200,user:7,192.0.2.1,curl,"{{}}",\n')
            return ids
        if form == "binary":
            names = ["uuid", "text", "text", "int4", "text", "text", "text", "jsonb"]
            copy.set_types([*names, "text"])
        for key in ids:
            meta = psycopg.types.json.Jsonb({"a": 1})
            copy.write_row((key, *LINE[:6], meta, None))
    return ids


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_log_writer_copies_into_today(tenants: Tenants, form: str) -> None:
    """A member login copies into the bare name; rows land in today's partition."""
    writer = tenants.connect("log_writer")
    ids = copied(writer, form)
    found = tenants.connect().execute(
        "SELECT DISTINCT r.tableoid::regclass::text, created::date, relpersistence "
        "FROM request_logs r JOIN pg_class c ON c.oid = r.tableoid "
        "WHERE id = ANY (%s)",
        [ids],
    )
    today = datetime.now(UTC).date()

    assert found.fetchall() == [(f"logs.request_logs_{today:%Y%m%d}", today, "u")]


@pytest.mark.parametrize("path", ['"$user", monitoring, public', "pg_temp, public"])
def test_search_path_of_a_login_misleads_nothing(tenants: Tenants, path: str) -> None:
    """Whatever stands before public in the login's search_path, COPY arrives."""
    writer = tenants.connect("log_writer", options=f"-csearch_path={quote(path)}")
    ids = copied(writer, "text")
    query = "SELECT count(*) FROM public.request_logs WHERE id = ANY (%s)"

    assert one(writer, "SHOW search_path") == path
    assert one(tenants.connect(), query, ids) == len(ids)


def quote(path: str) -> str:
    """Return *path* as libpq's options want it."""
    return path.replace(" ", "\\ ")


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo", "UTC"])
def test_created_is_utc_in_every_zone(tenants: Tenants, zone: str) -> None:
    """The default of a log line does not follow the session's time zone."""
    writer = tenants.connect("log_writer", options=f"-cTimeZone={zone}")
    [key] = copied(writer, "text", lines=1)
    query = "SELECT created FROM request_logs WHERE id = %s"
    drift = one(tenants.connect(), query, key) - datetime.now(UTC).replace(tzinfo=None)

    assert abs(drift.total_seconds()) < 60


def seed_context(tenants: Tenants, user: object) -> psycopg.Connection[Any]:
    """Return an application's connection after the two founding statements."""
    app = tenants.session("app")
    app.execute("SELECT set_config('pb.auth.id', %s, true)", [str(user)])
    app.execute("SELECT set_config('pb.auth.role', 'user', true)")
    return app


def test_two_settings_give_the_own_rows(tenants: Tenants) -> None:
    """The founding session context opens the user's organization and no other."""
    app = seed_context(tenants, tenants.rows["auth.users", OWN]["id"])
    tables = [name for name, table in tenants.tables.items() if table.is_tenant]
    seen = {
        table: {
            row[0]
            for row in app.execute(
                sql.SQL(
                    "SELECT organization_id FROM {} WHERE organization_id IS NOT NULL"
                ).format(sql.Identifier(*table.split(".")))
            )
        }
        for table in tables
    }

    assert seen == {table: {OWN} for table in tables}


@pytest.mark.parametrize(
    "user", ["", "0", "-1", "999999999", "1 OR true", "1e3", "99999999999999999999"]
)
def test_unknown_user_sees_nothing(tenants: Tenants, user: str) -> None:
    """A user id that is none gives no rows and no error to probe with."""
    app = seed_context(tenants, user)

    assert one(app, "SELECT count(*) FROM data_platform.data_sources") == 0


@pytest.mark.parametrize("change", ["is_active = false", "deleted_at = now()"])
def test_disabled_user_sees_nothing(tenants: Tenants, change: str) -> None:
    """Who was switched off has no organization any more, in the next statement."""
    user = tenants.rows["auth.users", OTHER]["id"]
    admin = tenants.connect()
    admin.execute(f"UPDATE auth.users SET {change} WHERE id = %s".encode(), [user])
    app = seed_context(tenants, user)
    seen = one(app, "SELECT count(*) FROM data_platform.data_sources")
    admin.execute(
        "UPDATE auth.users SET is_active = true, deleted_at = NULL WHERE id = %s",
        [user],
    )

    assert seen == 0


@pytest.mark.parametrize("table", INSERTS)
def test_owner_inserts_as_founded(written: psycopg.Connection[Any], table: str) -> None:
    """The founding INSERTs, without organization, go through as written."""
    done = written.execute(f"INSERT INTO {table} {INSERTS[table]}".encode())

    assert done.rowcount == 1


@pytest.mark.parametrize(
    "table",
    [
        "auth.groups",
        "data_platform.data_sources",
        "algo_platform.algorithms",
        "data_platform.text_embeddings",
    ],
)
def test_app_inserts_into_the_own_organization(tenants: Tenants, table: str) -> None:
    """Under the two settings a founding INSERT is filed under the organization."""
    app = seed_context(tenants, tenants.rows["auth.users", OWN]["id"])
    dataset = str(tenants.rows["data_platform.datasets", OWN]["id"])
    statement = f"INSERT INTO {table} {INSERTS[table]} RETURNING organization_id"

    assert one(app, statement.replace("4711", dataset)) == OWN


def test_ids_are_ordered_by_time(written: psycopg.Connection[Any]) -> None:
    """uuid_generate_v7(): version 7, variant 2, this moment, sorted by creation."""
    rows = written.execute(
        "SELECT uuid_generate_v7() FROM generate_series(1, 200)"
    ).fetchall()
    ids = [row[0] for row in rows]
    times = [key.int >> 80 for key in ids]

    assert {(key.version, key.variant) for key in ids} == {(7, "specified in RFC 4122")}
    assert times == sorted(times)
    assert abs(times[0] / 1000 - datetime.now(UTC).timestamp()) < 60
    stamp = one(written, "SELECT uuid_v7_timestamp(%s)", ids[0])
    assert int(stamp.timestamp() * 1000) == times[0]


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ('{"a": [1, null]}', True),
        ('"x"', True),
        ("1e5", True),
        ("", False),
        ("{a: 1}", False),
        ("{'a': 1}", False),
        ('"\\u0000"', False),
        ("{} {}", False),
        (None, None),
    ],
)
def test_json_valid_answers_as_promised(
    written: psycopg.Connection[Any],
    text: str | None,
    valid: bool | None,  # noqa: FBT001 - an expected value
) -> None:
    """json_valid() says what converts; NULL stays unknown, as in SQLite."""
    assert one(written, "SELECT json_valid(%s::text)", text) is valid


def test_nocase_folds_where_icu_is(written: psycopg.Connection[Any]) -> None:
    """The collation compares without case, beyond ASCII too."""
    if not one(written, "SELECT count(*) FROM pg_collation WHERE collname = 'nocase'"):
        pytest.skip("this server is built without ICU")

    assert one(written, "SELECT 'ÄPFEL' = 'äpfel' COLLATE nocase")
    assert not one(written, "SELECT 'apfel' = 'äpfel' COLLATE nocase")


def test_events_arrive_on_their_channel(tenants: Tenants) -> None:
    """create, update, delete on pb_events: type, collection, id and node."""
    listener = tenants.connect()
    listener.execute("LISTEN pb_events")
    admin = tenants.connect(autocommit=False)
    admin.execute("SELECT set_config('pb.node_id', 'node-1', true)")
    row = tenants.filler.row("service_platform.endpoints", OWN, variant=9)
    key = one(
        admin,
        "INSERT INTO service_platform.endpoints (organization_id, service_id, host) "
        "VALUES (%s, %s, 'events.example') RETURNING id",
        *(row["organization_id"], second_service(admin)),
    )
    admin.execute(
        "UPDATE service_platform.endpoints SET timeout_ms = 5 WHERE id = %s", [key]
    )
    admin.execute("DELETE FROM service_platform.endpoints WHERE id = %s", [key])
    admin.commit()
    heard = [
        json.loads(event.payload)
        for event in listener.notifies(timeout=60, stop_after=3)
    ]

    rest = {
        "collection": "service_platform.endpoints",
        "id": str(key),
        "node_id": "node-1",
    }
    assert heard == [{"type": kind, **rest} for kind in ("create", "update", "delete")]


def second_service(admin: psycopg.Connection[Any]) -> int:
    """Return a new service of the own organization."""
    return int(
        one(
            admin,
            "INSERT INTO service_platform.services (organization_id, name) "
            "VALUES (%s, 'events') RETURNING id",
            OWN,
        )
    )


def test_events_name_keys_of_several_columns(tenants: Tenants) -> None:
    """A moved alias tells which one: model and alias, as in the audit log."""
    listener = tenants.connect()
    listener.execute("LISTEN pb_events")
    alias = tenants.rows["model_platform.model_aliases", OWN]
    tenants.connect().execute(
        "UPDATE model_platform.model_aliases SET updated_by = NULL WHERE model_id = %s",
        [alias["model_id"]],
    )
    [event] = listener.notifies(timeout=60, stop_after=1)

    assert json.loads(event.payload)["id"] == f"{alias['model_id']}/{alias['alias']}"
