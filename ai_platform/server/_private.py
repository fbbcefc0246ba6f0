"""Folders of our own outside the checkout, for root when others cannot reach it."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ai_platform.errors import Refused

from . import _account

if TYPE_CHECKING:
    from ._account import Account

__all__ = ["base", "existing", "make", "say", "verify"]

PLACES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - ownership is verified
NAME = "ai-platform"


def base(account: Account) -> Path:
    """Return the folder of ours that *account* can enter; `make` makes it.

    Raises Refused where there is no place for it.
    """
    for place in PLACES:
        if os.access(place, os.W_OK) and _account.can_reach(place, account):
            return place / NAME
    raise Refused(
        f"user {account.name}, who runs the server, can reach neither this checkout "
        f"nor {' nor '.join(map(str, PLACES))}",
        hint="set PLATFORM_PGDATA to a folder that user can enter, or DATABASE_URL",
    )


def make(folder: Path) -> None:
    """Make our *folder*, which others may enter but not read.

    Raises Refused where something of that name is not ours alone.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o711)
    verify(folder)
    folder.chmod(0o711)


def existing(name: str) -> Path | None:
    """Return the folder *name* of ours that an earlier run has made."""
    for place in PLACES:
        folder = place / NAME / name
        if folder.is_dir():
            verify(folder.parent)
            return folder
    return None


def verify(folder: Path) -> None:
    """Trust *folder* only where this user made it and no other can write to it.

    Raises Refused: a name in a shared folder may have been taken by anybody.
    """
    found = folder.lstat()
    ours = (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & 0o022
    )
    if not ours:
        raise Refused(
            f"{folder} was not made by us or others may write to it",
            hint=f"look at it with ls -ld {folder}, remove it, or set PLATFORM_PGDATA",
        )


def say(text: str) -> None:
    """Tell the person at the keyboard where things are kept."""
    sys.stderr.write(f"platform: {text}\n")
