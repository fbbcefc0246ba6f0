"""One answer for each request, whatever the project does."""

from __future__ import annotations

import json
import os
import traceback
from contextlib import closing
from typing import TYPE_CHECKING, Any

from .begin import begin
from .faults import Fault, last_line
from .paper import read
from .places import Place, Project, lead_connections
from .runs import create_all, run

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["serve"]

OLDEST = (1, 8)


def serve(requests: int, answers: int) -> None:
    """Answer what comes in on one descriptor, a line each, on the other.

    env.py and revisions may print what they like meanwhile.
    """
    with os.fdopen(requests) as source, os.fdopen(answers, "w") as sink:
        for line in source:
            sink.write(json.dumps(answer(json.loads(line))) + "\n")
            sink.flush()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to *request*: a result or a fault, never an exception."""
    try:
        _demand_alembic()
        lead_connections()
        project = Project(request)
        Place.dsn = request.get("dsn")
        with closing(project):
            return {"result": _result(project, request)}
    except Fault as fault:
        return {"fault": fault.kind, "text": str(fault)}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever they raise
        return _explained(error, os.path.dirname(request["config"]))  # noqa: PTH120


def _result(project: Project, request: dict[str, Any]) -> Any:
    action = _actions()[request["do"]]
    try:
        return action(project, request)
    except Exception:
        # env.py may want the connection of the program that it is a part of
        if not project.tell():
            raise
    return action(project, request)


def _actions() -> dict[str, Callable[[Project, dict[str, Any]], Any]]:
    return {
        "read": lambda project, _: read(project),
        "begin": lambda project, _: begin(project),
        "run": lambda project, request: run(
            project,
            request["revision"],
            down=request["down"],
            stamp=request["stamp"],
            history=request["history"],
        ),
        "create_all": lambda project, request: create_all(
            project, request["attribute"], request["schemas"]
        ),
    }


def _demand_alembic() -> None:
    try:
        import alembic  # noqa: PLC0415
        import sqlalchemy  # noqa: F401, PLC0415
    except ImportError as error:
        raise Fault("no_alembic", last_line(error)) from error
    version = tuple(int(part) for part in alembic.__version__.split(".")[:2])
    if version < OLDEST:
        raise Fault("old_alembic", "Alembic " + alembic.__version__ + " is too old")


def _explained(error: BaseException, folder: str) -> dict[str, Any]:
    """Return *error* with the innermost file of the project that it went through."""
    if isinstance(error, SyntaxError) and error.filename:
        path, line = error.filename, error.lineno
    else:
        frames = traceback.extract_tb(error.__traceback__)
        root = folder + os.sep
        theirs = [
            frame
            for frame in frames
            if os.path.realpath(frame.filename).startswith(root)
            and os.path.isfile(frame.filename)  # noqa: PTH113
            and "site-packages" not in frame.filename
        ]
        path, line = (theirs[-1].filename, theirs[-1].lineno) if theirs else ("", 0)
    place = os.path.relpath(os.path.realpath(path), folder) if path else ""
    return {
        "fault": "error",
        "text": last_line(error),
        "type": type(error).__name__,
        "place": place + ":" + str(line) if place else "",
    }
