"""Alembic's entrance: hands the run to ai_platform.runner.

The only file here that knows the models, and it imports them only when a command
compares them with a database (`check`, `revision --autogenerate`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_platform.runner import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def compare_options(connection: Connection) -> dict[str, Any]:
    """Return what a comparison of models and database needs."""
    import models  # noqa: PLC0415 - an upgrade must not pay for it

    del connection
    return {
        "target_metadata": models.metadata,
        "include_schemas": True,
        "compare_type": True,
        "compare_server_default": True,
    }


run(compare_options)
