"""Nothing of the developer's shell reaches a test."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["clean_environment"]

_OURS = ("DATABASE_URL", "POSTGRES_URL")
_PREFIXES = ("PG", "PLATFORM_", "PB_", "ALEMBIC_")
# a command that forgets which database is meant must not find the developer's
_NOWHERE = "/dev/null/no-embedded-server"


def clean_environment(**more: str) -> dict[str, str]:
    """Return our environment without what steers the platform, plus *more*."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _OURS and not name.startswith(_PREFIXES)
    }
    # generated passwords go beside the data, never into the developer's checkout
    data = more.get("PLATFORM_PGDATA", _NOWHERE)
    ours = {
        "PLATFORM_PGDATA": data,
        "PLATFORM_SECRETS": f"{Path(data).parent}/.secrets",
    }
    return {**kept, **ours, **more}


def pytest_configure() -> None:
    """Clean the environment of this process, before anything inherits it."""
    clean = clean_environment()
    for name in set(os.environ) - set(clean):
        del os.environ[name]
    os.environ.update(clean)
    # a shell has its jobs in the background ignore Ctrl-C, and what they start as well
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    """Read the settings anew in each test that touches them."""
    yield
    module = sys.modules.get("ai_platform.settings")
    if module is not None:
        module.settings.cache_clear()
