"""Reading the revisions of any Alembic project, and running them."""

from __future__ import annotations

import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import alembic
import pytest

from ai_platform.errors import BadValue, PlatformError, Refused
from ai_platform.review import _foreign, projects
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from ai_platform.review.projects import Project
    from ai_platform.review.sources import RevisionSource
    from tests.support.database import Database
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

ALL = ["a1", "c3", "b2", "d4", "e5", "f6", "a7", "b8"]


def names(project: Project) -> list[str]:
    """Return the ids of what is to be reviewed."""
    return [source.revision for source in project.revisions]


def sources(project: Project) -> dict[str, RevisionSource]:
    """Return everything read, by id."""
    return {s.revision: s for s in (*project.before, *project.revisions)}


def test_a_foreign_project_is_read_whole(shop: Shop) -> None:
    """Branches, labels, a merge, files, phases and the SQL of both ways."""
    project = projects.read(shop.ini, span="base..head")
    found = sources(project)

    assert names(project) == ALL
    assert (project.base, project.head, project.heads) == (None, "b8", ("b8",))
    assert found["d4"].down_revision == "b2,c3"
    assert found["a7"].phase == "contract"
    assert found["a1"].file == "migrations/versions/a1_products.py"
    assert found["a7"].up_sql == "ALTER TABLE products RENAME price TO price_cents;\n"
    assert found["b2"].down_sql == "DROP TABLE customers;\n"


def test_its_modules_are_not_ours(shop: Shop) -> None:
    """`models` and `migrations` are theirs, with a percent sign as they wrote it."""
    project = projects.read(shop.ini)

    assert "IF NEW.price_cents % 5 <> 0 THEN" in project.revisions[0].up_sql


def test_our_modules_are_out_of_reach(shop: Shop) -> None:
    """A project without `seeds` finds none, although our checkout has one."""
    shop.replace("migrations/env.py", "from models", "import seeds\nfrom models")

    with pytest.raises(BadValue, match=r"env\.py:10: ModuleNotFoundError: .*'seeds'"):
        projects.read(shop.ini)


def test_an_installed_wheel_hides_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In site-packages we lie beside the project's Alembic, which stays in reach."""
    monkeypatch.setattr(_foreign, "CHECKOUT", Path(alembic.__file__).parents[1])

    assert projects.read(shop.ini).head == "b8"


def test_steps_outside_a_transaction_are_told(shop: Shop) -> None:
    """Whole revisions by their flag, single steps by BEGIN and COMMIT in the text."""
    found = sources(projects.read(shop.ini))

    assert not found["c3"].up_in_transaction
    assert not found["c3"].down_in_transaction
    assert found["c3"].up_sql.startswith("CREATE INDEX CONCURRENTLY")
    assert found["e5"].up_in_transaction
    assert [
        line.split()[0]
        for line in found["e5"].up_sql.splitlines()
        if line[:1].isupper()
    ] == ["BEGIN;", "CREATE", "COMMIT;", "ALTER", "BEGIN;", "COMMENT", "COMMIT;"]


def test_python_that_reads_is_no_sql(shop: Shop) -> None:
    """Such a revision says where it reads; its neighbours are read as ever."""
    found = sources(projects.read(shop.ini))

    assert found["f6"].up_sql == ""
    assert found["f6"].offline_error is not None
    assert found["f6"].offline_error.startswith(
        "migrations/versions/f6_default_product.py:11: AttributeError"
    )
    assert [name for name in ALL if found[name].offline_error] == ["f6"]
    assert found["f6"].down_sql is not None


def test_our_own_text_is_the_committed_one() -> None:
    """What is reviewed is what stands in migrations/review, statement by statement."""
    project = projects.read(span="base..head")

    assert project.version_table == "public.alembic_version"
    assert project.transaction_per_migration
    for source in project.revisions:
        for way in ("up", "down"):
            committed = CHECKOUT / f"migrations/review/{source.revision}.{way}.sql"
            lines = {line.strip() for line in committed.read_text().splitlines()}
            for step in project.steps[source.revision, way]:
                told = {line.strip() for line in step.sql.splitlines()} - {""}
                assert told <= lines


def test_two_heads_must_be_chosen_between(shop: Shop) -> None:
    """Which one is last is for the user to say; each can be named."""
    shop.add("x1", "op.execute('SELECT 1')", parent="a7")

    with pytest.raises(BadValue, match="2 heads"):
        projects.read(shop.ini)
    assert names(projects.read(shop.ini, span="a7..x1")) == ["x1"]


def test_a_dependency_runs_before(shop: Shop) -> None:
    """What `depends_on` names has run when the revision is measured."""
    shop.replace(
        "migrations/versions/c3_product_names.py",
        'down_revision = "a1"',
        'down_revision = "a1"\ndepends_on = ("b2",)',
    )
    project = projects.read(shop.ini, span="c3")

    assert [source.revision for source in project.before] == ["a1", "b2"]
    assert project.revisions[0].down_revision == "a1"


