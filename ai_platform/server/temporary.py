"""A server for a moment, gone again even where this process is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ai_platform.errors import CannotConnect, PlatformError

from .embedded import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MORE_ROOM", "UNSAFE", "sweep_folder", "temporary_server"]

MORE_ROOM: Final = "free some space there, or set TMPDIR to another folder"
"""What to do where there is no room for a server."""
UNSAFE: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}
"""Options of a server whose data nobody will miss."""
_OWNER: Final = "owner"
_SERVER: Final = "server"


@contextmanager
def temporary_server(
    prefix: str, *, options: Mapping[str, str] = UNSAFE
) -> Iterator[EmbeddedServer]:
    """Give a server that is not started yet, in a temporary folder; remove both.

    The name of the folder begins with *prefix*. Should we be killed, a watchdog sweeps
    it up, or else the next caller with that prefix.

    Raises CannotConnect where no such folder can be made.
    """
    _sweep(prefix)
    with _folder(prefix) as folder:
        server = EmbeddedServer(folder / _SERVER, options=options)
        try:
            yield server
        finally:
            server.remove()


@contextmanager
def _folder(prefix: str) -> Iterator[Path]:
    """Give a folder that is ours as long as we live: its file is locked until then."""
    try:
        # the watchdog works in another folder: TMPDIR may be "."
        path = Path(tempfile.mkdtemp(prefix=prefix)).absolute()
    except OSError as error:
        raise _no_room(error) from error
    try:
        # started as root, the server's own account must get through
        path.chmod(0o711)
        with _watchdog(path), _owned(path):
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _owned(path: Path) -> Iterator[None]:
    """Hold the lock of *path*; its file has that name only once it is locked."""
    unlocked = path / f".{_OWNER}"
    try:
        owner = unlocked.open("w")
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unlocked.rename(path / _OWNER)
    except OSError as error:
        raise _no_room(error, path.parent) from error
    with owner:
        yield


def _no_room(error: OSError, folder: Path | None = None) -> CannotConnect:
    place = folder or tempfile.tempdir or "any temporary folder"
    return CannotConnect(
        f"no scratch server can be made in {place}: {error.strerror}", hint=MORE_ROOM
    )


@contextmanager
def _watchdog(path: Path) -> Iterator[None]:
    """Have another process wait for our end, in a session that no signal of ours ends.

    Where none can be started, the next caller sweeps up.
    """
    program = Path(__file__).with_name("_watchdog.py")
    words = [sys.executable, "-I", str(program), str(path), str(program.parents[2])]
    try:
        process = subprocess.Popen(  # noqa: S603 - our own program
            words,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        yield
        return
    try:
        yield
    finally:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _sweep(prefix: str) -> None:
    """Sweep up what is left of others with that *prefix*."""
    with suppress(OSError):  # there is no folder for temporary files
        for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            with suppress(OSError, PlatformError):
                sweep_folder(left)


def sweep_folder(path: Path) -> None:
    """Remove the server and the folder *path* of a process that was killed.

    Raises OSError while that still lives, or where the folder is another user's.
    """
    if path.stat().st_uid != os.geteuid():
        return
    with (path / _OWNER).open("r+") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        EmbeddedServer(path / _SERVER).remove()
        shutil.rmtree(path, ignore_errors=True)
