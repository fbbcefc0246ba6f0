"""Take the access records of uvicorn and Werkzeug apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from logging import LogRecord

__all__ = ["access_fields"]

_UVICORN: Final = "uvicorn.access"
_UVICORN_ARGUMENTS: Final = 5
_WERKZEUG: Final = "werkzeug"
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_LINE: Final = re.compile(
    r'(?P<peer>\S+) - - \[[^\]]*\] "(?P<method>[A-Z]+) (?P<url>.*) HTTP/[0-9.]+" '
    r"(?P<status>[0-9]{3})\b"
)


def access_fields(record: LogRecord, message: str) -> dict[str, Any]:
    """Return url, method, status and remote_ip of an access record, else nothing."""
    if record.name == _UVICORN:
        return _of_uvicorn(record.args)
    if record.name == _WERKZEUG:
        return _of_line(_COLOURS.sub("", message))
    return {}


def _of_uvicorn(arguments: Any) -> dict[str, Any]:
    if not isinstance(arguments, tuple) or len(arguments) != _UVICORN_ARGUMENTS:
        return {}
    peer, method, url, _version, status = arguments
    fields = {"method": method, "url": url, "status": status}
    host = str(peer or "").rpartition(":")[0].strip("[]")
    return {**fields, "remote_ip": host} if host else fields


def _of_line(line: str) -> dict[str, Any]:
    found = _LINE.match(line)
    if found is None:
        return {}
    fields: dict[str, Any] = found.groupdict()
    return {"remote_ip": fields.pop("peer"), **fields}
