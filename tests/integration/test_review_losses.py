"""Rows and values that a revision loses, and what it leaves of roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from ai_platform.review.sources import Recording
from tests.support.measured import source

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.review.facts import Review

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

LOG = """
    CREATE TABLE public.log (id bigint GENERATED ALWAYS AS IDENTITY, note text);
    CREATE FUNCTION public.write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.log (note) VALUES (tg_op); RETURN NULL; END $$;
    CREATE TRIGGER write AFTER INSERT OR UPDATE OR DELETE ON public.shop
        FOR EACH ROW EXECUTE FUNCTION public.write();
    ALTER TABLE public.shop ADD at timestamptz DEFAULT now();
    CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        NEW.at := clock_timestamp(); RETURN NEW; END $$;
    CREATE TRIGGER touch BEFORE UPDATE ON public.shop
        FOR EACH ROW EXECUTE FUNCTION public.touch();
"""


def writing(up: str, down: str) -> Callable[[str, str, bool], Recording]:
    """Return the Python of a revision that says *up*, or *down*."""

    def online(_: str, dsn: str, is_down: bool) -> Recording:  # noqa: FBT001
        said = down if is_down else up
        with psycopg.connect(dsn) as connection:
            connection.execute(said.encode())
        return Recording(said)

    return online


@pytest.mark.parametrize(
    ("up", "down", "gone"),
    [
        ("UPDATE shop SET n = -n", "UPDATE shop SET n = -n", ()),
        (
            "UPDATE shop SET n = -n",
            "UPDATE shop SET n = -n; DELETE FROM log",
            ("public.log",),
        ),
        (
            "UPDATE shop SET n = -n, at = now()",
            "UPDATE shop SET n = -n",
            ("public.shop.at",),
        ),
        ("UPDATE shop SET n = 0", "UPDATE shop SET n = 1", ("public.shop.n",)),
        (
            "CREATE TABLE t AS TABLE shop; DELETE FROM orders; DELETE FROM shop",
            "INSERT INTO shop SELECT id, name, n FROM t; DROP TABLE t",
            ("public.orders", "public.shop.at"),
        ),
    ],
)
def test_what_triggers_write_is_no_loss(
    measured: Callable[..., Review], up: str, down: str, gone: tuple[str, ...]
) -> None:
    """A log that grows, a time that is stamped: told, and not the author's loss."""
    python = source("one", "", None, offline_error="reads", down_error="reads")
    up = up.replace("-n", "CASE WHEN n > -2147483648 THEN -n ELSE n END")
    down = down.replace("-n", "CASE WHEN n > -2147483648 THEN -n ELSE n END")
    (_, facts) = measured(
        source("log", LOG, None), python, online=writing(up, down)
    ).revisions
    told = " ".join(facts.notes)

    assert facts.error is None
    assert facts.lost == gone
    assert ("public.log got rows" in told) is ("public.log" not in gone)
    stamped = "public.shop.at was stamped by trigger touch" in told
    assert stamped is ("public.shop.at" not in gone)


CHAIN = """
    CREATE TABLE public.sale (id int PRIMARY KEY);
    CREATE TABLE public.item (
        sale int NOT NULL REFERENCES public.sale ON DELETE CASCADE);
    CREATE TABLE public.part (n int) PARTITION BY LIST (n);
    CREATE TABLE public.rest PARTITION OF public.part DEFAULT;
    CREATE TYPE public.pair AS (a int, b int);
    CREATE TABLE public.pairs (id int PRIMARY KEY, pair public.pair);
"""


@pytest.mark.parametrize(
    ("up", "down", "gone"),
    [
        (
            "CREATE TABLE kept AS TABLE sale; DELETE FROM sale",
            "INSERT INTO sale TABLE kept; DROP TABLE kept",
            ("public.item",),
        ),
        ("TRUNCATE sale CASCADE", "SELECT 1", ("public.item", "public.sale")),
        ("DELETE FROM rest", "SELECT 1", ("public.part",)),
        (
            "ALTER TYPE pair DROP ATTRIBUTE b CASCADE",
            "ALTER TYPE pair ADD ATTRIBUTE b int CASCADE",
            ("public.pairs.pair",),
        ),
        ("INSERT INTO rest VALUES (NULL)", "SELECT 1", ("public.part",)),
    ],
)
def test_rows_lost_elsewhere_are_named(
    measured: Callable[..., Review], up: str, down: str, gone: tuple[str, ...]
) -> None:
    """What follows a row or a type by a cascade, or is in a partition, is lost too."""
    _, facts = measured(source("chain", CHAIN, None), source("one", up, down)).revisions

    assert facts.lost == gone


def test_rows_that_follow_are_there_for_python(
    measured: Callable[..., Review],
) -> None:
    """What its Python deletes takes children along, as SQL would."""
    python = source("one", "", None, offline_error="reads", down_error="reads")
    online = writing("DELETE FROM sale", "SELECT 1")
    _, facts = measured(source("chain", CHAIN, None), python, online=online).revisions

    assert facts.lost == ("public.item", "public.sale")


ROLES = """
    CREATE ROLE review_clerk;
    CREATE ROLE review_chief;
    GRANT review_clerk TO review_chief WITH INHERIT FALSE, ADMIN TRUE;
"""
LEFT_OF_ROLES = {
    "ALTER ROLE review_clerk CREATEDB": ("SELECT 1", "attribute CREATEDB"),
    "REVOKE review_clerk FROM review_chief": (
        "GRANT review_clerk TO review_chief",
        "member review_chief postgres",
    ),
    "ALTER ROLE review_clerk SET work_mem = '9MB'": ("SELECT 1", "setting work_mem"),
    "COMMENT ON ROLE review_clerk IS 'sells'": ("SELECT 1", "attribute comment"),
    "ALTER ROLE review_clerk PASSWORD 'apple'": ("SELECT 1", "password"),
    "ALTER ROLE review_clerk PASSWORD 'pear'": (
        "ALTER ROLE review_clerk PASSWORD NULL",
        None,
    ),
    "REVOKE ADMIN OPTION FOR review_clerk FROM review_chief": (
        "GRANT review_clerk TO review_chief WITH ADMIN TRUE",
        None,
    ),
    "CREATE ROLE review_new IN ROLE review_clerk": ("DROP ROLE review_new", None),
    "DO $$ BEGIN CREATE ROLE review_new IN ROLE review_clerk; "
    "EXCEPTION WHEN duplicate_object THEN END $$": ("SELECT 1", None),
}


@pytest.mark.parametrize("up", LEFT_OF_ROLES)
def test_what_is_left_of_roles_is_told(
    measured: Callable[..., Review], up: str
) -> None:
    """Rights to be another, attributes and settings come back as they were."""
    down, left = LEFT_OF_ROLES[up]
    facts = measured(source("roles", ROLES, None), source("one", up, down)).revisions[1]

    assert facts.error is None
    assert [item.property for item in facts.left_behind] == ([left] if left else [])
    assert "apple" not in repr(facts.left_behind)
