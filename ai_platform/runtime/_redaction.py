"""Take credentials out of URLs, headers, messages and extra fields before storing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ._bounded import bounded
from ._secret_names import HINTS as NAME_HINTS
from ._secret_names import counts_tokens, decoded, is_secret_name, squeezed
from ._secret_values import HINTS as VALUE_HINTS
from ._secret_values import REDACTED, without_secrets, without_userinfo

__all__ = ["REDACTED", "Redactor"]

_NAME: Final = r"[\w.\-\[\]%+]"
_PAIR: Final = re.compile(
    rf"""(?<!{_NAME})(?P<name>{_NAME}++)
    (?: \\*["'][ \t]{{0,8}}(?:=>|:=|[:=,])   # a quoted name may stand in a list
      | [ \t]{{0,8}}(?:=>|:=|[:=]) )
    [ \t]{{0,8}}(?:b(?=["']))?""",
    re.VERBOSE,
)
_VALUE: Final = re.compile(
    r"""
    (?P<open>["'])(?:(?!(?P=open))[^\\]|\\.)*+(?P<close>(?P=open))
  | (?P<escaped>\\+["']).*?(?<!\\)(?P<end>(?P=escaped))
  | \\*["'][^\r\n]*
  | \[[^\]\r\n]*\]?
  | \{[^}\r\n]*\}?
  | [^\s&;"'<>]+
    """,
    re.VERBOSE | re.DOTALL,
)
_REST_OF_LINE: Final = re.compile(r"[^\r\n]+")
_WHOLE_LINES: Final = ("authorization", "cookie")
"""Headers whose value goes on behind a blank or a semicolon."""
_URL_HEADERS: Final = frozenset(("referer", "location", "content-location", "origin"))
_PROTOCOLS: Final = "sec-websocket-protocol"  # where browsers put bearer tokens
_ERROR_CODE: Final = re.compile(r"code[ \t]*:[ \t]*", re.IGNORECASE)
"""As people write it in a message; the code of OAuth comes with = or quoted."""
_NOTHING: Final = frozenset(("none", "null", "true", "false"))
_ENCODED: Final = re.compile(r"\S*%[0-9A-Fa-f]{2}\S*")
_IN_PATH: Final = re.compile(r"([/;&])")
_IN_QUERY: Final = re.compile(r"([?&;#])")
_QUERY: Final = re.compile(r"[?#]")
_OPAQUE_USERINFO: Final = re.compile(r"\A[^/?#@:\s]*+:[^/?#@\s]*+@")
_LONGEST_REMEMBERED: Final = 256
_MOST_REMEMBERED: Final = 512
_DEEPEST: Final = 16
_MOST_NODES: Final = 2000


class Redactor:
    """Replaces secrets by `REDACTED`; everything else stays byte for byte.

    *names* are more names whose values are secret, in any case and punctuation.
    *also* is applied to each text after that; where it fails, the text is replaced
    as a whole. No method raises.
    """

    def __init__(
        self,
        *,
        names: Iterable[str] = (),
        also: Callable[[str], str] | None = None,
    ) -> None:
        self._names = frozenset(filter(None, map(squeezed, names)))
        self._hints = _shortest({*NAME_HINTS, *self._names})
        self._clean: set[str] = set()
        self._also = also

    def hides(self, name: str) -> bool:
        """Say whether a value under *name* is replaced."""
        return is_secret_name(name) or (
            bool(self._names) and not self._names.isdisjoint(_parts(name))
        )

    def url(self, text: str) -> str:
        """Return a URL, or the path and query of one, without credentials.

        Of the user part, of parameters of path, query and fragment by their name, and
        of known keys anywhere; encoded ones and URLs within parameters included.
        """
        return self._finished(self._url(text))

    def text(self, text: str) -> str:
        """Return free text without `name=value` secrets and known keys."""
        if "%" in text:
            text = _ENCODED.sub(lambda found: self._url(found[0]), text)
        return self._finished(self._plain(text))

    def header(self, name: str, value: str) -> str:
        """Return the *value* of header *name* as it may be stored."""
        lowered = name.lower()
        if lowered == _PROTOCOLS or self.hides(lowered):
            return REDACTED
        return self.url(value) if lowered in _URL_HEADERS else self.text(value)

    def data(self, value: Any) -> Any:
        """Return *value* as JSON can hold it, without secrets at any depth.

        Mappings by the names of their keys, texts as `text` does; what JSON does not
        know becomes text, what is endless is cut.
        """
        return _Walk(self).of(value, 0)

    def _finished(self, text: str) -> str:
        if self._also is None:
            return text
        try:
            return str(self._also(text))
        except Exception:  # noqa: BLE001 - rather no text than one with a secret
            return REDACTED

    def _suspicious(self, text: str) -> bool:
        if text in self._clean:
            return False
        lowered = text.lower()
        for hint in VALUE_HINTS:
            if hint in lowered:
                return True
        # a name needs something between itself and its value
        if "=" in text or ":" in text or "'" in text or '"' in text:
            plain = squeezed(lowered)
            for hint in self._hints:
                if hint in plain:
                    return True
        if len(text) <= _LONGEST_REMEMBERED:
            self._remember(text)
        return False

    def _remember(self, text: str) -> None:
        """Keep *text* as one that needs no second look: most agents come again."""
        if len(self._clean) >= _MOST_REMEMBERED:
            self._clean = set()
        self._clean.add(text)

    def _plain(self, text: str) -> str:
        text = without_userinfo(text)
        if not self._suspicious(text):
            return text
        return without_secrets(self._without_pairs(text))

    def _without_pairs(self, text: str) -> str:
        kept: list[str] = []
        at = 0
        while found := _PAIR.search(text, at):
            kept.append(text[at : found.end()])
            at = found.end()
            if self.hides(found["name"]) and not _ERROR_CODE.fullmatch(found[0]):
                shown, at = _hidden(found["name"], text, at)
                kept.append(shown)
        return "".join((*kept, text[at:])) if kept else text

    def _url(self, text: str) -> str:
        if "@" in text:
            text = _OPAQUE_USERINFO.sub(f"{REDACTED}@", without_userinfo(text))
        suspicious = self._suspicious(text)
        if not suspicious and "%" not in text and "+" not in text:
            return text
        found = _QUERY.search(text)
        end = found.start() if found else len(text)
        parts = (*_IN_PATH.split(text[:end]), *_IN_QUERY.split(text[end:]))
        return "".join(
            self._part(part) if suspicious or "%" in part or "+" in part else part
            for part in parts
        )

    def _part(self, part: str) -> str:
        """Return one segment or one parameter, without the secret in it."""
        name, equals, value = part.partition("=")
        # what is redacted already may have lost its own end: no more is taken away
        harmless = not value or value.startswith(REDACTED) or not self.hides(name)
        if not harmless and not counts_tokens(decoded(name), value):
            return f"{self._part(name)}={REDACTED}"
        shown = self._plain(part)
        if ("%" not in shown and "+" not in shown) or not self._leaks(shown):
            return shown
        return REDACTED if not equals or self._leaks(name) else f"{name}={REDACTED}"

    def _leaks(self, text: str) -> bool:
        """Say whether there is a secret in *text* once it is decoded."""
        forms = {text, text.replace("+", " ")}
        return any(self._plain(plain) != plain for plain in map(decoded, forms))


class _Walk:
    """One pass through a value; strictly private, so that `Redactor` keeps no state."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._left = _MOST_NODES

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            return "…"
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return bounded(value, self._redactor.text)
        return self._container(value, depth)

    def _container(self, value: Any, depth: int) -> Any:
        try:
            if isinstance(value, Mapping):
                return dict(self._pairs(value, depth))
            if isinstance(value, list | tuple | set | frozenset):
                return self._items(list(value), depth)
            return bounded(_as_text(value), self._redactor.text)
        except Exception:  # noqa: BLE001 - a mapping or a __str__ of somebody else
            return f"<{type(value).__name__}>"

    def _pairs(self, value: Mapping[Any, Any], depth: int) -> Iterable[tuple[str, Any]]:
        for key, inner in value.items():
            if self._left <= 0:
                return
            name = _as_text(key)
            yield bounded(name, self._redactor.text), self._under(name, inner, depth)

    def _items(self, items: list[Any], depth: int) -> list[Any]:
        # a header as ASGI has it, a parameter as parse_qsl gives it
        if len(items) == 2 and isinstance(items[0], str | bytes):  # noqa: PLR2004
            name = _as_text(items[0])
            return [self.of(name, depth + 1), self._under(name, items[1], depth)]
        return [self.of(item, depth + 1) for item in items[: max(self._left, 0)]]

    def _under(self, name: str, value: Any, depth: int) -> Any:
        said = value is not None and not isinstance(value, bool) and value != ""
        if said and self._redactor.hides(name):
            number = isinstance(value, int | float) and counts_tokens(name, str(value))
            return value if number else REDACTED
        return self.of(value, depth + 1)


def _shortest(hints: set[str]) -> tuple[str, ...]:
    """Return *hints* without those that hold another one."""
    return tuple(
        sorted(
            hint
            for hint in hints
            if not any(other in hint for other in hints if other != hint)
        )
    )


def _parts(name: str) -> set[str]:
    """Return the squeezed *name* and those of its parts in brackets."""
    plain = decoded(name)
    return {squeezed(part) for part in (plain, *re.split(r"[\[\].]+", plain))}


def _hidden(name: str, text: str, at: int) -> tuple[str, int]:
    """Return what stands for the value that begins at *at*, and where it ends."""
    line = squeezed(decoded(name)).endswith(_WHOLE_LINES)
    whole = line and text[at : at + 1] not in {'"', "'", "\\"}
    found = (_REST_OF_LINE if whole else _VALUE).match(text, at)
    if found is None:
        return "", at
    said = found[0].strip(",)}]\"'")
    if said.lower() in _NOTHING or counts_tokens(name, said):
        return found[0], found.end()
    if whole:
        return REDACTED, found.end()
    first, last = found["open"] or found["escaped"], found["close"] or found["end"]
    return f"{first or ''}{REDACTED}{last or ''}", found.end()


def _as_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace")
    return str(value)
