"""What ASGI and WSGI have in common: one exchange becomes one record."""

from __future__ import annotations

import inspect
import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote
from uuid import UUID

from ai_platform.errors import BadValue

from ._bounded import ENOUGH, bounded
from ._client_address import X_FORWARDED_FOR, TrustedProxies
from ._record import RequestRecord
from ._redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "CLIENT_CLOSED",
    "FAILED",
    "Exchange",
    "ExchangeLog",
    "Pusher",
    "in_milliseconds",
    "quoted_path",
    "trace_of",
]

FAILED: Final = 500
CLIENT_CLOSED: Final = 499
"""Nobody was there to hear the answer; nginx writes the same."""

_METHODS: Final = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET")
)
_INT4_LAST: Final = 2**31 - 1
_PATH_SAFE: Final = "/:@!$&'()*+,;=~"
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)

logger = logging.getLogger("ai_platform.runtime")


class Pusher(Protocol):
    """Whatever takes records: a writer, or the list of a test."""

    def push(self, record: RequestRecord, /) -> object:
        """Take *record*; never block, never raise."""


@dataclass(slots=True)
class Exchange:
    """One request and what became of it; *context* is the scope or the environ."""

    context: Any
    method: str
    path: str
    query: str
    peer: str | None
    headers: dict[str, str]
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=monotonic)
    ended: float | None = None
    status: int | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    is_pushed: bool = False


class ExchangeLog:
    """What a middleware was told to record; makes records and pushes them.

    *failures* counts, by the name of the callback, what failed and was left out.
    """

    def __init__(  # noqa: PLR0913 - the options of both middlewares
        self,
        writer: Pusher,
        *,
        auth: Callable[[Any], str | None],
        organization_id: Callable[[Any], int | None] | None,
        meta: Callable[[Any], Mapping[str, Any] | None] | None,
        headers: Iterable[str],
        skip: Iterable[str],
        trusted_proxies: Iterable[str],
        forwarded_header: str = X_FORWARDED_FOR,
        redactor: Redactor | None,
    ) -> None:
        for callback in (auth, organization_id, meta):
            if inspect.iscoroutinefunction(callback):
                raise BadValue(
                    f"a coroutine function cannot be called here: got {callback!r}",
                    hint="compute it in the request and leave it in scope or environ",
                )
        self._writer = writer
        self._auth = auth
        self._organization_id = organization_id
        self._meta = meta
        self._headers = tuple(_names(headers))
        skipped = _names(skip, lower=False)
        self._skipped = frozenset(path for path in skipped if not path.endswith("*"))
        self._skipped_below = tuple(p[:-1] for p in skipped if p.endswith("*"))
        self._proxies = TrustedProxies(trusted_proxies, header=forwarded_header)
        self._redactor = redactor or Redactor()
        self.failures: Counter[str] = Counter()

    @property
    def wanted(self) -> frozenset[str]:
        """Return the lower-case names of the headers that a record needs."""
        of_proxies = {self._proxies.header} if self._proxies else set()
        fixed = {"user-agent", "referer", "traceparent"}
        return frozenset(fixed | of_proxies | set(self._headers))

    def skips(self, path: str) -> bool:
        """Say whether requests for *path* are not recorded."""
        return path in self._skipped or (
            bool(self._skipped_below) and path.startswith(self._skipped_below)
        )

    def push(self, exchange: Exchange) -> None:
        """Push the record of *exchange*, once; never raises."""
        if exchange.is_pushed:
            return
        exchange.is_pushed = True
        if exchange.ended is None:
            exchange.ended = monotonic()
        try:
            self._writer.push(self._record(exchange))
        except Exception as error:  # noqa: BLE001 - a request goes before its record
            self._failed("push", error)

    def _record(self, seen: Exchange) -> RequestRecord:
        headers = seen.headers
        path = f"{seen.path}?{seen.query}" if seen.query else seen.path
        agent, referer = headers.get("user-agent"), headers.get("referer")
        return RequestRecord(
            created=seen.created,
            url=bounded(path, self._redactor.url),
            method=seen.method if seen.method in _METHODS else self._odd(seen.method),
            status=seen.status,
            auth=self._caller(seen),
            remote_ip=self._client(seen),
            user_agent=agent and bounded(agent, self._redactor.text),
            meta=self._extra(seen),
            referer=referer and bounded(referer, self._redactor.url),
            organization_id=self._organization(seen),
            duration_ms=in_milliseconds((seen.ended or seen.began) - seen.began),
            trace_id=trace_of(headers.get("traceparent")),
        )

    def _odd(self, method: str) -> str:
        return bounded(method, self._redactor.text)

    def _client(self, seen: Exchange) -> str | None:
        said = seen.headers.get(self._proxies.header)
        client = self._proxies.client(seen.peer, said) if said else seen.peer
        return client and bounded(client)

    def _caller(self, seen: Exchange) -> str | None:
        try:
            caller = self._auth(seen.context)
            if caller is not None:
                return bounded(str(caller), self._redactor.text)
        except Exception as error:  # noqa: BLE001 - somebody else's code
            self._failed("auth", error)
        return None

    def _organization(self, seen: Exchange) -> int | None:
        if self._organization_id is None:
            return None
        try:
            number = self._organization_id(seen.context)
            if number is not None:
                return _int4(number)
        except Exception as error:  # noqa: BLE001 - somebody else's code
            self._failed("organization_id", error)
        return None

    def _extra(self, seen: Exchange) -> Mapping[str, Any] | None:
        extra: dict[str, Any] = {}
        try:
            if self._meta is not None:
                extra.update(self._redactor.data(dict(self._meta(seen.context) or {})))
        except Exception as error:  # noqa: BLE001 - somebody else's code
            self._failed("meta", error)
        chosen = {
            name: bounded(seen.headers[name], partial(self._redactor.header, name))
            for name in self._headers
            if name in seen.headers
        }
        if chosen:
            extra["headers"] = chosen
        return {**extra, **seen.notes} or None

    def _failed(self, what: str, error: Exception) -> None:
        """Count, and say it once: a service must not drown in it."""
        self.failures[what] += 1
        if self.failures[what] == 1:
            kind = type(error).__name__
            logger.warning("the record of a request goes without %s: %s", what, kind)


def in_milliseconds(seconds: float) -> int:
    """Return *seconds* as the column `duration_ms` takes them."""
    return min(max(round(seconds * 1000), 0), _INT4_LAST)


def trace_of(traceparent: str | None) -> UUID | None:
    """Return the trace of a W3C `traceparent`, None where it is not valid."""
    if traceparent is None:
        return None
    text = traceparent.strip()
    match = _TRACEPARENT.match(text)
    # version 00 ends here; later ones may go on behind another hyphen
    end = match.end() if match else 0
    if match is None or (
        end != len(text) and (text.startswith("00") or text[end] != "-")
    ):
        return None
    return UUID(hex=match[1])


def quoted_path(path: str) -> str:
    """Return a decoded *path* as it goes into a URL, as far as it is kept."""
    return quote(path[:ENOUGH], safe=_PATH_SAFE, errors="replace")


def _int4(number: int) -> int:
    whole = int(number)
    if not 0 <= whole <= _INT4_LAST:
        raise ValueError(f"no organization has such a number: got {number!r}")
    return whole


def _names(names: Iterable[str], *, lower: bool = True) -> list[str]:
    listed = [names] if isinstance(names, str) else list(names)
    return [name.lower() for name in listed] if lower else listed
