"""Nobody gives, keeps or takes more than the permissions held in the organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors

from tests.support.tenants import OTHER, OWN, Tenants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    Member = Callable[..., psycopg.Connection[Any]]


@pytest.fixture
def admin(tenants: Tenants) -> Iterator[psycopg.Connection[Any]]:
    """Give a superuser's transaction that is rolled back."""
    connection = tenants.connect(autocommit=False)
    yield connection
    connection.rollback()


@pytest.fixture
def member(tenants: Tenants, admin: psycopg.Connection[Any]) -> Member:
    """Give a maker of the application's transaction for a member with permissions."""

    def enter(*permissions: str) -> psycopg.Connection[Any]:
        admin.execute(
            "UPDATE auth.roles SET permissions = %s WHERE id = %s",
            [list(permissions), tenants.rows["auth.roles", OWN]["id"]],
        )
        user = tenants.rows["auth.users", OWN]["id"]
        admin.execute("SELECT auth.set_context(%s, %s)", [user, OWN])
        admin.execute("SET LOCAL ROLE platform_app")
        return admin

    return enter


def one(connection: psycopg.Connection[Any], query: str, *args: Any) -> Any:
    """Return the single value of *query*."""
    [[value]] = connection.execute(query.encode(), args).fetchall()
    return value


@pytest.mark.parametrize(
    ("permission", "changed"), [("*:read", 0), ("auth.organizations:write", 1)]
)
def test_organization_is_renamed_by_permission(
    member: Member, permission: str, changed: int
) -> None:
    """Name and settings of the organization are not any member's to change."""
    change = "UPDATE auth.organizations SET name = 'Mine', settings = '{}'"

    assert member(permission).execute(change.encode()).rowcount == changed


@pytest.fixture
def home(tenants: Tenants, admin: psycopg.Connection[Any]) -> int:
    """Give a user whose home and only seat is the organization."""
    args = [OWN, tenants.rows["auth.roles", OWN]["id"]]
    query = """
        WITH u AS (INSERT INTO auth.users (username, email, password_hash,
                                           organization_id)
                   VALUES ('gone', 'gone@x', '!', %s) RETURNING id, organization_id)
        INSERT INTO auth.memberships (user_id, organization_id, role_id)
        SELECT id, organization_id, %s FROM u RETURNING user_id
    """
    return int(one(admin, query, *args))


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM auth.memberships WHERE user_id = %(user)s",
        "UPDATE auth.memberships SET user_id = %(other)s WHERE user_id = %(user)s",
    ],
)
def test_removed_member_loses_the_home(
    tenants: Tenants, member: Member, home: int, loss: str
) -> None:
    """Without the seat, the two settings of the seeds open nothing any more."""
    app = member("*:*")
    names = {"user": home, "other": tenants.rows["auth.users", OTHER]["id"]}
    app.execute("RESET ROLE")
    app.execute(loss.encode(), names)
    app.execute("SET LOCAL ROLE platform_app")
    app.execute("SELECT set_config('app.auth.org', '', true)")
    app.execute("SELECT set_config('pb.auth.id', %s, true)", [str(home)])

    assert one(app, "SELECT auth.org_id()") is None
    assert one(app, "SELECT count(*) FROM data_platform.datasets") == 0


def test_lost_home_is_audited(member: Member, home: int) -> None:
    """The trail tells who closed the door, though the trigger did it."""
    app = member("*:*")
    app.execute("DELETE FROM auth.memberships WHERE user_id = %s", [home])
    query = """
        SELECT old_values = jsonb_build_object('organization_id', organization_id)
          FROM logs.audit_log
         WHERE object_table = 'auth.users' AND object_id = %s AND action = 'update'
    """

    assert one(app, query, str(home)) is True


def test_other_seats_keep_the_home(
    tenants: Tenants, admin: psycopg.Connection[Any], home: int
) -> None:
    """Leaving a second organization leaves the first one as it was."""
    admin.execute(
        "INSERT INTO auth.memberships (organization_id, user_id, role_id) "
        "VALUES (%s, %s, %s)",
        [OTHER, home, tenants.rows["auth.roles", OTHER]["id"]],
    )
    admin.execute("DELETE FROM auth.memberships WHERE organization_id = %s", [OTHER])
    query = "SELECT organization_id FROM auth.users WHERE id = %s"

    assert one(admin, query, home) == OWN


