"""Read generated pages as a browser or GitHub does, as far as tests need."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Page",
    "anchors",
    "ask_browser",
    "links",
    "mermaid",
    "mermaid_faults",
    "ragged_rows",
    "without_blocks",
]

_FAULTS = (
    "<script>var faults = []; onerror = (text) => { faults.push(text); };</script>"
)
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --dump-dom"
)
_NO_SCRIPT = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_VOID = {"meta", "input", "br"}
_TEXTS = {"script", "style"}
_ENTITY = r'"[^"%\r\n\v\\]+"'
_WORD = r"[A-Za-z_][A-Za-z0-9\-_\[\]()]*"
_GRAMMAR = re.compile(
    rf"    (?:{_ENTITY}(?: \{{)?|\}}"
    rf"|    {_WORD} (?!(?i:[pfu]k)\b){_WORD} [PFU]K(?:, [PFU]K)*"
    rf'|{_ENTITY} (?:\|\||\|o)--(?:o\||o\{{) {_ENTITY} : "[^"]*")'
)


def ask_browser(
    page: str, script: str, folder: Path, *, place: str = "", width: int = 1280
) -> object:
    """Return what *script* says in *page*, opened at *place* in a browser.

    What the page forbids to run is allowed for the question. Skips the test where
    there is no browser; fails for an error of the page.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    copy = folder / "page.html"
    text = _NO_SCRIPT.sub("", page).replace("<head>", f"<head>{_FAULTS}", 1)
    asking = f"""<script>document.body.textContent = "<<" + JSON.stringify([faults,
        (() => {{ {script} }})()]) + ">>"</script></body>"""
    copy.write_text(text.replace("</body>", asking), encoding="utf-8")
    done = subprocess.run(
        [
            chromium,
            *_FLAGS.split(),
            f"--window-size={width},844",
            f"--user-data-dir={folder / 'profile'}",
            copy.as_uri() + place,
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    (answer,) = re.findall("&lt;&lt;(.*)&gt;&gt;", done.stdout, re.DOTALL)
    faults, said = json.loads(html.unescape(answer))
    assert faults == []
    return said


class Link(NamedTuple):
    """A link of a Markdown page: the file, empty for the page itself, and the place."""

    file: str
    anchor: str


class Page(HTMLParser):
    """One HTML page: its ids, what it refers to, its texts; *faults* of nesting."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.texts: dict[str, str] = {}
        self.words = ""
        self.faults: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{name}> is never closed" for name, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element refers to and where it stands."""
        found = dict(attrs)
        self.tags[tag] += 1
        self.links += [str(found[key]) for key in ("href", "src") if key in found]
        if "id" in found:
            self.ids.append(str(found["id"]))
        if tag not in _VOID:
            self._open.append((tag, str(found.get("id") or tag)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        opened, _ = self._open.pop() if self._open else ("nothing", "")
        if opened != tag:
            self.faults.append(f"</{tag}> closes <{opened}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        """Keep scripts and styles by id, all else as what a reader sees."""
        tag, name = self._open[-1] if self._open else ("", "")
        if tag in _TEXTS:
            self.texts[name] = self.texts.get(name, "") + data
        else:
            self.words += data


def mermaid(page: str) -> str:
    """Return the text of the one diagram of a Markdown page."""
    (text,) = re.findall(r"^```mermaid\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return str(text)


def mermaid_faults(text: str) -> list[str]:
    """Return the lines that Mermaid's grammar of entities does not have."""
    first, *lines = text.rstrip("\n").split("\n")
    faults = [first] if first != "erDiagram" else []
    return faults + [line for line in lines if not _GRAMMAR.fullmatch(line)]


def without_blocks(page: str) -> str:
    """Return a Markdown page without its blocks of code; one left open stays."""
    block = re.compile(r"^(`{3,})\w*$.*?^\1$", re.DOTALL | re.MULTILINE)
    return block.sub("", page)


def anchors(page: str) -> list[str]:
    """Return the anchors of a Markdown page's headings, as GitHub names them."""
    seen: Counter[str] = Counter()
    found = []
    for heading in re.findall(r"^#{1,6} (.*)$", without_blocks(page), re.MULTILINE):
        shown = re.sub(r"\\(.)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        found.append(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def links(page: str) -> list[Link]:
    """Return the links of a Markdown page."""
    prose = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", page, flags=re.DOTALL)
    return [
        Link(*target.partition("#")[::2])
        for target in re.findall(r"(?<!\\)\]\(([^)\s]*)\)", prose)
    ]


def ragged_rows(page: str) -> list[str]:
    """Return rows of tables that have more or fewer cells than the line above."""
    found, before = [], None
    for line in page.split("\n"):
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        if cells is not None and before is not None and cells != before:
            found.append(line)
        before = cells
    return found
