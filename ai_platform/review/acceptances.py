"""Findings that somebody answers for: `review.accept.toml`, with reason and expiry."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from ai_platform.errors import BadValue

from .facts import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["FILE", "UNUSED", "Acceptance", "accept", "parse", "read"]

FILE: Final = "review.accept.toml"
"""The usual name, at the head of the project."""
UNUSED: Final = "acceptance-unused"
"""Finding of an entry that accepts nothing, or names a revision that is not there."""
_REQUIRED: Final = ("rule", "revision", "reason", "expires")
_OPTIONAL: Final = ("object",)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One entry: *rule* in *revision*, for one *object* or for all, until *expires*.

    It holds up to that day and on it.
    """

    rule: str
    revision: str
    reason: str
    expires: date
    object: str | None = None

    def covers(self, finding: Finding) -> bool:
        """Return whether it speaks of *finding*, expired or not."""
        return (
            finding.rule == self.rule
            and finding.revision == self.revision
            and self.object in {None, finding.object}
        )


def read(path: Path, *, rules: Collection[str]) -> tuple[Acceptance, ...]:
    """Return the entries of the file *path*; see `parse`.

    Raises BadValue for a file that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise BadValue(
            f"cannot read {path}: {reason}", hint="--accept names a file in TOML"
        ) from error
    return parse(text, rules=rules, name=path.name)


def parse(
    text: str, *, rules: Collection[str], name: str = FILE
) -> tuple[Acceptance, ...]:
    """Return the entries of *text*, an array of tables ``[[accept]]`` in TOML.

    *rules* are the ids that exist. Raises BadValue that names the entry at fault, by
    its place, and what is wrong with it.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(
            f"{name} is not TOML: {error}",
            hint="an entry is [[accept]], then rule, revision, reason and expires",
        ) from error
    entries = document.pop("accept", [])
    if document or not isinstance(entries, list):
        raise BadValue(
            f"{name} holds something else than [[accept]]: "
            f"got {', '.join(sorted(document)) or 'accept'!r}",
            hint="write each entry under a line of its own that says [[accept]]",
        )
    return tuple(
        _entry(entry, f"{name}, entry {number}", rules)
        for number, entry in enumerate(entries, start=1)
    )


def _entry(entry: Any, place: str, rules: Collection[str]) -> Acceptance:
    if not isinstance(entry, dict):
        raise BadValue(f"{place}: expected a table, got {entry!r}")
    unknown = entry.keys() - {*_REQUIRED, *_OPTIONAL}
    if unknown:
        raise BadValue(f"{place}: there is no such key: got {min(unknown)!r}")
    for key in (*_REQUIRED[:3], *_OPTIONAL):
        value = entry.get(key)
        given = isinstance(value, str) and value.strip()
        if not given and (key in _REQUIRED or key in entry):
            raise BadValue(
                f"{place}: {key} is missing or empty",
                hint="an entry needs rule, revision, reason and expires",
            )
    if entry["rule"] not in rules:
        raise BadValue(
            f"{place}: no such rule: got {entry['rule']!r}",
            hint="see docs/review-rules.md",
        )
    return Acceptance(**{**entry, "expires": _date(entry.get("expires"), place)})


def _date(value: Any, place: str) -> date:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadValue(
            f"{place}: expires is no date: got {value!r}",
            hint="write it as expires = 2027-06-30",
        ) from None


def accept(
    findings: Iterable[Finding],
    acceptances: Sequence[Acceptance],
    *,
    today: date,
    reviewed: Collection[str],
    known: Collection[str] | None = None,
) -> tuple[Finding, ...]:
    """Return *findings* with the reason of the entry that accepts each.

    An entry that has expired on *today* accepts nothing: its finding counts again
    and says so. An entry for one of the *reviewed* revisions that speaks of no
    finding is an error at the end, and so is one for a revision that is not *known*.
    Others are left alone: this review does not show whether they are needed.
    """
    used: set[Acceptance] = set()
    judged: list[Finding] = []
    for finding in findings:
        entries = [item for item in acceptances if item.covers(finding)]
        used.update(entries)
        judged.append(_judged(finding, entries, today))
    unused = [item for item in acceptances if item not in used]
    return (*judged, *_unused(unused, reviewed, known))


def _judged(finding: Finding, entries: list[Acceptance], today: date) -> Finding:
    valid = [item for item in entries if item.expires >= today]
    if valid:
        return replace(finding, accepted=valid[0].reason)
    if not entries:
        return finding
    last = max(entries, key=lambda item: item.expires)
    told = f"accepted until {last.expires}, which is over: {last.reason}"
    return replace(finding, message=f"{finding.message} ({told})")


def _unused(
    entries: Iterable[Acceptance],
    reviewed: Collection[str],
    known: Collection[str] | None,
) -> Iterator[Finding]:
    for item in entries:
        is_lost = known is not None and item.revision not in known
        if is_lost or item.revision in reviewed:
            where = f" for {item.object}" if item.object else ""
            told = "there is no such revision" if is_lost else "nothing was found"
            yield Finding(
                rule=UNUSED,
                severity="error",
                revision=item.revision,
                statement=None,
                object=item.rule,
                message=f"{item.rule} is accepted{where}, but {told}",
                remedy=f"take the entry out of {FILE}",
                is_measured=False,
            )
