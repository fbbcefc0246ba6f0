"""Do something as another user of the machine, where the tests run as root."""

from __future__ import annotations

import os
import pickle
import pwd
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["as_user", "is_root"]


def is_root() -> bool:
    """Return whether the tests run as root."""
    return os.geteuid() == 0


def as_user(uid: int, gid: int, function: Callable[..., Any], *args: object) -> Any:
    """Call *function* in a child that has become *uid*; return or raise its outcome.

    A fork, because another user may not be able to reach this interpreter: what the
    child needs must be imported already.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        outcome = _outcome(uid, gid, function, args)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(outcome, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    result, error = pickle.loads(told)  # noqa: S301 - from our own child
    if error is not None:
        raise error
    return result


def _outcome(
    uid: int, gid: int, function: Callable[..., Any], args: tuple[object, ...]
) -> tuple[Any, BaseException | None]:
    try:
        os.chdir("/")
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return function(*args), None
    except BaseException as error:  # noqa: BLE001 - handed to the parent
        traceback.print_exc(file=sys.stderr)
        return None, error


@pytest.fixture
def ordinary() -> Callable[..., Any]:
    """Give a caller that runs a function as an ordinary user: nobody, for root."""
    if not is_root():
        return lambda function, *args: function(*args)
    nobody = pwd.getpwnam("nobody")
    return lambda function, *args: as_user(
        nobody.pw_uid, nobody.pw_gid, function, *args
    )


@pytest.fixture
def ordinary_folder() -> Iterator[Path]:
    """Give a folder with a short path that belongs to the ordinary user."""
    folder = Path(tempfile.mkdtemp(prefix="platform-tests-"))
    if is_root():
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    yield folder
    shutil.rmtree(folder)
