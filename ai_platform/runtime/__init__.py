"""What services import: log writer, metrics; needs psycopg and nothing else of ours."""

from __future__ import annotations

from ._asgi import RequestLogMiddleware
from ._async_log_writer import AsyncLogWriter
from ._exchange import Pusher
from ._ids import uuid7
from ._log_handler import LogHandler
from ._log_writer import LogWriter
from ._metrics_collector import AsyncMetricsCollector, MetricsCollector
from ._record import RequestRecord
from ._redaction import Redactor
from ._set_aside import SetAside
from ._wsgi import WSGIRequestLogMiddleware

__all__ = [
    "AsyncLogWriter",
    "AsyncMetricsCollector",
    "LogHandler",
    "LogWriter",
    "MetricsCollector",
    "Pusher",
    "Redactor",
    "RequestLogMiddleware",
    "RequestRecord",
    "SetAside",
    "WSGIRequestLogMiddleware",
    "uuid7",
]
