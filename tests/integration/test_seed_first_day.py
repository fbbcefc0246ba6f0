from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import NullPool, create_engine

from ai_platform.accounts import users
from ai_platform.connection import connect
from ai_platform.errors import BadValue, Refused
from seeds import FirstDay, needs_password, seed

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.database import Database

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist
TABLES = {
    "auth.roles": "id",
    "data_platform.embedding_models": "id",
    "monitoring.partition_policies": "parent_table",
}


@pytest.fixture
def engine(database: Database) -> Engine:
    """Give an engine of the migrator's login that acts as platform_owner."""
    target = database.login("migrator")
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(target, role="platform_owner", autocommit=False),
        poolclass=NullPool,
    )


def reference_rows(database: Database) -> dict[str, list[Any]]:
    """Return the rows that both the revisions and the seeds hold, without times."""
    owner = database.connect(role="platform_owner")
    return {
        table: owner.execute(
            f"SELECT to_jsonb(t) - '{{id,created_at,updated_at}}'::text[] "  # type: ignore[arg-type]
            f"FROM {table} t ORDER BY t.{key}"
        ).fetchall()
        for table, key in TABLES.items()
    }


def never() -> str:
    """Stand in for a password that must not be asked for."""
    raise AssertionError("asked for a password")


def test_revisions_and_seeds_hold_equal_rows(
    database: Database, engine: Engine
) -> None:
    """What the revisions inserted is what seeding would: nothing is left to do."""
    before = reference_rows(database)
    done = seed(engine, FirstDay(), lambda: PASSWORD)

    assert {outcome.change for outcome in done[:-2]} == {"unchanged"}
    assert before == reference_rows(database)


def test_seeding_brings_back_lost_rows(database: Database, engine: Engine) -> None:
    """Deleted reference rows return exactly as the revisions had made them."""
    before = reference_rows(database)
    owner = database.connect(role="platform_owner")
    owner.execute("DELETE FROM auth.roles")
    owner.execute("DELETE FROM monitoring.partition_policies")
    done = seed(engine, FirstDay(), lambda: PASSWORD)

    assert [o.change for o in done].count("created") == 4 + 4 + 2
    assert before == reference_rows(database)


def test_an_operators_choice_is_kept(database: Database, engine: Engine) -> None:
    """Longer retention set by an operator survives; permissions follow the code."""
    owner = database.connect(role="platform_owner")
    owner.execute(
        "UPDATE monitoring.partition_policies SET retention = interval '9 days' "
        "WHERE parent_table = 'monitoring.metrics'"
    )
    owner.execute("UPDATE auth.roles SET permissions = '{*:*}' WHERE name = 'viewer'")
    done = {o.what: o.change for o in seed(engine, FirstDay(), lambda: PASSWORD)}

    assert done["partition policy monitoring.metrics"] == "kept"
    assert done["role viewer"] == "updated"


def test_the_first_day_ends_with_a_login(database: Database, engine: Engine) -> None:
    """The administrator signs in, belongs to the organization and owns it."""
    wanted = FirstDay("acme", "Acme GmbH", "root", "ops@acme.example")
    seed(engine, wanted, lambda: PASSWORD)
    app = database.connect("app", autocommit=False)

    assert users.verify_login(app, "root", PASSWORD) == "ok"
    app.execute(
        "SELECT auth.set_context(id, organization_id) FROM auth.find_login('root')"
    )
    may = app.execute("SELECT auth.has_permission('auth.memberships:write')").fetchone()
    assert may == (True,)


def test_a_second_seed_changes_nothing(database: Database, engine: Engine) -> None:
    """Seeding again asks no password and writes no row."""
    seed(engine, FirstDay("acme", None, "root", "a@x.org"), lambda: PASSWORD)
    owner = database.connect(role="platform_owner")
    count = "SELECT count(*) FROM logs.audit_log"
    before = owner.execute(count).fetchone()
    again = seed(engine, FirstDay(), never)

    assert {outcome.change for outcome in again} == {"unchanged"}
    assert [o.what for o in again[-2:]] == ["organization acme", "administrator root"]
    assert before == owner.execute(count).fetchone()


@pytest.mark.parametrize(
    ("wanted", "shown", "hint"),
    [
        (FirstDay(username="b"), "administrator already, 'a'", "user create b "),
        (FirstDay(email="b@x.org"), "administrator already, 'a'", "user create admin "),
        (FirstDay(org_slug="two"), "organization already, 'one'", "org create two"),
    ],
)
def test_seeding_makes_no_second(
    database: Database, engine: Engine, wanted: FirstDay, shown: str, hint: str
) -> None:
    """Who is named and not there is not silently passed over, nor made beside."""
    seed(engine, FirstDay("one", None, "a", "a@x.org"), lambda: PASSWORD)
    with pytest.raises(BadValue, match=shown) as caught:
        seed(engine, wanted, never)

    assert hint in str(caught.value.hint)
    assert len(users.list_users(database.connect(role="platform_owner"))) == 1


def test_two_seeds_at_once_agree(database: Database, engine: Engine) -> None:
    """Both find an empty house; one makes the administrator, the other sees it."""
    meeting = threading.Barrier(2)
    changes: list[str] = []

    def one() -> None:
        def password() -> str:
            meeting.wait(timeout=120)
            return PASSWORD

        changes.append(seed(engine, FirstDay(), password)[-1].change)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)

    assert sorted(changes) == ["created", "unchanged"]


def test_an_unfit_password_leaves_nothing(database: Database, engine: Engine) -> None:
    """A password that is refused leaves the house as it was."""
    with pytest.raises(BadValue, match="too short"):
        seed(engine, FirstDay(), lambda: "brief")

    owner = database.connect(role="platform_owner")
    assert owner.execute("SELECT count(*) FROM auth.organizations").fetchone() == (0,)
    assert needs_password(engine, FirstDay())


def test_nobody_is_promoted_by_accident(database: Database, engine: Engine) -> None:
    """A person who has the wanted name already does not become administrator."""
    owner = database.connect(role="platform_owner")
    users.create_user(owner, users.NewUser("root", "r@x.org"), PASSWORD)
    with pytest.raises(Refused, match="is not an administrator"):
        seed(engine, FirstDay(username="root"), never)
