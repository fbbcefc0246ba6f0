"""The folder of SQL files: headers are read, order follows, mistakes are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog.sources import load_order, read_sources
from ai_platform.errors import BadValue
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, **files: str) -> Path:
    """Write each of *files* (``schema__object="header"``) and return the folder."""
    for name, requires in files.items():
        schema, _, thing = name.partition("__")
        (root / schema).mkdir(exist_ok=True)
        text = f"-- requires: {requires}\nSELECT '{name}: 100 %';\n"
        (root / schema / f"{thing}.sql").write_text(text, encoding="utf-8")
    return root


def test_files_follow_what_they_require(tmp_path: Path) -> None:
    """A file that needs the tables, even through another, loads after them."""
    write(tmp_path, a__view="b.trigger", b__trigger="tables, c.f", c__f="", d__g="c.f")

    order = load_order(read_sources(tmp_path))

    assert [file.name for file in order.before] == ["c.f", "d.g"]
    assert [file.name for file in order.after] == ["b.trigger", "a.view"]


def test_order_is_the_same_each_time(tmp_path: Path) -> None:
    """Files that may come in any order come by name."""
    write(tmp_path, z__b="", a__c="", a__b="z.b")

    names = [file.name for file in load_order(read_sources(tmp_path)).before]

    assert names == ["a.c", "z.b", "a.b"]


def test_header_names_are_trimmed(tmp_path: Path) -> None:
    """Blanks and a trailing comma in the header mean nothing."""
    write(tmp_path, a__f="  b.g ,tables, ", b__g="")

    file = read_sources(tmp_path)[0]

    assert file.requires == {"b.g", "tables"}


def test_a_missing_header_is_refused(tmp_path: Path) -> None:
    """A file without its first line is named, before anything is built."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f.sql").write_text("SELECT 1", encoding="utf-8")

    with pytest.raises(BadValue, match=r"a/f\.sql does not begin with"):
        read_sources(tmp_path)


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    """A header that names no file is a spelling mistake, said as such."""
    files = read_sources(write(tmp_path, a__f="a.ff"))

    with pytest.raises(BadValue, match=r"a\.f requires 'a\.ff', which no file"):
        load_order(files)


def test_a_ring_is_refused(tmp_path: Path) -> None:
    """Files that need each other are listed in the order of their need."""
    files = read_sources(write(tmp_path, a__f="a.g", a__g="a.h", a__h="a.f"))

    with pytest.raises(BadValue, match=r"need each other: a\.. needs a\.. needs"):
        load_order(files)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """No folder is a wrong path, not an empty declaration."""
    with pytest.raises(BadValue, match="no folder of SQL files"):
        read_sources(tmp_path / "nowhere")


def test_our_own_files_have_an_order() -> None:
    """Every header in models/sql names files that exist, without a ring."""
    files = read_sources(CHECKOUT / "models" / "sql")

    order = load_order(files)

    assert len(order.before) + len(order.after) == len(files) > 50
    assert all(file.bootstrap for file in order.before[:1])
