"""The embedded PostgreSQL: a private server that starts where none was given."""

from __future__ import annotations

from .embedded import DATABASE, SUPERUSER, EmbeddedServer, ServerStatus
from .logins import DEV_LOGINS, ensure_dev_logins

__all__ = [
    "DATABASE",
    "DEV_LOGINS",
    "SUPERUSER",
    "EmbeddedServer",
    "ServerStatus",
    "ensure_dev_logins",
]
