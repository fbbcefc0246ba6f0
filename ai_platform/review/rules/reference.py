"""The rules as a page that people read, written from the rules themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import all_rules
from ._context import SMALL_ROWS
from ._examples import Example, example_tables, examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._rule import Family, Rule

__all__ = ["reference"]

_FAMILIES: Final[dict[Family, str]] = {
    "lock": "Sessions that wait",
    "repeat": "Upgrades that fail, or cannot be run again",
    "code": "Running code that breaks",
    "security": "Rights and row security",
    "design": "Upkeep",
}
_HEAD: Final = f"""# Rules of the review

Written by `platform docs build` from the rules; do not edit.

A finding is **measured** where the scratch server showed it, and **static** where only
the text was read. Error and warning are what `--fail-on` looks at; a note never fails.

Tables that the reviewed revisions make are new to production: nobody waits for them.
What takes longer the larger a table is counts for less where production's figures are
given: under a second, or under {SMALL_ROWS:,} rows, not at all; under five seconds as a
warning.

## Accepting a finding

`review.accept.toml` at the head of the project names what somebody answers for.
Without `object` the entry holds for all findings of the rule in that revision.
From the day after `expires` the finding counts again; an entry that accepts nothing is
an error.

```toml
[[accept]]
rule = "index-drop-not-concurrent"
revision = "4f1d2c3b5a69"
object = "public.orders_person"
reason = "the table has forty rows"
expires = 2027-06-30
```

## The tables of the examples

Each example runs in a copy of these, with `lock_timeout = '4s'`; where it says so,
outside any transaction.
"""


def reference() -> str:
    """Return docs/review-rules.md."""
    rules = all_rules()
    parts = [_HEAD, "\n", _sql(example_tables())]
    for family, title in _FAMILIES.items():
        parts.append(f"\n## {title}\n\n")
        chosen = [rule for rule in rules if rule.family == family]
        parts += [f"- [{rule.id}](#{rule.id}): {rule.title}\n" for rule in chosen]
        parts += [_section(rule) for rule in chosen]
    return "".join(parts)


def _section(rule: Rule) -> str:
    bad, good = examples(rule)
    fields = (
        ("Hazard", rule.hazard),
        ("Seen by", rule.measured),
        ("Instead", rule.remedy),
    )
    text = "".join(f"\n**{name}.** {value}\n" for name, value in fields)
    return (
        f"\n### {rule.id}\n\n"
        f"{rule.title[0].upper()}{rule.title[1:]}: {rule.severity}.\n"
        f"{text}\nBad{_example(bad)}\nGood{_example(good)}"
    )


def _example(example: Example) -> str:
    told = ", ".join(_circumstances(example))
    setup = f"-- before\n{example.setup.strip()}\n-- the revision\n"
    text = (setup if example.setup else "") + example.sql.strip()
    python = f"\n```python\n{example.python}```\n\nruns\n" if example.python else ""
    return f"{f' ({told})' if told else ''}:\n{python}\n{_sql(text)}"


def _circumstances(example: Example) -> Iterator[str]:
    if not example.in_transaction:
        yield "outside any transaction"
    if example.phase:
        yield f"Phase: {example.phase}"
    if example.revision != "example":
        yield f"revision `{example.revision}`"


def _sql(text: str) -> str:
    return f"```sql\n{text.strip()}\n```\n"
