"""What the documents tell a reader to type."""

from __future__ import annotations

import re

from .programs import CHECKOUT

__all__ = ["blocks", "commands"]

_BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<body>.*?)```", re.DOTALL)


def blocks(language: str, document: str, section: str = "") -> list[str]:
    """Return the blocks of *language*; with *section* those below that heading."""
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    if section:
        _, found, text = text.partition(f"\n## {section}\n")
        assert found, f"{document} has no section {section!r}"
        text = text.partition("\n## ")[0]
    return [m["body"] for m in _BLOCK.finditer(text) if m["language"] == language]


def commands(document: str, section: str = "") -> list[str]:
    """Return the shell lines, without what they explain."""
    lines = "\n".join(blocks("sh", document, section)).splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.strip()]
