"""What an env.py expects around it, and how many databases it migrates."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from ai_platform.errors import BadValue
from ai_platform.review import projects
from ai_platform.review.run import Asked, review

if TYPE_CHECKING:
    from tests.support.database import Database
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

_TWO = """
from alembic import context
from sqlalchemy import create_engine, pool

if context.is_offline_mode():
    for name in ("shop", "desk"):
        with open(name + ".sql", "w") as file:
            context.configure(url="postgresql://x/y", output_buffer=file)
            with context.begin_transaction():
                context.run_migrations(engine_name=name)
else:
    engine = create_engine("postgresql://db.invalid/x", poolclass=pool.NullPool)
    connections = {name: engine.connect() for name in ("shop", "desk")}
    opened = [connection.begin() for connection in connections.values()]
    for name, connection in connections.items():
        context.configure(connection=connection)
        context.run_migrations(engine_name=name)
    for transaction in opened:
        transaction.commit()
"""


def several(shop: Shop) -> Shop:
    """Make *shop* one of two databases, as Alembic's template `multidb` has it."""
    shop.env.write_text(_TWO)
    for file in shop.versions.glob("*.py"):
        file.unlink()
    path = shop.add("x1", "globals()['up_' + engine_name]()", parent=None)
    text = path.read_text().replace("grade():", "grade(engine_name):")
    path.write_text(
        f"{text}\n\ndef up_shop():\n    op.execute('CREATE TABLE a ()')\n"
        "\n\ndef up_desk():\n    op.execute('CREATE TABLE b ()')\n"
    )
    return shop


def set_up(shop: Shop, text: str) -> None:
    """Let the env.py of *shop* run the lines *text* first."""
    lines = textwrap.dedent(text)
    shop.replace("migrations/env.py", "config = ", f"{lines}\nconfig = ")


def test_one_of_several_databases_is_chosen(shop: Shop, empty: Database) -> None:
    """None of them is taken for all; the one that is named is read and run."""
    with pytest.raises(BadValue, match="several databases: 'shop', 'desk'") as caught:
        projects.read(several(shop).ini)
    with pytest.raises(BadValue, match="no engine 'x', only: 'shop', 'desk'"):
        projects.read(shop.ini, engine="x")

    project = projects.read(shop.ini, engine="desk")
    said = projects.Python(project)("x1", empty.url, is_down=False)

    assert "--engine" in (caught.value.hint or "")
    assert project.revisions[0].up_sql == "CREATE TABLE b ();\n"
    assert said.sql == "CREATE TABLE b ()\n;\n"
    assert not list(shop.folder.glob("*.sql"))


def test_the_same_again_is_reviewed_once(shop: Shop) -> None:
    """Who runs the revisions in each schema is told, and each statement stands once."""
    shop.replace(
        "migrations/env.py",
        "    run_migrations_offline()\nelse",
        "    run_migrations_offline()\n    run_migrations_offline()\nelse",
    )

    project = projects.read(shop.ini)

    assert project.notes[0].startswith("env.py runs the revisions 2 times")
    assert [one.revision for one in project.revisions] == ["b8"]


@pytest.mark.parametrize(
    "asked", ["['connection']", ".get('connection').execution_options()"]
)
def test_env_is_given_what_alembic_gives(
    shop: Shop, empty: Database, asked: str
) -> None:
    """Arguments of -x, the options of the command, and the connection of a program."""
    set_up(
        shop,
        """
        assert context.get_x_argument(as_dictionary=True)["tenant"] == "t1"
        assert context.config.cmd_opts.cmd[0].__name__ == "upgrade"
        """,
    )
    shop.replace(
        "migrations/env.py",
        "    with connectable.connect() as connection:",
        f"    with config.attributes{asked} as connection:",
    )
    with pytest.raises(BadValue, match="'tenant'") as caught:
        projects.read(shop.ini)

    project = projects.read(shop.ini, span="a1", x=["tenant=t1"])
    projects.Python(project)("a1", empty.url, is_down=False)

    assert "-x tenant=VALUE" in (caught.value.hint or "")
    assert empty.connect().execute("SELECT count(*) FROM products").fetchone() == (0,)


def test_a_program_commits_what_env_leaves(shop: Shop, empty: Database) -> None:
    """As one does that runs Alembic within a transaction of its own."""
    shop.env.write_text(
        "from alembic import context\n"
        "context.configure(connection=context.config.attributes['connection'])\n"
        "context.run_migrations()\n"
    )
    project = projects.read(shop.ini)

    for revision in ("a1", "b8"):
        projects.Python(project)(revision, empty.url, is_down=False)

    said = empty.connect().execute("SELECT version_num FROM alembic_version")
    assert said.fetchall() == [("b8",)]


def test_ini_and_pyproject_complete_each_other(shop: Shop, empty: Database) -> None:
    """Alembic's template has the URL in one file, and the place of revisions in one."""
    shop.replace("alembic.ini", "script_location = migrations\n", "")
    shop.replace("alembic.ini", "prepend_sys_path = .\n", "")
    shop.replace("alembic.ini", "unsaid", "%(SHOP_PASSWORD)s")
    (shop.folder / "pyproject.toml").write_text(
        '[tool.alembic]\nscript_location = "%(here)s/migrations"\n'
        'prepend_sys_path = ["."]\n'
    )
    set_up(shop, "context.config.set_main_option('SHOP_PASSWORD', 'secret')")

    for file in (shop.ini, shop.folder / "pyproject.toml"):
        project = projects.read(file)
        assert project.revisions[0].revision == "b8"
    projects.Python(projects.read(shop.ini, span="a1"))("a1", empty.url, is_down=False)


