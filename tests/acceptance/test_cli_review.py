"""`platform review` as somebody types it, on a project that is not ours."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.environment import clean_environment

if TYPE_CHECKING:
    from tests.support.cluster import Cluster
    from tests.support.database import Database
    from tests.support.programs import Result, Run
    from tests.support.projects import Shop

RENAME = "op.execute('ALTER TABLE products RENAME COLUMN name TO title')"
READ = "assert op.get_bind().exec_driver_sql('SELECT 1').scalar() == 1"
RENAME_BACK = "op.execute('ALTER TABLE products RENAME COLUMN title TO name')"


class Review:
    """Calls the command on the shop, on the tests' own server."""

    def __init__(self, run: Run, shop: Shop, empty: Database) -> None:
        self._run = run
        self._words = ("--config", str(shop.ini))
        self._environment = empty.environment()
        self.dsn = ("--dsn", empty.url)

    def __call__(self, *words: str, code: int = 0, own: bool = False) -> Result:
        """Run it with *words*; fail unless it leaves with *code*."""
        place = () if own else self.dsn
        rows = () if "--no-measure" in words else ("--rows", "200")
        limit = ("--set", "lock_timeout=4s")
        argv = ("platform", "review", *self._words, *rows, *limit, *place, *words)
        done = self._run(*argv, env=self._environment, timeout=120)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def review(run: Run, shop: Shop, empty: Database) -> Review:
    """Give the caller of the command."""
    return Review(run, shop, empty)


def test_a_review_comes_in_every_form(review: Review, tmp_path: Path) -> None:
    """One run writes what people, pull requests and programs read."""
    names = ["r.md", "r.html", "r.json", "r.sarif"]
    outs = [word for name in names for word in ("--out", str(tmp_path / name))]

    done = review("b2", "--format", "md", *outs)

    assert done.stdout.strip() == (tmp_path / "r.md").read_text("utf-8").strip()
    said = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [one["revision"] for one in said["review"]["revisions"]] == ["b2"]
    assert [path.name for path in sorted(tmp_path.glob("r.*"))] == sorted(names)


def test_a_dangerous_change_ends_with_one(
    review: Review, shop: Shop, tmp_path: Path
) -> None:
    """The rule, the lock, the remedy, and exit code 1; accepted, it is 0."""
    shop.add("c9", RENAME, RENAME_BACK)
    shop.git("init", "--quiet", "..")
    sarif = tmp_path / "r.sarif"

    done = review("c9", "--out", str(sarif), code=1)
    said = done.stdout
    entry = 'rule = "rename-breaks-code"\nrevision = "c9"\nreason = "nobody reads it"'
    accept = shop.folder / "review.accept.toml"
    accept.write_text(f"[[accept]]\n{entry}\nexpires = 2999-12-31\n", encoding="utf-8")
    accepted = review("c9").stdout

    assert "rename-breaks-code" in said
    assert "AX public.products" in said
    assert "nobody reads it" in accepted
    assert "exit code 1: findings of severity error or worse" in done.stderr
    # a code host looks from the head of the repository, which is not the project's
    assert '"uri": "shop/migrations/versions/c9.py"' in sarif.read_text("utf-8")


@pytest.mark.slow
def test_an_acceptance_that_nothing_needs_is_an_error(
    review: Review, shop: Shop
) -> None:
    """Or the file would grow for ever, and excuse what comes later."""
    entry = 'rule = "rename-breaks-code"\nrevision = "b2"\nreason = "once"'
    accept = shop.folder / "mine.toml"
    accept.write_text(f"[[accept]]\n{entry}\nexpires = 2999-12-31\n", encoding="utf-8")

    assert "acceptance-unused" in review("b2", "--accept", str(accept), code=1).stdout


def test_a_revision_that_fails_ends_with_four(review: Review, shop: Shop) -> None:
    """It is never counted as measured, and the server's words are shown."""
    shop.add("c9", "op.execute('CREATE EXTENSION no_such_thing')")

    said = review("c9", code=4).stdout

    assert "Do not run" in said
    assert "review on a server that has no_such_thing: --dsn URL" in said


