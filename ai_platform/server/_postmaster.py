"""What the pid file says of a server, and whether it is true."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["SEES_PROCESSES", "Postmaster", "answers", "lives_in", "read"]

_PROC = Path("/proc")
SEES_PROCESSES = (_PROC / "self" / "cwd").exists()
"""Whether this system shows where a process works."""

# lines of postmaster.pid: pid, data, start time, port, socket folder, …, state
_STATE_LINE = 7


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The server that wrote the pid file of a data folder."""

    pid: int
    data: Path
    started_at: datetime
    port: int
    socket_dir: Path
    state: str

    @property
    def ready(self) -> bool:
        """Return whether it takes connections, by its own word and by trying."""
        return self.state == "ready" and answers(self.socket_dir, self.port)

    def was_moved(self, data: Path) -> bool:
        """Return whether the folder became *data* after this server was started."""
        try:
            return not self.data.samefile(data)
        except FileNotFoundError:
            return True
        except OSError:
            # a folder on the way that we may not enter tells nothing
            return False


def answers(socket_dir: Path, port: int) -> bool:
    """Return whether somebody takes connections at the socket in *socket_dir*."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(socket_dir / f".s.PGSQL.{port}"))
        except OSError:
            return False
    return True


def read(data: Path) -> Postmaster | None:
    """Return the server of *data* if it lives; a stale pid file counts as none."""
    try:
        text = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
        found = _parse(text.splitlines())
    except (OSError, ValueError, IndexError):
        return None
    return found if _lives(found, data) else None


def lives_in(data: Path) -> list[int]:
    """Return the processes of a server in *data*, its orphans among them.

    Empty also where the system has no /proc; the server's own checks remain.
    """
    if not SEES_PROCESSES:
        return []
    numbers = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [pid for pid in numbers if _works_in(pid, data)]


def _parse(lines: list[str]) -> Postmaster:
    return Postmaster(
        pid=int(lines[0]),
        data=Path(lines[1]),
        started_at=datetime.fromtimestamp(int(lines[2]), UTC),
        port=int(lines[3]),
        socket_dir=Path(lines[4]),
        state=lines[_STATE_LINE].strip() if len(lines) > _STATE_LINE else "starting",
    )


def _lives(server: Postmaster, data: Path) -> bool:
    """Return whether the process is that server; pids are given out again."""
    if SEES_PROCESSES:
        return _works_in(server.pid, data)
    try:
        os.kill(server.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return server.ready


def _works_in(pid: int, data: Path) -> bool:
    """Return whether *pid* is a living process of a server that works in *data*."""
    process = _PROC / str(pid)
    try:
        name = (process / "comm").read_text(encoding="utf-8", errors="replace")
        return name.strip() == "postgres" and (process / "cwd").samefile(data)
    except OSError:
        return False
