"""Which values are secrets wherever they stand: keys, tokens, user names in URLs."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["HINTS", "REDACTED", "without_secrets", "without_userinfo"]

REDACTED: Final = "REDACTED"
"""What stands where a secret was; it may stand in any part of a URL."""

# The second form is a password with characters that should have been encoded: what
# follows the colon is no port, so the text up to the last @ is the password, unless
# there is a parameter in it: then the @ is in that parameter's value.
_USERINFO: Final = re.compile(
    r"""//(?:
        [^\s/?\#"'<>]*@
      | (?!\[)[^\s/?\#@:"'<>]*:(?![0-9]{0,5}(?:[/?\#\s"'<>]|$))
        (?![^\s"'<>]*[?&;\#][^\s"'<>=]*=)[^\s"'<>]*@
    )""",
    re.VERBOSE,
)
# No \b in front of these: keys are glued to other words in real logs.
_SECRET: Final = re.compile(
    r"""
    (?P<platform>pk_[A-Za-z0-9]{8}_)[A-Za-z0-9]+
  | (?P<scheme>(?i:\bbearer)[ \t]+)(?!(?i:realm|error|scope|auth|token\b))[^\s"',;<>]+
  | (?P<basic>(?i:\bbasic)[ \t]+)(?!(?i:realm|auth))[A-Za-z0-9+/_-]{6,}=*
  | (?P<spnego>(?i:\bnegotiate)[ \t]+)[A-Za-z0-9+/_-]{16,}=*
  | eyJ(?:(?!eyJ)[\w-]){6,}+\.[\w.-]+
  | (?<![A-Za-z0-9])sk-(?=[\w-]{0,64}[0-9])[\w-]{16,}
  | [rs]k_(?:live|test)_\w{8,}
  | whsec_[\w+/=]{16,}
  | gh[oprsu]_\w{16,}
  | github_pat_\w{16,}
  | glpat-[\w-]{16,}
  | xox[a-z]-[\w-]{8,}
  | xapp-[\w-]{8,}
  | A[KS]IA[A-Z0-9]{16,}
  | AIza[\w-]{30,}
  | ya29\.[\w-]{16,}
  | GOCSPX-[\w-]{16,}
  | SG\.[\w-]{16,}\.[\w-]{16,}
  | hf_[A-Za-z0-9]{20,}
  | gsk_[A-Za-z0-9]{20,}
  | npm_[A-Za-z0-9]{30,}
  | pypi-[\w-]{32,}
  | hvs\.[\w-]{16,}
  | \$argon2(?:id?|d)\$[^\s"']+
  | \$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{20,}
  | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\s\S]*?(?:-----END\ [A-Z ]*-----|\Z)
    """,
    re.VERBOSE,
)

HINTS: Final = (
    *("pk_", "bearer", "basic", "negotiate", "eyj", "sk-", "sk_", "rk_"),
    *("whsec_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"),
    *("xox", "xapp-", "akia", "asia", "aiza", "ya29.", "gocspx-", "sg.", "hf_"),
    *("gsk_", "npm_", "pypi-", "hvs.", "$argon2", "$2", "-----begin"),
)
"""A text without any of these, in lower case, holds no such value."""


def without_userinfo(text: str) -> str:
    """Return *text* with user name and password of every URL in it taken out."""
    return _USERINFO.sub(f"//{REDACTED}@", text) if "@" in text else text


def without_secrets(text: str) -> str:
    """Return *text* without keys and tokens that are known by their form.

    The public prefix of a key of the platform stays: it says whose key it was.
    """
    return _SECRET.sub(_replaced, text)


def _replaced(found: re.Match[str]) -> str:
    kept = found[found.lastgroup] if found.lastgroup else ""
    return kept + REDACTED
