"""What the judge sees of planted differences, beside Alembic's own comparison."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from ai_platform.catalog import diff, snapshot
from ai_platform.catalog.reference import table_statements
from ai_platform.connection import connect
from benchmarks._bench import scratch_server
from tests.schema.drift_cases import CASES, PREPARE, Case

if TYPE_CHECKING:
    import psycopg

    from ai_platform.connection import Target

DATABASE = "bench_drift"


def _judge(connection: psycopg.Connection[Any], case: Case) -> bool:
    metadata = sa.MetaData()
    case.declare(metadata)
    sides = []
    for statements in ([*table_statements(metadata), case.objects], [case.ddl]):
        with connection.transaction(force_rollback=True):
            for statement in filter(None, statements):
                connection.execute(statement.encode())
            sides.append(snapshot(connection))
    return any(not found.weak for found in diff(*sides))


def _alembic(connection: sa.Connection, case: Case) -> bool:
    metadata = sa.MetaData()
    case.declare(metadata)
    transaction = connection.begin()
    try:
        connection.exec_driver_sql(case.ddl)
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return bool(compare_metadata(context, metadata))
    except sa.exc.DBAPIError:  # its comparison of a default does not run
        return False
    finally:
        transaction.rollback()


def _count(place: Target) -> dict[str, dict[bool, list[int]]]:
    counts: dict[str, dict[bool, list[int]]] = {
        name: {True: [0, 0], False: [0, 0]} for name in ("snapshot", "Alembic")
    }
    engine = sa.create_engine(place.sqlalchemy_url, poolclass=sa.NullPool)
    with connect(place) as connection, engine.connect() as alembic:
        connection.execute(PREPARE.encode())
        for case in CASES:
            if connection.info.server_version < case.since * 10000:
                continue
            for name, seen in (
                ("snapshot", _judge(connection, case)),
                ("Alembic", _alembic(alembic, case)),
            ):
                counts[name][case.same][0] += seen != case.same
                counts[name][case.same][1] += 1
    return counts


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")  # Alembic names what it cannot compare
    with scratch_server() as admin:
        place = admin.with_database(DATABASE)
        with connect(admin) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {DATABASE}")
        counts = _count(place)
        with connect(admin) as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    print(f"\n{'':10} {'differences seen':>18} {'equal pairs silent':>20}")
    for name, found in counts.items():
        shown = [f"{right} of {total}" for right, total in (found[False], found[True])]
        print(f"{name:10} {shown[0]:>18} {shown[1]:>20}")


if __name__ == "__main__":
    main()
