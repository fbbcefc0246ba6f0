"""Hash, verify and make passwords; argon2id for new ones, bcrypt still verifies."""

from __future__ import annotations

import secrets
import string
from functools import cache
from typing import TYPE_CHECKING

from ai_platform.errors import BadValue

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = [
    "MAX_BYTES",
    "MIN_LENGTH",
    "check_password",
    "generate_password",
    "hash_password",
    "needs_rehash",
    "verify_password",
]

MIN_LENGTH = 12
"""Characters. Length is what counts; there are no rules of composition."""

MAX_BYTES = 1024
"""A longer text costs the hasher time without adding strength."""

_BCRYPT_BYTES = 72
_BCRYPT = ("$2a$", "$2b$", "$2y$")
_ALPHABET = string.ascii_letters + string.digits


def check_password(password: str, *, username: str = "", email: str = "") -> None:
    """Refuse a password that nobody should set.

    Raises BadValue; its text never holds the password.
    """
    if "\0" in password:
        raise BadValue(
            "the password contains a NUL character", hint="use one without it"
        )
    if len(password) < MIN_LENGTH:
        raise BadValue(
            "the password is too short",
            hint=f"use at least {MIN_LENGTH} characters; a sentence is fine",
        )
    if len(_bytes(password)) > MAX_BYTES:
        raise BadValue(
            f"the password is longer than {MAX_BYTES} bytes",
            hint="use a shorter one; is it the right file?",
        )
    if len(set(password)) == 1 or password.lower() in {username.lower(), email.lower()}:
        raise BadValue("the password is easy to guess", hint="use another one")


def generate_password() -> str:
    """Return a password of 24 letters and digits (142 bits)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(24))


def hash_password(password: str) -> str:
    """Return the argon2id hash of *password* with the parameters of RFC 9106."""
    return _hasher().hash(_bytes(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Return whether *password* belongs to the hash *stored*.

    Without a hash it takes as long as with one, so that time tells nobody which
    login names exist. bcrypt never saw more than 72 bytes, and neither do we.
    """
    if stored is not None and stored.startswith(_BCRYPT):
        return _verify_bcrypt(stored, password)
    from argon2 import exceptions  # noqa: PLC0415 - only where passwords are used

    known = stored is not None and stored.startswith("$argon2")
    try:
        _hasher().verify(stored if known else _dummy(), _bytes(password))  # type: ignore[arg-type]
    except (exceptions.VerificationError, exceptions.InvalidHashError):
        return False
    return known


def needs_rehash(stored: str) -> bool:
    """Return whether *stored* is weaker than what `hash_password` makes today."""
    return not stored.startswith("$argon2id$") or _hasher().check_needs_rehash(stored)


def _verify_bcrypt(stored: str, password: str) -> bool:
    import bcrypt  # noqa: PLC0415 - only old hashes need it

    text = _bytes(password)[:_BCRYPT_BYTES]
    try:
        return b"\0" not in text and bcrypt.checkpw(text, stored.encode("ascii"))
    except ValueError:  # a hash cut short or with another salt
        return False


def _bytes(password: str) -> bytes:
    try:
        return password.encode("utf-8")
    except UnicodeEncodeError:
        raise BadValue("the password is not valid UTF-8") from None


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415 - only where it is used

    return PasswordHasher()


@cache
def _dummy() -> str:
    """Return a hash that nothing matches, as slow as a real one."""
    return hash_password(secrets.token_hex(32))