@pytest.mark.parametrize("instead", ["if False:", "import sys\nif sys.exit(3):"])
def test_env_without_offline_mode_is_told(shop: Shop, instead: str) -> None:
    """Its revisions are written down past it, nothing connects, and it is noted."""
    shop.replace("migrations/env.py", "if context.is_offline_mode():", instead)

    project = projects.read(shop.ini)

    (note,) = project.notes
    assert note == "env.py has no offline mode: the SQL was written without it"
    assert "CREATE TRIGGER" in project.revisions[0].up_sql


def test_async_projects_are_read_and_run(shop: Shop, empty: Database) -> None:
    """Alembic's async template, both ways."""
    text = (shop.env.parent / "env_async.py").read_text()
    shop.env.write_text(text)
    project = projects.read(shop.ini, span="a1")

    projects.Python(project)("a1", empty.url, is_down=False)

    assert empty.connect().execute("SELECT count(*) FROM products").fetchone() == (0,)


def test_variables_of_env_are_given(shop: Shop) -> None:
    """What env.py misses is named with the option that gives it."""
    line = "from models import metadata\nimport os\nos.environ['SHOP_URL']"
    shop.replace("migrations/env.py", "from models import metadata", line)

    with pytest.raises(BadValue, match="KeyError: 'SHOP_URL'") as caught:
        projects.read(shop.ini)
    assert "--env SHOP_URL, or SHOP_URL=VALUE" in str(caught.value.hint)
    given = {"SHOP_URL": "postgresql://shop@db.invalid/shop"}
    assert names(projects.read(shop.ini, env=given)) == ["b8"]


def test_our_database_is_none_of_theirs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which database is ours is not told to env.py of another project."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann:secret-1@db.invalid/ours")
    line = "from models import metadata\nimport os\nos.environ['DATABASE_URL']"
    shop.replace("migrations/env.py", "from models import metadata", line)

    with pytest.raises(BadValue, match="KeyError: 'DATABASE_URL'"):
        projects.read(shop.ini)


@pytest.mark.parametrize(
    "fault",
    [
        "raise ValueError('no way to ' + os.environ['SHOP_URL'])",
        "raise ValueError('no way to postgresql://ann:hunter22@db.invalid/shop')",
        "__import__('sqlalchemy').make_url('ann:hunter22')",
        "raise ValueError(context.get_x_argument(as_dictionary=True)['password'])",
    ],
)
def test_errors_keep_secrets(shop: Shop, fault: str) -> None:
    """Passwords in URLs, variables and arguments stay out of what is told."""
    shop.replace("migrations/env.py", "config = ", f"import os\n{fault}\nconfig = ")
    env = {"SHOP_URL": "postgresql://ann:hunter22@db.invalid/shop"}

    with pytest.raises(BadValue) as caught:
        projects.read(shop.ini, env=env, x=["password=hunter22"])

    assert "hunter22" not in f"{caught.value} {caught.value.hint}"
    assert "env.py:" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "migrations/versions/b8_odd_prices.py",
            "def upgrade() -> None:",
            "def upgrade( -> None:",
            r"b8_odd_prices\.py:10: SyntaxError",
        ),
        (
            "migrations/versions/b8_odd_prices.py",
            "from migrations.words",
            "from migrations.sounds",
            r"b8_odd_prices\.py:\d+: ModuleNotFoundError",
        ),
        (
            "migrations/versions/b8_odd_prices.py",
            'down_revision = "a7"',
            'down_revision = "gone"',
            "gone",
        ),
        ("alembic.ini", "= migrations", "= nowhere", "nowhere"),
        ("alembic.ini", "[alembic]", "[other]", r"no '\[alembic\]' section"),
        (
            "migrations/env.py",
            "config = ",
            "import os; os._exit(9)\nconfig = ",
            "interpreter ended with 9",
        ),
        (
            "migrations/env.py",
            'url=config.get_main_option("sqlalchemy.url")',
            'url="mysql://x@y/z"',
            "for mysql, not for PostgreSQL",
        ),
    ],
)
def test_broken_projects_get_one_line(
    shop: Shop, file: str, old: str, new: str, told: str
) -> None:
    """The file, the line and the last line of the traceback, and a next step."""
    shop.replace(file, old, new)

    with pytest.raises(PlatformError, match=told) as caught:
        projects.read(shop.ini)

    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_an_endless_project_is_ended(shop: Shop) -> None:
    """A project that waits for something does not hold up CI."""
    shop.replace(
        "migrations/env.py", "config = ", "__import__('time').sleep(600)\nconfig = "
    )
    began = time.monotonic()

    told = r"migrations/env\.py:\d+: the project did not read within 8 s"
    with pytest.raises(Refused, match=told):
        projects.read(shop.ini, timeout_s=8)

    assert time.monotonic() - began < 300


