"""The founding DDL against the catalog: column by column, index by index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from tests.support.database import Database

FOUNDING = Path(__file__).with_name("founding_ddl.sql")
NOTES = CHECKOUT / "docs" / "schema-notes.md"
TABLES = [
    "auth.users",
    "auth.groups",
    "data_platform.data_sources",
    "data_platform.text_embeddings",
    "algo_platform.algorithms",
    "public.request_logs",
    "monitoring.metrics",
]

FACTS = """
    WITH t AS (SELECT n::regclass AS oid, n AS name FROM unnest(%s::text[]) AS n),
    c AS (
        SELECT t.name || '.' || attname AS name, a.*,
               row_number() OVER (PARTITION BY t.oid ORDER BY attnum) AS place,
               (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
                 WHERE adrelid = t.oid AND adnum = attnum) AS value
          FROM t JOIN pg_attribute a ON attrelid = t.oid
         WHERE attnum > 0 AND NOT attisdropped)
    SELECT name || ' type', format_type(atttypid, atttypmod) FROM c
    UNION ALL SELECT name || ' place', place::text FROM c
    UNION ALL SELECT name || ' default', COALESCE(value, 'none') FROM c
    UNION ALL SELECT name || ' null', CASE WHEN attnotnull THEN 'no' ELSE 'yes' END
      FROM c
    UNION ALL
    SELECT t.name || ' ' || conname, pg_get_constraintdef(k.oid)
      FROM t JOIN pg_constraint k ON conrelid = t.oid AND contype <> 'n'
    UNION ALL
    SELECT t.name || ' ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
      FROM t JOIN pg_index ON indrelid = t.oid
     WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
    UNION ALL
    SELECT t.name || ' partitions', pg_get_partkeydef(t.oid)
      FROM t JOIN pg_class USING (oid) WHERE relkind = 'p'
    UNION ALL
    SELECT 'monitoring.daily_stats', pg_get_viewdef('monitoring.daily_stats'::regclass)
    UNION ALL
    SELECT 'monitoring.daily_stats.' || attname, format_type(atttypid, atttypmod)
      FROM pg_attribute
     WHERE attrelid = 'monitoring.daily_stats'::regclass AND attnum > 0
"""

NOT_NULL = "eight columns with a default may be NULL"
BARE = "`users.organization_id`, `text_embeddings.dataset_id` are bare numbers"
FREE = "any text as password hash, source type, connection document"
DEVIATIONS = {
    "auth.users.is_active null": NOT_NULL,
    "auth.users.is_superuser null": NOT_NULL,
    "auth.users.date_joined null": NOT_NULL,
    "data_platform.data_sources.created_at null": NOT_NULL,
    "data_platform.data_sources.updated_at null": NOT_NULL,
    "data_platform.data_sources.is_active null": NOT_NULL,
    "algo_platform.algorithms.created_at null": NOT_NULL,
    "algo_platform.algorithms.updated_at null": NOT_NULL,
    "public.request_logs.created default": "`created … DEFAULT NOW()`",
    "auth.users fk_users_organization_id_organizations": BARE,
    "auth.users ck_users_password_hash": FREE,
    "auth.users auth.uq_users_username_lower": FREE,
    "auth.users auth.uq_users_email_lower": FREE,
    "data_platform.data_sources ck_data_sources_connection_info": FREE,
    "data_platform.data_sources ck_data_sources_source_type": FREE,
    "algo_platform.algorithms algo_platform.uq_algorithms_name_unversioned": FREE,
}
# shown elsewhere: by rows in test_seed_clients.py, by the statements of installing
BEYOND = {
    "`CREATE UNLOGGED TABLE request_logs … PARTITION BY`",
    "partitions beside the parent",
    "`uuid_generate_v7()` with `gen_random_bytes`",
    "`json_valid(NULL)` is true",
    "collation `nocase`",
    "extensions `uuid-ossp`, `pg_trgm`, `pgcrypto`",
    "an administrator with a known password",
    "PostgreSQL 14 and 15",
    "the ivfflat index on an empty table",
}


def facts(database: Database) -> dict[str, str]:
    """Return what the catalog says of the founding tables, by name."""
    return dict(database.connect().execute(FACTS.encode(), [TABLES]).fetchall())


def founding(database: Database) -> dict[str, str]:
    """Load the founding DDL into *database* and return its facts."""
    connection = database.connect()
    for schema in ("auth", "data_platform", "algo_platform", "monitoring"):
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    connection.execute("CREATE EXTENSION vector")
    # UNLOGGED has no effect on a parent up to PostgreSQL 17 and is refused by 18
    text = FOUNDING.read_text(encoding="utf-8").replace("UNLOGGED TABLE", "TABLE")
    connection.execute(text.encode())
    return facts(database)


def added_rules(ours: dict[str, str], promised: dict[str, str]) -> set[str]:
    """Return our further keys and checks that bind founding columns alone."""
    columns = {
        fact.rpartition(".")[2].partition(" ")[0]
        for fact in ours.keys() - promised.keys()
        if fact.endswith(" type")
    }
    return {
        fact
        for fact in ours.keys() - promised.keys()
        if ours[fact].startswith(("CHECK", "UNIQUE", "FOREIGN", "CREATE UNIQUE"))
        and not any(column in ours[fact] for column in columns - {"organization_id"})
        and (" fk_users" in fact or "organization_id" not in ours[fact])
    }


def test_catalog_keeps_the_founding_ddl(database: Database, empty: Database) -> None:
    """Tables, columns in order, types, defaults, keys, indexes: all but the listed."""
    promised, ours = founding(empty), facts(database)
    changed = {fact for fact, value in promised.items() if ours.get(fact) != value}

    assert len(promised) > 200
    assert set(DEVIATIONS) == changed | added_rules(ours, promised)


def test_further_columns_ask_nothing_of_clients(
    database: Database, empty: Database
) -> None:
    """A founding INSERT names no new column, so each has a default or allows NULL."""
    promised, ours = founding(empty), facts(database)
    needed = [
        fact
        for fact in ours.keys() - promised.keys()
        if fact.endswith(" null")
        and ours[fact] == "no"
        and ours[fact.replace(" null", " default")] == "none"
    ]

    assert needed == []


def test_notes_list_every_deviation() -> None:
    """The table in docs/schema-notes.md and the list here are the same."""
    section = NOTES.read_text(encoding="utf-8").split("\n## ")[1]
    rows = [line.split(" | ") for line in section.splitlines() if line[:2] == "| "]
    noted = [row[0].removeprefix("| ") for row in rows[1:]]
    known = set(DEVIATIONS.values()) | BEYOND

    assert [row for row in noted if not row.startswith(tuple(known))] == []
    assert [name for name in known if not any(r.startswith(name) for r in noted)] == []
    assert [row for row in rows if len(row) != 3 or not row[2].strip(" |")] == []
