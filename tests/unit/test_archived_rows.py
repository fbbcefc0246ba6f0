"""Rows are counted in text that is cut anywhere, as a file is read."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from ai_platform.maintenance._archived_file import (
    ArchiveFault,
    RowCounter,
    manifest_of,
    read_back,
)

PIECES = ['"', '""', "\n", "\r\n", ",", "a", "é🗓", "\\.", " "]


def written(rows: list[list[str]]) -> bytes:
    """Return *rows* below a header as PostgreSQL writes them."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["first", "second"])
    writer.writerows(rows)
    return out.getvalue().encode()


@pytest.mark.parametrize("seed", range(20))
def test_rows_are_counted_however_text_is_cut(seed: int) -> None:
    """Quotes and line ends inside values are no rows, at no cut."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    rows = [
        ["".join(chance.choices(PIECES, k=chance.randrange(9))) for _ in range(2)]
        for _ in range(chance.randrange(1, 40))
    ]
    text, counter = written(rows), RowCounter()

    while text:
        cut = chance.randrange(1, 7)
        counter.update(text[:cut])
        text = text[cut:]

    assert counter.rows == len(rows)


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08"])
def test_what_is_no_gzip_is_damaged(tmp_path: Path, content: bytes) -> None:
    """An empty file is one whose end is missing."""
    path = tmp_path / "x.csv.gz"
    path.write_bytes(content)

    with pytest.raises(ArchiveFault, match="is damaged"):
        read_back(path)


def test_the_manifest_is_beside_its_file() -> None:
    """Sorted by name the two stand together."""
    assert manifest_of(Path("/a/x.2.csv.gz")) == Path("/a/x.2.csv.gz.json")