def test_missing_files_are_named(shop: Shop) -> None:
    """Neither configuration nor interpreter is guessed."""
    with pytest.raises(BadValue, match=r"no configuration '.*x\.ini'"):
        projects.read(shop.folder / "x.ini")
    with pytest.raises(BadValue, match=r"no interpreter '.*/nobody'"):
        projects.read(shop.ini, shop.folder / "nobody")


def test_an_interpreter_without_alembic_is_told(shop: Shop, tmp_path: Path) -> None:
    """An empty environment says what it misses, and a folder of one is enough."""
    venv.create(tmp_path / "empty", symlinks=True)

    with pytest.raises(BadValue, match="No module named 'alembic'") as caught:
        projects.read(shop.ini, tmp_path / "empty")

    assert "--python" in str(caught.value.hint)


def test_pyproject_configures_as_well(shop: Shop) -> None:
    """Alembic's own table in pyproject.toml, without an alembic.ini."""
    shop.ini.unlink()
    (shop.folder / "pyproject.toml").write_text(
        "[tool.alembic]\n"
        'script_location = "%(here)s/migrations"\n'
        'prepend_sys_path = ["."]\n'
    )

    assert names(projects.read(shop.folder / "pyproject.toml")) == ["b8"]


def test_revisions_may_lie_in_several_folders(shop: Shop) -> None:
    """`version_locations` of the project are followed."""
    more = shop.folder / "more"
    more.mkdir()
    shop.add("x1", "op.execute('SELECT 1')").rename(more / "x1.py")
    shop.replace(
        "alembic.ini",
        "prepend_sys_path = .",
        "prepend_sys_path = .\npath_separator = newline\n"
        "version_locations =\n    %(here)s/migrations/versions\n    %(here)s/more",
    )

    assert projects.read(shop.ini).revisions[0].file == "more/x1.py"


def test_reading_leaves_no_trace(shop: Shop) -> None:
    """Not even compiled files are left in the project."""
    before = sorted(shop.folder.rglob("*"))

    projects.read(shop.ini)

    assert sorted(shop.folder.rglob("*")) == before


def test_one_revision_is_run_online(shop: Shop, empty: Database) -> None:
    """What cannot be written runs by its env.py, led away from the URL that it has."""
    project = projects.read(shop.ini)
    connection = empty.connect()
    for source in project.before[: ALL.index("f6")]:
        for step in project.steps[source.revision, "up"]:
            connection.execute(step.sql.encode())

    projects.Python(project)("f6", empty.url, is_down=False)
    version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    product = connection.execute("SELECT name FROM products").fetchall()
    projects.Python(project)("f6", empty.url, is_down=True)

    assert version == [("f6",)]
    assert product == [("100% cotton at 12:30",)]
    assert connection.execute("SELECT name FROM products").fetchall() == []


def test_no_other_database_is_touched(
    shop: Shop, empty: Database, other: Database
) -> None:
    """An env.py that connects by a way of its own is stopped before it writes."""
    shop.replace(
        "migrations/env.py",
        "    connectable = engine_from_config(",
        "    import psycopg\n    from sqlalchemy import create_engine\n"
        f"    way = lambda: psycopg.connect({other.url!r})\n"
        "    connectable = create_engine('postgresql+psycopg://', creator=way)\n"
        "    engine_from_config(",
    )
    project = projects.read(shop.ini)

    with pytest.raises(BadValue, match="connects past SQLAlchemy's URL"):
        projects.Python(project)("a1", empty.url, is_down=False)

    tables = (
        "SELECT relname FROM pg_class WHERE relname IN ('products', 'alembic_version')"
    )
    assert other.connect().execute(tables).fetchall() == []


def test_a_failing_revision_says_what_failed(shop: Shop, empty: Database) -> None:
    """The error of the server comes through, with the place in the revision."""
    shop.add("x1", "op.execute('SELECT 1 FROM nowhere')", parent=None)
    project = projects.read(shop.ini, span="x1")

    with pytest.raises(
        BadValue, match=r'x1\.py:10: .*relation "nowhere" does not exist'
    ):
        projects.Python(project)("x1", empty.url, is_down=False)


def test_five_hundred_revisions_are_quick(shop: Shop) -> None:
    """A long history is read in one process, once."""
    parent = "b8"
    for number in range(500):
        name = f"n{number:03}"
        shop.add(name, f"op.execute('SELECT {number}')", parent=parent)
        parent = name
    began = time.monotonic()

    project = projects.read(shop.ini, span="b8..head")

    assert len(project.revisions) == 500
    assert project.revisions[-1].up_sql == "SELECT 499;\n"
    # a process for each would take minutes
    assert time.monotonic() - began < 60
