"""Which names mean a secret: of parameters, headers and keys of mappings."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

__all__ = ["HINTS", "counts_tokens", "decoded", "is_secret_name", "squeezed"]

# A proxy decodes once, the application once more; nobody decodes nine times.
_MOST_DECODINGS: Final = 8
_LONGEST_CACHED: Final = 64
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_COUNT: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_SMALL_CODE: Final = re.compile(r"[0-9]{1,3}")

_ANYWHERE: Final = (
    *("token", "secret", "passw", "passphrase", "passcode", "passkey", "pwd"),
    *("apikey", "accesskey", "privatekey", "signature", "credential", "bearer"),
    *("authorization", "authorisation", "jwt", "session", "sessid", "cookie"),
    *("csrf", "xsrf", "verifier", "assertion", "samlre", "authcode", "accesscode"),
    *("securitycode", "verificationcode", "recoverycode", "resetcode", "invitecode"),
)
"""In a name without its punctuation, at any place: `X-Amz-Security-Token`."""
_LAST: Final = frozenset(
    (
        *("key", "keys", "auth", "oauth", "sig", "pass", "pw", "pin", "otp", "totp"),
        *("sid", "cvv", "cvc", "mfa", "hmac", "ticket"),
    )
)
"""Only as the last word, because `keyboard`, `author` and `design` are none."""
_HARMLESS_KEYS: Final = frozenset(
    (
        *("sort", "order", "group", "primary", "foreign", "partition", "cache"),
        *("idempotency", "routing", "public", "object", "lookup"),
    )
)

HINTS: Final = (*_ANYWHERE, *sorted(_LAST), "code")
"""A text without any of these, once squeezed, holds no secret name."""

_PUNCTUATION: Final = str.maketrans("", "", "-_.[]+ \x00")


def squeezed(text: str) -> str:
    """Return *text* in lower case without the punctuation of names."""
    return text.lower().translate(_PUNCTUATION)


def decoded(text: str) -> str:
    """Return *text* with its percent-encoding undone, also where it is doubled.

    What is no valid encoding stays as it is.
    """
    for _ in range(_MOST_DECODINGS):
        plain = unquote(text)
        if plain == text:
            break
        text = plain
    return text


def is_secret_name(name: str) -> bool:
    """Say whether a value under *name* must not be stored.

    Case, punctuation, prefixes, brackets and percent-encoding do not matter:
    `user[password]`, `X-Api-Key`, `accessToken` and `%74oken` all are.
    """
    if len(name) > _LONGEST_CACHED:
        return _judge(name)
    return _judged(name)


def counts_tokens(name: str, value: str) -> bool:
    """Say whether a secret-looking *name* only counts or enumerates.

    `max_tokens=100` is what a language model is asked for, `code=404` an outcome.
    """
    plain = squeezed(name)
    if "tokens" in plain or "tokencount" in plain or "tokenlimit" in plain:
        return _COUNT.fullmatch(value) is not None
    return plain == "code" and _SMALL_CODE.fullmatch(value) is not None


def _judge(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(decoded(name))]
    letters = "".join(words)
    if any(mark in letters for mark in _ANYWHERE):
        return True
    if not words:
        return False
    if words[-1] in {"key", "keys"} and len(words) > 1:
        return words[-2] not in _HARMLESS_KEYS
    return words[-1] in _LAST or _is_code(name, words)


def _is_code(name: str, words: list[str]) -> bool:
    """Say whether *name* is the code of OAuth, and not `country_code`."""
    if words[-1] != "code":
        return False
    return len(words) == 1 or decoded(name).rstrip("]").lower().endswith("[code")


_judged: Final = lru_cache(maxsize=1024)(_judge)
