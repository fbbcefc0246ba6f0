"""The reports that `platform review` writes: tried before, whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ai_platform.errors import BadValue

from ._console import note
from ._files import write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_platform.review.facts import Review
    from ai_platform.review.projects import Project

__all__ = ["check_out", "report", "write_reports"]

_FORMATS: Final = (".md", ".html", ".json", ".sarif")


def check_out(path: Path) -> None:
    """Refuse what could not be written in the end: measuring takes minutes.

    Only trying tells: root may write everywhere, but not on every file system.
    """
    if path.suffix not in _FORMATS:
        raise BadValue(
            f"no such report: got {path.name!r}",
            hint=f"end its name with one of {', '.join(_FORMATS)}",
        )
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        # a link leads to its file, whose folder nobody makes
        folder = path.resolve().parent if path.is_symlink() else _nearest(path)
        with tempfile.NamedTemporaryFile(prefix=f".{path.name}.", dir=folder) as file:
            file.write(b"tried")
            file.flush()
    except OSError as error:
        raise BadValue(
            f"cannot write {path}: {error.strerror}",
            hint="name a file in a folder that may be written",
        ) from None


def _nearest(path: Path) -> Path:
    """Return the folder of *path*, or that in which it would be made."""
    return next(one for one in path.absolute().parents if one.exists())


def write_reports(found: Review, project: Project, paths: Sequence[Path]) -> None:
    """Write a report to each of *paths*; none is begun before all are made.

    Raises BadValue where one cannot be written.
    """
    texts = {path: report(found, project, path.suffix[1:]) for path in paths}
    for path, text in texts.items():
        write_files(path.parent, {path.name: text})
        note(f"written: {path}")


def report(found: Review, project: Project, kind: str) -> str:
    """Return the report of a *kind*: md, html, json or sarif."""
    from ai_platform.review._changed import place_in_repository  # noqa: PLC0415
    from ai_platform.review.reports.html_page import to_html  # noqa: PLC0415
    from ai_platform.review.reports.json_text import to_json  # noqa: PLC0415
    from ai_platform.review.reports.markdown import to_markdown  # noqa: PLC0415
    from ai_platform.review.reports.sarif import to_sarif  # noqa: PLC0415
    from ai_platform.review.rules import all_rules  # noqa: PLC0415
    from ai_platform.review.run import texts  # noqa: PLC0415

    if kind == "sarif":
        place = place_in_repository(project.place.folder)
        return to_sarif(found, rules=all_rules(), sources=texts(project), folder=place)
    writers: dict[str, Callable[[Review], str]] = {
        "md": to_markdown,
        "html": to_html,
        "json": to_json,
    }
    return writers[kind](found)
