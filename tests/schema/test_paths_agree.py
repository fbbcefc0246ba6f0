"""Online, offline, Flyway, and the three ways to install: one catalog."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import Refused
from ai_platform.runner import offline
from tests.support.catalogs import assert_same_catalog, catalog_of
from tests.support.environment import clean_environment
from tests.support.programs import CHECKOUT, run_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.branch import Branch
    from tests.support.database import Database
    from tests.support.programs import Run


def _psql(database: Database, *arguments: str | Path) -> None:
    from ai_platform.server import EmbeddedServer  # noqa: PLC0415

    run_program(
        EmbeddedServer().bin_dir / "psql",
        *("-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url, *arguments),
        env=clean_environment(PGOPTIONS="-c client_min_messages=error"),
        timeout=120,
        check=True,
    )


def test_offline_sql_gives_the_online_catalog(
    database: Database, empty: Database, tmp_path: Path
) -> None:
    """What a DBA pipes into psql is what `upgrade head` does."""
    script = tmp_path / "head.sql"
    script.write_text(offline.range_sql("head"), encoding="utf-8")

    _psql(empty, "-f", script)

    assert_same_catalog(catalog_of(database), catalog_of(empty))


def test_review_files_give_the_online_catalog(
    database: Database, empty: Database
) -> None:
    """The committed files, one after the other, are exactly what runs."""
    for revision in offline.revisions():
        _psql(empty, "-f", offline.REVIEW / f"{revision.id}.up.sql")

    assert_same_catalog(catalog_of(database), catalog_of(empty))


def test_review_files_lead_back_to_nothing(database: Database, empty: Database) -> None:
    """The committed way down, from head, leaves the catalog of an empty database."""
    before = catalog_of(empty)
    for revision in reversed(offline.revisions()):
        _psql(database, "-f", offline.REVIEW / f"{revision.id}.down.sql")

    assert_same_catalog(before, catalog_of(database))


def test_flyway_files_give_the_online_catalog(
    database: Database, empty: Database, tmp_path: Path
) -> None:
    """V1__… to V<n>__…, each run as Flyway does, build the same database."""
    for name, text in offline.flyway_files():
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = sorted(
        tmp_path.glob("V*.sql"), key=lambda path: int(path.name[1:].split("__")[0])
    )
    assert len(files) == len(offline.revisions())

    for path in files:
        alone = path.with_name(path.name + ".conf").exists()
        _psql(empty, *([] if alone else ["-1"]), "-f", path)

    assert_same_catalog(catalog_of(database), catalog_of(empty))


def test_flyway_files_leave_transactions_to_flyway() -> None:
    """No BEGIN, COMMIT or version table of Alembic's in a Flyway file."""
    for name, text in offline.flyway_files():
        assert not re.search(r"^(BEGIN|COMMIT);", text, re.MULTILINE), name
        assert "INSERT INTO public.alembic_version" not in text, name


def test_review_files_are_current() -> None:
    """`platform docs build` was run after the last change of a revision."""
    expected = dict(offline.review_files())
    found = {path.name: path.read_text("utf-8") for path in offline.REVIEW.glob("*")}

    assert sorted(expected) == sorted(found)
    assert [name for name in expected if expected[name] != found[name]] == []


@pytest.mark.slow
def test_a_schema_built_by_files_is_adopted(
    database: Database, empty: Database, tmp_path: Path, run: Run
) -> None:
    """From Flyway to Alembic: upgrade says stamp, stamp goes on, and all works then."""
    for name, text in offline.flyway_files():
        (tmp_path / "V.sql").write_text(text, encoding="utf-8")
        _psql(empty, "-1", "-f", tmp_path / "V.sql")
        assert name
    environment = empty.environment()

    told = run("platform", "db", "upgrade", env=environment)
    assert (told.returncode, "platform db stamp head" in told.stderr) == (4, True)
    for command in (
        ("stamp", "head"),
        ("downgrade", "-2"),
        ("upgrade", "head"),
        ("check",),
    ):
        done = run("alembic", *command, env=environment)
        assert done.returncode == 0, (command, done.stderr)
    assert_same_catalog(catalog_of(database), catalog_of(empty))


def test_a_step_outside_a_transaction_stands_alone_in_its_file(
    branch: Branch,
) -> None:
    """Its Flyway file has a .conf; with anything before it the text is refused."""
    branch.add(
        "t_index",
        'as_owner(); index_concurrently("auth.ix_t", "auth.users", "(last_name)")',
    )
    files = dict(offline.flyway_files(branch.ini))
    (name,) = [name for name in files if name.endswith(".conf")]
    assert files[name] == "executeInTransaction=false\n"
    assert "CREATE INDEX CONCURRENTLY" in files[name.removesuffix(".conf")]

    branch.change("t_index", "as_owner();", 'op.execute("SELECT 1");')
    with pytest.raises(Refused, match="not alone in its revision"):
        dict(offline.flyway_files(branch.ini))


def test_history_has_one_line() -> None:
    """Review and Flyway files follow one line of revisions: no branch, no merge."""
    known = offline.revisions()
    parents = [revision.parent for revision in known]

    assert parents == ["base", *(revision.id for revision in known[:-1])]


def test_frozen_bodies_survive_tidying() -> None:
    """No blanks at line ends, no two empty lines: tidy text is the text that runs."""
    for path in (CHECKOUT / "migrations" / "sql").glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"[ \t]+$|\n\n\n", text, re.MULTILINE), path.name
