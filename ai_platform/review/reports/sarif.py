"""A review as SARIF 2.1.0, which code hosts show beside the lines of a revision."""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from ai_platform.review.acceptances import FILE
from ai_platform.review.facts import Finding
from ai_platform.text import printable

from ._describe import basis, troubles
from ._github import fenced, plain
from ._instead import instead
from ._source_line import line_of
from ._summary import by_severity
from .verdict import judge, risk_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_platform.review.facts import Review, RevisionFacts, Severity

__all__ = ["MOST_RESULTS", "NOT_MEASURED", "RuleText", "to_sarif"]

MOST_RESULTS: Final = 25_000
"""How many results of a run GitHub takes; the least severe are left out."""
NOT_MEASURED: Final = "not-measured"
"""The rule under which revisions stand that failed or were not measured in full."""

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_UPGRADE: Final = re.compile(r"^(async )?def upgrade\b", re.MULTILINE)
_WORD: Final = re.compile(r"\w+")
_LONGEST: Final = 1_000
_ROOT: Final = "%SRCROOT%"


class RuleText(Protocol):
    """What a code host says about a rule; those of the review are such ones."""

    @property
    def id(self) -> str:
        """Return its stable name."""

    @property
    def title(self) -> str:
        """Return what it forbids, in a few words."""

    @property
    def hazard(self) -> str:
        """Return what goes wrong."""

    @property
    def remedy(self) -> str:
        """Return what to do."""

    @property
    def severity(self) -> Severity:
        """Return how severe it is where a finding does not say otherwise."""


@dataclass(frozen=True, slots=True)
class _OwnText:
    id: str
    title: str
    hazard: str
    remedy: str
    severity: Severity


def to_sarif(
    review: Review,
    *,
    rules: Iterable[RuleText] = (),
    sources: Mapping[str, str] | None = None,
    folder: str = "",
) -> str:
    """Return *review* as SARIF, the worst results first.

    *rules* explains those that may be found. *sources* maps the files of revisions,
    as the review names them, to their text: in it the line of the statement is looked
    for, else where the upgrade speaks of the finding's object, else it is the first.
    *folder* is where the project stands in its repository, such as ``backend/``: code
    hosts look for files from there. What is of no revision stands at the acceptances.
    """
    found = [*_incomplete(review), *by_severity(review.findings)]
    shown = found[:MOST_RESULTS]
    known: dict[str, RuleText] = {rule.id: rule for rule in (*rules, _OWN_RULE)}
    for item in shown:
        known.setdefault(item.rule, _unknown(item))
    places = {name: place for place, name in enumerate(sorted(known))}
    files = {one.revision: one for one in review.revisions}
    prints = _fingerprints(shown, files)
    run = {
        "tool": {
            "driver": {
                "name": "platform review",
                "version": version("ai-platform-database"),
                "rules": [_rule(known[name]) for name in sorted(known)],
            }
        },
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the repository"}}},
        "invocations": [_invocation(review, left=len(found) - len(shown))],
        "results": [
            {
                **_result(item),
                "locations": [
                    _location(item, files.get(item.revision), sources or {}, folder)
                ],
                "ruleIndex": places[item.rule],
                "partialFingerprints": {"platformReview/v1": mark},
            }
            for item, mark in zip(shown, prints, strict=True)
        ],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1, sort_keys=True)


_OWN_RULE: Final = _OwnText(
    NOT_MEASURED,
    "a revision was not measured in full",
    "what was not measured may do anything to production",
    "let the revision run on the scratch server, or look at it by hand",
    "error",
)


def _unknown(item: Finding) -> RuleText:
    return _OwnText(item.rule, item.rule, item.message, item.remedy, item.severity)


