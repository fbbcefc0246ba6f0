"""The application around an env.py of Flask-Migrate, as ``flask db`` has it."""

from __future__ import annotations

import os
import sys
from typing import Any

from .faults import Fault, last_line

__all__ = ["Application"]

FILES = {"wsgi.py", "app.py", ".flaskenv"}


class Application:
    """The one of this process."""

    is_starting = False
    """Whether it is being made: many of them stand a server that is down."""

    @classmethod
    def enter(cls, env_py: str) -> None:
        """Push the application of which *env_py* asks things; it stays until the end.

        Raises Fault where there is none.
        """
        if "current_app" not in _text(env_py):
            return
        try:
            from flask import has_app_context  # noqa: PLC0415 - theirs, not ours
        except ImportError:
            return
        if has_app_context():
            return
        os.chdir(_home(os.path.dirname(env_py)))  # noqa: PTH120 - one str is enough
        # an application may be made otherwise where it is not to serve
        sys.argv = ["flask", "db", "upgrade"]
        cls.is_starting = True
        try:
            _load().app_context().push()
        except (Exception, SystemExit) as error:
            text = "Flask finds no application: " + _told(error)
            raise Fault("flask", text) from error
        finally:
            cls.is_starting = False


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        return file.read()


def _home(folder: str) -> str:
    """Return where ``flask`` would be run: above *folder*, beside the application."""
    above = parent = os.path.dirname(folder)  # noqa: PTH120 - one str is enough
    while above != os.path.dirname(above):  # noqa: PTH120
        names = set(os.listdir(above))  # noqa: PTH208
        # one that is named is imported from outside of packages
        named = "FLASK_APP" in os.environ and "__init__.py" not in names
        if named or ("FLASK_APP" not in os.environ and names & FILES):
            return above
        above = os.path.dirname(above)  # noqa: PTH120
    return parent


def _load() -> Any:
    from flask.cli import ScriptInfo, load_dotenv  # noqa: PLC0415 - theirs, not ours

    load_dotenv()
    return ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()


def _told(error: BaseException) -> str:
    """Return what *error* says first; Flask puts a traceback below."""
    while error.__cause__ is not None:
        error = error.__cause__
    return last_line(error)
