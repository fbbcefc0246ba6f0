"""Queues, quotas, versions, roll-outs and the audit trail behave as promised."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors

from tests.support.tenants import OTHER, OWN, Tenants

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg


@pytest.fixture
def owner(tenants: Tenants) -> Iterator[psycopg.Connection[Any]]:
    """Give a superuser's transaction that is rolled back."""
    connection = tenants.connect(autocommit=False)
    yield connection
    connection.rollback()


def rows(connection: psycopg.Connection[Any], query: str, *args: Any) -> list[Any]:
    """Return the rows of *query*."""
    return connection.execute(query.encode(), args).fetchall()


def one(connection: psycopg.Connection[Any], query: str, *args: Any) -> Any:
    """Return the single value of *query*."""
    [[value]] = rows(connection, query, *args)
    return value


def own(tenants: Tenants, table: str) -> Any:
    """Return the id of the own organization's row."""
    return tenants.rows[table, OWN]["id"]


def test_two_workers_share_no_job(tenants: Tenants) -> None:
    """Each job is leased once, of every organization, the urgent ones first."""
    admin = tenants.connect()
    admin.execute(
        "INSERT INTO algo_platform.jobs (organization_id, queue, kind, priority) "
        "SELECT CASE i %% 2 WHEN 0 THEN %s ELSE %s END, 'shared', 'k', i "
        "FROM generate_series(1, 10) i",
        [OWN, OTHER],
    )
    first, second = (tenants.connect("worker", autocommit=False) for _ in range(2))
    query = "SELECT priority FROM algo_platform.claim_jobs('shared', %s, 4)"
    taken = [{row[0] for row in rows(w, query, "w")} for w in (first, second, first)]
    for worker in (first, second):
        worker.commit()

    assert taken == [{10, 9, 8, 7}, {6, 5, 4, 3}, {2, 1}]
    assert rows(second, query, "w") == []


def test_dead_worker_gives_its_jobs_back(
    tenants: Tenants, owner: psycopg.Connection[Any]
) -> None:
    """An expired lease is taken again, and buried after the last attempt."""
    owner.execute("DELETE FROM algo_platform.jobs")
    owner.execute(
        "INSERT INTO algo_platform.jobs (organization_id, queue, kind, max_attempts) "
        "VALUES (%s, 'lost', 'k', 2)",
        [OWN],
    )
    claim = "SELECT attempts FROM algo_platform.claim_jobs('lost', 'w', 1, '-1 second')"
    taken = [rows(owner, claim) for _ in range(3)]
    state = "SELECT status, last_error FROM algo_platform.jobs WHERE queue = 'lost'"

    assert taken == [[(1,)], [(2,)], []]
    assert rows(owner, state) == [("dead", "lease expired")]


def test_two_workers_share_no_document(tenants: Tenants) -> None:
    """New documents are queued by trigger, and each leased once."""
    admin = tenants.connect()
    dataset = own(tenants, "data_platform.datasets")
    admin.execute(
        "INSERT INTO data_platform.documents (organization_id, dataset_id, record_id) "
        "SELECT %s, %s, 'claim-' || i FROM generate_series(1, 6) i",
        [OWN, dataset],
    )
    first, second = (tenants.connect("worker", autocommit=False) for _ in range(2))
    query = "SELECT document_id FROM data_platform.claim_documents(%s, 'w', %s)"
    vectorizer = own(tenants, "data_platform.vectorizers")
    taken = [rows(first, query, vectorizer, 4), rows(second, query, vectorizer, 10)]
    first.rollback()
    second.rollback()

    assert len(taken[0]) == 4
    assert len(taken[1]) >= 2
    assert not {*taken[0]} & {*taken[1]}


