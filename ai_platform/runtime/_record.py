"""What is known of one request: a row of `request_logs` before it is written."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

__all__ = ["COLUMNS", "RequestRecord"]


@dataclass(slots=True)
class RequestRecord:
    """One request; what is None becomes NULL.

    *id* and *created* are filled in by the writer: a UUID v7 and the moment of the
    push. *created* without a time zone is UTC. *duration_ms* is in milliseconds.
    *meta* is anything that JSON can hold.
    """

    id: UUID | None = None
    created: datetime | None = None
    url: str | None = None
    method: str | None = None
    status: int | None = None
    auth: str | None = None
    remote_ip: str | None = None
    user_agent: str | None = None
    meta: Mapping[str, Any] | None = None
    referer: str | None = None
    organization_id: int | None = None
    duration_ms: int | None = None
    trace_id: UUID | None = None


COLUMNS: Final = tuple(field.name for field in fields(RequestRecord))
"""The columns of `request_logs` that the writer fills, in the order it sends them."""
