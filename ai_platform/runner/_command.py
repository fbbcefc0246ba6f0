"""Alembic's commands for programs: one at a time, errors as PlatformError."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from alembic import command as alembic_command
from alembic.config import Config
from alembic.util import CommandError

from ai_platform.settings import CHECKOUT

from ._faults import MigrationFailed, translate

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from ai_platform.connection import Target

__all__ = ["command", "upgrade"]

# Alembic's `context` and `op` are proxies of the process, not of the thread.
_ONE_AT_A_TIME = threading.Lock()


def command(
    name: str,
    *args: Any,
    target: Target | None = None,
    output: TextIO | None = None,
    ini: Path = CHECKOUT / "alembic.ini",
    **kwargs: Any,
) -> Any:
    """Run Alembic's command *name* on *target* and return what it returns.

    *output* takes what the command prints, offline SQL included.

    Raises BadValue for a revision that is not there, else the PlatformError that
    says what happened (Refused, CannotConnect).
    """
    config = Config(str(ini), **_buffers(output))
    if target is not None:
        config.attributes["target"] = target
    with _ONE_AT_A_TIME:
        try:
            return getattr(alembic_command, name)(config, *args, **kwargs)
        except MigrationFailed as error:
            raise error.cause from error.cause.__cause__
        except CommandError as error:
            raise translate(error) from None


def upgrade(target: Target | None = None, revision: str = "head") -> None:
    """Bring *target* to *revision*; see `command` for what it raises."""
    command("upgrade", revision, target=target)


def _buffers(output: TextIO | None) -> dict[str, Any]:
    return {} if output is None else {"stdout": output, "output_buffer": output}