def test_unchanged_document_is_not_queued(
    tenants: Tenants, owner: psycopg.Connection[Any]
) -> None:
    """Embeddings cost money: only changed content makes new ones."""
    owner.execute("DELETE FROM data_platform.vectorizer_queue")
    count = "SELECT count(*) FROM data_platform.vectorizer_queue"
    seen = []
    for change in ("metadata = '{\"a\": 1}'", "content = content", "content = 'new'"):
        owner.execute(
            f"UPDATE data_platform.documents SET {change} WHERE id = %s".encode(),
            [own(tenants, "data_platform.documents")],
        )
        seen.append(one(owner, count))

    assert seen == [0, 0, 1]


def quota(
    connection: psycopg.Connection[Any], tenants: Tenants, limit: int, metric: str
) -> int:
    """Make a quota of the own organization; return its id."""
    query = """
        INSERT INTO service_platform.quotas
               (organization_id, endpoint_id, metric, window_kind, limit_value)
        VALUES (%s, %s, %s, 'day', %s) RETURNING id
    """
    endpoint = own(tenants, "service_platform.endpoints")
    return int(one(connection, query, OWN, endpoint, metric, limit))


CONSUME = "SELECT allowed, used FROM service_platform.consume_quotas(%s, %s)"


def test_quotas_are_taken_all_or_none(
    tenants: Tenants, owner: psycopg.Connection[Any]
) -> None:
    """One exhausted quota refuses the call and charges none of the others."""
    ids = [
        quota(owner, tenants, 5, "requests"),
        quota(owner, tenants, 100, "total_tokens"),
    ]
    owner.execute("SELECT set_config('app.auth.org', %s, true)", [str(OWN)])

    assert rows(owner, CONSUME, ids, [5, 50]) == [(True, 5), (True, 50)]
    assert rows(owner, CONSUME, ids, [1, 50]) == [(False, 5), (False, 50)]
    assert rows(owner, CONSUME, [ids[1]] * 2, [25, 26]) == [(False, 50)]


def test_viewer_consumes_and_nobody_elses(
    tenants: Tenants, owner: psycopg.Connection[Any]
) -> None:
    """Using a service needs no right to write quotas; others' cannot be drained."""
    owner.execute("UPDATE auth.roles SET permissions = '{*:read}'")
    mine, other = (
        tenants.rows["service_platform.quotas", org]["id"] for org in (OWN, OTHER)
    )
    owner.execute("SET ROLE platform_app")
    user = own(tenants, "auth.users")
    owner.execute("SELECT auth.set_context(%s, %s)", [user, OWN])

    assert rows(owner, CONSUME, [mine, other], [1, 1]) == [(True, 1)]
    assert rows(owner, CONSUME, [other], [1]) == []


def test_rollup_can_be_repeated(
    tenants: Tenants, owner: psycopg.Connection[Any]
) -> None:
    """A second roll-up of the same day counts nothing twice."""
    call = tenants.rows["service_platform.invocations", OWN]
    day = call["created_at"].astimezone(UTC).date()
    query = "SELECT service_platform.rollup_usage(%s)"
    sums = """
        SELECT organization_id, sum(requests) FROM service_platform.usage_daily
         WHERE day = %s GROUP BY 1 ORDER BY 1
    """
    made = [one(owner, query, day) for _ in range(2)]

    assert made == [2, 2]
    assert rows(owner, sums, day) == [(OWN, 1), (OTHER, 1)]


def test_alert_opens_once_and_resolves(
    tenants: Tenants, owner: psycopg.Connection[Any]
) -> None:
    """The same subject refreshes one alert; resolved, the next one is new."""
    rule = own(tenants, "monitoring.alert_rules")
    call = "SELECT monitoring.raise_alert(%s, 'disk', 'full', %s, '{}', %s)"
    states = [(1.0, False), (2.0, False), (0.5, True), (0.5, True), (3.0, False)]
    ids = [one(owner, call, rule, *state) for state in states]
    query = (
        "SELECT value, status = 'resolved' FROM monitoring.alerts WHERE id = ANY(%s)"
    )

    assert ids[0] == ids[1] == ids[2]
    assert ids[3] is None
    assert ids[4] not in ids[:4]
    assert rows(owner, query + " ORDER BY id", ids[::4]) == [(0.5, True), (3.0, False)]


