"""Numbers of connection pools, read without importing the libraries they are of."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ai_platform.errors import BadValue

from ._holding import Holdings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._holding import Held

__all__ = ["PoolNumbers", "WatchedPool", "watched"]


class PoolNumbers(NamedTuple):
    """A pool at one moment; *waits* counts since the pool was made, None: unknown."""

    size: int
    in_use: int
    waiting: int | None
    waits: int | None


class WatchedPool(Protocol):
    """A pool whose numbers can be read and whose users are remembered."""

    name: str

    def numbers(self) -> PoolNumbers:
        """Return its numbers now; may raise whatever the pool raises."""

    def held(self, seconds: float) -> list[Held]:
        """Return the connections held for more than *seconds*, the longest first."""

    def release(self) -> None:
        """Stop watching, leave the pool as it was."""


def watched(pools: Mapping[str, object] | Iterable[object]) -> list[WatchedPool]:
    """Return a watcher for each of *pools*, under a name of its own.

    A pool is one of psycopg_pool, an engine or pool of SQLAlchemy, asynchronous or
    not, or a callable that returns a mapping with size, in_use, waiting and waits.
    Raises BadValue for anything else.
    """
    if isinstance(pools, Mapping):
        return [_watch(pool, name) for name, pool in pools.items()]
    made: list[WatchedPool] = []
    for number, pool in enumerate(pools, start=1):
        name = getattr(pool, "name", None)
        known = {one.name for one in made}
        usable = isinstance(name, str) and name not in known and not _is_engine(pool)
        made.append(_watch(pool, str(name) if usable else f"pool-{number}"))
    return made


def _watch(pool: object, name: str) -> WatchedPool:
    if hasattr(pool, "get_stats") and hasattr(pool, "getconn"):
        return _PsycopgPool(pool, name)
    engine = getattr(pool, "sync_engine", pool)
    inner = getattr(engine, "pool", engine)
    if hasattr(inner, "dispatch") and hasattr(inner, "connect"):
        return _SqlalchemyPool(inner, name)
    if callable(pool):
        return _Function(pool, name)
    raise BadValue(
        f"pool {name!r} is of no kind that is known: got {type(pool).__name__}",
        hint="pass a pool of psycopg_pool, an engine of SQLAlchemy or a callable",
    )


def _is_engine(pool: object) -> bool:
    # the name of an engine is that of its database system
    return hasattr(pool, "pool") or hasattr(pool, "sync_engine")


class _PsycopgPool:
    """Of psycopg_pool: `getconn` and `putconn` are wrapped, on this object only."""

    def __init__(self, pool: Any, name: str) -> None:
        self.name = name
        self._pool = pool
        self._holdings = Holdings(name)
        get, put = pool.getconn, pool.putconn
        is_async = inspect.iscoroutinefunction(get)
        pool.getconn = self._awaited(get) if is_async else self._called(get)
        pool.putconn = self._giving_back(put)

    def _called(self, get: Callable[..., Any]) -> Callable[..., Any]:
        holdings = self._holdings

        def getconn(*args: Any, **options: Any) -> Any:
            connection = get(*args, **options)
            holdings.taken(connection)
            return connection

        return getconn

    def _awaited(self, get: Callable[..., Any]) -> Callable[..., Any]:
        holdings = self._holdings

        async def getconn(*args: Any, **options: Any) -> Any:
            connection = await get(*args, **options)
            holdings.taken(connection)
            return connection

        return getconn

    def _giving_back(self, put: Callable[..., Any]) -> Callable[..., Any]:
        holdings = self._holdings

        def putconn(connection: Any, *args: Any, **options: Any) -> Any:
            holdings.given_back(connection)
            return put(connection, *args, **options)  # a coroutine where it is async

        return putconn

    def numbers(self) -> PoolNumbers:
        stats = self._pool.get_stats()
        size = stats.get("pool_size", 0)
        return PoolNumbers(
            size,
            size - stats.get("pool_available", 0),
            stats.get("requests_waiting", 0),
            stats.get("requests_queued", 0),
        )

    def held(self, seconds: float) -> list[Held]:
        return self._holdings.longer_than(seconds)

    def release(self) -> None:
        for name in ("getconn", "putconn"):
            with suppress(AttributeError):
                delattr(self._pool, name)


class _SqlalchemyPool:
    """Of SQLAlchemy: its events tell of use, a wrapped `connect` of waiting."""

    def __init__(self, pool: Any, name: str) -> None:
        self.name = name
        self._pool = pool
        self._holdings = Holdings(name)
        self._inside = self._waits = 0
        # whoever has a pool of SQLAlchemy has imported it
        self._event: Any = sys.modules["sqlalchemy"].event
        self._event.listen(pool, "checkout", self._on_checkout)
        self._event.listen(pool, "checkin", self._on_checkin)
        self._event.listen(pool, "detach", self._on_checkin)
        connect = pool.connect

        def counted() -> Any:
            if not self._is_exhausted():
                return connect()
            self._waits += 1
            self._inside += 1
            try:
                return connect()
            finally:
                self._inside -= 1

        pool.connect = counted

    def _on_checkout(self, _dbapi: object, record: object, _proxy: object) -> None:
        self._holdings.taken(record)

    def _on_checkin(self, _dbapi: object, record: object) -> None:
        self._holdings.given_back(record)

    def _is_exhausted(self) -> bool:
        overflow = getattr(self._pool, "_max_overflow", -1)
        if overflow < 0:
            return False
        return bool(self._pool.checkedout() >= self._pool.size() + overflow)

    def numbers(self) -> PoolNumbers:
        # NullPool and its like count nothing: what is out is all there is
        if not hasattr(self._pool, "checkedout"):
            return PoolNumbers(len(self._holdings), len(self._holdings), None, None)
        out = self._pool.checkedout()
        return PoolNumbers(out + self._pool.checkedin(), out, self._inside, self._waits)

    def held(self, seconds: float) -> list[Held]:
        return self._holdings.longer_than(seconds)

    def release(self) -> None:
        for event, function in (
            ("checkout", self._on_checkout),
            ("checkin", self._on_checkin),
            ("detach", self._on_checkin),
        ):
            if self._event.contains(self._pool, event, function):
                self._event.remove(self._pool, event, function)
        with suppress(AttributeError):
            del self._pool.connect


class _Function:
    """Any other pool, by a function that returns its numbers."""

    def __init__(self, function: Callable[[], Mapping[str, int]], name: str) -> None:
        self.name = name
        self._function = function

    def numbers(self) -> PoolNumbers:
        found = self._function()
        return PoolNumbers(
            int(found["size"]),
            int(found.get("in_use", 0)),
            found.get("waiting"),
            found.get("waits"),
        )

    def held(self, _seconds: float) -> list[Held]:
        return []

    def release(self) -> None:
        """Nothing was changed."""
