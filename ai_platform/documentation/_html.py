"""The whole documentation as one HTML page that needs nothing else."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from ._articles import relation_article, routine_article, small_objects
from ._elements import Html, anchor, element, joined
from ._index import READING
from ._rights import holders
from ._search import search_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._model import Item, Library, Schema
    from .coverage import Coverage

__all__ = ["html_page"]

# The browser itself refuses whatever would leave the page.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def html_page(
    library: Library, coverage: Sequence[Coverage], title: str, head: str
) -> str:
    """Return index.html: every object with an anchor, a search, and no network."""
    body = joined(
        _header(title),
        element("nav", *_contents(library), id="contents", aria_label="Schemas"),
        element(
            "main",
            _overview(library, coverage, title, head),
            *(_schema(schema, library) for schema in library.schemas),
        ),
        element("script", search_index(library), type="application/json", id="index"),
        "\n",
        element("script", _resource("page.js")),
    )
    return f"<!doctype html>\n<html lang=en>\n{_head(title)}\n{_body(body)}\n</html>\n"


def _resource(name: str) -> Html:
    text = (files(__package__) / name).read_text(encoding="utf-8")
    return Html(f"\n{text}")


def _head(title: str) -> Html:
    return element(
        "head",
        Html("\n"),
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        Html("\n"),
        element("style", _resource("page.css")),
    )


def _body(content: Html) -> Html:
    return element("body", Html("\n"), content)


def _header(title: str) -> Html:
    box = element(
        "input",
        id="search",
        type="search",
        placeholder="Search tables, columns, functions …",
        aria_label="Search",
        aria_controls="hits",
        autocomplete="off",
        spellcheck="false",
    )
    return element(
        "header",
        element("a", "☰", href="#contents", id="menu", aria_label="Contents"),
        element("a", title, href="#top", class_="home"),
        element("div", box, element("ol", id="hits", hidden=""), class_="box"),
        id="top",
    )


def _contents(library: Library) -> Iterator[Html]:
    for schema in library.schemas:
        name = element("a", schema.name, href=_to(schema.item), class_="schema")
        links = [
            _nav_link(item.item.kind, item.item, item.name) for item in schema.relations
        ]
        links += [
            _nav_link("function", item, f"{item.name.partition('(')[0]}()")
            for item in schema.routines
        ]
        summary = element("summary", name)
        yield element("details", summary, element("ul", *links))


def _nav_link(kind: str, item: Item, text: str) -> Html:
    class_ = "table" if kind == "table" else "other"
    return element("li", element("a", text, href=_to(item), class_=class_))


def _to(item: Item) -> str:
    return "#" + anchor(item.kind, item.identity)


def _overview(
    library: Library, coverage: Sequence[Coverage], title: str, head: str
) -> Html:
    cards = [_card(schema) for schema in library.schemas]
    lines = [element("li", line) for line in READING]
    shares = [
        element(
            "li",
            element("strong", f"{item.percent} %"),
            f" of {item.total} {item.sort}",
            class_="full" if item.percent == 100 else "part",  # noqa: PLR2004 - percent
        )
        for item in coverage
    ]
    return element(
        "section",
        element("h1", title),
        element("p", head, class_="lead") if head else Html(),
        element("div", *cards, class_="cards"),
        element("h2", "Coverage of comments"),
        element("ul", *shares, class_="shares"),
        element("h2", "How to read it"),
        element("ul", *lines, class_="reading"),
    )


def _card(schema: Schema) -> Html:
    counts = (
        (len(schema.tables), "table"),
        (len(schema.views), "view"),
        (len(schema.routines), "function"),
    )
    told = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n)
    return element(
        "a",
        element("strong", schema.name),
        element("span", schema.item.comment),
        element("small", told),
        href=_to(schema.item),
        class_="card",
    )


def _schema(schema: Schema, library: Library) -> Html:
    roles = holders(schema.item, "USAGE")
    owner = str(schema.item.properties["owner"])
    used = f", used by {', '.join(roles)}" if roles else ""
    return element(
        "section",
        element("h2", element("span", "schema ", class_="faint"), schema.name),
        element("p", schema.item.comment, class_="lead"),
        element("p", f"Owner {owner}{used}.", class_="faint"),
        *(relation_article(relation, library) for relation in schema.relations),
        *(routine_article(item, schema) for item in schema.routines),
        *_small("Types", schema.types),
        *_small("Sequences", schema.sequences),
        id=anchor(schema.item.kind, schema.item.identity),
    )


def _small(title: str, items: Iterable[Item]) -> list[Html]:
    found = list(items)
    return [element("article", small_objects(title, found))] if found else []
