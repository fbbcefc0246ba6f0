"""How a log writer behaves: arguments, then PB_ variables, then defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from ai_platform.errors import BadValue

from . import _environment as environment
from ._set_aside import print_json_lines

if TYPE_CHECKING:
    from ._set_aside import Fallback

__all__ = ["FLUSH_TIMEOUT_S", "Options"]

FLUSH_TIMEOUT_S: Final = 5.0
"""How long one batch is tried, reconnects included, before the fallback gets it."""


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes are records, times seconds."""

    conninfo: str
    buffer_size: int
    batch_size: int
    flush_interval_s: float
    flush_timeout_s: float
    fallback: Fallback
    application_name: str

    @classmethod
    def read(  # noqa: PLR0913 - one for each that a writer takes
        cls,
        conninfo: str | None,
        *,
        buffer_size: int | None,
        batch_size: int | None,
        flush_interval_s: float | None,
        flush_timeout_s: float,
        fallback: Fallback | None,
    ) -> Options:
        """Return what the arguments and the environment say.

        Raises BadValue.
        """
        buffer = _size("buffer_size", buffer_size, "PB_LOG_BUFFER_SIZE", 10_000)
        batch = _size("batch_size", batch_size, "PB_LOG_BATCH_SIZE", 1_000)
        interval = (
            environment.duration("PB_LOG_FLUSH_INTERVAL", 2.0)
            if flush_interval_s is None
            else flush_interval_s
        )
        for name, value in (
            ("flush_interval_s", interval),
            ("flush_timeout_s", flush_timeout_s),
        ):
            if not 0 < value < float("inf"):
                raise BadValue(f"{name} must be above zero, got {value!r}")
        text = environment.conninfo(conninfo)
        try:
            conninfo_to_dict(text)
        except ProgrammingError:
            # the error of libpq quotes what it did not understand: maybe a password
            raise BadValue(
                "the connection string cannot be read",
                hint="write postgresql://user@host:5432/database",
            ) from None
        return cls(
            conninfo=text,
            buffer_size=buffer,
            # a batch that the buffer cannot hold would never be full
            batch_size=min(batch, buffer),
            flush_interval_s=interval,
            flush_timeout_s=flush_timeout_s,
            fallback=fallback or print_json_lines,
            application_name=f"log_writer {environment.node_id()}"[:63],
        )


def _size(name: str, given: int | None, variable: str, default: int) -> int:
    """Return *given*, or what the environment says.

    Raises BadValue.
    """
    if given is None:
        return environment.count(variable, default)
    if not isinstance(given, int) or given < 1:
        raise BadValue(f"{name} must be a whole number above zero, got {given!r}")
    return given
