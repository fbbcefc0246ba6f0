"""The configuration of a project, as Alembic's own command would read it."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import Any

from .faults import Fault
from .layout import place, upwards

__all__ = ["configuration"]

PYPROJECT = "pyproject.toml"


def configuration(file: str, x: list[str], *, is_down: bool, is_offline: bool) -> Any:
    """Return the configuration of *file*, an alembic.ini or a pyproject.toml.

    *x* are the arguments of ``-x``. Raises Fault where Alembic is too old for it.
    """
    from alembic import command  # noqa: PLC0415 - theirs, not ours
    from alembic.config import Config  # noqa: PLC0415

    folder = os.path.dirname(file)  # noqa: PTH120 - one str is enough
    function = command.downgrade if is_down else command.upgrade
    options = Namespace(
        cmd=(function, ["revision"], ["sql", "tag"]),
        config=[file],
        name="alembic",
        raiseerr=False,
        revision="heads",
        sql=is_offline,
        tag=None,
        x=x,
    )
    ini, toml = _files(file, folder)
    named: dict[str, Any] = {"toml_file": toml} if toml else {}
    try:
        config = Config(ini, cmd_opts=options, **named)
    except TypeError:
        if ini is None:
            text = "this Alembic reads no pyproject.toml: 1.16 or newer does"
            raise Fault("config", text) from None
        config = Config(ini, cmd_opts=options)
    config.stdout = sys.stderr
    if named and not config.file_config.has_section(config.config_ini_section):
        config.file_config.add_section(config.config_ini_section)
    place(config, folder)
    return config


def _files(file: str, folder: str) -> tuple[str | None, str | None]:
    """Return the alembic.ini and the pyproject.toml: each may say what is in neither.

    Where one of them is named, Alembic takes the other where it finds it.
    """
    if file.endswith(".toml"):
        ini = os.path.join(folder, "alembic.ini")  # noqa: PTH118
        return (ini if os.path.isfile(ini) else None), file  # noqa: PTH113
    for parent in upwards(folder):
        toml = os.path.join(parent, PYPROJECT)  # noqa: PTH118
        if os.path.isfile(toml):  # noqa: PTH113
            with open(toml, encoding="utf-8", errors="replace") as text:  # noqa: PTH123
                return file, (toml if "tool.alembic" in text.read() else None)
    return file, None
