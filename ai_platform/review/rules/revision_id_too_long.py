"""The revision's id does not fit the version table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_platform.review.statements import is_version_row

from ._rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._context import RevisionContext

__all__ = ["RULE"]

LONGEST: Final = 32


def check(revision: RevisionContext) -> Iterator[Hit]:
    if len(revision.revision) <= LONGEST:
        return
    rows = [item for item in revision.statements if is_version_row(item.facts.sql)]
    if rows and all(item.is_measured for item in rows):
        return
    yield Hit(
        revision.revision,
        f"has {len(revision.revision)} characters; the version table holds {LONGEST}",
        is_measured="character varying" in (revision.facts.error or ""),
    )


RULE = Rule(
    id="revision-id-too-long",
    number=30,
    title="the revision's id does not fit the version table",
    family="repeat",
    severity="error",
    hazard=(
        "Alembic's version table holds 32 characters. A longer id fails at the "
        "last statement of the upgrade, after all the work."
    ),
    measured=(
        "The server's refusal of the version row; no finding where the row was "
        "written. Without a measurement: more than 32 characters."
    ),
    remedy="Choose a shorter id, or make the version table's column wider.",
    revision=check,
)
