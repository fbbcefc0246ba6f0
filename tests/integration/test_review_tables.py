"""Touched tables as the diagram of a review shows them, read from live catalogs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_platform.catalog import snapshot
from ai_platform.review.facts import Column, Table
from ai_platform.review.tables import touched_tables

if TYPE_CHECKING:
    from tests.support.database import Database

BEFORE = """
    CREATE SCHEMA "Lake";
    CREATE TABLE owner (id integer PRIMARY KEY);
    CREATE TABLE "Lake"."Odd, Table" (
        "Own (er)" integer,
        id bigint GENERATED ALWAYS AS IDENTITY,
        note text DEFAULT 'a, b' NOT NULL,
        PRIMARY KEY (id)
    );
    CREATE TABLE gone (n integer)
"""
CHANGE = """
    ALTER TABLE "Lake"."Odd, Table"
        ADD CONSTRAINT one UNIQUE ("Own (er)", note),
        ADD CONSTRAINT points FOREIGN KEY ("Own (er)") REFERENCES owner (id),
        ADD COLUMN twice bigint GENERATED ALWAYS AS (id * 2) STORED;
    DROP TABLE gone;
    CREATE TABLE made (n integer NOT NULL);
    COMMENT ON TABLE owner IS 'not a matter of columns'
"""


def test_touched_tables_are_read_from_catalogs(empty: Database) -> None:
    """Columns in their order with keys and definitions; untouched tables stay out."""
    connection = empty.connect()
    connection.execute(BEFORE)
    before = snapshot(connection)
    connection.execute(CHANGE)

    gone, made, odd = sorted(
        touched_tables(before, snapshot(connection)),
        key=lambda table: (
            ("gone", "made").index(table.relation.rpartition(".")[2])
            if table.relation.rpartition(".")[2] in {"gone", "made"}
            else 2
        ),
    )

    assert gone == Table("public.gone", (Column("n", "integer"),), None)
    assert made == Table("public.made", None, (Column("n", "integer NOT NULL"),))
    assert odd.relation == '"Lake"."Odd, Table"'
    note = "text DEFAULT 'a, b'::text NOT NULL"
    identity = "bigint GENERATED ALWAYS AS IDENTITY NOT NULL"
    assert odd.before == (
        Column("Own (er)", "integer"),
        Column("id", identity, ("PK",)),
        Column("note", note),
    )
    assert odd.after == (
        Column("Own (er)", "integer", ("UQ", "FK public.owner")),
        Column("id", identity, ("PK",)),
        Column("note", note, ("UQ",)),
        Column("twice", "bigint GENERATED ALWAYS AS ((id * 2)) STORED"),
    )
