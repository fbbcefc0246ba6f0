"""Ways to write down a pair: a table as SQL, and as SQLAlchemy declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pgvector.sqlalchemy import Vector
from sqlalchemy.dialects import postgresql as pg

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASES", "PREPARE", "Case", "case", "column", "index", "jsonb", "table"]

CONTRIBUTED = {"citext": "citext", "pg_trgm": "gin_trgm_ops", "btree_gist": "gist"}
"""Extensions that not every build of a server has, and the word that needs them."""
PREPARE = """
    CREATE EXTENSION vector;
    DO $$ DECLARE extension text; BEGIN
        FOR extension IN SELECT name FROM pg_available_extensions
                          WHERE name IN ('citext', 'pg_trgm', 'btree_gist')
        LOOP EXECUTE format('CREATE EXTENSION %I', extension); END LOOP;
    END $$;
    CREATE COLLATION nocase (provider = libc, locale = 'C');
    CREATE FUNCTION uuid_generate_v7() RETURNS uuid
        LANGUAGE sql RETURN gen_random_uuid();
"""


@dataclass(frozen=True)
class Case:
    """One pair: the *ddl* that made the database, and what the models declare.

    *objects* is the declared SQL beside the tables; *since* the first server major
    that knows the syntax.
    """

    label: str
    ddl: str
    declare: Callable[[sa.MetaData], object]
    same: bool
    objects: str = ""
    since: int = 16


CASES: list[Case] = []


def case(label: str, ddl: str, *columns: Any, same: bool, **more: Any) -> None:
    """Add a case about table ``t`` with a bigserial key and *columns*."""
    options = {key: more.pop(key) for key in ("objects", "since") if key in more}

    def declare(metadata: sa.MetaData) -> None:
        made = [item() for item in columns]
        key = sa.Column("id", sa.BigInteger, primary_key=True)
        sa.Table("t", metadata, key, *made, **more)

    CASES.append(Case(label, ddl, declare, same, **options))


def column(label: str, sql: str, *column: Any, same: bool, **more: Any) -> None:
    """Add a case about one column: *sql* against ``Column(*column)``."""
    ddl = f"CREATE TABLE t (id bigserial PRIMARY KEY, {sql})"
    default = more.pop("default", None)
    keywords = {key: more.pop(key) for key in ("nullable", "comment") if key in more}

    def made() -> sa.Column[Any]:
        return sa.Column(*column, server_default=default, **keywords)

    case(label, ddl, made, same=same, **more)


def jsonb(label: str, declared: Any, *, same: bool) -> None:
    """Add a case about the default of a jsonb column that is ``'{}'``."""
    sql = "j jsonb NOT NULL DEFAULT '{}'"
    column(label, sql, "j", pg.JSONB, same=same, default=declared, nullable=False)


WIDE = """CREATE TABLE t (id bigserial PRIMARY KEY, name text, e vector(3), j jsonb,
                          d timestamptz, b integer);"""


def index(label: str, sql: str, *expressions: Any, same: bool, **options: Any) -> None:
    """Add a case about index ``i``: *sql* follows ``CREATE``, *options* are Index's."""
    columns = (
        lambda: sa.Column("name", sa.Text),
        lambda: sa.Column("e", Vector(3)),
        lambda: sa.Column("j", pg.JSONB),
        lambda: sa.Column("d", sa.DateTime(timezone=True)),
        lambda: sa.Column("b", sa.Integer),
        lambda: sa.Index("i", *expressions, **options),
    )
    case(f"index: {label}", f"{WIDE} CREATE {sql}", *columns, same=same)


def table(
    label: str, ddl: str, *items: Callable[[], Any], same: bool, **more: Any
) -> None:
    """Add a case about a table ``t`` that is declared by *items* alone."""
    options = {key: more.pop(key) for key in ("objects", "since") if key in more}

    def declare(metadata: sa.MetaData) -> None:
        sa.Table("t", metadata, *(item() for item in items), **more)

    CASES.append(Case(label, ddl, declare, same, **options))
