"""Where a project expects to be run: Alembic leaves that to whoever starts it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["place", "upwards"]


def place(config: Any, folder: str) -> None:
    """Go where *config*, which lies in *folder*, finds its revisions.

    That is *folder* or one above it. A configuration that names no place lies among
    its revisions, as Flask-Migrate has it.
    """
    location = _location(config)
    if location is None:
        if os.path.isfile(os.path.join(folder, "env.py")):  # noqa: PTH113, PTH118
            config.set_main_option("script_location", folder.replace("%", "%%"))
        return
    package, colon, _ = location.partition(":")
    if colon and not os.path.isabs(location):  # noqa: PTH117
        _find_package(package.partition(".")[0], folder)
    elif not os.path.isdir(location):  # noqa: PTH112
        for above in upwards(folder):
            if os.path.isdir(os.path.join(above, location)):  # noqa: PTH112, PTH118
                os.chdir(above)
                return


def _location(config: Any) -> str | None:
    # the second one is for Alembic before 1.16
    get = getattr(config, "get_alembic_option", None) or config.get_main_option
    found: str | None = get("script_location")
    return found


def _find_package(name: str, folder: str) -> None:
    """Make the package *name* importable where it lies above *folder*."""
    for above in upwards(folder):
        if os.path.isdir(os.path.join(above, name)):  # noqa: PTH112, PTH118
            if find_spec(name) is None:
                sys.path.insert(0, above)
                os.chdir(above)
            return


def upwards(folder: str) -> Iterator[str]:
    """Yield *folder* and those above it, up to the repository's own."""
    while True:
        yield folder
        parent = os.path.dirname(folder)  # noqa: PTH120
        if parent == folder or os.path.exists(  # noqa: PTH110
            os.path.join(folder, ".git")  # noqa: PTH118
        ):
            return
        folder = parent
