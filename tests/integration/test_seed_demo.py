from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql
from sqlalchemy import NullPool, create_engine

from ai_platform.accounts import users
from ai_platform.connection import connect
from ai_platform.errors import Refused
from models import metadata
from seeds import FirstDay, seed
from seeds.demo import LEFT_EMPTY, add_demo, embed, refuse_crowd, writings
from tests.support.database import Database, carry_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from sqlalchemy import Engine

    from tests.support.cluster import Cluster

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist
STRONGEST = 444
"""Where the feature *chunk* falls: 64 bits of BLAKE2b, modulo 1536."""
SLUGS = ("demo-harbor", "demo-orchard")


def engine_of(database: Database) -> Engine:
    """Return an engine of the migrator's login that acts as platform_owner."""
    target = database.login("migrator")
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(target, role="platform_owner", autocommit=False),
        poolclass=NullPool,
    )


@pytest.fixture(scope="module")
def demo(cluster: Cluster, template: str) -> Iterator[Database]:
    """Give a database with day one and the demo data; tests only read it."""
    name = cluster.create(template)
    database = Database(cluster, name)
    try:
        carry_over(cluster, template, name)
        engine = engine_of(database)
        seed(engine, FirstDay(), lambda: PASSWORD)
        add_demo(engine, FirstDay())
        yield database
    finally:
        database.close()
        cluster.drop(name)


@pytest.fixture
def engine(database: Database) -> Engine:
    """Give an engine on a database of this test, with day one."""
    engine = engine_of(database)
    seed(engine, FirstDay(), lambda: PASSWORD)
    return engine


def one(connection: Connection[Any], query: str, *values: object) -> Any:
    """Return the first column of the only row."""
    row = connection.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row[0]


def enter(database: Database, slug: str) -> tuple[Connection[Any], int]:
    """Return an app login's connection in the context of *slug*, and its id."""
    query = "SELECT id FROM auth.organizations WHERE slug = %s"
    org = one(database.connect(), query, slug)
    query = "SELECT id FROM auth.users WHERE username = %s"
    lead = one(database.connect(), query, f"{slug}-lead")
    app = database.connect("app", autocommit=False)
    app.execute("SELECT auth.set_context(%s, %s)", [lead, org])
    return app, org


def rows_of(connection: Connection[Any], table: str, where: str) -> int:
    """Return how many rows of *table* meet the condition *where*."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE " + where).format(
        sql.Identifier(*table.split("."))
    )
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_every_table_has_demo_rows(demo: Database) -> None:
    """No screen is empty: only the tables with a reason hold nothing of the demo."""
    owner = demo.connect(role="platform_owner")
    ours = (
        "organization_id IN (SELECT id FROM auth.organizations "
        "WHERE slug LIKE 'demo-%')"
    )
    empty = {
        table.fullname
        for table in metadata.tables.values()
        if not rows_of(
            owner, table.fullname, ours if "organization_id" in table.c else "true"
        )
    }

    assert set(LEFT_EMPTY) == empty


def test_nobody_of_the_demo_logs_in(demo: Database) -> None:
    """No password fits a demo user, and no administrator is among them."""
    owner = demo.connect(role="platform_owner")
    told = owner.execute(
        "SELECT DISTINCT password_hash, is_superuser FROM auth.users "
        "WHERE username LIKE 'demo-%'"
    ).fetchall()

    assert told == [("!", False)]
    assert users.verify_login(demo.connect("app"), "demo-harbor-lead", "!") != "ok"


@pytest.mark.parametrize("slug", SLUGS)
def test_each_tenant_sees_its_own(demo: Database, slug: str) -> None:
    """Through the app's login every tenant table shows rows of one tenant alone."""
    app, org = enter(demo, slug)
    tables = [
        table.fullname
        for table in metadata.tables.values()
        if "organization_id" in table.c
        and not {table.fullname} & {*LEFT_EMPTY, "request_logs", "auth.users"}
    ]

    for table in tables:
        assert rows_of(app, table, f"organization_id = {org}"), table
        assert not rows_of(app, table, f"organization_id <> {org}"), table


@pytest.mark.parametrize("slug", SLUGS)
def test_questions_find_their_topic(demo: Database, slug: str) -> None:
    """The nearest chunk of every question is of the document that answers it."""
    app, _ = enter(demo, slug)
    query = (
        "SELECT c.metadata ->> 'topic' FROM data_platform.chunk_embeddings e "
        "JOIN data_platform.chunks c ON c.id = e.chunk_id "
        "ORDER BY e.embedding::vector(1536) <=> %s::vector(1536) LIMIT 1"
    )
    known = {
        topic
        for (topic,) in app.execute(
            "SELECT metadata ->> 'topic' FROM data_platform.chunks"
        )
    }
    asked = [writing for writing in writings(slug) if writing.topic in known]

    assert len(asked) == len(writings(slug)) - 1
    for writing in asked:
        assert writing.topic == one(app, query, str(embed(writing.question)))


