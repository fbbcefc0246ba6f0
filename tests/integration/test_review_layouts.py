"""Projects that are laid out, or begin, in ways of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import BadValue
from ai_platform.review import projects
from ai_platform.review.run import Asked, review

if TYPE_CHECKING:
    from ai_platform.review.projects import Project
    from tests.support.database import Database
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

ALL = ["a1", "c3", "b2", "d4", "e5", "f6", "a7", "b8"]


def names(project: Project) -> list[str]:
    """Return the ids of what is to be reviewed."""
    return [source.revision for source in project.revisions]


@pytest.mark.parametrize(
    ("up", "told"),
    [
        (
            "op.get_bind().execute(sa.text('SELECT :n'), {'n': 1})",
            "written SQL has no values that execute() is given",
        ),
        (
            "sa.Enum('a', name='mood').create(op.get_bind(), checkfirst=True)",
            "it asks first what is there (checkfirst)",
        ),
        (
            "op.execute('SELECT %d' % __import__('alembic').context.is_offline_mode())",
            "it is another one offline (is_offline_mode)",
        ),
    ],
)
def test_sql_that_would_not_run_is_not_written(shop: Shop, up: str, told: str) -> None:
    """What Alembic writes there is another thing than what the upgrade does."""
    shop.add("x1", f"import sqlalchemy as sa; {up}")

    (found,) = projects.read(shop.ini).revisions

    assert found.up_sql == ""
    assert told in (found.offline_error or "")


def test_a_configuration_may_lie_below_the_root(shop: Shop) -> None:
    """What it names is looked for from the folders above it, as if run there."""
    inner = shop.folder / "deep" / "conf"
    inner.mkdir(parents=True)
    ini = shop.ini.rename(inner / "alembic.ini")

    assert names(projects.read(ini)) == ["b8"]


def test_env_may_say_where_revisions_lie(shop: Shop) -> None:
    """A folder that is chosen in env.py is the history."""
    (shop.folder / "other").mkdir()
    shop.versions.rename(shop.folder / "other" / "postgresql")
    place = "str(__import__('pathlib').Path('other/postgresql').resolve())"
    shop.replace(
        "migrations/env.py",
        "config = ",
        f"context.script.version_locations = [{place}]\nconfig = ",
    )

    assert names(projects.read(shop.ini, span="base..head")) == ALL


def test_flask_migrate_finds_its_application(shop: Shop, empty: Database) -> None:
    """As `flask db` would: no place in alembic.ini, an application around env.py."""
    shop.ini.rename(shop.env.parent / "alembic.ini")
    shop.replace("migrations/alembic.ini", "script_location = migrations", "")
    shop.replace(
        "migrations/env.py",
        "config = ",
        "from flask import current_app\nassert current_app.config['SHOP']\nconfig = ",
    )
    (shop.folder / "app.py").write_text(
        "import flask, sys\nassert sys.argv[:2] == ['flask', 'db']\n"
        "app = flask.Flask('shop')\napp.config['SHOP'] = 1\n"
    )

    project = projects.read(shop.env.parent / "alembic.ini", span="a1")
    projects.Python(project)("a1", empty.url, is_down=False)

    assert empty.connect().execute("SELECT count(*) FROM products").fetchone() == (0,)
    (shop.folder / "app.py").unlink()
    with pytest.raises(BadValue, match="Flask finds no application"):
        projects.read(shop.env.parent / "alembic.ini")


def test_what_env_does_itself_is_no_revision(shop: Shop) -> None:
    """Its settings hold while revisions are measured, its schema is no leak."""
    shop.replace(
        "migrations/env.py",
        "    with connectable.connect() as connection:\n",
        "    with connectable.connect() as connection:\n"
        "        connection.exec_driver_sql('CREATE SCHEMA IF NOT EXISTS desk')\n"
        "        connection.exec_driver_sql(\"SET lock_timeout = '3s'\")\n"
        "        connection.exec_driver_sql('SET search_path TO desk')\n"
        "        connection.commit()\n",
    )
    shop.add(
        "x1",
        "op.execute('CREATE TABLE t ()')",
        "op.execute('DROP TABLE t')",
        parent=None,
    )
    project = projects.read(shop.ini, span="x1")

    (facts,) = review(project, Asked(rows=1, settings={})).revisions

    assert [change.identity for change in facts.changes] == ["desk.t"]
    assert facts.up[0].lock_timeout_ms == 3000
    assert facts.left_behind == ()
    assert facts.notes[0].endswith(
        "CREATE SCHEMA IF NOT EXISTS desk; SET lock_timeout = '3s'; "
        "SET search_path TO desk"
    )