@pytest.mark.slow
def test_rows_made_up_fail_no_revision(
    review: Review, shop: Shop, tmp_path: Path
) -> None:
    """From a dump too; a file that is none, or nothing to measure, ends with two."""
    schema = tmp_path / "schema.sql"
    schema.write_text("CREATE TABLE legacy (id integer PRIMARY KEY)", encoding="utf-8")
    add = "op.execute('ALTER TABLE legacy ADD code integer NOT NULL')"
    shop.add("c9", add, "op.drop_column('legacy', 'code')")
    words = ("c9", "--schema", str(schema))

    said = review(*words, code=1).stdout
    unread = review(*words, "--no-measure", code=2, own=True).stderr
    schema.write_text("CREATE TABLE legacy (id integer);\nnonsense", encoding="utf-8")

    assert "fails-on-rows  public.legacy  (c9 statement 1)" in said
    assert "not known" in said
    assert "--schema is for measuring" in unread
    assert "schema.sql:2: no dump of a schema" in review(*words, code=2).stderr


@pytest.mark.slow
def test_a_revision_that_hangs_is_cancelled(review: Review, shop: Shop) -> None:
    """After --timeout it has failed; nobody waits for it until tomorrow."""
    shop.add("c9", "op.execute('SELECT pg_sleep(600)')")

    assert "longer than 3 seconds" in review("c9", "--timeout", "3", code=4).stdout


@pytest.mark.slow
def test_python_that_was_only_read_ends_with_one(review: Review, shop: Shop) -> None:
    """It has not failed: it has no SQL to read, and nothing is known of it."""
    shop.add("c9", READ, READ)

    said = review("c9", "--no-measure", code=1, own=True).stdout

    assert "python-unread" in said
    assert "it has no SQL to read: migrations/versions/c9.py:10" in said
    assert "failed to run" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lossy", "told"),
    [
        ("'public.products.name'", "lossy must name columns, got 'public.products"),
        ("['public.products.name', 7]", "lossy must name columns, got ['public"),
        ("{'products.name'}", "lossy must name columns, got 'products.name'"),
        ("{'public.products.nam'}", "a column that is not there, got 'public.prod"),
    ],
)
def test_a_loss_that_is_no_column_ends_with_two(
    review: Review, shop: Shop, lossy: str, told: str
) -> None:
    """A declaration with a typing error excuses nothing, and says where it is."""
    file = shop.add("c9", "op.drop_column('products', 'name')", "pass")
    file.write_text(f"{file.read_text(encoding='utf-8')}\nlossy = {lossy}\n")

    said = review("c9", code=2).stderr

    assert "migrations/versions/c9.py: lossy" in said
    assert told in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("down", "told"),
    [
        (f"{READ}\n    {RENAME_BACK}", None),
        ("raise RuntimeError('names are lost')", "names are lost"),
    ],
)
def test_a_way_down_in_python_is_gone(
    review: Review, shop: Shop, down: str, told: str | None
) -> None:
    """Down that reads data runs by its Python; one that refuses is said to refuse."""
    shop.add("c9", RENAME, down)

    document = json.loads(review("c9", "--json", code=1).stdout)

    (one,) = document["review"]["revisions"]
    assert one["is_reversible"] is (told is None)
    assert [item["tag"] for item in one["down"]] == (
        [] if told else ["SELECT", "ALTER TABLE"]
    )
    assert any("it has no way down" in note for note in one["notes"]) is bool(told)


def test_a_way_down_that_leaks_ends_with_four(review: Review, shop: Shop) -> None:
    """What a downgrade leaves behind is named."""
    shop.add("c9", "op.execute('CREATE FUNCTION f() RETURNS int RETURN 1')")

    said = review("c9", code=4).stdout

    assert "downgrade-leak" in said
    assert "function public.f()" in said


def test_not_valid_then_validate_is_safe(review: Review, shop: Shop) -> None:
    """The pair of the textbook passes: nobody can take a validation back."""
    table = "ALTER TABLE products"
    check = "ADD CONSTRAINT ck_products_id CHECK (id > 0) NOT VALID"
    shop.add(
        "c9",
        f"op.execute('{table} {check}')",
        f"op.execute('{table} DROP CONSTRAINT ck_products_id')",
    )
    shop.add(
        "d9", f"op.execute('{table} VALIDATE CONSTRAINT ck_products_id')", parent="c9"
    )

    assert "Safe to run" in review("c9..d9").stdout


