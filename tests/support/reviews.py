"""Reviews as a measurement would return them: safe, hostile, long, failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ai_platform.review.facts import (
    Blocked,
    Change,
    Column,
    Finding,
    Lock,
    PlanChange,
    Review,
    RevisionFacts,
    Rewrite,
    Scan,
    StatementFacts,
    Table,
    Timing,
)

__all__ = [
    "HOSTILE",
    "accepted",
    "failed",
    "finding",
    "hostile",
    "long",
    "review",
    "revision",
    "safe",
    "statement",
    "unmeasured",
]

HOSTILE = (
    "</code></details><script>alert(1)</script> `a` ```b``` | \\| **c** [d](http://e.f)"
    " <!-- g --> --> "
    "@everyone #1 GH-2 www.g.h ]]> &amp; \x1b[31m \u202eh \ufffe 数据库 \"q\" 'r' $s$"
)
"""Everything that a terminal, Markdown, HTML or XML could take for its own."""


def statement(number: int, sql: str, tag: str, **rest: Any) -> StatementFacts:
    """Return a statement of a transaction."""
    return StatementFacts(
        **{
            "number": number,
            "sql": sql,
            "tag": tag,
            "in_transaction": True,
            "line": 3 * number,
            "lock_timeout_ms": 4000,
            "statement_timeout_ms": 900_000,
            **rest,
        }
    )


def revision(name: str, *up: StatementFacts, **rest: Any) -> RevisionFacts:
    """Return a revision that runs *up* and leads back."""
    return RevisionFacts(
        **{
            "revision": name,
            "down_revision": None,
            "title": "Add a column",
            "file": f"migrations/versions/{name}_change.py",
            "up": up,
            "is_reversible": True,
            "is_repeatable": True,
            **rest,
        }
    )


def review(*revisions: RevisionFacts, **rest: Any) -> Review:
    """Return a review of *revisions* with 100 000 rows a table."""
    return Review(
        **{
            "base": "c41d7be2590f",
            "head": revisions[-1].revision if revisions else "c41d7be2590f",
            "server_version": "18.6",
            "rows": 100_000,
            "revisions": revisions,
            **rest,
        }
    )


def finding(of: str, number: int | None = 1, **rest: Any) -> Finding:
    """Return an error that was measured in statement *number* of *of*."""
    return Finding(
        **{
            "rule": "type-change-rewrites",
            "severity": "error",
            "revision": of,
            "statement": number,
            "object": "public.request_logs",
            "message": "the whole table is written anew while nobody reads or writes",
            "remedy": "add a column of the new type, fill it, swap the names",
            "is_measured": True,
            **rest,
        }
    )


def safe() -> Review:
    """Return a review that found nothing."""
    facts = statement(1, "COMMENT ON TABLE auth.users IS '用户'", "COMMENT")
    lock = Lock("auth.users", "table", "SUX")
    blocked = Blocked("auth.users", reads=False, writes=False, ddl=True)
    return review(
        revision("2b35e4d6bdc1", replace(facts, locks=(lock,), blocked=(blocked,)))
    )


def failed() -> Review:
    """Return a review whose second statement failed and whose third never ran."""
    return review(
        revision(
            "8cfa609d83ea",
            statement(1, "CREATE SCHEMA lake", "CREATE SCHEMA"),
            statement(
                2,
                "CREATE EXTENSION missing",
                "CREATE EXTENSION",
                is_measured=False,
                error='extension "missing" is not available',
            ),
            statement(3, "SELECT 1", "SELECT", is_measured=False),
            error='statement 2: extension "missing" is not available',
            is_reversible=None,
            is_repeatable=None,
        )
    )


def unmeasured() -> Review:
    """Return a review in which one statement of two was not measured."""
    return review(
        revision(
            "566f553776db",
            statement(1, "SELECT 1", "SELECT"),
            statement(2, "VACUUM auth.users", "VACUUM", is_measured=False),
        )
    )


def accepted() -> Review:
    """Return a review whose only error was accepted."""
    found = finding("49e9681a3337", accepted="the table has 40 rows")
    return review(
        revision("49e9681a3337", statement(1, "SELECT 1", "SELECT")), findings=(found,)
    )


def hostile() -> Review:
    """Return a review that holds `HOSTILE` wherever a text can stand."""
    text = HOSTILE
    change = Change(text, text, text, text, text)
    facts = statement(
        1,
        f"SELECT '{text}'\n-- {text}",
        text,
        locks=(Lock(text, text, "AX"),),
        blocked=(Blocked(text, reads=True, writes=True, ddl=True),),
        rewritten=(Rewrite(text, 1),),
        scanned=(Scan(text, 1),),
        inserted=(Scan(text, 1),),
        updated=(Scan(text, 1),),
        deleted=(Scan(text, 1),),
        changes=(change,),
        notices=(text,),
        error=text,
        timing=Timing(duration_s=1, held_s=1),
    )
    column = Column(text, text, (text,))
    return review(
        revision(
            text,
            facts,
            down_revision=text,
            title=text,
            file=f"a b/{text}.py",
            down=(facts,),
            changes=(change,),
            tables=(Table(text, (column,), (replace(column, definition="x"),)),),
            left_behind=(change,),
            lost=(text,),
            plans=(PlanChange(text, (text,), (text, text), is_worse=True),),
            notes=(text,),
            error=text,
        ),
        base=text,
        server_version=text,
        findings=tuple(
            finding(
                text,
                number,
                rule=text,
                object=text,
                message=text,
                remedy=text,
                accepted=reason,
            )
            for number in (1, None)
            for reason in (None, text)
        ),
    )


def long(statements: int = 200) -> Review:
    """Return a revision of many statements, the last but one with an error."""
    name = "117d5ee54c1c"
    return review(
        revision(
            name,
            *(
                statement(
                    number,
                    f"CREATE TABLE lake.t{number:03} (\n"
                    + "".join(f"    column_{n} text NOT NULL,\n" for n in range(20))
                    + "    id integer\n)",
                    "CREATE TABLE",
                    locks=(Lock("auth.users", "table", "SRX"),),
                    blocked=(
                        Blocked("auth.users", reads=False, writes=True, ddl=True),
                    ),
                    timing=Timing(start_s=number * 0.01, duration_s=0.009, held_s=0.01),
                )
                for number in range(1, statements + 1)
            ),
        ),
        findings=(
            finding(name, statements - 1),
            *(
                finding(name, number, severity="note", rule="foreign-key-locks")
                for number in range(1, statements, 2)
            ),
        ),
    )
