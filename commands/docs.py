"""`platform docs`: write what is generated from the code, so that it stays true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_platform.settings import CHECKOUT

from ._console import AsJson, example, group, show
from ._files import write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer._click import Command

app = group("Write the generated documents.")

WIDTH = 88
SCHEMA = CHECKOUT / "docs" / "schema"
HEAD = """# Commands

Written by `platform docs build` from the help of every command; do not edit.
Exit codes: 0 success, 1 findings, 2 usage or bad value, 3 cannot connect,
4 connected but refused, 130 Ctrl-C, 141 the reader of a pipe has left.
"""


@app.callback()
def docs() -> None:
    """Write the generated documents."""


@app.command(epilog=example("platform docs build"))
def build(as_json: AsJson = False) -> None:
    """Rewrite docs/commands.md, docs/schema, and the SQL in migrations/review."""
    from ai_platform.review.rules import reference as rules  # noqa: PLC0415
    from ai_platform.runner import offline  # noqa: PLC0415 - slow to import

    from ._schema_docs import schema_pages  # noqa: PLC0415

    pages = schema_pages()
    changed = [
        *write_files(
            CHECKOUT / "docs",
            {"commands.md": reference(), "review-rules.md": rules.reference()},
        ),
        *write_files(SCHEMA, pages, only_these="*.*"),
        *write_files(offline.REVIEW, dict(offline.review_files()), only_these="*.sql"),
    ]
    show(changed, as_json=as_json, empty="every file is current")


def reference() -> str:
    """Return docs/commands.md: the help of every command, in the order of the help."""
    return HEAD + "".join(_pages())


def _pages() -> Iterator[str]:
    from typer.main import get_command  # noqa: PLC0415

    from cli import app as root  # noqa: PLC0415, TID251 - the one reader of the whole

    from ._contents import walk  # noqa: PLC0415

    for path, command in walk(get_command(root)):  # type: ignore[arg-type]
        title = " ".join(("platform", *path))
        yield f"\n## {title}\n\n```text\n{_help(path, command)}\n```\n"


def _help(path: tuple[str, ...], command: Command) -> str:
    name = " ".join(("platform", *path))
    with command.make_context(name, [], resilient_parsing=True) as ctx:
        ctx.terminal_width = ctx.max_content_width = WIDTH
        lines = command.get_help(ctx).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()
