"""No row crosses between two organizations: views, partitions, people, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors, sql

from tests.support.rows import identifier
from tests.support.tenants import OTHER, OWN, Tenants

if TYPE_CHECKING:
    import psycopg

READERS = ("app", "worker", "readonly")
LOGINS = (*READERS, "log_writer")


def values(connection: psycopg.Connection[Any], query: str, *args: Any) -> set[Any]:
    """Return the first column of *query* as a set."""
    return {row[0] for row in connection.execute(query.encode(), args).fetchall()}


def partitions(tenants: Tenants) -> set[str]:
    """Return the names of all partitions."""
    query = "SELECT oid::regclass::text FROM pg_class WHERE relispartition"
    return values(tenants.connect(), f"{query} AND relkind = 'r'")


@pytest.mark.parametrize("login", LOGINS)
def test_partitions_open_to_nobody(tenants: Tenants, login: str) -> None:
    """Row security of the parent cannot be gone round through a partition."""
    connection = tenants.enter(login)
    names = partitions(tenants)
    for name in names:
        for statement in ("SELECT 1 FROM {}", "DELETE FROM {}"):
            with (
                pytest.raises(errors.InsufficientPrivilege),
                connection.transaction(),
            ):
                connection.execute(sql.SQL(statement).format(identifier(name)))

    assert {"algo_platform.run_metrics_p0", "data_platform.chunk_embeddings_m1"} < names


@pytest.mark.parametrize("login", READERS)
def test_audit_log_shows_own_changes(tenants: Tenants, login: str) -> None:
    """History is as closed as the rows it tells of, and not for writing."""
    connection = tenants.enter(login)
    seen = values(connection, "SELECT organization_id FROM logs.audit_log")
    with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
        connection.execute("INSERT INTO logs.audit_log (action) VALUES ('forged')")

    assert seen == {OWN}
    every = values(tenants.connect(), "SELECT organization_id FROM logs.audit_log")
    assert {OWN, OTHER} <= every


@pytest.mark.parametrize("login", READERS)
def test_request_log_view_shows_own_requests(tenants: Tenants, login: str) -> None:
    """A tenant reads its own requests, not another's and not nobody's."""
    connection = tenants.enter(login)

    assert values(connection, "SELECT url FROM logs.tenant_request_logs") == {"/own"}


def test_request_log_stays_closed_to_app(tenants: Tenants) -> None:
    """The table has no row security, so the application may not read it at all."""
    with pytest.raises(errors.InsufficientPrivilege):
        tenants.enter("app").execute("SELECT 1 FROM request_logs")


def test_leaky_function_sees_own_rows_only(tenants: Tenants) -> None:
    """A cheap function in WHERE is not shown rows before the view's own filter."""
    app = tenants.enter("app")
    app.execute("""
        CREATE FUNCTION pg_temp.leak(text) RETURNS boolean
        LANGUAGE plpgsql COST 0.0000001 AS
        $$ BEGIN PERFORM set_config('t.seen', current_setting('t.seen', true) || $1,
                                    true); RETURN true; END $$
    """)
    app.execute("SELECT set_config('t.seen', '', true)")
    app.execute("SELECT FROM logs.tenant_request_logs WHERE pg_temp.leak(url)")

    assert values(app, "SELECT current_setting('t.seen')") == {"/own"}


@pytest.mark.parametrize("login", READERS)
def test_lineage_view_shows_own_edges(tenants: Tenants, login: str) -> None:
    """The view reads with the rights of who asks."""
    connection = tenants.enter(login)
    query = "SELECT organization_id FROM data_platform.lineage_graph"

    assert values(connection, query) == {OWN}


def test_log_writer_reads_nothing(tenants: Tenants) -> None:
    """A stolen log writer can add lines and read none, of no tenant."""
    writer = tenants.enter("log_writer")
    for table in {name for name, _ in tenants.rows} | {"public.request_logs"}:
        with pytest.raises(errors.InsufficientPrivilege), writer.transaction():
            writer.execute(sql.SQL("SELECT 1 FROM {}").format(identifier(table)))


