"""Tables as SQL and as SQLAlchemy declaration, and whether they are the same table."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pgvector.sqlalchemy import BIT, HALFVEC, SPARSEVEC, Vector
from sqlalchemy.dialects import postgresql as pg

from .drift_builders import CASES, PREPARE, Case, case, column, index, jsonb, table

__all__ = ["CASES", "PREPARE", "Case"]

text = sa.text
moment = sa.DateTime(timezone=True)

# ---------------------------------------------------------------- types
column("vector(3)", "e vector(3)", "e", Vector(3), same=True)
column("vector(3) to vector(4)", "e vector(3)", "e", Vector(4), same=False)
column("vector to halfvec", "e vector(3)", "e", HALFVEC(3), same=False)
column("halfvec", "e halfvec(3)", "e", HALFVEC(3), same=True)
column("sparsevec", "e sparsevec(5)", "e", SPARSEVEC(5), same=True)
column("bit(8)", "e bit(8)", "e", BIT(8), same=True)
column("vector without dimension", "e vector", "e", Vector(), same=True)
column("array of vectors", "e vector(3)[]", "e", pg.ARRAY(Vector(3)), same=True)
column("json to jsonb", "j json", "j", pg.JSONB, same=False)
column("varchar(50) to (60)", "d varchar(50)", "d", sa.String(60), same=False)
column("text to varchar", "d text", "d", sa.String, same=False)
column("timestamp to timestamptz", "d timestamp", "d", moment, same=False)
column("citext", "d citext", "d", pg.CITEXT, same=True)
column(
    "collation", "d text COLLATE nocase", "d", sa.Text(collation="nocase"), same=True
)
column("collation absent", "d text", "d", sa.Text(collation="nocase"), same=False)

# ---------------------------------------------------------------- defaults
jsonb("jsonb default with cast", text("'{}'::jsonb"), same=True)
jsonb("jsonb default as string", "{}", same=True)
jsonb("jsonb default changed", text("'[]'::jsonb"), same=False)
column(
    "jsonb default spaced",
    """j jsonb NOT NULL DEFAULT '{"a": 1}'""",
    "j",
    pg.JSONB,
    default=text("""'{"a"\\:1}'::jsonb"""),
    nullable=False,
    same=True,
)
for spelling in ("'{}'", "array[]::text[]"):
    column(
        f"array default {spelling}",
        f"j text[] NOT NULL DEFAULT {spelling}",
        "j",
        pg.ARRAY(sa.Text),
        default=text(spelling),
        nullable=False,
        same=True,
    )
column(
    "now()",
    "d timestamptz DEFAULT now()",
    "d",
    moment,
    default=sa.func.now(),
    same=True,
)
column(
    "CURRENT_TIMESTAMP to now()",
    "d timestamptz DEFAULT current_timestamp",
    "d",
    moment,
    default=sa.func.now(),
    same=False,
)
for call, kind in (
    ("uuid_generate_v7()", sa.Uuid()),
    ("clock_timestamp()", moment),
    ("random()", sa.Double()),
):
    sql_type = {"uuid_generate_v7()": "uuid", "random()": "double precision"}
    column(
        f"default {call}",
        f"d {sql_type.get(call, 'timestamptz')} DEFAULT {call}",
        "d",
        kind,
        default=text(call),
        same=True,
    )
column(
    "gen_random_uuid() to uuidv7()",
    "u uuid DEFAULT gen_random_uuid()",
    "u",
    sa.Uuid,
    default=text("uuidv7()"),
    same=False,
    since=18,
)
column(
    "interval in a default",
    "d timestamptz DEFAULT (now() + '7 days')",
    "d",
    moment,
    default=text("now() + interval '7 days'"),
    same=True,
)
column(
    "numeric default",
    "d numeric(10,2) DEFAULT 0",
    "d",
    sa.Numeric(10, 2),
    default="0",
    same=True,
)


# ---------------------------------------------------------------- constraints
def check(label: str, ddl: str, declared: str, *, same: bool) -> None:
    """Add a case about check ``ck`` on column ``a``."""
    case(
        label,
        ddl,
        lambda: sa.Column("a", sa.Integer),
        lambda: sa.CheckConstraint(declared, name="ck"),
        same=same,
    )


PLAIN = "CREATE TABLE t (id bigserial PRIMARY KEY, a integer{})"
check("check", PLAIN.format(" CONSTRAINT ck CHECK (a > 0)"), "a>0", same=True)
check("check absent", PLAIN.format(""), "a>0", same=False)
check("check changed", PLAIN.format(" CONSTRAINT ck CHECK (a >= 0)"), "a>0", same=False)
check(
    "check to a list",
    PLAIN.format(" CONSTRAINT ck CHECK (a > 0)"),
    "a IN (1)",
    same=False,
)
check(
    "check respelled",
    PLAIN.format(" CONSTRAINT ck CHECK (a in (1,2))"),
    "a IN (1, 2)",
    same=True,
)
check(
    "check not valid",
    PLAIN.format("") + "; ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NOT VALID",
    "a>0",
    same=False,
)
PARENT = """CREATE TABLE p (id bigint PRIMARY KEY);
            CREATE TABLE t (id bigserial PRIMARY KEY, p bigint);
            ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id) """


def foreign_key(label: str, ending: str, **declared: Any) -> None:
    """Add a case about foreign key ``fk`` that ends in *ending* in the database."""

    def declare(metadata: sa.MetaData) -> None:
        key = sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False)
        sa.Table("p", metadata, key)
        own = sa.Column("id", sa.BigInteger, primary_key=True)
        reference = sa.ForeignKey("p.id", name="fk", **declared)
        sa.Table("t", metadata, own, sa.Column("p", sa.BigInteger, reference))

    CASES.append(Case(label, PARENT + ending, declare, same=False))


foreign_key("foreign key not valid", "NOT VALID")
foreign_key("foreign key on delete", "ON DELETE CASCADE", ondelete="SET NULL")
case(
    "unique deferrable",
    PLAIN.format(", CONSTRAINT u UNIQUE (a) DEFERRABLE"),
    lambda: sa.Column("a", sa.Integer),
    lambda: sa.UniqueConstraint("a", name="u"),
    same=False,
)
for present in (True, False):
    exclusion = ", CONSTRAINT ex EXCLUDE USING gist (r WITH &&)" if present else ""
    case(
        "exclusion" if present else "exclusion absent",
        f"CREATE TABLE t (id bigserial PRIMARY KEY, r tstzrange{exclusion})",
        lambda: sa.Column("r", pg.TSTZRANGE),
        lambda: pg.ExcludeConstraint(("r", "&&"), name="ex"),
        same=present,
    )
case(
    "not null not valid",
    "CREATE TABLE t (id bigserial PRIMARY KEY, a integer);"
    "ALTER TABLE t ADD CONSTRAINT nn NOT NULL a NOT VALID",
    lambda: sa.Column("a", sa.Integer, nullable=False),
    same=False,
    since=18,
)
table(
    "primary key in another order",
    "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))",
    lambda: sa.Column("b", sa.Integer, primary_key=True, autoincrement=False),
    lambda: sa.Column("a", sa.Integer, primary_key=True, autoincrement=False),
    same=False,
)
case("primary key absent", "CREATE TABLE t (id bigint NOT NULL)", same=False)
case(
    "enum value added",
    "CREATE TYPE mood AS ENUM ('a', 'b');"
    "CREATE TABLE t (id bigserial PRIMARY KEY, m mood)",
    lambda: sa.Column("m", pg.ENUM("a", "b", "c", name="mood")),
    same=False,
)

# ---------------------------------------------------------------- table forms
ONLY = "CREATE TABLE t (id bigserial PRIMARY KEY)"
case("unlogged", ONLY.replace("TABLE", "UNLOGGED TABLE"), same=False)
case("unlogged declared", ONLY, prefixes=["UNLOGGED"], same=False)
case("fillfactor", ONLY + " WITH (fillfactor = 70)", same=False)
case("row security", ONLY + "; ALTER TABLE t ENABLE ROW LEVEL SECURITY", same=False)
case("policy", ONLY + "; CREATE POLICY p ON t USING (true)", same=False)
case("sequence", ONLY + "; CREATE SEQUENCE sq", same=False)
case("comment", ONLY + "; COMMENT ON TABLE t IS 'x'", same=False)
case(
    "trigger",
    ONLY + "; CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    same=False,
)
RANGED = """CREATE TABLE t (id bigint, d timestamptz NOT NULL, PRIMARY KEY (id, d)){};
            CREATE INDEX t_d ON t (d);"""
DAYS = """CREATE TABLE d1 PARTITION OF t
              FOR VALUES FROM ('2026-01-01') TO ('2026-01-02');
          CREATE TABLE d2 PARTITION OF t
              FOR VALUES FROM ('2026-01-02') TO ('2026-01-03');"""


def partitioned(label: str, by: str, partitions: str = "", *, same: bool) -> None:
    """Add a case about a table that is declared as partitioned by ``RANGE (d)``."""
    table(
        label,
        RANGED.format(by) + partitions,
        lambda: sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        lambda: sa.Column("d", moment, primary_key=True),
        lambda: sa.Index("t_d", "d"),
        same=same,
        postgresql_partition_by="RANGE (d)",
    )


partitioned("partitions by the day", " PARTITION BY RANGE (d)", DAYS, same=True)
partitioned(
    "default partition",
    " PARTITION BY RANGE (d)",
    DAYS + "CREATE TABLE t_default PARTITION OF t DEFAULT",
    same=False,
)
partitioned("partition strategy", " PARTITION BY HASH (id)", same=False)
partitioned("not partitioned", "", same=False)
VIEWS = """CREATE VIEW v AS SELECT * FROM t;
           CREATE MATERIALIZED VIEW mv AS SELECT * FROM t;
           CREATE INDEX mv_i ON mv (id);"""
case("views", f"{ONLY}; {VIEWS}", objects=VIEWS, same=True)
case("views undeclared", f"{ONLY}; {VIEWS}", same=False)


def _view_as_table(metadata: sa.MetaData) -> None:
    sa.Table("t", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    sa.Table("v", metadata, sa.Column("id", sa.BigInteger))


CASES.append(
    Case(
        "view declared as table",
        f"{ONLY}; CREATE VIEW v AS SELECT id FROM t",
        _view_as_table,
        same=True,
    )
)

# ---------------------------------------------------------------- identity, generated
IDENTITY = "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"
for label, ddl, always, same in (
    ("identity", IDENTITY, True, True),
    ("identity by default", IDENTITY, False, False),
    ("bigserial to identity", ONLY, True, False),
):
    table(
        label,
        ddl,
        lambda always=always: sa.Column(  # type: ignore[misc]
            "id", sa.BigInteger, sa.Identity(always=always), primary_key=True
        ),
        same=same,
    )


def generated(label: str, sql: str, kind: Any, declared: str, **more: Any) -> None:
    """Add a case about a generated column ``b`` made from ``a``."""
    case(
        label,
        f"CREATE TABLE t (id bigserial PRIMARY KEY, a text, b {sql})",
        lambda: sa.Column("a", sa.Text),
        lambda: sa.Column("b", kind, sa.Computed(declared, persisted=True)),
        **more,
    )


VECTOR = "to_tsvector('english', a)"
generated(
    "generated",
    f"tsvector GENERATED ALWAYS AS ({VECTOR}) STORED",
    pg.TSVECTOR,
    VECTOR,
    same=True,
)
LOWER = "text GENERATED ALWAYS AS (lower(a)) "
generated("generated otherwise", LOWER + "STORED", sa.Text, "upper(a)", same=False)
generated("virtual", LOWER + "VIRTUAL", sa.Text, "lower(a)", same=False, since=18)

# ---------------------------------------------------------------- indexes
HNSW = (
    "INDEX i ON t USING hnsw (e vector_cosine_ops) WITH (m = 16, ef_construction = 64)"
)
IVF = "INDEX i ON t USING ivfflat (e vector_l2_ops) WITH (lists = 100)"
cosine = {"postgresql_using": "hnsw", "postgresql_ops": {"e": "vector_cosine_ops"}}
ivf = {"postgresql_using": "ivfflat", "postgresql_ops": {"e": "vector_l2_ops"}}
built = {"m": 16, "ef_construction": 64}
index("expression", "INDEX i ON t (lower(name))", text("lower(name)"), same=True)
index(
    "coalesce",
    "INDEX i ON t ((coalesce(j->>'a', '')))",
    text("(coalesce(j->>'a',''))"),
    same=True,
)
index(
    "expression changed", "INDEX i ON t (lower(name))", text("upper(name)"), same=False
)
index("order", "INDEX i ON t (d DESC NULLS LAST)", text("d DESC NULLS LAST"), same=True)
index("ascending", "INDEX i ON t (d)", text("d DESC"), same=False)
index("hnsw", HNSW, "e", same=True, postgresql_with=built, **cosine)
index("hnsw m", HNSW, "e", same=False, postgresql_with={**built, "m": 32}, **cosine)
index(
    "operator class",
    "INDEX i ON t USING hnsw (e vector_l2_ops)",
    "e",
    same=False,
    **cosine,
)
index("ivfflat", IVF, "e", same=True, postgresql_with={"lists": 100}, **ivf)
index("ivfflat lists", IVF, "e", same=False, postgresql_with={"lists": 200}, **ivf)
index("btree to hash", "INDEX i ON t (b)", "b", same=False, postgresql_using="hash")
PART = "INDEX i ON t (b) WHERE b > 3"
index("partial", PART, "b", same=True, postgresql_where=text("b > 3"))
index("partial changed", PART, "b", same=False, postgresql_where=text("b > 4"))
index("include absent", "INDEX i ON t (b) INCLUDE (d)", "b", same=False)
index(
    "include", "INDEX i ON t (b) INCLUDE (d)", "b", same=True, postgresql_include=["d"]
)
index(
    "trigrams",
    "INDEX i ON t USING gin (name gin_trgm_ops)",
    "name",
    same=True,
    postgresql_using="gin",
    postgresql_ops={"name": "gin_trgm_ops"},
)
index(
    "jsonb_path_ops",
    "INDEX i ON t USING gin (j)",
    "j",
    same=False,
    postgresql_using="gin",
    postgresql_ops={"j": "jsonb_path_ops"},
)
index(
    "nulls not distinct",
    "UNIQUE INDEX i ON t (b)",
    "b",
    same=False,
    unique=True,
    postgresql_nulls_not_distinct=True,
)
index(
    "halfvec cast",
    "INDEX i ON t USING hnsw ((e::halfvec(3)) halfvec_l2_ops)",
    text("(e::halfvec(3)) halfvec_l2_ops"),
    same=True,
    postgresql_using="hnsw",
)
index(
    "brin",
    "INDEX i ON t USING brin (d) WITH (pages_per_range = 32)",
    "d",
    same=True,
    postgresql_using="brin",
    postgresql_with={"pages_per_range": 32},
)
