"""What services import: log writer, metrics; needs psycopg and nothing else of ours."""

from __future__ import annotations

from ._async_log_writer import AsyncLogWriter
from ._ids import uuid7
from ._log_writer import LogWriter
from ._record import RequestRecord
from ._set_aside import SetAside

__all__ = ["AsyncLogWriter", "LogWriter", "RequestRecord", "SetAside", "uuid7"]