def test_log_writer_adds_for_every_tenant(tenants: Tenants) -> None:
    """The ledger of all organizations arrives in one statement."""
    writer = tenants.session("log_writer")
    done = writer.execute(
        """
        INSERT INTO service_platform.invocations
               (id, created_at, organization_id, operation, status_code)
        SELECT i, uuid_v7_timestamp(i), o, 'chat', 200
          FROM (SELECT o, uuid_generate_v7() AS i
                  FROM unnest(%s::integer[]) AS o OFFSET 0) AS batch
        """,
        [[OWN, OTHER]],
    )

    assert done.rowcount == 2


def test_app_books_for_itself_alone(tenants: Tenants) -> None:
    """The log writer's wide policy does not reach the application."""
    with pytest.raises(errors.InsufficientPrivilege):
        tenants.enter("app").execute(
            """
            INSERT INTO service_platform.invocations
                   (id, created_at, organization_id, operation, status_code)
            SELECT i, uuid_v7_timestamp(i), %s, 'chat', 200 FROM uuid_generate_v7() AS i
            """,
            [OTHER],
        )


def test_password_hashes_stay_unread(tenants: Tenants) -> None:
    """No login selects the column, its own row included."""
    for login in LOGINS:
        connection = tenants.enter(login)
        with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
            connection.execute("SELECT password_hash FROM auth.users")


def seat(tenants: Tenants, status: str) -> None:
    """Give the other organization's user a seat, as an administrator of ours."""
    stranger = tenants.rows["auth.users", OTHER]["id"]
    role = tenants.rows["auth.roles", OWN]["id"]
    tenants.enter("app").execute(
        "INSERT INTO auth.memberships (user_id, role_id, status) VALUES (%s, %s, %s)",
        [stranger, role, status],
    )


@pytest.mark.parametrize("status", ["active", "suspended"])
def test_stranger_cannot_be_seated(tenants: Tenants, status: str) -> None:
    """A seat shows its user, so nobody seats users to read their addresses."""
    with pytest.raises(errors.InsufficientPrivilege):
        seat(tenants, status)


def test_invited_stranger_stays_unseen(tenants: Tenants) -> None:
    """An invitation shows nothing of the invited, and cannot be accepted for them."""
    app = tenants.enter("app")
    seat(tenants, "invited")
    stranger = tenants.rows["auth.users", OTHER]["id"]

    assert values(app, "SELECT 1 FROM auth.users WHERE id = %s", stranger) == set()
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(
            "UPDATE auth.memberships SET status = 'active' WHERE user_id = %s",
            [stranger],
        )


def test_invited_user_takes_the_seat(tenants: Tenants) -> None:
    """Who accepts is in, and only then seen by the colleagues."""
    seat(tenants, "invited")
    app = tenants.enter("app", OTHER)
    accept = "SELECT auth.accept_invitation(%s)"
    stranger = tenants.rows["auth.users", OTHER]["id"]

    assert values(app, accept, OWN) == {True}
    assert values(app, accept, OWN) == {False}
    tenants.enter("app", OWN)
    assert values(app, "SELECT id FROM auth.users WHERE id = %s", stranger) == {
        stranger
    }


def test_key_for_a_stranger_is_refused(tenants: Tenants) -> None:
    """A key cannot name a user of another organization and act as that user."""
    row = tenants.filler.row("auth.api_keys", OWN, variant=5)
    with pytest.raises(errors.InsufficientPrivilege, match="parents_visible"):
        tenants.enter("app").execute(
            "INSERT INTO auth.api_keys (user_id, name, key_prefix, key_hash) "
            "VALUES (%s, 'k', 'k', %s)",
            [tenants.rows["auth.users", OTHER]["id"], row["key_hash"]],
        )


def test_alert_of_another_is_not_caught(tenants: Tenants) -> None:
    """What the worker raises for a rule goes to the rule's organization alone."""
    worker = tenants.session("worker")
    rule = tenants.rows["monitoring.alert_rules", OTHER]["id"]
    worker.execute("SELECT monitoring.raise_alert(%s, 'disk', 'secret')", [rule])
    query = "SELECT count(*) FROM monitoring.alerts WHERE summary = 'secret'"

    assert values(tenants.enter("worker", OTHER), query) == {1}
    assert values(tenants.enter("worker", OWN), query) == {0}
