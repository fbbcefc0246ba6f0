"""The pages about the schema: true, whole, safe to open, and the same everywhere."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog import snapshot
from ai_platform.documentation import coverage, pages, partition_policies
from commands._schema_docs import schema_pages, schema_pages_of
from tests.support.catalogs import catalog_of
from tests.support.pages import (
    Page,
    anchors,
    links,
    mermaid,
    mermaid_faults,
    ragged_rows,
    without_blocks,
)
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from tests.support.database import Database

FOLDER = CHECKOUT / "docs" / "schema"
SHOWN = {"schema", "table", "view", "materialized view", "column", "constraint"} | {
    "index",
    "policy",
    "trigger",
    "function",
    "sequence",
}
HOSTILE = CHECKOUT / "tests" / "schema" / "hostile.sql"


def written() -> dict[str, str]:
    """Return the committed pages by name."""
    return {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}


@pytest.fixture
def hostile(empty: Database) -> dict[str, str]:
    """Give the pages of a database whose names and texts try to break them."""
    connection = empty.connect()
    connection.execute(HOSTILE.read_bytes())
    return pages(snapshot(connection), title="<T> & co", head="| *head* |")


@pytest.fixture(params=["ours", "hostile"])
def files(request: pytest.FixtureRequest) -> dict[str, str]:
    """Give our pages, then those of the hostile database."""
    if request.param == "ours":
        return written()
    found: dict[str, str] = request.getfixturevalue("hostile")
    return found


def test_pages_are_those_of_the_newest_revision(database: Database) -> None:
    """docs/schema says what is; on whatever version of PostgreSQL the tests run."""
    expected, found = schema_pages_of(database.connect()), written()

    assert sorted(expected) == sorted(found), "run make docs"
    stale = [name for name in expected if expected[name] != found[name]]
    assert stale == [], "run make docs"


@pytest.mark.slow
def test_the_command_builds_the_same_pages() -> None:
    """`platform docs build` starts a server of its own and reads the same from it."""
    assert schema_pages() == written(), "run make docs"


@pytest.mark.parametrize("name", sorted(written()))
def test_pages_say_nothing_of_time_or_place(name: str) -> None:
    """Whoever builds them, wherever and whenever, gets the same bytes."""
    text = written()[name]

    assert str(CHECKOUT) not in text
    assert "\r" not in text
    assert text.endswith("\n")
    assert [line for line in text.split("\n") if line != line.rstrip()] == []


def test_everything_that_has_to_explain_itself_does(database: Database) -> None:
    """Schemas, tables, views, their columns and functions carry a comment."""
    counted = {item.sort: item for item in coverage(catalog_of(database))}

    assert sorted(counted) == [
        "columns of tables",
        "columns of views",
        "functions",
        "schemas",
        "tables",
        "views",
    ]
    assert [missing for item in counted.values() for missing in item.missing] == []


def test_what_lacks_a_comment_is_named(empty: Database) -> None:
    """The coverage counts blank comments as none, and partitions not at all."""
    connection = empty.connect()
    connection.execute(
        "CREATE TABLE t (a integer, b integer) PARTITION BY LIST (a);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);"
        "COMMENT ON COLUMN t.a IS 'A'; COMMENT ON COLUMN t.b IS ' '"
    )
    counted = {item.sort: item for item in coverage(snapshot(connection))}

    columns = counted["columns of tables"]
    assert columns.missing == ["column public.t.b"]
    assert (columns.total, columns.commented, columns.percent) == (2, 1, 50)
    assert counted["tables"].missing == ["table public.t"]


def test_html_holds_every_object_once(database: Database) -> None:
    """Each has an anchor of its own, and the search leads to just these."""
    page = Page(written()["index.html"])
    entries = json.loads(page.texts["index"])
    catalog = catalog_of(database)
    partitions = {i.key.identity for i in catalog if "partition bound" in i.properties}
    shown = [
        item
        for item in catalog
        if item.key.kind in SHOWN
        and not any(f" {name}" in f" {item.parent}" for name in partitions)
    ]

    assert len(page.ids) == len(set(page.ids))
    targets = [entry[3] for entry in entries]
    assert sorted(targets) == sorted(
        set(page.ids) - {"top", "menu", "search", "hits", "contents", "index"}
    )
    assert len(entries) == len(shown)
    tables = {item.key.identity for item in shown if item.key.kind == "table"}
    assert tables <= set(page.ids)
    columns = {item.key.identity for item in shown if item.key.kind == "column"}
    assert {name.replace('"', "~22") for name in columns} <= set(page.ids)


def test_html_needs_nothing_but_itself(files: dict[str, str]) -> None:
    """No link leaves the page, each arrives; elements close; the browser is told."""
    text = files["index.html"]
    page = Page(text)

    assert page.faults == []
    assert page.links != []
    there = {f"#{name}" for name in page.ids}
    assert [link for link in page.links if link not in there] == []
    assert page.tags["script"] == 2
    assert page.tags.keys().isdisjoint({"link", "img", "iframe", "base", "form"})
    assert "default-src 'none'" in html.unescape(text)
    assert "url(" not in page.texts["style"]
    assert "@import" not in page.texts["style"]


def test_markdown_links_arrive(files: dict[str, str]) -> None:
    """Every link of every page leads to a page and a heading that are there."""
    there = {name: anchors(text) for name, text in files.items()}

    for name, text in files.items():
        if name.endswith(".md"):
            found = links(text)
            assert found, name
            for link in found:
                file = link.file or name
                assert not link.anchor or link.anchor in there[file], (name, link)
                assert file in there


def test_a_link_finds_its_table_among_namesakes(hostile: dict[str, str]) -> None:
    """A table called as a heading before it has the second anchor, as on GitHub."""
    (page,) = [text for text in hostile.values() if "### tables\n" in text]

    assert anchors(page).index("tables-1") > anchors(page).index("tables")
    assert "| [tables](#tables-1) |" in page
    assert "| [nothing](#nothing) |" in page


def test_markdown_tables_stay_whole(files: dict[str, str]) -> None:
    """No comment or expression adds a cell to its row or ends its table."""
    for name, text in files.items():
        if name.endswith(".md"):
            assert ragged_rows(text) == [], name
            assert "\n```" not in without_blocks(text), name


def test_diagrams_are_mermaid(files: dict[str, str]) -> None:
    """Entities, attributes and relationships follow the grammar, whatever the names."""
    drawn = [text for text in files.values() if "```mermaid" in text]

    assert drawn
    for text in drawn:
        assert mermaid_faults(mermaid(text)) == []


def test_hostile_names_are_shown_as_they_are(hostile: dict[str, str]) -> None:
    """Nothing is lost on the way: a reader sees the name and comment themselves."""
    page = Page(hostile["index.html"])

    assert "</script><script>alert(1)</script> | `x` &lt;" in page.words
    assert '"a ""b""%\\"' in page.words
    assert "'|`</pre>'::text" in page.words
    names = {entry[1] for entry in json.loads(page.texts["index"])}
    assert {'"S </script><b>|"', '"public (x), ""y"""', '"</td>"'} <= names


