"""A review for programs: JSON that comes back whole, SARIF that a code host takes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from ai_platform.errors import BadValue
from ai_platform.review.facts import Timing
from ai_platform.review.reports import sarif
from ai_platform.review.reports._source_line import line_of
from ai_platform.review.reports.json_text import load, to_json
from ai_platform.review.reports.sarif import NOT_MEASURED, to_sarif
from ai_platform.review.rules import all_rules
from ai_platform.text import is_unsafe
from tests.support import reviews
from tests.support.everyday_review import everyday
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import Review

EVERY = (
    *(reviews.safe, everyday, reviews.failed, reviews.unmeasured),
    *(reviews.accepted, reviews.hostile, reviews.review),
)
SCHEMA = json.loads((CHECKOUT / "docs" / "review-schema.json").read_text())
SOURCE = '''"""Widen request_logs."""

def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform_owner")
    op.alter_column("request_logs", "status")
'''


def _run(review: Review, **rest: Any) -> dict[str, Any]:
    document = json.loads(to_sarif(review, **rest))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("build", EVERY)
def test_json_comes_back_whole(build: Callable[[], Review]) -> None:
    """Nothing is lost or changed by writing and reading, also lone surrogates."""
    found = build()
    odd = replace(found, head="\ud800\x7f\x00\u2028")

    assert load(to_json(found)) == found
    assert load(to_json(odd).encode().decode()) == odd


@pytest.mark.parametrize("build", EVERY)
def test_json_is_what_its_schema_says(build: Callable[[], Review]) -> None:
    """The published schema knows every key, and every key is required."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(to_json(build())))
    for kind in SCHEMA["$defs"].values():
        assert kind["required"] == sorted(kind["properties"])
        assert kind["additionalProperties"] is False


def test_only_the_timing_differs() -> None:
    """Two runs of one change are equal byte by byte outside one block."""
    first = everyday()
    slow = Timing(9.0, 9.0, 9, 9, 9.0, 9.0)
    second = replace(
        first,
        revisions=tuple(
            replace(
                one,
                up=tuple(replace(item, timing=slow) for item in one.up),
                down=tuple(replace(item, timing=slow) for item in one.down),
            )
            for one in first.revisions
        ),
    )
    texts = [json.loads(to_json(found)) for found in (first, second)]
    times = [text.pop("timing") for text in texts]

    assert texts[0] == texts[1]
    assert times[0] != times[1]
    assert to_json(first) == to_json(everyday())
    assert list(json.loads(to_json(first))) == sorted(json.loads(to_json(first)))


def test_json_keeps_its_keys() -> None:
    """A reader of schema version 1 finds everything where it always stood."""
    golden = CHECKOUT / "tests" / "unit" / "review_safe.json"

    assert to_json(reviews.safe()) + "\n" == golden.read_text(encoding="utf-8")


def test_json_holds_no_terminal_control() -> None:
    """Whoever prints it is not written over, and can still read Chinese."""
    text = to_json(reviews.hostile())

    assert all(char.isprintable() or char in "\n\ufffe" for char in text)
    assert "数据库" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-9], "no JSON"),
        (lambda _: "[" * 100_000, "no JSON"),
        (lambda _: "[]", "schema version 1, got None"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 2'), "2"),
        (
            lambda text: text.replace('"rows": 100000', '"rows": "many"'),
            "rows cannot be 'many'",
        ),
        (lambda text: text.replace('"rows"', '"lines"'), "'lines', 'rows'"),
        (lambda text: text.replace('"mode": "AX"', '"mode": "XX"'), ".mode"),
        (lambda text: text.replace('"up": [', '"up": [{},', 1), "not a whole review"),
        (lambda text: text.replace('"timing": {', '"time": {', 1), "'timing'"),
    ],
)
def test_other_json_is_refused(change: Callable[[str], str], said: str) -> None:
    """What is no review, or one of another version, is named, never half read."""
    with pytest.raises(BadValue, match=said):
        load(change(to_json(everyday())))


@pytest.mark.parametrize("build", EVERY)
def test_sarif_points_at_itself(build: Callable[[], Review]) -> None:
    """Each result names a rule that is there, a place, a level and a fingerprint."""
    run = _run(build())
    rules = run["tool"]["driver"]["rules"]

    assert [rule["id"] for rule in rules] == sorted({rule["id"] for rule in rules})
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert not any(map(is_unsafe, result["message"]["text"]))
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"].isascii()
        assert not set(place["artifactLocation"]["uri"]) & set(' <>"`|\\')
        assert place["region"]["startLine"] >= 1
    prints = [str(result["partialFingerprints"]) for result in run["results"]]
    assert len(prints) == len(set(prints))


