from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bcrypt
import pytest

from ai_platform.accounts import keys, organizations, users
from ai_platform.accounts.values import check_scopes
from ai_platform.errors import BadValue, Refused

if TYPE_CHECKING:
    from psycopg import Connection

    from tests.support.database import Database

PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist


def person(name: str = "ada", **more: object) -> users.NewUser:
    """Return a person of organization acme."""
    values = {"email": f"{len(name)}@x.org", "organization": "acme", **more}
    return users.NewUser(name, **values)  # type: ignore[arg-type]


@pytest.fixture
def owner(database: Database) -> Connection[Any]:
    """Give a connection of the migrator as owner, with organization acme."""
    connection = database.connect("migrator", role="platform_owner")
    organizations.create_organization(connection, "acme", "Acme")
    return connection


def test_a_new_user_signs_in(database: Database, owner: Connection[Any]) -> None:
    """The application's own login proves the password, and the try is recorded."""
    users.create_user(owner, person(), PASSWORD)
    app = database.connect("app")

    assert users.verify_login(app, "ADA", PASSWORD) == "ok"
    assert users.verify_login(app, "3@x.org", PASSWORD) == "ok"
    [ada] = users.list_users(owner)
    assert ada["last_login"] is not None


def test_a_wrong_login_is_just_wrong(
    database: Database, owner: Connection[Any]
) -> None:
    """Wrong password and unknown name give one answer, whatever was typed."""
    users.create_user(owner, person(), PASSWORD)
    app = database.connect("app")
    for login in ("ada", "nobody", "", "a\0b", "\udcff", '"; DROP'):
        assert users.verify_login(app, login, "wrong" * 4) == "wrong"


def test_ten_failures_lock_the_door(database: Database, owner: Connection[Any]) -> None:
    """After ten wrong passwords the right one does not help for a while."""
    users.create_user(owner, person(), PASSWORD)
    app = database.connect("app")
    for _ in range(10):
        assert users.verify_login(app, "ada", "wrong" * 4) == "wrong"

    assert users.verify_login(app, "ada", PASSWORD) == "locked"
    users.set_password(owner, "ada", PASSWORD)
    assert users.verify_login(app, "ada", PASSWORD) == "ok"


def test_a_weak_hash_is_renewed(database: Database, owner: Connection[Any]) -> None:
    """A bcrypt row turns into argon2id at the next sign-in, by the application."""
    user = users.create_user(owner, person(), PASSWORD)
    weak = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    owner.execute("UPDATE auth.users SET password_hash = %s", [weak])
    app = database.connect("app")

    assert users.verify_login(app, "ada", PASSWORD) == "ok"
    query = "SELECT password_hash FROM auth.users WHERE id = %s"
    assert owner.execute(query, [user]).fetchone()[0].startswith("$argon2id$")
    assert users.verify_login(app, "ada", PASSWORD) == "ok"


def test_disabling_ends_everything(database: Database, owner: Connection[Any]) -> None:
    """A disabled person keeps no session and no key, and cannot sign in."""
    user = users.create_user(owner, person(role="admin"), PASSWORD)
    owner.execute(
        "INSERT INTO auth.sessions (user_id, refresh_token_hash) VALUES (%s, %s)",
        [user, b"x" * 32],
    )
    key, _ = keys.create_key(owner, keys.NewKey("ci", "acme", ["*:read"], "ada"))
    app = database.connect("app")

    assert users.disable_user(owner, "ada") == {"sessions": 1, "keys": 1}
    assert users.verify_login(app, "ada", PASSWORD) == "disabled"
    assert users.verify_login(app, "ada", "wrong" * 4) == "wrong"
    assert keys.verify_key(app, key) is None
    users.enable_user(owner, "ada")
    assert users.verify_login(app, "ada", PASSWORD) == "ok"


