from __future__ import annotations

from datetime import UTC, datetime, timedelta

import bcrypt
import pytest

from ai_platform.accounts import passwords, values
from ai_platform.errors import BadValue

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    ['"; DROP TABLE users; --', "🦊" * 16, "Ada Lovelace", "ADA", "شيماء", "x" * 150],
)
def test_odd_names_are_taken_verbatim(name: str) -> None:
    """Quotes, emoji, capitals, spaces and right-to-left writing are names too."""
    assert name == values.check_username(name, email="a@example.org")


@pytest.mark.parametrize(
    "name",
    ["", " ada", "a\x00b", "a\nb", "x" * 151, "\u202eada", "e\u0301", "a\udcff"],
)
def test_names_that_deceive_are_refused(name: str) -> None:
    """What cannot be told apart on a screen, or stored, is refused before SQL."""
    with pytest.raises(BadValue, match="login name"):
        values.check_username(name, email="a@example.org")


def test_an_endless_value_is_cut() -> None:
    """An error quotes sixty characters; a log holds no megabyte of somebody's."""
    for check in (values.check_email, values.check_slug, values.check_username):
        more = {"email": "a@x.org"} if check is values.check_username else {}
        with pytest.raises(BadValue) as caught:
            check("@" * 150, **more)
        assert len(caught.value.message) < 140
        assert caught.value.hint


@pytest.mark.parametrize("network", ["10.0.0.1/8", "x" * 99])
def test_a_bad_network_is_explained(network: str) -> None:
    """The cause is said once, with the form to write."""
    with pytest.raises(BadValue, match="not a network") as caught:
        values.check_cidrs([network])

    assert len(caught.value.message) < 100


@pytest.mark.parametrize(
    ("value", "said"),
    [("9999y", "too far away"), ("2020-01-01", "in the past"), ("soon", "not a dur")],
)
def test_an_unfit_expiry_has_a_way_on(value: str, said: str) -> None:
    """Each says what is wrong and what to write."""
    with pytest.raises(BadValue, match=said) as caught:
        values.expiry(value, now=NOW)

    assert caught.value.hint


def test_a_name_is_nobody_elses_address() -> None:
    """Logins are found by name or address: one must not shadow the other."""
    assert values.check_username("A@x.org", email="a@x.org") == "A@x.org"
    with pytest.raises(BadValue, match="somebody else"):
        values.check_username("b@x.org", email="a@x.org")


@pytest.mark.parametrize(
    "email", ["a@localhost", "a.b+c@sub.example.org", "ä@bücher.example"]
)
def test_usual_addresses_pass(email: str) -> None:
    """Tags, host names and international addresses are addresses."""
    assert email == values.check_email(email)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "@b",
        "a@",
        "a@b..c",
        "a b@c",
        "a@b c",
        ".a@b",
        "a@-b",
        f"{'a' * 251}@b.c",
    ],
)
def test_no_address_is_refused(email: str) -> None:
    """A slip of the keyboard is caught before the row exists."""
    with pytest.raises(BadValue):
        values.check_email(email)


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a_b", "a" * 64, "ä", "a\n"])
def test_a_slug_is_plain(slug: str) -> None:
    """Slugs go into URLs: nothing to escape, nothing to confuse."""
    with pytest.raises(BadValue, match="short name"):
        values.check_slug(slug)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90d", NOW + timedelta(days=90)),
        ("12h", NOW + timedelta(hours=12)),
        ("2w", NOW + timedelta(weeks=2)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
    ],
)
def test_expiry_reads_durations_and_dates(text: str, moment: datetime) -> None:
    """People write 90d, auditors write a date."""
    assert moment == values.expiry(text, now=NOW)


@pytest.mark.parametrize(
    "text", ["", "0d", "-1d", "90", "2020-01-01", "2026-02-30", "99999y"]
)
def test_a_key_never_expires_in_the_past(text: str) -> None:
    """A key that is dead on arrival is a slip, not a wish."""
    with pytest.raises(BadValue):
        values.expiry(text, now=NOW)


@pytest.mark.parametrize("scope", ["", "read", "a:b:c", "A:read", "a.b.c:read", "a:"])
def test_a_scope_follows_the_grammar(scope: str) -> None:
    """schema.object:action, or it would grant nothing and nobody would notice."""
    with pytest.raises(BadValue, match="not a scope"):
        values.check_scopes(["*:read", scope])


@pytest.mark.parametrize("cidr", ["", "10.0.0.1/8", "300.0.0.0/8", "host"])
def test_a_network_is_canonical(cidr: str) -> None:
    """Host bits in a network are a slip; PostgreSQL would refuse them later."""
    with pytest.raises(BadValue, match="not a network"):
        values.check_cidrs([cidr])


@pytest.mark.parametrize(
    "password", ["brief", "a" * 40, "xy" * 513, "nul\0" * 5, "ada.lovelace.1815"]
)
def test_weak_passwords_are_refused(password: str) -> None:
    """Too short, too long, one letter, NUL, or the login name itself."""
    with pytest.raises(BadValue) as caught:
        passwords.check_password(password, username="Ada.Lovelace.1815")

    assert password not in str(caught.value)


def test_a_new_hash_is_argon2id() -> None:
    """What we store verifies, is argon2id and needs no renewal."""
    stored = passwords.hash_password("correct horse battery")

    assert stored.startswith("$argon2id$")
    assert passwords.verify_password(stored, "correct horse battery")
    assert not passwords.verify_password(stored, "correct horse")
    assert not passwords.needs_rehash(stored)


def test_bcrypt_still_verifies() -> None:
    """Rows from before keep working, also past the 72 bytes that bcrypt reads."""
    long = "p" * 71 + "qrs"
    stored = bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode()

    assert passwords.verify_password(stored, long)
    assert not passwords.verify_password(stored, "p" * 72)
    assert passwords.needs_rehash(stored)


@pytest.mark.parametrize(
    "stored", [None, "!", "$2b$cut", "$argon2id$cut", "$unknown$x"]
)
def test_a_broken_hash_lets_nobody_in(stored: str | None) -> None:
    """No hash, none usable, a damaged one, a foreign one: no, and no error."""
    assert not passwords.verify_password(stored, "correct horse battery")


def test_generated_passwords_pass_and_differ() -> None:
    """What we make meets our own rule and never repeats."""
    made = {passwords.generate_password() for _ in range(20)}

    assert len(made) == 20
    for password in made:
        passwords.check_password(password)
