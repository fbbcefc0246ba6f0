"""Reading a whole catalog, against `pg_dump --schema-only` of the same database.

With 50 and with 500 tables of twelve columns, each with a key, a foreign key, two
checks, two indexes, a trigger, a policy, grants and comments.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_platform.catalog import snapshot
from ai_platform.connection import connect
from ai_platform.server import EmbeddedServer
from benchmarks._bench import command, paired, scratch_server, show

if TYPE_CHECKING:
    import psycopg

    from ai_platform.connection import Target

DATABASE = "bench_snapshot"
SIZES = (50, 500)
TABLE = """
    CREATE TABLE shop.t{n} (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        parent_id bigint REFERENCES shop.t{parent},
        a text NOT NULL DEFAULT 'x', b integer CHECK (b > 0), c jsonb DEFAULT '{{}}',
        d timestamptz DEFAULT now(), e numeric(10, 2), f text[], g uuid, h boolean,
        i date, j text CHECK (j IN ('one', 'two')));
    CREATE INDEX ON shop.t{n} (parent_id);
    CREATE INDEX ON shop.t{n} (lower(a)) WHERE b > 3;
    CREATE TRIGGER touch BEFORE UPDATE ON shop.t{n}
        FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
    ALTER TABLE shop.t{n} ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON shop.t{n} USING (b = 1);
    GRANT SELECT ON shop.t{n} TO pg_monitor;
    COMMENT ON TABLE shop.t{n} IS 'Table {n}';
    COMMENT ON COLUMN shop.t{n}.a IS 'A column';
"""


def _fill(place: Target, size: int) -> None:
    with connect(place) as connection:
        connection.execute("CREATE SCHEMA shop")
        for n in range(size):
            connection.execute(TABLE.format(n=n, parent=max(n - 1, 0)).encode())
        connection.execute("VACUUM ANALYZE")


def _read(connection: psycopg.Connection[Any]) -> None:
    snapshot(connection)


def _measure(place: Target) -> tuple[tuple[float, float, float], int]:
    pg_dump = Path(EmbeddedServer().bin_dir) / "pg_dump"
    with connect(place) as connection:
        count = len(snapshot(connection))
        times = paired(
            partial(_read, connection),
            command(pg_dump, "--schema-only", "--file", "/dev/null", place.url),
            runs=5,
        )
    return times, count


def main() -> None:
    """Print the table."""
    rows = []
    with scratch_server() as admin:
        place = admin.with_database(DATABASE)
        for size in SIZES:
            with connect(admin) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
                connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
            _fill(place, size)
            times, count = _measure(place)
            bound = "0.5 s" if size == min(SIZES) else ""
            rows.append((f"{size} tables, {count} objects", times, bound))
        with connect(admin) as connection:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    show("catalog snapshot against pg_dump --schema-only", rows)


if __name__ == "__main__":
    main()
