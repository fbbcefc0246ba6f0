"""Start, stop and describe the embedded server."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from ai_platform.errors import BadValue, CannotConnect, Refused
from ai_platform.settings import settings

from . import _account, _binaries, _home, _initdb, _postmaster, _settings_files
from ._disk import cannot_write
from .logins import DEV_LOGINS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from ._binaries import Binaries
    from ._postmaster import Postmaster

__all__ = ["DATABASE", "SUPERUSER", "EmbeddedServer", "ServerStatus"]

SUPERUSER: Final = "postgres"
DATABASE: Final = "platform"
_LOG_TAIL_BYTES = 8_000
# lines of a log that explain no failure
_ASIDE = re.compile(r"\b(WARNING|NOTICE|CONTEXT|STATEMENT|LOCATION): ")


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """Where an embedded server stands; *data* is the folder with everything in it."""

    running: bool
    pid: int | None
    major: int | None
    version: str | None
    data: Path
    socket_dir: Path | None
    port: int
    log: Path
    started_at: datetime | None


class EmbeddedServer:
    """A PostgreSQL of our own over a Unix socket, in one folder.

    *data* is that folder (default PLATFORM_PGDATA or ``.pgdata``), *bin_dir* the
    programs (default PLATFORM_PG_BIN or the wheel's), *options* further settings.
    """

    START_TIMEOUT_S = 60.0
    STOP_TIMEOUT_S = 60.0

    def __init__(
        self,
        data: Path | None = None,
        *,
        bin_dir: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._bin_dir = bin_dir
        self._options = dict(options or {})
        self._home = _home.locate(data or settings().pgdata, _account.server_account())

    def start(self) -> bool:
        """Start the server unless it runs; return whether this call started it.

        The first start makes the data folder. Of several processes at once one starts
        the server and the others wait for it. It outlives this process.

        Raises BadValue, Refused or CannotConnect, each with what to do next.
        """
        found = self._postmaster()
        if found is not None:
            self._refuse_moved(found)
            if found.ready:
                return False
        _account.starter()
        programs = _binaries.usable(_binaries.find(self._bin_dir), self._home.account)
        self._home.claim()
        try:
            with self._home.locked(wait_s=self.START_TIMEOUT_S * 2):
                if self._joins_running():
                    return False
                self._make_data(programs)
                self._launch(programs)
        except OSError as error:
            raise cannot_write(self._home.root, error) from None
        return True

    def stop(self, *, mode: Literal["smart", "fast", "immediate"] = "fast") -> bool:
        """Stop the server; return whether it ran.

        Raises CannotConnect when it did not stop in time.
        """
        if self._postmaster() is None:
            return False
        with self._home.locked(wait_s=self.START_TIMEOUT_S * 2):
            if self._postmaster() is None:
                return False
            programs = _binaries.usable(
                _binaries.find(self._bin_dir), self._home.account
            )
            self._control(
                programs, "stop", f"--mode={mode}", wait_s=self.STOP_TIMEOUT_S
            )
            if self._postmaster() is not None:
                raise CannotConnect(
                    f"the server did not stop in {self.STOP_TIMEOUT_S:.0f} seconds",
                    hint="end the open sessions, or stop it with mode immediate",
                )
        return True

    def remove(self) -> None:
        """Stop the server at once and remove its folder, wherever that had to be.

        The folder of its socket goes too. Raises CannotConnect when it did not stop.
        """
        folders = (self._home.root, self._home.socket_dir) if self._home.ours else ()
        try:
            self.stop(mode="immediate")
        finally:
            for folder in filter(None, folders):
                shutil.rmtree(folder, ignore_errors=True)

    def status(self) -> ServerStatus:
        """Describe the server without starting or creating anything."""
        found = self._postmaster()
        return ServerStatus(
            running=found is not None,
            pid=found.pid if found else None,
            major=self._data_major(),
            version=self._version(),
            data=self._home.root,
            socket_dir=found.socket_dir if found else self._home.socket_dir,
            port=found.port if found else _home.PORT,
            log=self._home.log,
            started_at=found.started_at if found else None,
        )

    def url(self, database: str = DATABASE, *, role: str | None = None) -> str:
        """Return the libpq URL of *database*, as superuser or for a working *role*.

        Raises BadValue for an unknown role, CannotConnect before the first start.
        """
        login = SUPERUSER if role is None else DEV_LOGINS.get(role)
        if login is None:
            known = ", ".join(sorted(DEV_LOGINS))
            raise BadValue(f"no such role: got {role!r}", hint=f"one of {known}")
        socket_dir = self._home.socket_dir
        if socket_dir is None:
            raise CannotConnect("the embedded server never ran", hint="platform up")
        host = quote(str(socket_dir), safe="/")
        name = quote(database, safe="")
        return f"postgresql://{login}@/{name}?host={host}&port={_home.PORT}"

    @property
    def bin_dir(self) -> Path:
        """Return the folder with psql, pg_dump and the others, for the starter."""
        return _binaries.find(self._bin_dir)

    def _postmaster(self) -> Postmaster | None:
        return _postmaster.read(self._home.data) if self._home.ours else None

    def _data_major(self) -> int | None:
        try:
            return int((self._home.data / "PG_VERSION").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def _version(self) -> str | None:
        try:
            folder = _binaries.find(self._bin_dir)
            return _binaries.usable(folder, self._home.account).version
        except (BadValue, CannotConnect, Refused):
            return None

    def _make_data(self, programs: Binaries) -> None:
        if not self._home.data.exists():
            _initdb.make(
                self._home,
                programs,
                superuser=SUPERUSER,
                database=DATABASE,
                durable=self._options.get("fsync") != "off",
            )
        major = self._data_major()
        if major == programs.major:
            return
        if major is None:
            raise Refused(
                f"{self._home.data} is not a data folder of PostgreSQL any more",
                hint="restore it from a backup, or move it away to begin anew",
            )
        raise Refused(
            f"{self._home.data} was made by PostgreSQL {major}, the programs are "
            f"{programs.version}",
            hint=f"set PLATFORM_PG_BIN to a PostgreSQL {major} and pg_dump it; then "
            "move the folder away, platform up, and restore",
        )

    def _launch(self, programs: Binaries) -> None:
        socket_dir = self._home.prepare_socket_dir()
        self._write_settings(socket_dir)
        deadline = time.monotonic() + self.START_TIMEOUT_S
        while True:
            self._clear_remains(socket_dir, deadline)
            log_from = self._home.prepare_log()
            output = self._control(
                programs,
                "start",
                "--log=server.log",
                "--options=-c config_file=server.conf",
                wait_s=max(1.0, deadline - time.monotonic()),
            )
            found = self._postmaster()
            if found is not None and found.ready:
                return
            told = self._log_tail(log_from)
            # without /proc: processes of a killed server are on their way out
            if "shared memory block" not in told or time.monotonic() > deadline:
                raise self._did_not_start(told or output)
            time.sleep(0.2)

    def _write_settings(self, socket_dir: Path) -> None:
        home = self._home
        accounts = (_account.starter().name, home.account.name)
        home.write("pg_hba.conf", _settings_files.access())
        home.write("pg_ident.conf", _settings_files.names(accounts))
        home.write(
            "server.conf",
            _settings_files.server(socket_dir, self._options),
        )

    def _clear_remains(self, socket_dir: Path, deadline: float) -> None:
        """Wait for the orphans of a killed server, then remove its lock files.

        PostgreSQL itself keeps off while a process has the number in them, though it
        is a stranger's by now, or a zombie that a container's first process ignores.
        """
        while _postmaster.lives_in(self._home.data):
            if time.monotonic() > deadline:
                raise self._did_not_start("processes of a killed server do not end")
            time.sleep(0.02)
        if _postmaster.answers(socket_dir, _home.PORT):
            raise Refused(
                f"a server that cannot be seen from here works in {self._home.root}",
                hint="stop it in the container that started it, or set PLATFORM_PGDATA",
            )
        if not _postmaster.SEES_PROCESSES:
            return
        (self._home.data / "postmaster.pid").unlink(missing_ok=True)
        for remains in socket_dir.glob(".s.PGSQL.*"):
            remains.unlink()

    def _control(
        self, programs: Binaries, action: str, *options: str, wait_s: float
    ) -> str:
        """Run pg_ctl; paths are relative, so no shell meets a strange character."""
        done = _account.run(
            [
                programs.program("pg_ctl"),
                action,
                "--pgdata=data",
                "--wait",
                f"--timeout={wait_s:.0f}",
                *options,
            ],
            self._home.account,
            cwd=self._home.root,
            timeout_s=wait_s + 10,
        )
        return done.stdout

    def _joins_running(self) -> bool:
        """Wait for a server that somebody started; False where none lives."""
        deadline = time.monotonic() + self.START_TIMEOUT_S
        while time.monotonic() < deadline:
            found = self._postmaster()
            if found is None or found.ready:
                return found is not None
            time.sleep(0.05)
        raise self._did_not_start(self._log_tail(0))

    def _refuse_moved(self, found: Postmaster) -> None:
        """Refuse a server whose socket, settings and libraries were left behind."""
        if found.was_moved(self._home.data):
            raise Refused(
                f"a server (pid {found.pid}) that was started in {found.data.parent} "
                f"still runs on {self._home.root}: the folder has been moved since",
                hint="platform down, then platform up",
            )

    def _log_tail(self, start: int) -> str:
        with self._home.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(start, size - _LOG_TAIL_BYTES))
            return log.read().decode(errors="replace")

    def _did_not_start(self, told: str) -> CannotConnect:
        lines = [line.strip() for line in told.splitlines() if line.strip()]
        faults = [
            (line.partition("FATAL: ")[2] or line.partition("PANIC: ")[2]).strip()
            for line in lines
        ]
        told_last = [line for line in lines if not _ASIDE.search(line)][-3:]
        reason = "; ".join(filter(None, faults)) or " ".join(told_last)
        hint = f"see {self._home.log}"
        if "No space left" in told:
            hint = f"free some space on the disk of {self._home.root}"
        return CannotConnect(f"the server did not start: {reason}", hint=hint)
