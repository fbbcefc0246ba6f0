"""`platform stats`: sizes, rates and statements for a review, never any data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ai_platform.review.production import load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.database import Database
    from tests.support.programs import Run

TYPED = "a value nobody may see"


def exported(run: Run, database: Database, path: Path, *more: str, login: str) -> Any:
    """Write the statistics as *login*; return what the command said as JSON."""
    done = run(
        *("platform", "stats", "export", str(path), "--json", *more),
        env=database.environment(login),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_sizes_and_rates_are_written(
    database: Database, run: Run, tmp_path: Path
) -> None:
    """The file reads back: tables with sizes, indexes with method and validity."""
    conn = database.connect()
    conn.execute(
        "INSERT INTO auth.organizations (name, slug)"
        " SELECT %s, 'o' || i FROM generate_series(1, 500) i",
        [TYPED],
    )
    conn.execute("VACUUM ANALYZE auth.organizations")

    said = exported(run, database, tmp_path / "prod.json", login="readonly")

    found = load(tmp_path / "prod.json")
    table = found.table("auth.organizations")
    assert table is not None
    assert (table.rows, table.pages > 0, table.index_bytes > 0) == (500, True, True)
    assert {(i.method, i.is_valid) for i in table.indexes} == {("btree", True)}
    assert found.settings["maintenance_work_mem"]
    assert said["tables"] == len(found.tables)


def test_no_value_and_no_statement_is_in_it(
    database: Database, run: Run, tmp_path: Path
) -> None:
    """What people typed stays in the database; only names of objects leave it."""
    conn = database.connect()
    conn.execute("SELECT %s", [TYPED])
    conn.execute(
        "INSERT INTO auth.organizations (name, slug) VALUES (%s, 'o')", [TYPED]
    )

    exported(run, database, tmp_path / "prod.json", login="app")

    text = (tmp_path / "prod.json").read_text()
    assert TYPED not in text
    assert "SELECT" not in text
    assert "password" not in text


def test_what_a_login_may_not_see_is_told(
    database: Database, run: Run, tmp_path: Path
) -> None:
    """The file is written all the same, and says that something is missing."""
    said = exported(run, database, tmp_path / "prod.json", login="app")

    assert any("longest transaction" in words for words in said["missing"])
    assert load(tmp_path / "prod.json").longest_transaction_s is None


def test_a_sample_gives_rates(database: Database, run: Run, tmp_path: Path) -> None:
    """Rates are the mean of the seconds asked for, and nothing is missing there."""
    said = exported(
        run, database, tmp_path / "prod.json", "--sample", "0.2s", login="readonly"
    )

    found = load(tmp_path / "prod.json")
    assert found.window_s is not None
    assert 0.2 <= found.window_s < 30
    assert not any("rates" in words for words in said["missing"])
    assert {one.inserts_per_s for one in found.tables} == {0}


def test_partitions_add_up(database: Database, run: Run, tmp_path: Path) -> None:
    """A partitioned table is as big as its parts together."""
    exported(run, database, tmp_path / "prod.json", login="readonly")

    found = load(tmp_path / "prod.json")
    parts = [one for one in found.tables if one.parent == "algo_platform.run_metrics"]
    whole = found.table("algo_platform.run_metrics")
    assert whole is not None
    assert len(parts) > 1
    assert whole.index_bytes == sum(part.index_bytes for part in parts)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--sample", "soon"], "--sample must be a time, got 'soon'"),
        (["--sample", "2h"], "sample must be up to 3600 seconds"),
        (["--sample", "0s"], "sample must be up to 3600 seconds"),
    ],
)
def test_a_bad_sample_is_refused(
    database: Database, run: Run, tmp_path: Path, more: list[str], words: str
) -> None:
    """Usage errors leave with 2 and no file."""
    path = tmp_path / "prod.json"

    done = run(
        *("platform", "stats", "export", str(path), *more),
        env=database.environment("readonly"),
    )

    assert (done.returncode, words in done.stderr) == (2, True)
    assert not path.exists()


@pytest.mark.parametrize(
    ("name", "login", "code", "words"),
    [
        ("old.json", "postgres", 4, "pg_stat_statements is not in this database"),
        ("old.json", "nobody-here", 2, "there is no login 'nobody-here'"),
        ("old.txt", "app", 2, "old.txt"),
    ],
)
def test_statements_that_cannot_be_had(  # noqa: PLR0913 - two fixtures, four values
    database: Database,
    run: Run,
    tmp_path: Path,
    *,
    name: str,
    login: str,
    code: int,
    words: str,
) -> None:
    """The next step is named, and no file is begun."""
    argv = ("platform", "stats", "statements", str(tmp_path / name), "--login", login)

    done = run(*argv, env=database.environment("readonly"))

    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_file(database: Database, run: Run, tmp_path: Path) -> None:
    """The error names what was given."""
    done = run(
        *("platform", "stats", "export", str(tmp_path)),
        env=database.environment("readonly"),
    )

    assert (done.returncode, "is a folder" in done.stderr) == (2, True)
