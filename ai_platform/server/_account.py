"""Who runs the server, and how a program is run as that account."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ai_platform.errors import CannotConnect, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Account", "can_reach", "name_of", "run", "server_account", "starter"]

ROOT = 0
# A server of PostgreSQL refuses to run as root; the first of these that exists serves.
DROP_TO = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An operating-system account that has a name."""

    name: str
    uid: int
    gid: int


def starter() -> Account:
    """Return the account of this process.

    Raises Refused for a uid without a name: `peer` lets in names only.
    """
    uid = os.geteuid()
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        raise Refused(
            f"user id {uid} has no name on this machine, and the embedded server "
            "knows people by name",
            hint="add the user to /etc/passwd, run as a user that has a name, "
            "or set DATABASE_URL",
        ) from None


def server_account() -> Account:
    """Return the account the server runs as: the starter, or for root a lesser one.

    Raises Refused where root finds no account to drop to.
    """
    if os.geteuid() != ROOT:
        return starter()
    for name in DROP_TO:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise Refused(
        "PostgreSQL does not run as root, and there is no user postgres or nobody",
        hint="run as an ordinary user, or set DATABASE_URL",
    )


def name_of(uid: int) -> str:
    """Return how to call the user *uid* in a message."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user id {uid}"


def run(
    argv: Sequence[str | Path],
    account: Account,
    *,
    cwd: Path = Path("/"),
    text: str | None = None,
    timeout_s: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run *argv* as *account*, with *text* on stdin and both outputs in stdout.

    The program has a session of its own: Ctrl-C reaches this process alone, which then
    ends the program with all its children. Nothing of the caller's environment that
    steers PostgreSQL reaches it.

    Raises PermissionError where *account* may not execute the program, CannotConnect
    after *timeout_s* seconds or where this process may not become *account*.
    """
    drop = os.geteuid() == ROOT
    try:
        process = subprocess.Popen(  # noqa: S603 - programs of ours, no shell
            argv,
            stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            cwd=cwd,
            env=_environment(),
            start_new_session=True,
            user=account.uid if drop else None,
            group=account.gid if drop else None,
            extra_groups=[] if drop else None,
        )
    except subprocess.SubprocessError as error:
        raise CannotConnect(
            f"cannot run a program as user {account.name}: {error}",
            hint="run as an ordinary user, or set DATABASE_URL",
        ) from None
    with process:
        try:
            output, _ = process.communicate(text, timeout_s)
        except BaseException as error:
            # it may have ended while Python waited a moment after Ctrl-C
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise CannotConnect(
                    f"{Path(argv[0]).name} did not finish in {timeout_s:.0f} seconds",
                    hint="is the machine out of memory or its disk very slow?",
                ) from None
            raise
    return subprocess.CompletedProcess(list(argv), process.returncode, output)


def can_reach(path: Path, account: Account) -> bool:
    """Return whether *account* may enter or execute *path*, by trying it."""
    return run(["/bin/sh", "-c", 'test -x "$1"', "sh", path], account).returncode == 0


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _environment() -> dict[str, str]:
    """Keep what finds programs and libraries; PG*, LANG and LC_* are ours to say."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    return {"PATH": os.defpath, **found, "LC_ALL": "C", "TZ": "UTC"}