def test_a_diagram_tells_how_many(hostile: dict[str, str]) -> None:
    """A foreign key that is the primary key refers to one row, from at most one."""
    (text,) = [mermaid(page) for page in hostile.values() if "```mermaid" in page]

    assert '    "tables" ||--o| "public (x), y" : "id"' in text.split("\n")
    assert '    "nothing"' in text.split("\n")


def test_rights_name_roles_and_columns(database: Database) -> None:
    """Who may do what stands in a table; a right on columns names them."""
    connection = database.connect(role="platform_owner")
    connection.execute(
        "CREATE TABLE auth.t (a integer, b integer, c integer);"
        "GRANT SELECT ON auth.t TO PUBLIC;"
        "GRANT INSERT, SELECT ON auth.t TO platform_app WITH GRANT OPTION;"
        "GRANT UPDATE (a, c) ON auth.t TO platform_app"
    )
    text = pages(snapshot(connection))["auth.md"].partition("### t\n")[2]

    rights = text.partition("**Rights**\n\n")[2].split("\n")[:4]
    assert rights == [
        "| Role | SELECT | INSERT | UPDATE |",
        "| --- | --- | --- | --- |",
        "| `PUBLIC` | yes | | |",
        "| `platform_app` | yes, may grant | yes, may grant | a, c |",
    ]


def test_partition_policies_stand_at_their_table(database: Database) -> None:
    """How partitions come and go is told where the table is, in words."""
    found = {item.parent: str(item) for item in partition_policies(database.connect())}

    assert found["public.request_logs"] == (
        "one partition per day, 7 made ahead, kept 7 days, "
        "unlogged (empty after a crash)"
    )
    assert f"- Policy: {found['public.request_logs']}" in written()["public.md"]