def test_versions_have_no_gap_in_a_race(tenants: Tenants) -> None:
    """Four clients at once get 1 … n, each number once, rolled back ones reused."""
    prompt = one(
        tenants.connect(),
        "INSERT INTO service_platform.prompts (organization_id, name) "
        "VALUES (%s, 'race') RETURNING id",
        OWN,
    )
    clients = [tenants.connect(autocommit=False) for _ in range(4)]

    def publish(client: psycopg.Connection[Any]) -> list[int]:
        made = []
        for number in range(6):
            made.append(
                one(
                    client,
                    "INSERT INTO service_platform.prompt_versions "
                    "(organization_id, prompt_id, content) VALUES (%s, %s, '\"x\"') "
                    "RETURNING version",
                    *(OWN, prompt),
                )
            )
            if number == 3:
                client.rollback()
                made.pop()
            client.commit()
        return made

    with ThreadPoolExecutor(4) as pool:
        versions = [n for made in pool.map(publish, clients) for n in made]

    assert sorted(versions) == list(range(1, 21))


PUBLISH = "status = 'published', published_at = now()"


@pytest.mark.parametrize(
    "change", ["row_count = 9", "status = 'draft'", "status = 'failed', row_count = 9"]
)
def test_published_version_stays_as_it_is(
    owner: psycopg.Connection[Any], change: str
) -> None:
    """What was published neither changes nor goes back to a draft that could."""
    update = "UPDATE data_platform.dataset_versions SET "
    owner.execute((update + PUBLISH).encode())
    owner.execute((update + "status = 'deprecated', note = 'use 2'").encode())

    with pytest.raises(errors.RestrictViolation, match="immutable"):
        owner.execute((update + change).encode())


@pytest.mark.parametrize(
    "change",
    [
        "model_platform.model_versions SET artifact_uri = 's3://other'",
        "model_platform.model_versions SET status = 'pending'",
        "service_platform.prompt_versions SET content = '\"other\"'",
        "service_platform.revisions SET spec = '{\"replicas\": 9}'",
    ],
)
def test_released_rows_are_immutable(
    owner: psycopg.Connection[Any], change: str
) -> None:
    """Ready models, prompt versions and revisions keep what was released."""
    owner.execute("UPDATE model_platform.model_versions SET status = 'ready'")

    with pytest.raises(errors.RestrictViolation, match="immutable"):
        owner.execute(f"UPDATE {change}".encode())


def test_audit_log_only_grows(owner: psycopg.Connection[Any]) -> None:
    """Not even the owner rewrites history row by row."""
    owner.execute("SET ROLE platform_owner")
    for statement in (
        "UPDATE logs.audit_log SET action = 'x'",
        "DELETE FROM logs.audit_log",
    ):
        with (
            pytest.raises(errors.RestrictViolation, match="append-only"),
            owner.transaction(),
        ):
            owner.execute(statement.encode())


def deploy(connection: psycopg.Connection[Any], weight: int) -> None:
    """Give the own deployment *weight* and judge the roll-out."""
    connection.execute(
        "UPDATE service_platform.deployments SET traffic_weight = %s "
        "WHERE organization_id = %s",
        [weight, OWN],
    )
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("weight", [1, 50, 99])
def test_traffic_must_add_up(owner: psycopg.Connection[Any], weight: int) -> None:
    """An endpoint serves all of its traffic or none."""
    with pytest.raises(errors.CheckViolation, match="adds up to"):
        deploy(owner, weight)


@pytest.mark.parametrize("weight", [0, 100])
def test_whole_traffic_is_accepted(owner: psycopg.Connection[Any], weight: int) -> None:
    """Everything or nothing passes."""
    deploy(owner, weight)

    query = "SELECT traffic_weight FROM service_platform.deployments "
    assert one(owner, query + "WHERE organization_id = %s", OWN) == weight


