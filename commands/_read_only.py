"""Why a database took no change: a standby, or a setting, and where that was made."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from ai_platform.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_platform.connection import Target

__all__ = ["explaining_read_only"]

_READ_ONLY: Final = "25006"
_SETTING: Final = "default_transaction_read_only"
_WHY: Final = f"""
SELECT pg_catalog.pg_is_in_recovery(), s.source,
       pg_catalog.quote_ident(session_user),
       pg_catalog.quote_ident(pg_catalog.current_database())
  FROM pg_catalog.pg_settings s WHERE s.name = '{_SETTING}'
"""
_RESETS: Final = {
    "database": "ALTER DATABASE {database} RESET {setting}",
    "user": "ALTER ROLE {login} RESET {setting}",
    "database user": "ALTER ROLE {login} IN DATABASE {database} RESET {setting}",
    "global": "ALTER ROLE ALL RESET {setting}",
    "configuration file": "take {setting} out of the server's configuration",
    "client": "take {setting} out of PGOPTIONS and of the URL",
}


@contextmanager
def explaining_read_only(target: Target) -> Iterator[None]:
    """Raise Refused with the cause and the cure in place of a read-only error."""
    try:
        yield
    except Exception as error:
        original: Any = getattr(error, "orig", None) or error
        if getattr(original, "sqlstate", None) != _READ_ONLY:
            raise
        raise _refusal(target) from error


def _refusal(target: Target) -> Refused:
    from ai_platform.connection import connect  # noqa: PLC0415 - slow to import

    with connect(target) as connection:
        standby, source, login, database = connection.execute(_WHY).fetchall()[0]
    if standby:
        return Refused(
            "this server is a standby: nothing can be changed here",
            hint="connect to the primary",
        )
    cure = _RESETS.get(source, "a session without {setting}")
    return Refused(
        f"sessions of {login} are read-only in database {database}: {_SETTING} is on",
        hint=cure.format(login=login, database=database, setting=_SETTING),
    )
