"""Every page of the documentation of a database, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._html import html_page
from ._index import index_page
from ._markdown import file_name, schema_page
from ._reading import arrange
from .coverage import coverage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ai_platform.catalog import Snapshot

    from .policies import PartitionPolicy

__all__ = ["pages"]


def pages(
    snapshot: Snapshot,
    *,
    policies: Iterable[PartitionPolicy] = (),
    title: str = "Schema",
    head: str = "",
) -> dict[str, str]:
    """Return the documentation of *snapshot*: file names and what stands in them.

    ``README.md`` is the index, each schema has a page, ``index.html`` holds it all and
    needs nothing else. Any database will do. Equal catalogs give equal pages: they
    hold no time, no place and no version.
    """
    library = arrange(snapshot, policies)
    counted = coverage(snapshot)
    return {
        "README.md": index_page(library, counted, title, head),
        **{
            file_name(schema.name): schema_page(schema, library)
            for schema in library.schemas
        },
        "index.html": html_page(library, counted, title, head),
    }
