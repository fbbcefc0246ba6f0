"""A checkout sets itself up wherever it lies, and again after it was moved."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.accounts import is_root
from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT, SCRIPTS, run_program

if TYPE_CHECKING:
    from pathlib import Path

READY = "next        platform up"
pytestmark = [pytest.mark.torture, pytest.mark.timeout(1200)]


class Checkout:
    """A copy of this checkout's files, set up by an account with make alone."""

    def __init__(self, path: Path, account: pwd.struct_passwd) -> None:
        self.path = path
        self.account = account
        listed = run_program("git", "ls-files", "-z", check=True).stdout
        for name in filter(None, listed.split("\0")):
            if (CHECKOUT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(CHECKOUT / name, path / name)
        for folder, _, names in os.walk(path.parent):
            for name in (".", *names):
                os.chown(f"{folder}/{name}", account.pw_uid, account.pw_gid)

    @property
    def built(self) -> int:
        """Return when the virtual environment was made."""
        return (self.path / ".venv" / "pyvenv.cfg").stat().st_mtime_ns

    def status(self) -> str:
        """Return what `make status` says, on a machine where nothing is set up."""
        environment = clean_environment(HOME=str(self.path.parent))
        for name in ("VIRTUAL_ENV", "PLATFORM_PGDATA", "MAKEFLAGS"):
            environment.pop(name, None)
        # the interpreter is the machine's, found by make among what the account has
        places = environment["PATH"].split(os.pathsep)
        own = [place for place in places if place != str(SCRIPTS)]
        environment["PATH"] = os.pathsep.join(own)
        done = subprocess.run(
            ["make", "status"],
            cwd=self.path,
            env=environment,
            user=self.account.pw_uid,
            group=self.account.pw_gid,
            extra_groups=[] if is_root() else None,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if "has no venv" in done.stderr:
            pytest.skip(done.stderr.strip())
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def add_script(self) -> None:
        """Declare one more program."""
        file = self.path / "pyproject.toml"
        declared = '[project.scripts]\nplatform-too = "cli:app"\n'
        file.write_text(file.read_text().replace("[project.scripts]\n", declared))


def _accounts() -> list[pwd.struct_passwd]:
    own = pwd.getpwuid(os.geteuid())
    return [own, pwd.getpwnam("nobody")] if is_root() else [own]


@pytest.mark.parametrize("account", _accounts(), ids=lambda account: account.pw_name)
def test_a_checkout_sets_itself_up(folder: Path, account: pwd.struct_passwd) -> None:
    """New, unchanged, with one more program, moved, half set up: each works."""
    checkout = Checkout(folder / "first" / "checkout", account)
    assert READY in checkout.status()
    built = checkout.built
    assert READY in checkout.status()
    assert checkout.built == built

    checkout.add_script()
    assert READY in checkout.status()
    assert (checkout.path / ".venv" / "bin" / "platform-too").is_file()
    assert checkout.built == built

    checkout.path = checkout.path.rename(checkout.path.with_name("moved"))
    assert READY in checkout.status()
    assert checkout.built > built

    (ready,) = (checkout.path / ".venv").glob(".ready-*")
    ready.unlink()
    assert READY in checkout.status()
