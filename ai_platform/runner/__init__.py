"""Run the revisions: one runner at a time, short locks, retries, a journal.

`migrations/env.py` calls `run`, so plain ``alembic upgrade head`` and
``platform db upgrade`` are the same path. `command` is the way in for programs.
"""

from __future__ import annotations

from ._command import command, upgrade
from ._environment import run
from ._session import migration_settings
from ._state import State, runs, state

__all__ = [
    "State",
    "command",
    "migration_settings",
    "run",
    "runs",
    "state",
    "upgrade",
]
