"""The first page of the Markdown documentation: what there is and how to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._markdown import file_name
from ._text import plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._model import Library
    from .coverage import Coverage

__all__ = ["READING", "index_page"]

READING = (
    "Keys: PK primary, UK unique, FK foreign key; a column may be part of several.",
    "Null stands where a column may be NULL.",
    "Rights: yes for the whole table, else the columns that a role is limited to. "  # noqa: ISC004 - one sentence per item
    "The owner has every right and is left out.",
    "Policies: a row must pass one permissive policy and every restrictive one.",
    "Partitions stand at their parent: fixed ones by name, those made at run time by "  # noqa: ISC004
    "what they look like.",
    "Bodies of functions, extensions and collations depend on the server and are left "  # noqa: ISC004
    "out.",
)


def index_page(
    library: Library, coverage: Sequence[Coverage], title: str, head: str
) -> str:
    """Return README.md: schemas with counts, coverage of comments, how to read it."""
    return "\n".join(_lines(library, coverage, title, head)) + "\n"


def _lines(
    library: Library, coverage: Sequence[Coverage], title: str, head: str
) -> Iterator[str]:
    yield from (f"# {plain(title)}", "")
    yield from ([plain(head), ""] if head else [])
    yield "The same on one page, with search: [index.html](index.html)."
    yield from ("", "## Schemas", "")
    rows = [
        [
            f"[{plain(schema.name)}]({file_name(schema.name)})",
            plain(schema.item.comment),
            *(str(count) for count in _counts(library, n)),
        ]
        for n, schema in enumerate(library.schemas)
    ]
    heads = ["Schema", "What it is for", "Tables", "Views", "Functions", "Policies"]
    yield from table(heads, rows)
    yield from ("", "## Coverage of comments", "")
    yield from table(
        ["Sort", "With comment", "Of", "Share"],
        [[c.sort, str(c.commented), str(c.total), f"{c.percent} %"] for c in coverage],
    )
    yield from ("", "## How to read it", "")
    yield from (f"- {line}" for line in READING)


def _counts(library: Library, place: int) -> tuple[int, ...]:
    schema = library.schemas[place]
    policies = sum(len(relation.policies) for relation in schema.relations)
    return len(schema.tables), len(schema.views), len(schema.routines), policies
