"""The program: makes room for the project's modules, then answers requests.

Its arguments are the numbers of two file descriptors, for requests and answers, and
a folder that must not be searched for modules.
"""

from __future__ import annotations

import faulthandler
import importlib
import importlib.util
import os
import signal
import sys

__all__: list[str] = []

_NAME = "ai_platform_worker"


def _load(folder: str) -> None:
    """Make the package in *folder* known under a name that no project has."""
    spec = importlib.util.spec_from_file_location(
        _NAME, folder + "/__init__.py", submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(folder)
    package = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    requests, answers, banned = sys.argv[1:]
    here = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120 - no more imports
    closed = {here, banned}
    sys.path[:] = [path for path in sys.path if os.path.realpath(path) not in closed]
    sys.argv = ["alembic"]
    # so that we can tell where a project hangs
    faulthandler.register(signal.SIGUSR2, all_threads=False)
    _load(here)
    importlib.import_module(_NAME + ".answers").serve(int(requests), int(answers))
