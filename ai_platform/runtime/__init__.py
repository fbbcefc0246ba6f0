"""What services import: log writer, metrics; needs psycopg and nothing else of ours."""

from __future__ import annotations

from ._ids import uuid7
from ._record import RequestRecord

__all__ = ["RequestRecord", "uuid7"]
