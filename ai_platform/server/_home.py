"""The folder of an embedded server: data, socket, settings, log and lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ai_platform.errors import BadValue, CannotConnect, Refused

from . import _account, _private
from ._account import ROOT, Account, name_of
from ._disk import cannot_write

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PORT", "Home", "locate"]

PORT = 5432
"""Part of the socket's name; no TCP port is opened."""

# Linux allows 107 bytes, macOS 103
SUN_PATH_MAX = 103
LOG_MAX_BYTES = 10_000_000
LEAVINGS_S = 10.0
_LOCK = "server.lock"
_IGNORED = {"lost+found"}


@dataclass(frozen=True, slots=True)
class Home:
    """Where an embedded server lives; *account* is who runs it.

    *instead_of* is the folder asked for, where *account* could not reach that.
    """

    root: Path
    account: Account
    instead_of: Path | None = None

    @property
    def ours(self) -> bool:
        """Return whether this user made the folder; another's is not believed."""
        try:
            return self.root.stat().st_uid == os.geteuid()
        except OSError:
            return False

    @property
    def data(self) -> Path:
        """Return PGDATA proper."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """Return the file that the server writes its log to."""
        return self.root / "server.log"

    @property
    def socket_dir(self) -> Path | None:
        """Return the folder of the socket, None before the first start chose one."""
        inside = self.root / "socket"
        if _fits(inside):
            return inside
        note = self.root / "socket_dir"
        return Path(note.read_text(encoding="utf-8")) if note.is_file() else None

    def claim(self) -> None:
        """Make the folder, or take an empty one, and leave it to this server alone.

        Raises BadValue where it holds other things, Refused where it is another
        user's, CannotConnect where the disk does not take it.
        """
        try:
            self._announce()
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_foreign()
            (self.root / _LOCK).touch(mode=0o600)
            os.chown(self.root, -1, self.account.gid)
            self.root.chmod(0o710 if os.geteuid() == ROOT else 0o700)
        except (FileExistsError, NotADirectoryError):
            raise BadValue(
                f"not a folder: {self.root}",
                hint="set PLATFORM_PGDATA to a folder that may be created",
            ) from None
        except OSError as error:
            raise cannot_write(self.root, error) from None

    def _announce(self) -> None:
        if self.instead_of is None or self.root.exists():
            return
        _private.make(self.root.parent)
        _private.say(
            f"user {self.account.name} cannot reach {self.instead_of}: "
            f"data is kept in {self.root}"
        )

    def _refuse_foreign(self) -> None:
        owner = self.root.stat().st_uid
        if owner != os.geteuid():
            raise Refused(
                f"{self.root} belongs to {name_of(owner)}, not to the user of this "
                "command",
                hint="run as its owner, or set PLATFORM_PGDATA to a folder of your own",
            )
        held = {entry.name for entry in self.root.iterdir()} - _IGNORED
        if held and _LOCK not in held:
            what = (
                "is a data folder of PostgreSQL that platform did not make"
                if "PG_VERSION" in held
                else f"holds other things, such as {min(held)!r}"
            )
            raise BadValue(
                f"{self.root} {what}",
                hint="set PLATFORM_PGDATA to a new or empty folder",
            )

    @contextmanager
    def locked(self, *, wait_s: float) -> Iterator[None]:
        """Hold the lock of this folder; start and stop take turns.

        Raises CannotConnect when another process kept it for *wait_s* seconds.
        """
        with (self.root / _LOCK).open("r+b") as lock:
            deadline = time.monotonic() + wait_s
            while not _try_lock(lock.fileno()):
                if time.monotonic() > deadline:
                    raise CannotConnect(
                        f"another process has been starting or stopping the server in "
                        f"{self.root} for {wait_s:.0f} seconds",
                        hint=f"see {self.log}, end that process, and try again",
                    )
                time.sleep(0.05)
            yield

    def private_folder(self, prefix: str) -> Path:
        """Make a new folder inside, 0700, that belongs to the server's account."""
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=self.root))
        self._give(made)
        return made

    def prepare_socket_dir(self) -> Path:
        """Make the folder of the socket, elsewhere when its path would be too long."""
        found = self.socket_dir
        if found is None or (not _fits(self.root / "socket") and not found.exists()):
            found = Path(tempfile.mkdtemp(prefix="platform-")).absolute()
            if not _fits(found) or not _account.can_reach(found.parent, self.account):
                found.rmdir()
                found = Path(tempfile.mkdtemp(prefix="platform-", dir="/tmp"))
            self.write("socket_dir", str(found))
        else:
            found.mkdir(mode=0o700, exist_ok=True)
        self._verify_socket_dir(found)
        self._give(found)
        return found

    def _verify_socket_dir(self, folder: Path) -> None:
        found = folder.lstat()
        trusted = found.st_uid in {os.geteuid(), self.account.uid}
        if not stat.S_ISDIR(found.st_mode) or not trusted:
            raise Refused(
                f"the folder of the socket is not ours any more: {folder}",
                hint=f"remove {self.root / 'socket_dir'} and try again",
            )

    def prepare_log(self) -> int:
        """Make sure the log can be written; return its size in bytes."""
        if self.log.exists() and self.log.stat().st_size > LOG_MAX_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.log.touch(mode=0o600)
        os.chown(self.log, self.account.uid, self.account.gid)
        return self.log.stat().st_size

    def write(self, name: str, text: str) -> None:
        """Write file *name* at once or not at all; the server may only read it."""
        work = self.root / f"{name}.new"
        work.write_bytes(os.fsencode(text))
        os.chown(work, -1, self.account.gid)
        work.chmod(0o640)
        work.replace(self.root / name)

    def clear_leavings(self) -> None:
        """Remove what an interrupted first start has left."""
        deadline = time.monotonic() + LEAVINGS_S
        while leavings := list(self.root.glob("data.init-*")):
            for leaving in leavings:
                # an initdb whose starter was killed may still write; it fails soon
                shutil.rmtree(leaving, ignore_errors=True)
            if time.monotonic() > deadline:
                return
            time.sleep(0.05)

    def _give(self, folder: Path) -> None:
        folder.chmod(0o700)
        os.chown(folder, self.account.uid, self.account.gid)


def locate(data: Path, account: Account) -> Home:
    """Return the home for *data*: there, or for root where *account* can reach it.

    Nothing is created.
    """
    wanted = Path(os.path.abspath(data)).resolve()  # noqa: PTH100 - before symlinks
    if os.geteuid() != ROOT or _marked(wanted):
        return Home(wanted, account)
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    name = f"server-{digest}"
    moved = _private.existing(name)
    if moved is not None:
        return Home(moved, account, wanted)
    if _account.can_reach(_nearest(wanted), account):
        return Home(wanted, account)
    return Home(_private.base(account) / name, account, wanted)


def _marked(folder: Path) -> bool:
    try:
        return (folder / _LOCK).exists()
    except OSError:
        return False


def _nearest(path: Path) -> Path:
    """Return the folder in which *path* would be created."""
    return next(parent for parent in path.parents if parent.is_dir())


def _fits(folder: Path) -> bool:
    """Return whether libpq takes *folder*: short, and no comma, which splits hosts."""
    socket = str(folder / f".s.PGSQL.{PORT}")
    short = len(os.fsencode(socket)) <= SUN_PATH_MAX
    return short and "," not in socket and socket.isprintable()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