def test_cascades_pass_the_trigger(
    tenants: Tenants, admin: psycopg.Connection[Any], home: int
) -> None:
    """Users and empty organizations can be deleted with their seats."""
    admin.execute("DELETE FROM auth.users WHERE id = %s", [home])
    user = tenants.rows["auth.users", OWN]["id"]
    query = """
        WITH o AS (INSERT INTO auth.organizations (slug, name)
                   VALUES ('brief', 'Brief') RETURNING id),
             u AS (UPDATE auth.users SET organization_id = (SELECT id FROM o)
                    WHERE id = %s)
        INSERT INTO auth.memberships (organization_id, user_id, role_id)
        SELECT o.id, %s, r.id FROM o, auth.roles r
         WHERE r.organization_id IS NULL AND r.name = 'owner'
        RETURNING organization_id
    """
    made = one(admin, query, user, user)
    gone = admin.execute("DELETE FROM auth.organizations WHERE id = %s", [made])

    assert gone.rowcount == 1
    assert one(admin, "SELECT count(*) FROM auth.users WHERE id = %s", user) == 1


@pytest.mark.parametrize(
    ("held", "asked", "covers"),
    [
        (["*:*"], ["*:*", "auth.*:*", "auth.roles:write"], True),
        (["auth.*:*"], ["auth.*:*", "auth.roles:*", "auth.*:read"], True),
        (["auth.*:*"], ["*:*"], False),
        (["auth.*:*"], ["*:read"], False),
        (["auth.*:*"], ["auth.roles:read", "logs.audit_log:read"], False),
        (["*:read"], ["auth.*:read"], True),
        (["*:read"], ["auth.*:*"], False),
        (["*.*:read"], ["*:read"], False),
        (["auth.a:read", "auth.b:read"], ["auth.b:read", "auth.a:read"], True),
        (["auth.roles:write"], ["auth.roles:*"], False),
        (["*:read"], [], True),
        (["*:*"], None, False),
    ],
)
def test_wildcard_covers_no_wider_one(
    member: Member,
    held: list[str],
    asked: list[str] | None,
    covers: bool,  # noqa: FBT001 - an expected value
) -> None:
    """Every permission asked for must be held, with each wildcard as wide."""
    app = member(*held)

    assert one(app, "SELECT auth.holds_all(%s)", asked) is covers


def role_named(connection: psycopg.Connection[Any], name: str) -> int:
    """Return the id of a built-in role."""
    query = "SELECT id FROM auth.roles WHERE organization_id IS NULL AND name = %s"
    return int(one(connection, query, name))


GIFTS = {
    "own seat": """UPDATE auth.memberships SET role_id = %(role)s
                    WHERE user_id = auth.uid()""",
    "invitation": """INSERT INTO auth.memberships (user_id, role_id, status)
                     VALUES (%(stranger)s, %(role)s, 'invited')""",
    "group": "INSERT INTO auth.groups (name, role_id) VALUES ('new', %(role)s)",
    "group's role": "UPDATE auth.groups SET role_id = %(role)s WHERE id = %(group)s",
    "new role": """INSERT INTO auth.roles (name, permissions)
                   SELECT 'mine', permissions FROM auth.roles WHERE id = %(role)s""",
    "own role": """UPDATE auth.roles r SET permissions = b.permissions
                     FROM auth.roles b
                    WHERE b.id = %(role)s AND r.id = %(own)s""",
    "new user": "SELECT auth.create_user('new', 'new@x', '!', p_role => %(name)s)",
}
GIVER = ["auth.*:*", "data_platform.*:*", "algo_platform.*:*", "model_platform.*:*"]
GIVER += ["service_platform.*:*", "monitoring.*:read"]


def give(
    tenants: Tenants, app: psycopg.Connection[Any], gift: str, name: str
) -> psycopg.Cursor[Any]:
    """Give the built-in role *name* in one of the ways there are."""
    names = {
        "role": role_named(app, name),
        "name": name,
        "stranger": tenants.rows["auth.users", OTHER]["id"],
        "group": tenants.rows["auth.groups", OWN]["id"],
        "own": tenants.rows["auth.roles", OWN]["id"],
    }
    return app.execute(GIFTS[gift].encode(), names)