def test_what_is_only_read_says_so(review: Review, shop: Shop) -> None:
    """Without measuring no server is needed, and no fact is claimed."""
    shop.add("c9", RENAME, RENAME_BACK)

    said = review("c9", "--no-measure", code=1, own=True).stdout

    assert "nothing was measured" in said
    assert "rename-breaks-code" in said


@pytest.mark.slow
def test_old_code_must_still_work(review: Review, shop: Shop, tmp_path: Path) -> None:
    """Statements of the previous release are prepared on the new schema."""
    shop.add("c9", RENAME, RENAME_BACK)
    old = tmp_path / "old.sql"
    old.write_text("-- name: find\nSELECT name FROM products;\n", encoding="utf-8")

    said = review("c9", "--old-code", str(old), code=1).stdout

    assert "old-code" in said
    assert "42703" in said


@pytest.mark.slow
def test_nothing_is_left_on_the_server(
    review: Review, shop: Shop, cluster: Cluster
) -> None:
    """Scratch databases go, also after a failure."""
    shop.add("c9", "op.execute('SELECT 1 / 0')")
    review("c9", code=4)

    with cluster.connect() as connection:
        query = "SELECT datname FROM pg_database WHERE datname LIKE 'platform_scratch%'"
        assert connection.execute(query).fetchall() == []


def test_no_revision_changed_is_nothing_to_review(review: Review, shop: Shop) -> None:
    """A pull request without revisions passes."""
    shop.git("init")
    shop.commit()

    assert "Nothing to review" in review("--git-base", "HEAD", own=True).stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("zz",), 2, "zz"),
        (("b2..a1",), 2, "b2"),
        (("--out", "review.pdf"), 2, "review.pdf"),
        (("--dsn", "postgresql://u:secret@db/x"), 2, "password"),
        (("--dsn", "postgresql://nobody@127.0.0.1:1/x"), 3, "127.0.0.1"),
        (("--env", "STAGE"), 2, "there is no such variable"),
        (("--set", "lock_timeout"), 2, "NAME=VALUE"),
        (("--set", "no_such_setting=1"), 4, "no_such_setting"),
        (("--no-measure", "--insist", "x"), 2, "--insist"),
        (("--no-measure", "--rows", "100000"), 2, "--rows is for measuring"),
        (("--no-measure", "--profile", "small"), 2, "--profile is for measuring"),
        (("--accept", "/no/such.toml"), 2, "such.toml"),
        (("--stats", "/no/such.json"), 2, "such.json"),
        (("--old-code", "/no/such.sql"), 2, "such.sql"),
        (("--python", "/no/such/python"), 2, "python"),
        (("--python", "/bin/sh"), 2, "is no Python"),
    ],
)
def test_a_bad_word_is_named(
    review: Review, words: tuple[str, ...], code: int, said: str
) -> None:
    """One line on stderr, the code, and never the password."""
    done = review(*words, code=code, own=True)

    assert said in done.stderr
    assert "secret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


def test_production_is_refused(run: Run, shop: Shop, database: Database) -> None:
    """A server whose database holds tables is not for reviews, unless insisted."""
    argv = ("platform", "review", "a1", "--config", str(shop.ini), "--rows", "10")
    words: list[Any] = [*argv, "--dsn", database.url]

    refused = run(*words, env=clean_environment())
    done = run(*words, "--insist", database.name, env=clean_environment())

    assert refused.returncode == 4
    assert f"--insist {database.name}" in refused.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_newest_of_our_revisions_is_safe(run: Run) -> None:
    """What this project ships passes its own review, on a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "review.json"
        argv = ("platform", "review", "--rows", "100", "--out", str(out))
        done = run(*argv, env=clean_environment(), timeout=120)

        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(out.read_text(encoding="utf-8"))["verdict"]["risk"] == "ok"
