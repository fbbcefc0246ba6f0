"""The bad and the good example of each rule, which the tests run on a server."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._rule import Rule

__all__ = ["Example", "example_tables", "examples"]


@dataclass(frozen=True, slots=True)
class Example:
    """A revision in small; *setup* was there before, *claims* is what is measured.

    *python* is the text of the revision's file where the rule reads that; *since* the
    PostgreSQL from which on the claims hold.
    """

    sql: str
    setup: str = ""
    in_transaction: bool = True
    phase: str | None = None
    revision: str = "example"
    python: str | None = None
    claims: tuple[str, ...] = ()
    since: int = 0


def examples(rule: Rule) -> tuple[Example, Example]:
    """Return the bad and the good example of *rule*."""
    name = f"{rule.id.replace('-', '_')}.toml"
    found = tomllib.loads(_text(name))
    return _example(found["bad"]), _example(found["good"])


def example_tables() -> str:
    """Return the SQL of the tables that every example finds, with rows in them."""
    return _text("setup.sql")


def _text(name: str) -> str:
    folder = files(__package__ or "") / "examples"
    return (folder / name).read_text(encoding="utf-8")


def _example(values: dict[str, Any]) -> Example:
    return Example(**{**values, "claims": tuple(values.get("claims", ()))})
