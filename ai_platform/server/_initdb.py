"""Make a data folder with the database `platform` in it, whole or not at all."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ai_platform.errors import CannotConnect

from . import _account

if TYPE_CHECKING:
    from pathlib import Path

    from ._binaries import Binaries
    from ._home import Home

__all__ = ["make"]

TIMEOUT_S = 180.0
BUILTIN_LOCALE_MAJOR = 17
# C.UTF-8 folds and sorts by code point everywhere; systems without it name another
# UTF-8 locale, and classify letters by that one.
_LOCALES = ("C.UTF-8", "en_US.UTF-8")


def make(
    home: Home,
    programs: Binaries,
    *,
    superuser: str,
    database: str,
    durable: bool = True,
) -> None:
    """Fill ``home.data``; a crash on the way leaves no data folder behind.

    Without *durable* nothing waits for the disk: for servers of tests.
    Raises CannotConnect with what initdb said, such as a full disk.
    """
    home.clear_leavings()
    work = home.private_folder("data.init-")
    try:
        _initdb(home, programs, work, superuser=superuser, durable=durable)
        _create_database(home, programs, work, database)
        work.rename(home.data)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _initdb(
    home: Home, programs: Binaries, work: Path, *, superuser: str, durable: bool
) -> None:
    for locale in _LOCALES:
        done = _account.run(
            [
                programs.program("initdb"),
                f"--pgdata={work}",
                f"--username={superuser}",
                "--auth=peer",
                "--encoding=UTF8",
                *_locale_options(programs.major, locale),
                *([] if durable else ["--no-sync"]),
                "--no-instructions",
            ],
            home.account,
            timeout_s=TIMEOUT_S,
        )
        if done.returncode == 0:
            return
        if "invalid locale name" not in done.stdout:
            break
    raise _failed("initdb", home, done.stdout)


def _locale_options(major: int, locale: str) -> list[str]:
    if major < BUILTIN_LOCALE_MAJOR:
        return ["--locale-provider=libc", f"--locale={locale}"]
    return [
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        f"--locale={locale}",
    ]


def _create_database(home: Home, programs: Binaries, work: Path, database: str) -> None:
    """Create the database before anybody can connect: no half-made first start."""
    done = _account.run(
        [
            programs.program("postgres"),
            "--single",
            "-D",
            work,
            "-c",
            "exit_on_error=true",
            "-c",
            "log_checkpoints=off",
            "template1",
        ],
        home.account,
        text=f"CREATE DATABASE {database}\n",
        timeout_s=TIMEOUT_S,
    )
    if done.returncode != 0:
        raise _failed("creating the database", home, done.stdout)


def _failed(what: str, home: Home, output: str) -> CannotConnect:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    faults = [line for line in lines if "error:" in line or "FATAL" in line]
    told = " ".join((faults or lines)[-2:])
    full = "No space left" in output
    return CannotConnect(
        f"{what} failed in {home.root}: {told}",
        hint="free some space there, or set PLATFORM_PGDATA to another disk"
        if full
        else "set PLATFORM_PGDATA to another folder, or DATABASE_URL",
    )