def test_the_last_administrator_stays(owner: Connection[Any]) -> None:
    """Nobody locks the platform from outside by accident."""
    users.create_user(owner, person(is_superuser=True), PASSWORD)
    with pytest.raises(Refused, match="last active administrator"):
        users.disable_user(owner, "ada")

    users.create_user(owner, person("bobby", is_superuser=True), PASSWORD)
    users.disable_user(owner, "ada")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (person("ADA", email="other@x.org"), "login name 'ADA' is taken"),
        (person("bob", email="3@X.org"), "mail address '3@X.org' is taken"),
        (person("bobby", role="king"), "no role 'king' in organization 'acme'"),
        (person("bobby", organization="nix"), "no organization 'nix'"),
    ],
)
def test_a_refusal_names_the_value(
    owner: Connection[Any], second: users.NewUser, message: str
) -> None:
    """What is taken or unknown is named, and nothing is half done."""
    users.create_user(owner, person(), PASSWORD)
    with pytest.raises(BadValue, match=message):
        users.create_user(owner, second, PASSWORD)

    assert [row["username"] for row in users.list_users(owner)] == ["ada"]


def test_odd_names_survive_the_trip(owner: Connection[Any]) -> None:
    """A name that was taken comes back as it was typed, and is found again."""
    names = ['"; DROP TABLE auth.users; --', "🦊", "Ä Bc", "شيماء"]
    for name in names:
        users.create_user(owner, person(name), PASSWORD)

        assert users.verify_login(owner, name, PASSWORD) == "ok"
    assert {row["username"] for row in users.list_users(owner)} == {*names}


def test_a_key_is_known_by_digest(database: Database, owner: Connection[Any]) -> None:
    """The application resolves a key; no column of the table holds it."""
    new = keys.NewKey("ci", "acme", ["data_platform.*:read"], None, ["10.0.0.0/8"])
    key, row = keys.create_key(owner, new)
    found = keys.verify_key(database.connect("app"), key)

    assert found is not None
    assert (found.id, found.scopes) == (row["id"], ["data_platform.*:read"])
    stored = owner.execute("SELECT k::text FROM auth.api_keys k").fetchone()[0]
    assert key.rpartition("_")[2] not in stored
    assert key.startswith(row["prefix"])


def test_a_revoked_key_stays_revoked(
    database: Database, owner: Connection[Any]
) -> None:
    """Revoking works by prefix and by id, twice says so, and there is no way back."""
    key, row = keys.create_key(owner, keys.NewKey("ci", "acme", ["*:read"]))

    assert keys.revoke_key(owner, row["prefix"])
    assert not keys.revoke_key(owner, str(row["id"]))
    assert keys.verify_key(database.connect("app"), key) is None
    assert keys.list_keys(owner) == []
    [listed] = keys.list_keys(owner, organization="acme", with_revoked=True)
    assert listed["status"] == "revoked"


def test_an_unknown_key_is_not_echoed(owner: Connection[Any]) -> None:
    """Who pastes a whole key into the wrong command does not find it in the log."""
    with pytest.raises(BadValue) as caught:
        keys.revoke_key(owner, "pk_aaaabbbb_" + "s" * 43)

    assert "ssss" not in str(caught.value)


def test_a_key_needs_a_seated_user(owner: Connection[Any]) -> None:
    """A key cannot act as somebody who has no seat in its organization."""
    users.create_user(owner, person(organization=None), PASSWORD)
    with pytest.raises(BadValue, match="with a seat in 'acme'"):
        keys.create_key(owner, keys.NewKey("ci", "acme", ["*:read"], "ada"))


SCOPES = ("*:*", "a:b", "a.b:c", "a.*:read", "A:b", "a", "a.b.c:d", "a:b ", "a1:b", "")


def test_scopes_mean_the_same_twice(owner: Connection[Any]) -> None:
    """Our check and the table's CHECK accept the same texts."""
    for scope in SCOPES:
        query = "SELECT auth.permissions_valid(%s)"
        theirs = owner.execute(query, [[scope]]).fetchone()
        try:
            ours = bool(check_scopes([scope]))
        except BadValue:
            ours = False

        assert theirs == (ours,), scope