def test_sarif_finds_the_line() -> None:
    """The line of the upgrade that names the object, else its first, else line 1."""
    found = everyday()
    file = found.revisions[0].file

    def line(text: str) -> int:
        (first, *_) = _run(found, sources={file: text})["results"]
        region = first["locations"][0]["physicalLocation"]["region"]
        return int(region["startLine"])

    assert line(SOURCE) == 5
    assert line(SOURCE.replace('op.alter_column("request_logs", "status")', "")) == 3
    assert line("") == line("x = 1") == 1


TWO_WAYS = '''
NAMED = "CREATE TRIGGER note_price BEFORE UPDATE ON products"

def upgrade():
    op.add_column("products", sa.Column("colour", sa.Text))
    op.execute(
        "UPDATE products "
        "SET colour = 'red'"
    )
    op.execute("""
        COMMENT ON TABLE products IS NULL;
        DROP TABLE orders;
    """)
    op.execute(NAMED)
'''


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("ALTER TABLE products ADD COLUMN colour TEXT", 5),
        ("UPDATE products SET colour = 'red'", 7),
        ("DROP TABLE orders", 12),
        ("CREATE TRIGGER note_price BEFORE UPDATE ON products", 2),
        ("VACUUM", None),
    ],
)
def test_a_statement_is_found_in_its_file(sql: str, line: int | None) -> None:
    """An annotation stands where the statement is written, not near its table."""
    assert line_of(sql, TWO_WAYS) == line
    assert line_of(sql, "def upgrade(:") is None


def test_sarif_places_every_result() -> None:
    """A code host refuses a file with one result that is nowhere, or not in it."""
    lost = reviews.finding("gone", None, rule="acceptance-unused")
    run = _run(replace(everyday(), findings=(lost,)), folder="backend/db/")
    first, last = (
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in (run["results"][0], _run(everyday())["results"][0])
    )

    assert first == "backend/db/review.accept.toml"
    assert last == everyday().revisions[0].file


def test_sarif_explains_rules_and_suppresses() -> None:
    """The project's rules say hazard and remedy; what was accepted is suppressed."""
    known = {rule.id: rule for rule in all_rules()}
    run = _run(everyday(), rules=known.values())
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    (kept,) = [result for result in run["results"] if "suppressions" in result]

    assert rules.keys() >= known.keys()
    for name, rule in known.items():
        assert rules[name]["shortDescription"]["text"] == rule.title
        assert "**Do:** " in rules[name]["help"]["markdown"]
        assert rules[name]["defaultConfiguration"]["level"] == rule.severity
    assert "```sql\n-- outside any" in rules["index-not-concurrent"]["help"]["markdown"]
    assert kept["ruleId"] == "duplicate-index"
    assert "DBA-142" in kept["suppressions"][0]["justification"]


def test_sarif_shows_what_is_not_known() -> None:
    """A revision that failed is a result, and the run says it is not complete."""
    run = _run(reviews.failed())
    (result,) = run["results"]

    assert result["ruleId"] == NOT_MEASURED
    assert "is not available" in result["message"]["text"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert _run(everyday())["invocations"][0]["executionSuccessful"] is True


def test_fingerprints_outlive_new_statements() -> None:
    """A statement put before it does not make an old finding a new one."""
    name = "0bd5aa16c560"
    first = reviews.statement(1, "SELECT 1", "SELECT")
    moved = replace(first, number=2, line=9)
    added = reviews.statement(1, "SELECT 0", "SELECT")
    before = reviews.review(
        reviews.revision(name, first), findings=(reviews.finding(name, 1),)
    )
    after = reviews.review(
        reviews.revision(name, added, moved), findings=(reviews.finding(name, 2),)
    )
    prints = [
        _run(found)["results"][0]["partialFingerprints"] for found in (before, after)
    ]

    assert prints[0] == prints[1]


def test_sarif_stays_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many results leave out the least severe, and the run says how many."""
    monkeypatch.setattr(sarif, "MOST_RESULTS", 3)
    run = _run(reviews.long(20))

    assert [result["level"] for result in run["results"]] == ["error", "note", "note"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert "8 results left out" in notes[-1]["message"]["text"]
