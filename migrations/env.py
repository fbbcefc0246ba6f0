"""Alembic's entrance: hands the run to ai_platform.runner.

The only file here that knows the models, and it imports them only when a command
compares them with a database (`check`, `revision --autogenerate`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_platform.names import SCHEMAS
from ai_platform.runner import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def compare_options(connection: Connection) -> dict[str, Any]:
    """Return what a comparison of models and database needs.

    Our schemas only, without partitions; what Alembic cannot see, the snapshot of
    the whole catalog adds.
    """
    import models  # noqa: PLC0415 - an upgrade must not pay for it
    from ai_platform.catalog.alembic_plugin import (  # noqa: PLC0415
        alembic_plugin,
        partition_filter,
    )

    is_no_partition = partition_filter(connection)

    def include_name(
        name: str | None, kind: str, parents: dict[str, str | None]
    ) -> bool:
        if kind == "schema":
            return name is None or name in SCHEMAS
        if kind == "table" and parents.get("schema_name") is None:
            return name in models.metadata.tables
        return is_no_partition(name, kind, parents)

    sql_root = Path(str(models.__file__)).parent / "sql"
    return {
        "target_metadata": models.metadata,
        "include_schemas": True,
        "include_name": include_name,
        "compare_type": True,
        "compare_server_default": True,
        "autogenerate_plugins": alembic_plugin(models.metadata, sql_root),
    }


run(compare_options)