def _incomplete(review: Review) -> Iterator[Finding]:
    """Yield a finding for each revision of which something is not known."""
    for one in review.revisions:
        if risk_of(one, review) in {"failed", "unmeasured"}:
            yield Finding(
                rule=NOT_MEASURED,
                severity="error",
                revision=one.revision,
                statement=None,
                object=one.revision,
                message="; ".join(troubles(one, review)),
                remedy=_OWN_RULE.remedy,
                is_measured=True,
            )


def _rule(rule: RuleText) -> dict[str, Any]:
    page = f"{plain(rule.hazard)}\n\n**Do:** {plain(rule.remedy)}"
    if good := instead(rule.id):
        page += f"\n\nFor example:\n\n{fenced(good)}"
    return {
        "id": rule.id,
        "shortDescription": {"text": _message(rule.title)},
        "fullDescription": {"text": _message(rule.hazard)},
        "help": {"text": _message(f"{rule.hazard} {rule.remedy}"), "markdown": page},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["database", "migration"]},
    }


def _invocation(review: Review, *, left: int) -> dict[str, Any]:
    verdict = judge(review)
    notes = [{"level": "note", "message": {"text": verdict.headline}}]
    if left:
        text = f"{left} results left out: {MOST_RESULTS} is the most that is read"
        notes.append({"level": "warning", "message": {"text": text}})
    complete = not (verdict.failed or verdict.unmeasured)
    return {"executionSuccessful": complete, "toolExecutionNotifications": notes}


def _result(item: Finding) -> dict[str, Any]:
    place = "" if item.statement is None else f", statement {item.statement}"
    told = basis(item)
    measured = f" ({told})" if told else ""
    text = f"{item.object}{place}: {item.message}{measured}. Do: {item.remedy}"
    result: dict[str, Any] = {
        "ruleId": item.rule,
        "level": item.severity,
        "message": {"text": _message(text)},
        "properties": {"revision": item.revision, "measured": item.is_measured},
    }
    if item.accepted is not None:
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": _message(item.accepted),
            }
        ]
    return result


def _location(
    item: Finding,
    revision: RevisionFacts | None,
    sources: Mapping[str, str],
    folder: str,
) -> dict[str, Any]:
    # a result without a place would have the code host refuse the whole file
    file = revision.file if revision else FILE
    line = _line(item, revision, sources.get(file, "")) if revision else 1
    return {
        "physicalLocation": {
            "artifactLocation": {
                "uri": quote(posixpath.normpath(folder + file), errors="replace"),
                "uriBaseId": _ROOT,
            },
            "region": {"startLine": line},
        },
        "logicalLocations": [{"fullyQualifiedName": printable(item.object)}],
    }


def _line(item: Finding, revision: RevisionFacts, text: str) -> int:
    """Return the line of *text* that runs the statement, else names the object."""
    sql = next((one.sql for one in revision.up if one.number == item.statement), "")
    if (line := line_of(sql, text)) is not None:
        return line
    upgrade = _UPGRADE.search(text)
    if upgrade is None:
        return 1
    place = upgrade.start()
    words = _WORD.findall(item.object)
    if words:
        named = re.compile(rf"\b{re.escape(words[-1])}\b").search(text, place)
        place = named.start() if named else place
    return text.count("\n", 0, place) + 1


def _fingerprints(
    found: Sequence[Finding], revisions: Mapping[str, RevisionFacts]
) -> Iterator[str]:
    """Yield a mark per finding that stays when other statements come or go."""
    seen: Counter[str] = Counter()
    for item in found:
        revision = revisions.get(item.revision)
        up = revision.up if revision else ()
        sql = next((one.sql for one in up if one.number == item.statement), "")
        parts = (item.rule, item.revision, item.object, " ".join(sql.split()))
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        mark = sha256(text).hexdigest()[:32]
        seen[mark] += 1
        yield f"{mark}:{seen[mark]}"


def _message(text: str) -> str:
    """Return *text* as SARIF takes it: one line, and no link that it does not mean."""
    line = printable(" ".join(text.split()))[:_LONGEST]
    if "](" not in line:
        return line
    return line.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
