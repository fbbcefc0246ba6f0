"""`platform db` as a person types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ai_platform.runner import offline

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database
    from tests.support.programs import Run


def test_a_dry_run_lists_and_changes_nothing(empty: Database, run: Run) -> None:
    """`upgrade --dry-run` names every revision that would run, and runs none."""
    done = run(
        "platform", "db", "upgrade", "--dry-run", "--json", env=empty.environment()
    )
    listed = [row["revision"] for row in json.loads(done.stdout)]

    assert done.returncode == 0, done.stderr
    assert listed == [revision.id for revision in offline.revisions()]
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert empty.connect().execute(tables).fetchone() == (0,)


def test_upgrade_says_from_where_to_where(database: Database, run: Run) -> None:
    """One step down and up again, with the revisions named as JSON."""
    known = offline.revisions()
    environment = database.environment()

    down = run("platform", "db", "downgrade", "-1", "--yes", "--json", env=environment)
    up = run("platform", "db", "upgrade", "+1", "--json", env=environment)

    assert json.loads(down.stdout)["after"] == known[-2].id, down.stderr
    assert json.loads(up.stdout) == {
        "before": known[-2].id,
        "after": known[-1].id,
        "head": known[-1].id,
    }


def test_a_downgrade_asks_first(database: Database, run: Run) -> None:
    """Without a terminal and without --yes nothing is undone: exit 2."""
    done = run("platform", "db", "downgrade", "base", env=database.environment())

    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_history_tells_what_is_applied(database: Database, run: Run) -> None:
    """The list of revisions says which the database has; the journal who ran them."""
    environment = database.environment()
    listed = run("platform", "db", "history", "--json", env=environment)
    journal = run("platform", "db", "history", "--journal", "--json", env=environment)

    known = [row["revision"] for row in json.loads(listed.stdout) if row["applied"]]
    ran = json.loads(journal.stdout)

    assert known == [revision.id for revision in offline.revisions()]
    assert [row["revision"] for row in reversed(ran)] == known
    assert {row["outcome"] for row in ran} == {"done"}


def test_the_journal_needs_the_owner(database: Database, run: Run) -> None:
    """An application login may not read who migrated: exit 4 and the missing right."""
    environment = database.environment("app")
    done = run("platform", "db", "history", "--journal", env=environment)

    assert done.returncode == 4
    assert "platform_owner" in done.stderr


def test_current_counts_what_is_missing(empty: Database, run: Run) -> None:
    """An empty database is at no revision and misses all of them."""
    done = run("platform", "db", "current", "--json", env=empty.environment())

    assert json.loads(done.stdout) == {
        "current": None,
        "head": offline.revisions()[-1].id,
        "missing": len(offline.revisions()),
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "revision 'nope' does not exist"),
        (["head:base"], "does not run from an older to a newer"),
        (["base"], "base has no SQL"),
        (["base:nope"], "revision 'nope' does not exist"),
        (["a:b:c"], "more than one colon"),
        (["--bootstrap", "--down"], "--bootstrap and --down cannot be combined"),
        (["--flyway", "x", "base:head"], "--flyway and base:head cannot be combined"),
        (["--review", "--bootstrap"], "--bootstrap and --review cannot be combined"),
    ],
)
def test_an_unusable_range_is_named(arguments: list[str], words: str, run: Run) -> None:
    """`db sql` needs no server, and says which revision it does not know: exit 2."""
    done = run("platform", "db", "sql", *arguments)

    assert done.returncode == 2
    assert words in done.stderr


def test_an_empty_range_is_nothing_to_run(run: Run) -> None:
    """`db sql <current>:head` on a finished database is no error and no statement."""
    head = offline.revisions()[-1].id
    done = run("platform", "db", "sql", f"{head}:head")

    assert done.returncode == 0
    assert done.stdout.startswith("-- nothing to run")
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.slow
def test_every_command_reads_its_files_in_any_locale(
    database: Database, run: Run
) -> None:
    """LC_ALL=C, as in a bare container: no file of ours needs another encoding."""
    environment = database.environment(
        LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )

    assert run("alembic", "check", env=environment).returncode == 0
    assert run("platform", "db", "sql", env=environment).returncode == 0
    assert run("platform", "db", "check", env=environment).returncode == 0


def test_an_impossible_step_is_a_usage_error(database: Database, run: Run) -> None:
    """Steps beyond the last revision: exit 2 with and without --dry-run."""
    for flags in ([], ["--dry-run"]):
        environment = database.environment()
        done = run("platform", "db", "upgrade", "+99", *flags, env=environment)
        assert done.returncode == 2
        assert "platform db history" in done.stderr


def test_sql_of_one_revision_is_its_review_file(run: Run) -> None:
    """An id, or its beginning, gives that step alone, up or down."""
    revision = offline.revisions()[5]
    for way in ("up", "down"):
        flags = ["--down"] if way == "down" else []
        done = run("platform", "db", "sql", revision.id[:6], *flags)
        review = (offline.REVIEW / f"{revision.id}.{way}.sql").read_text("utf-8")
        assert review.endswith(done.stdout)


def test_the_bootstrap_can_be_run_again(empty: Database, run: Run) -> None:
    """What the DBA runs is idempotent: twice is once."""
    text = run("platform", "db", "sql", "--bootstrap").stdout.encode()
    session = empty.connect()
    session.execute(text)
    session.execute(text)

    roles = session.execute(
        "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'platform\\_%'"
    ).fetchone()
    assert roles == (6,)


def test_flyway_files_are_written_once(tmp_path: Path, run: Run) -> None:
    """A second run over the same folder reports that every file is current."""
    first = run("platform", "db", "sql", "--flyway", tmp_path / "sql", "--json")
    second = run("platform", "db", "sql", "--flyway", tmp_path / "sql")

    assert len(json.loads(first.stdout)) == len(list((tmp_path / "sql").iterdir()))
    assert "every file is current" in second.stderr


def test_flyway_into_a_file_is_refused(tmp_path: Path, run: Run) -> None:
    """A folder that is a file is named, and left as it is: exit 2."""
    place = tmp_path / "notes.txt"
    place.write_text("mine", encoding="utf-8")
    done = run("platform", "db", "sql", "--flyway", place)

    assert done.returncode == 2
    assert "notes.txt" in done.stderr
    assert place.read_text(encoding="utf-8") == "mine"


def test_stamp_writes_the_version_only(database: Database, run: Run) -> None:
    """`stamp` moves the mark without running SQL; it asks first."""
    known = offline.revisions()
    environment = database.environment("migrator")
    asked = run("platform", "db", "stamp", known[0].id, env=environment)
    done = run(
        "platform", "db", "stamp", known[0].id, "--yes", "--json", env=environment
    )

    assert asked.returncode == 2
    assert json.loads(done.stdout) == {"current": known[0].id}
    table = "SELECT to_regclass('auth.users') IS NOT NULL"
    assert database.connect().execute(table).fetchone() == (True,)
