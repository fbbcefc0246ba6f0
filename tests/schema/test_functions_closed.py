"""Functions and triggers lend nobody the rights of their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors

from tests.support.tenants import OTHER, OWN, Tenants

if TYPE_CHECKING:
    import psycopg


def rows(connection: psycopg.Connection[Any], query: str, *args: Any) -> list[Any]:
    """Return the rows of *query*."""
    return connection.execute(query.encode(), args).fetchall()


def one(connection: psycopg.Connection[Any], query: str, *args: Any) -> Any:
    """Return the single value of *query*."""
    [[value]] = rows(connection, query, *args)
    return value


@pytest.mark.parametrize("days", ["-2 days", "3 days", "70 years"])
def test_writer_makes_no_far_partition(tenants: Tenants, days: str) -> None:
    """A wrong clock or a forged date fills no catalog with partitions."""
    with pytest.raises(errors.InvalidParameterValue, match="two days ahead"):
        tenants.session("log_writer").execute(
            "SELECT monitoring.ensure_partition_for("
            "'public.request_logs', now() + %s::interval)",
            [days],
        )


@pytest.mark.parametrize(
    "name", ["pg_class", "auth.users", "public.request_logs; DROP TABLE x", "", None]
)
def test_writer_names_no_other_table(tenants: Tenants, name: str | None) -> None:
    """Only a table with a policy is touched; a name is never run as SQL."""
    with pytest.raises(errors.InvalidParameterValue, match="no partition policy"):
        tenants.session("log_writer").execute(
            "SELECT monitoring.ensure_partition_for(%s, now())", [name]
        )


@pytest.mark.parametrize(
    "call",
    [
        "algo_platform.claim_jobs('q', 'w')",
        "data_platform.claim_documents(1, 'w')",
        "data_platform.ensure_embedding_partition(1)",
        "monitoring.ensure_partitions()",
        "monitoring.raise_alert(1, 'f', 's')",
        "monitoring.create_partition('auth.users', now(), now())",
        "monitoring.force_row_security('auth.users')",
        "monitoring.archive_daily_stats()",
        "service_platform.rollup_usage('2026-01-01')",
    ],
)
def test_app_calls_nothing_across_tenants(tenants: Tenants, call: str) -> None:
    """What works on every organization's rows is for workers or the owner."""
    with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
        tenants.enter("app").execute(f"SELECT {call}".encode())


def test_trigger_functions_serve_no_stranger(tenants: Tenants) -> None:
    """A definer trigger function cannot be hung on a table of one's own."""
    app = tenants.enter("app")
    app.execute("CREATE TEMP TABLE users (id integer, organization_id integer)")
    for function in (
        "auth.leave_home",
        "logs.audit_row_change",
        "service_platform.check_traffic",
        "data_platform.enqueue_documents",
    ):
        with pytest.raises(errors.InsufficientPrivilege), app.transaction():
            app.execute(
                f"CREATE TRIGGER t AFTER INSERT ON users FOR EACH ROW "
                f"EXECUTE FUNCTION {function}()".encode()
            )


def test_temporary_objects_shadow_nothing(tenants: Tenants) -> None:
    """A temporary users table, or an own now(), changes no answer of a policy."""
    app = tenants.enter("app")
    app.execute("CREATE TEMP TABLE memberships AS SELECT 1 AS user_id")
    app.execute(
        "CREATE FUNCTION pg_temp.current_setting(text, boolean) RETURNS text "
        f"LANGUAGE sql AS 'SELECT ''{OTHER}''::text'"
    )
    app.execute("SET LOCAL search_path = pg_temp, pg_catalog, public")
    seen = rows(app, "SELECT DISTINCT organization_id FROM data_platform.datasets")

    assert one(app, "SELECT auth.org_id()") == OWN
    assert seen == [(OWN,)]
