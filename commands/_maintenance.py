"""What the commands of maintenance share: the connection and the archive's folder."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._standing import require_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

__all__ = ["Archive", "archive_folder", "opened"]

Archive = Annotated[
    Path | None,
    typer.Option(
        "--archive",
        metavar="DIR",
        help="Write each partition to a file here before it is dropped "
        "[PLATFORM_ARCHIVE].",
    ),
]


def archive_folder(given: Path | None) -> Path | None:
    """Return the folder *given*, or that of the settings; None archives nothing."""
    from ai_platform.settings import settings  # noqa: PLC0415 - loads pydantic

    return given or settings().archive


@contextmanager
def opened() -> Iterator[Connection[Any]]:
    """Give a connection for maintenance to a database at the newest revision."""
    from ai_platform.connection import resolve  # noqa: PLC0415 - loads psycopg
    from ai_platform.maintenance import partitions  # noqa: PLC0415

    target = resolve()
    with partitions.opened(target) as connection:
        require_schema(connection, target)
        yield connection