@pytest.mark.parametrize("gift", GIFTS)
def test_nobody_gives_more_than_held(
    tenants: Tenants, member: Member, gift: str
) -> None:
    """An admin makes nobody an owner, neither the own account nor a friend's."""
    with pytest.raises(errors.InsufficientPrivilege):
        give(tenants, member(*GIVER), gift, "owner")


@pytest.mark.parametrize("gift", GIFTS)
def test_what_is_held_can_be_given(tenants: Tenants, member: Member, gift: str) -> None:
    """An admin makes admins, in each of the ways there are."""
    assert give(tenants, member(*GIVER), gift, "admin").rowcount == 1


def test_group_above_takes_no_members(tenants: Tenants, member: Member) -> None:
    """Whoever joins a group gets its role, so joining is giving."""
    app = member("*:*")
    query = "INSERT INTO auth.groups (name, role_id) VALUES (%s, %s) RETURNING id"
    made = {
        name: one(app, query, name, role_named(app, name))
        for name in ("viewer", "owner")
    }
    app.execute("RESET ROLE")
    app = member("auth.*:*", "*:read")
    join = "INSERT INTO auth.group_members (group_id, user_id) VALUES (%s, auth.uid())"
    app.execute(join.encode(), [made["viewer"]])

    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        app.execute(join.encode(), [made["owner"]])


def test_seat_above_can_be_closed(member: Member, home: int) -> None:
    """An owner's seat is suspended and removed by an admin, never given back."""
    app = member("*:*")
    seat = "UPDATE auth.memberships SET status = %s WHERE user_id = %s"
    owner = "UPDATE auth.memberships SET role_id = %s WHERE user_id = %s"
    app.execute(owner, [role_named(app, "owner"), home])
    app.execute("RESET ROLE")
    app = member(*GIVER)
    assert app.execute(seat.encode(), ["suspended", home]).rowcount == 1

    with pytest.raises(errors.InsufficientPrivilege), app.transaction():
        app.execute(seat.encode(), ["active", home])
    gone = app.execute("DELETE FROM auth.memberships WHERE user_id = %s", [home])
    assert gone.rowcount == 1


def test_administrator_gives_every_role(tenants: Tenants, member: Member) -> None:
    """A superuser of the platform is bound by no role of the organization."""
    app = member()
    app.execute("RESET ROLE")
    app.execute("UPDATE auth.users SET is_superuser = true WHERE id = auth.uid()")
    app.execute("SET LOCAL ROLE platform_app")

    assert {g: give(tenants, app, g, "owner").rowcount for g in GIFTS} == dict.fromkeys(
        GIFTS, 1
    )


LABELS = {
    "make": """INSERT INTO service_platform.prompt_labels
                      (prompt_id, label, prompt_version_id, is_protected)
               SELECT prompt_id, 'new', prompt_version_id, true
                 FROM service_platform.prompt_labels WHERE prompt_id = %s""",
    "protect": """UPDATE service_platform.prompt_labels SET is_protected = true
                   WHERE prompt_id = %s""",
}


@pytest.mark.parametrize("way", LABELS)
def test_label_is_protected_by_permission(
    tenants: Tenants, member: Member, way: str
) -> None:
    """What only some may move, only they may claim."""
    prompt = tenants.rows["service_platform.prompt_labels", OWN]["prompt_id"]
    app = member("service_platform.prompts:write")
    with pytest.raises(errors.InsufficientPrivilege), app.transaction():
        app.execute(LABELS[way].encode(), [prompt])
    app.execute("RESET ROLE")
    app = member("service_platform.prompt_labels:protect")

    assert app.execute(LABELS[way].encode(), [prompt]).rowcount == 1


def test_partition_belongs_to_the_platform(admin: psycopg.Connection[Any]) -> None:
    """A superuser who makes a model's partition does not own it."""
    model = one(
        admin,
        "INSERT INTO data_platform.embedding_models "
        "(organization_id, provider, name, dimensions) VALUES (NULL, 'x', 'x', 3) "
        "RETURNING id",
    )
    made = one(admin, "SELECT data_platform.ensure_embedding_partition(%s)", model)
    query = """
        SELECT array_agg(DISTINCT c.relowner::regrole::text) FROM pg_class c
         WHERE c.oid = %s::regclass
            OR c.oid IN (SELECT indexrelid FROM pg_index
                          WHERE indrelid = %s::regclass)
    """

    assert one(admin, query, made, made) == ["platform_owner"]
