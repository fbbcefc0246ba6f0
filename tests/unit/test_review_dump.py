"""What counts as the dump of a schema, and what is told of one that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import BadValue
from ai_platform.review.dump import read

if TYPE_CHECKING:
    from pathlib import Path

DUMP = """--
-- PostgreSQL database dump
--

\\restrict q8AA

-- Dumped from database version 14.9 (Debian 14.9-1)

SET client_encoding = 'UTF8';

--
-- Name: café; Type: TABLE
--

CREATE TABLE public."café" (a text);
ALTER TABLE public."café" OWNER TO "Ann's";
CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$
\\restrict stays
$$;
GRANT SELECT ON TABLE public."café" TO reader, PUBLIC, pg_monitor;
CREATE POLICY p ON public."café" TO writer USING (true);
CREATE SUBSCRIPTION s CONNECTION 'host=elsewhere' PUBLICATION p WITH (connect = false);
ALTER SUBSCRIPTION s OWNER TO replicator;

\\unrestrict q8AA
"""


def test_a_dump_is_read(tmp_path: Path) -> None:
    """Statements stand on their lines; psql's commands and subscriptions do not."""
    file = tmp_path / "schema.sql"
    file.write_text(DUMP, encoding="utf-8")

    found = read(file)

    assert found.roles == ("Ann's", "reader", "writer")
    assert found.version == "14.9"
    assert [part.line for part in found.parts] == [15, 16, 17, 20, 21]
    assert "\\restrict stays" in found.parts[2].sql
    assert [text.partition(" ")[0] for text in found.left_out] == [
        f"{file}:22:",
        f"{file}:23:",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", ":1: no dump: it holds no statement"),
        (b"\n\nhello world\n", ":3: no dump of a schema: syntax error at or near"),
        (b"PGDMP\x01\x0e\x00\x04", ":1: no dump of a schema"),
        (b"SELECT 1;\n\x00", ":2: no dump of a schema"),
        (b"SELECT 1;\n\xff", ":2: no dump in plain text"),
        (b"SELECT 1;\nCOPY public.t (a) FROM stdin;\n1\n\\.\n", ":2: holds data: COPY"),
        (b"CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);", ":2: holds data: INS"),
        (b"SELECT 1;\n\\connect shop\n", ":2: leads to another database"),
        (
            b"CREATE DATABASE a;\n\\connect a\nSELECT 1;\n\\connect b\n",
            ":4: leads to another database",
        ),
        (b"CREATE DATABASE shop;", ":1: is more than a schema: CREATE DATABASE shop"),
        (b"CREATE TABLE t ();\n\\i other.sql\n", ":2: no dump of a schema"),
    ],
)
def test_no_dump_is_refused_by_line(tmp_path: Path, text: bytes, told: str) -> None:
    """Whoever gave the wrong file sees which, where, and how to write the right one."""
    file = tmp_path / "schema.sql"
    file.write_bytes(text)

    with pytest.raises(BadValue) as caught:
        read(file)

    assert f"{file}{told}" in caught.value.message
    assert "pg_dump --schema-only" in str(caught.value.hint)


def test_the_database_of_a_dump_is_ours(tmp_path: Path) -> None:
    """With --create it is made and entered, even twice; the scratch one stands in."""
    file = tmp_path / "schema.sql"
    lead = "\\unrestrict x\n\\connect -reuse-previous=on \"dbname='my shop'\"\n"
    file.write_text(
        f"""DROP DATABASE "my shop";
CREATE DATABASE "my shop" WITH TEMPLATE = template0;
ALTER DATABASE "my shop" OWNER TO ann;
{lead}\\restrict y
ALTER DATABASE "my shop" SET search_path TO 'app';
COMMENT ON DATABASE "my shop" IS 'ours';
{lead}CREATE TABLE t ();
""".replace("\\\\", "\\"),
        encoding="utf-8",
    )

    found = read(file)

    assert [part.sql for part in found.parts] == ["CREATE TABLE t ()"]
    assert [text.split(":")[1] for text in found.left_out] == ["3", "7", "8"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Not a traceback, nor a review of nothing."""
    with pytest.raises(BadValue, match="No such file"):
        read(tmp_path / "schema.sql")
