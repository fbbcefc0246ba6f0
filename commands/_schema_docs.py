"""The pages of docs/schema, from the catalog of a database made for them."""

from __future__ import annotations

import io
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from ai_platform.connection import Target

__all__ = ["schema_pages", "schema_pages_of"]

TITLE = "AI platform database"
HEAD = (
    "Written by platform docs build from the catalog of a database at the newest "
    "revision; do not edit."
)


def schema_pages() -> dict[str, str]:
    """Return the files of docs/schema, read from an embedded server of its own.

    The database of the user is not touched, nor asked for. Raises PlatformError when
    no embedded server can be started here.
    """
    from ai_platform.connection import connect  # noqa: PLC0415 - slow to import
    from ai_platform.runner import upgrade  # noqa: PLC0415

    with _server() as target, connect(target) as connection:
        # its report is for those who upgrade a database that stays
        with redirect_stderr(io.StringIO()):
            upgrade(target)
        return schema_pages_of(connection)


def schema_pages_of(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """Return the files of docs/schema for the database of *connection*."""
    from ai_platform.catalog import snapshot  # noqa: PLC0415 - slow to import
    from ai_platform.documentation import pages, partition_policies  # noqa: PLC0415

    policies = partition_policies(connection)
    return pages(snapshot(connection), policies=policies, title=TITLE, head=HEAD)


@contextmanager
def _server() -> Iterator[Target]:
    from ai_platform.connection import Target  # noqa: PLC0415 - slow to import
    from ai_platform.server.temporary import temporary_server  # noqa: PLC0415

    with temporary_server("platform-docs-") as server:
        server.start()
        yield Target(server.url(), "embedded server")