def test_embedding_is_the_same_everywhere() -> None:
    """A vector has length one and does not depend on process or platform."""
    vector = embed("Chunk chunk")

    assert len(vector) == 1536
    assert math.isclose(1, sum(value * value for value in vector))
    strongest = max(range(1536), key=lambda place: abs(vector[place]))
    assert (strongest, vector) == (STRONGEST, embed("chunk CHUNK!"))
    assert embed(" ")[:2] == [1.0, 0.0]


def test_chunks_are_cut_from_documents(demo: Database) -> None:
    """Every chunk stands in its document between the offsets that it names."""
    owner = demo.connect(role="platform_owner")
    wrong = one(
        owner,
        "SELECT count(*) FROM data_platform.chunks c "
        "JOIN data_platform.documents d ON d.id = c.document_id WHERE c.content <> "
        "substr(d.content, c.start_offset + 1, c.end_offset - c.start_offset)",
    )

    assert wrong == 0
    assert one(owner, "SELECT count(*) FROM data_platform.chunks") >= 40


def test_the_ledger_agrees_with_daily_sums(demo: Database) -> None:
    """The daily sums are those of the ledger, and ids hold the time of their row."""
    owner = demo.connect(role="platform_owner")
    ledger = owner.execute(
        "SELECT count(*), sum(cost) FROM service_platform.invocations"
    ).fetchone()
    daily = owner.execute(
        "SELECT sum(requests), sum(cost) FROM service_platform.usage_daily"
    ).fetchone()

    assert ledger == daily
    assert not rows_of(
        owner,
        "public.request_logs",
        "uuid_v7_timestamp(id) <> created AT TIME ZONE 'UTC'",
    )


def test_a_week_of_logs_is_there(demo: Database) -> None:
    """Seven days have thousands of requests, a busy noon, failures, and no future."""
    owner = demo.connect(role="platform_owner")
    days, count, failed, noon, night, future = owner.execute(
        "SELECT count(DISTINCT created::date), count(*), "
        "count(*) FILTER (WHERE status >= 400), "
        "count(*) FILTER (WHERE extract(hour FROM created) BETWEEN 12 AND 15), "
        "count(*) FILTER (WHERE extract(hour FROM created) BETWEEN 0 AND 3), "
        "count(*) FILTER (WHERE created > now() AT TIME ZONE 'UTC') "
        "FROM public.request_logs"
    ).fetchone() or pytest.fail("no row")

    assert days in {6, 7}  # nobody has called yet when the day is minutes old
    assert future == 0
    assert count > 3000
    assert noon > 2 * night
    assert 0.01 < failed / count < 0.1


def test_a_canary_gets_a_tenth(demo: Database) -> None:
    """Live traffic of each demo endpoint is split 90 to 10."""
    owner = demo.connect(role="platform_owner")
    weights = owner.execute(
        "SELECT array_agg(traffic_weight ORDER BY id) "
        "FROM service_platform.deployments GROUP BY endpoint_id"
    ).fetchall()

    assert weights == [([90, 10],)] * 2


def test_a_second_demo_changes_nothing(database: Database, engine: Engine) -> None:
    """The second run names what is there and writes no row, whoever has joined."""
    add_demo(engine, FirstDay())
    owner = database.connect(role="platform_owner")
    count = "SELECT count(*) FROM logs.audit_log"
    before = one(owner, count)
    again = add_demo(engine, FirstDay())

    assert {(f"organization {slug}", "unchanged") for slug in SLUGS} == {
        (outcome.what, outcome.change) for outcome in again
    }
    assert before == one(owner, count)
    refuse_crowd(engine, FirstDay(), beside_others=False)


def test_the_demo_stays_out_of_a_crowd(database: Database, engine: Engine) -> None:
    """Where other people are it comes only when told so."""
    owner = database.connect(role="platform_owner")
    users.create_user(owner, users.NewUser("ada", "ada@example.org"), PASSWORD)
    with pytest.raises(Refused, match="beside the administrator"):
        add_demo(engine, FirstDay())

    assert not rows_of(owner, "auth.organizations", "slug LIKE 'demo-%'")
    done = add_demo(engine, FirstDay(), beside_others=True)
    assert {"created"} == {outcome.change for outcome in done}


def test_a_taken_name_leaves_nothing(database: Database, engine: Engine) -> None:
    """A row of yours in the way ends it with its name, and nothing is half done."""
    owner = database.connect(role="platform_owner")
    owner.execute("INSERT INTO monitoring.nodes (node_id) VALUES ('demo-gpu-1')")
    with pytest.raises(Refused, match="demo-gpu-1"):
        add_demo(engine, FirstDay())

    assert not rows_of(owner, "auth.organizations", "slug LIKE 'demo-%'")
    assert not rows_of(owner, "service_platform.invocations", "true")


def test_short_retention_shortens_the_week(database: Database, engine: Engine) -> None:
    """No partition is made that the next prune would remove."""
    owner = database.connect(role="platform_owner")
    owner.execute(
        "UPDATE monitoring.partition_policies SET retention = interval '2 days' "
        "WHERE parent_table = 'public.request_logs'"
    )
    add_demo(engine, FirstDay())

    assert not owner.execute("SELECT * FROM monitoring.expired_partitions()").fetchall()
    days = "SELECT count(DISTINCT created::date) FROM request_logs"
    assert one(owner, days) in {2, 3}
