"""A pytest plugin: every revision of an Alembic project up, down and up again.

Two lines switch it on: ``pytest_plugins = ["ai_platform.testing"]`` in the topmost
``conftest.py``, and ``revisions_metadata = shop.models:metadata`` in the settings of
pytest. docs/review.md says what the tests promise.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ._items import Revisions

__all__: list[str] = []

_DEFAULTS = ("alembic.ini", "pyproject.toml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings of the plugin."""
    parser.addini(
        "revisions_config",
        "alembic.ini or pyproject.toml of the revisions to test",
        default="",
    )
    parser.addini(
        "revisions_metadata",
        "module:attribute of the MetaData that the revisions must lead to",
        default="",
    )
    parser.addini(
        "revisions_python",
        "interpreter of the project (default: the one that runs pytest)",
        default="",
    )
    parser.addini(
        "revisions_env",
        "variables that env.py needs, NAME=VALUE, one per line",
        type="linelist",
        default=[],
    )
    parser.addini(
        "revisions_x",
        "arguments that env.py reads, as of `alembic -x`, one per line",
        type="linelist",
        default=[],
    )
    parser.addini(
        "revisions_engine",
        "of several databases that env.py migrates, the one to test",
        default="",
    )
    parser.addini(
        "revisions_timeout",
        "seconds that one step of the project may take",
        default="60",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Have the revisions tested wherever a folder of tests is."""
    config.addinivalue_line("markers", "revisions: tests of an Alembic history")
    file = _configuration(config)
    whole = [
        arg for arg in config.args if (config.invocation_params.dir / arg).is_dir()
    ]
    if whole and str(file) not in config.args:
        config.args.append(str(file))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Revisions | None:
    """Collect the tests of the revisions that *file_path* configures."""
    if file_path != _configuration(parent.config):
        return None
    from ._items import Revisions  # noqa: PLC0415 - slow to import

    # not below a package, which pytest would import with its own interpreter
    return Revisions.from_parent(parent.session, path=file_path)


def _configuration(config: pytest.Config) -> Path:
    """Return the configuration of Alembic; raise UsageError where there is none."""
    named = config.getini("revisions_config")
    candidates = [named] if named else list(_DEFAULTS)
    for name in candidates:
        file: Path = Path(os.path.normpath(config.rootpath / name))
        if file.is_file():
            return file
    raise pytest.UsageError(
        f"there is no {' or '.join(candidates)} in {config.rootpath}: "
        "set revisions_config in the settings of pytest"
    )
