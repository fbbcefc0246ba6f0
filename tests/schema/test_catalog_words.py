"""Spelling of rights, expressions, bounds and changes; no server needed."""

from __future__ import annotations

from typing import Any

import pytest

from ai_platform.catalog import CatalogObject, Difference, Key, Snapshot, diff
from ai_platform.catalog._normal import properties, readable_rights, respelled
from ai_platform.catalog._partitions import bound_form
from ai_platform.catalog._wording import change


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("=U/boss", "PUBLIC: USAGE"),
        ("app=ar*/boss", "app: INSERT, SELECT WITH GRANT OPTION"),
        ("app=r/other", "app: SELECT (granted by other)"),
        ('"Ha""=/n"=X/boss', 'Ha"=/n: EXECUTE'),
        (
            "boss=C*T*c*/boss",
            (
                "boss: CREATE WITH GRANT OPTION, "
                "TEMPORARY WITH GRANT OPTION, CONNECT WITH GRANT OPTION"
            ),
        ),
    ],
)
def test_rights_are_said_in_words(item: str, words: str) -> None:
    """A DBA reads privileges, not letters; hostile role names survive."""
    assert readable_rights([item], "boss") == [words]


def test_order_of_grants_does_not_count() -> None:
    """The same rights given in another order are the same rights."""
    items = ["b=r/boss", "=U/boss", "a=w/boss"]

    assert readable_rights(items, "boss") == readable_rights(items[::-1], "boss")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'0'::numeric", "0"),
        ("'-1.50'::numeric(10,2)", "-1.50"),
        ("'7'::bigint", "7"),
        (
            (
                "(s)::text = ANY ((ARRAY['a'::character varying, "
                "'it''s'::character varying])::text[])"
            ),
            (
                "(s)::text = ANY (ARRAY[('a'::character varying)::text, "
                "('it''s'::character varying)::text])"
            ),
        ),
    ],
)
def test_two_spellings_are_one(one: str, other: str) -> None:
    """What PostgreSQL prints differently after a restore is the same expression."""
    assert respelled(one) == respelled(other)


@pytest.mark.parametrize(
    ("bound", "same", "other"),
    [
        ("IN (1, 2, NULL)", "IN (2, NULL, 1)", "IN (1, 2)"),
        ("IN ('a, b', 'it''s')", "IN ('it''s', 'a, b')", "IN ('a', 'b, it''s')"),
    ],
)
def test_values_of_a_partition_have_no_order(bound: str, same: str, other: str) -> None:
    """A list attached again in another order takes the same rows."""

    def form(text: str) -> dict[str, Any]:
        return properties("table", {"partition bound": f"FOR VALUES {text}"})

    assert form(bound) == form(same) != form(other)


@pytest.mark.parametrize("text", ["'0'::text", "'0'::numeric + 1", "now()", "'a b'"])
def test_other_expressions_stay(text: str) -> None:
    """Nothing is simplified that could change its meaning."""
    assert respelled(text) == text


@pytest.mark.parametrize(
    ("lower", "upper", "form"),
    [
        ("2026-03-29 00:00:00+00", "2026-03-30 00:00:00+00", "1 day"),
        ("2026-02-01", "2026-03-01", "1 month"),
        ("2026-12-01 00:00:00+00", "2027-01-01 00:00:00+00", "1 month"),
        ("2026-11-16 00:00:00+00", "2026-11-23 00:00:00+00", "1 week from Monday"),
        ("2026-11-17 00:00:00+00", "2026-11-24 00:00:00+00", "1 week from Tuesday"),
        ("2026-01-01 06:00:00+00", "2026-01-02 06:00:00+00", "1 day, 0:00:00"),
        ("MINVALUE", "2026-01-02", "open range"),
    ],
)
def test_bounds_are_said_as_widths(lower: str, upper: str, form: str) -> None:
    """A new day has the form of every day; another width or edge has not."""
    quoted = [edge if edge.isupper() else f"'{edge}'" for edge in (lower, upper)]

    assert bound_form(f"FOR VALUES FROM ({quoted[0]}) TO ({quoted[1]})") == form


def test_a_change_names_what_differs() -> None:
    """The line for a DBA shows the old and the new, of lists only the change."""
    line = Difference(
        "index", "auth.ix", "options", ["a=1", "lists=100"], ["a=1", "lists=200"]
    )

    assert str(line) == "index auth.ix: options: lists=100 → lists=200"


def test_long_texts_are_cut_to_the_change() -> None:
    """Of two bodies of many lines the differing words are shown, with some around."""
    body = "SELECT 1;\n" * 40

    said = change(body + "old" + body, body + "new" + body)

    assert "old" in said
    assert "new" in said
    assert len(said) < 200


def test_white_space_is_said_to_be_one() -> None:
    """Texts that differ in blanks alone must not look identical."""
    assert change("a\n  b", "a b") == "white space only"


@pytest.mark.parametrize(
    ("expected", "actual", "line"),
    [
        ("present", None, "missing view a.v"),
        (None, "present", "unexpected view a.v"),
    ],
)
def test_whole_objects_are_missing_or_unexpected(
    expected: str | None, actual: str | None, line: str
) -> None:
    """An object that is there or not is one line, without its properties."""
    assert str(Difference("view", "a.v", "object", expected, actual)) == line


@pytest.mark.parametrize(
    ("expected", "actual", "versions", "lines"),
    [
        (["a: SELECT, MAINTAIN"], ["a: SELECT"], (180000, 160004), 0),
        (["a: SELECT"], ["a: SELECT, MAINTAIN (granted by b)"], (160004, 170000), 1),
        (["a: SELECT", "b: MAINTAIN"], ["a: SELECT"], (160004, 180000), 0),
        (["a: MAINTAIN WITH GRANT OPTION"], None, (160004, 180000), 0),
        (["a: SELECT, MAINTAIN"], ["a: INSERT"], (180000, 160004), 1),
        (["a: SELECT, MAINTAIN"], ["a: SELECT"], (180000, 170000), 1),
        ([{"rights": ["a: MAINTAIN"]}], [{"rights": None}], (180000, 160004), 0),
    ],
)
def test_maintain_counts_where_both_know_it(
    expected: Any, actual: Any, versions: tuple[int, int], lines: int
) -> None:
    """PostgreSQL 16 has no right MAINTAIN: to lack it there is no drift."""
    key = Key("table", "auth.users")
    left, right = (
        Snapshot(version, {key: CatalogObject(key, None, {"rights": rights})})
        for version, rights in zip(versions, (expected, actual), strict=True)
    )

    assert len(diff(left, right)) == lines
