"""The documents of the demo data and the chunks cut from them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Passage", "Writing", "cut", "writings"]

_FILE = Path(__file__).with_name("texts.toml")
_LONGEST = 240
"""Characters of a chunk; a single sentence may be longer."""
_SENTENCE = re.compile(r"\S[^\n]*?(?:[.!?](?=\s)|[\u3002\uff01\uff1f]|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Writing:
    """A document as it is written in texts.toml."""

    organization: str
    record_id: str
    topic: str
    language: str
    title: str
    question: str
    paragraphs: tuple[str, ...]
    earlier: str | None = None

    @property
    def content(self) -> str:
        """Return the whole text, an empty line between paragraphs."""
        return "\n\n".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk: *text* stands in the document from *start* up to *end*."""

    text: str
    start: int
    end: int


def writings(organization: str | None = None) -> list[Writing]:
    """Return the documents, or those of one *organization* (slug)."""
    with _FILE.open("rb") as file:
        found = tomllib.load(file)["document"]
    every = [Writing(**one | {"paragraphs": tuple(one["paragraphs"])}) for one in found]
    return [one for one in every if organization in {None, one.organization}]


def cut(content: str) -> list[Passage]:
    """Return the chunks of *content*: whole sentences, never across a paragraph."""
    passages: list[Passage] = []
    for sentence in _SENTENCE.finditer(content):
        start, end = sentence.span()
        if passages and _belongs(content, passages[-1], start, end):
            start = passages.pop().start
        passages.append(Passage(content[start:end], start, end))
    return passages


def _belongs(content: str, last: Passage, start: int, end: int) -> bool:
    """Return whether the sentence from *start* to *end* still fits into *last*."""
    return end - last.start <= _LONGEST and "\n" not in content[last.end : start]