def test_autocommit_is_no_transaction(shop: Shop) -> None:
    """Where each statement is committed alone, an index may be built concurrently."""
    shop.replace(
        "migrations/env.py",
        "poolclass=pool.NullPool",
        "poolclass=pool.NullPool, isolation_level='AUTOCOMMIT'",
    )
    shop.add(
        "x1",
        "op.execute('CREATE INDEX CONCURRENTLY late ON products (id)')",
        "op.execute('DROP INDEX CONCURRENTLY late')",
    )

    old = shop.ini.with_name("old.sql")
    old.write_text("SELECT id FROM products")

    asked = Asked(rows=10, settings={}, old_code=old)
    found = review(projects.read(shop.ini), asked)

    (facts,) = found.revisions
    assert facts.error is None
    assert [one.in_transaction for one in (*facts.up, *facts.down)] == [False, False]
    assert "AUTOCOMMIT" in facts.notes[0]
    assert "concurrently-in-transaction" not in {one.rule for one in found.findings}
    assert "autocommit-not-repeatable" in {one.rule for one in found.findings}


def test_the_schema_of_versions_is_there(shop: Shop) -> None:
    """Alembic never makes it; a revision that reads is measured all the same."""
    old = "target_metadata=metadata"
    shop.replace("migrations/env.py", old, "version_table_schema='meta'")
    shop.add("x1", "op.get_bind().exec_driver_sql('SELECT 1').one()")

    (facts,) = review(projects.read(shop.ini), Asked(rows=1, settings={})).revisions

    assert facts.error is None


@pytest.mark.parametrize(
    "statement", ["SET search_path = desk", "SET LOCAL search_path TO desk"]
)
def test_tables_are_filled_on_the_search_path(shop: Shop, statement: str) -> None:
    """A table outside of public that goes by its own name is no empty one."""
    shop.add("x1", "op.execute('CREATE SCHEMA desk; CREATE TABLE desk.t (a int)')")
    shop.add("x2", f"op.execute('{statement}; CREATE INDEX i ON t (a)')", parent="x1")

    found = review(projects.read(shop.ini), Asked(rows=50, settings={}))

    assert [item.relation for item in found.revisions[0].filled] == ["desk.t"]
    assert "index-not-concurrent" in {one.rule for one in found.findings}


def test_a_type_is_made_by_each_revision(shop: Shop) -> None:
    """One run of all revisions makes it once; who is at the first fails at the second.

    A history that somebody came past is no obstacle to what comes after it.
    """
    enum = "sa.Column('m', sa.Enum('a', name='mood'))"
    for name, parent in (("x1", "b8"), ("x2", "x1")):
        up = f"import sqlalchemy as sa; op.create_table('t{name}', {enum})"
        shop.add(name, up, f"op.drop_table('t{name}')", parent=parent)
    down = "op.drop_column('tx2', 'n')"
    shop.add("x3", "op.execute('ALTER TABLE tx2 ADD n int')", down, parent="x2")
    old = shop.ini.with_name("old.sql")
    old.write_text("SELECT m FROM tx1")
    asked = Asked(rows=1, settings={"lock_timeout": "4s"}, old_code=old)

    last = review(projects.read(shop.ini), asked)
    both = review(projects.read(shop.ini, span="x1..x3"), asked)

    assert [one.error for one in last.revisions] == [None]
    assert [one.error for one in both.revisions] == [
        'type "mood" already exists',
        None,
    ]


def test_a_type_gives_its_name_to_the_next(shop: Shop) -> None:
    """A history that puts a new enum in the place of the old one is run whole."""
    shop.add("x1", "op.execute(\"CREATE TYPE mood AS ENUM ('a')\")")
    replaces = (
        "op.execute('ALTER TYPE mood RENAME TO old'); "
        "op.execute(\"CREATE TYPE mood AS ENUM ('b')\"); "
        "op.execute('DROP TYPE old')"
    )
    shop.add("x2", replaces, parent="x1")
    shop.add("x3", "op.execute('CREATE TABLE t (m mood)')", parent="x2")

    (facts,) = review(projects.read(shop.ini), Asked(rows=1, settings={})).revisions

    assert facts.error is None


def test_rows_of_one_insert_are_written_down(shop: Shop) -> None:
    """Many that SQLAlchemy puts into one statement are heard like any other."""
    shop.add(
        "x1",
        "import sqlalchemy as sa; bind = op.get_bind(); bind.execute(sa.select(1)); "
        "t = sa.table('notes', sa.column('id', sa.Integer)); "
        "op.execute('CREATE TABLE notes (id int)'); "
        "bind.execute(t.insert().returning(t.c.id), [{'id': 7}, {'id': 8}]).all()",
        "op.execute('DROP TABLE notes')",
    )

    (facts,) = review(projects.read(shop.ini), Asked(rows=1, settings={})).revisions

    assert facts.up[-1].inserted[0].rows == 2
    assert "(7" in facts.up[-1].sql