def test_audit_keeps_no_secret(
    tenants: Tenants, owner: psycopg.Connection[Any]
) -> None:
    """A changed password is told of, its hash and the keys' digests never."""
    owner.execute(
        "UPDATE auth.users SET first_name = 'Ada', password_hash = '$new' "
        "WHERE id = %s",
        [own(tenants, "auth.users")],
    )
    told = "SELECT changed, new_values FROM logs.audit_log WHERE action = 'update' "
    leak = """
        SELECT count(*) FROM logs.audit_log
         WHERE concat(old_values, new_values) ~ '_hash|\\$new|\\\\\\\\x'
    """

    assert rows(owner, told + "AND object_table = 'auth.users'") == [
        (["first_name", "password_hash"], {"first_name": "Ada"})
    ]
    assert one(owner, "SELECT count(*) FROM logs.audit_log") > 50
    assert one(owner, leak) == 0


def test_audit_names_actor_and_request(tenants: Tenants) -> None:
    """Who, in which role, for which request, through which login."""
    app = tenants.enter("app")
    app.execute("SELECT set_config('app.request_id', 'r-1', true)")
    app.execute("UPDATE data_platform.datasets SET description = 'x'")
    query = """
        SELECT organization_id, actor_user_id, actor_role, db_user, object_id
          FROM logs.audit_log WHERE request_id = 'r-1'
    """
    dataset = str(own(tenants, "data_platform.datasets"))

    assert rows(app, query) == [
        (OWN, own(tenants, "auth.users"), "authenticated", "t_app", dataset)
    ]


def test_audit_makes_a_missing_month(
    tenants: Tenants, owner: psycopg.Connection[Any]
) -> None:
    """Late maintenance stops no audited write, not even of the application."""
    month = one(owner, "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')")
    owner.execute(f"DROP TABLE logs.audit_log_{month}".encode())
    owner.execute("SET ROLE platform_app")
    user = own(tenants, "auth.users")
    owner.execute("SELECT auth.set_context(%s, %s)", [user, OWN])
    owner.execute("UPDATE data_platform.datasets SET description = 'late'")

    assert one(owner, "SELECT count(*) FROM logs.audit_log") == 1


@pytest.mark.parametrize(
    ("document", "secret"),
    [
        ('{"password": "x"}', True),
        ('{"a": [{"Api_Key": "x"}]}', True),
        ('{"clientSecret": "x"}', True),
        ('{"url": "postgres://u:p@h/d"}', True),
        ('["redis://:p@h"]', True),
        ('{"db_password": "x"}', True),
        ('{"AWS_Secret_Access_Key": "x"}', True),
        ('{"openai-api-key": "x"}', True),
        ('{"a": {"tls_private_key": "x"}}', True),
        ('{"webhook_secret": "x"}', True),
        ('{"dsn": "host=h password=s"}', True),
        ('["password=s"]', True),
        ('{"odbc": "Server=h;PWD=s;"}', True),
        ('{"url": "postgresql://h/d?user=u&password=s"}', True),
        ('{"password_ref": "vault:x"}', False),
        ('{"secret_ref": "env:X", "db_password_ref": "vault:y"}', False),
        ('{"aws_secret_access_key_ref": "aws-sm:z"}', False),
        ('{"eos_token": "</s>", "pad_token": "[PAD]"}', False),
        ('{"secretary": "x", "api_keys": 3, "password_length": 8}', False),
        ('{"text": "forget the password; password= is empty"}', False),
        ('{"dsn": "host=h dbname=d user=u"}', False),
        ('{"max_tokens": 5, "tokenizer": "x"}', False),
        ('{"url": "postgres://u@h/d"}', False),
        ('{"url": "https://h/p:q@r"}', False),
        ("{}", False),
    ],
)
def test_plain_secrets_are_recognized(
    owner: psycopg.Connection[Any],
    document: str,
    secret: bool,  # noqa: FBT001 - an expected value
) -> None:
    """Keys that name secrets, addresses with passwords, at any depth."""
    query = "SELECT data_platform.contains_plain_secret(%s::jsonb)"

    assert one(owner, query, document) is secret
