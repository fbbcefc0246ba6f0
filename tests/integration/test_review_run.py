"""What a whole review says of a project that is not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.connection import resolve
from ai_platform.errors import BadValue
from ai_platform.review import projects, run

if TYPE_CHECKING:
    from pathlib import Path

    from ai_platform.review.facts import Finding, Review
    from tests.support.database import Database
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

RENAME = "op.execute('ALTER TABLE products RENAME COLUMN name TO title')"
RENAME_BACK = "op.execute('ALTER TABLE products RENAME COLUMN title TO name')"
READ = "assert op.get_bind().exec_driver_sql('SELECT 1').scalar() == 1"
PLAIN = {
    "x1": RENAME,
    "x2": "op.execute('CREATE INDEX ix_title ON products (title, price_cents)')",
    "x3": "op.execute('ALTER TABLE products ALTER title TYPE varchar(500)')",
    "x4": "op.execute('ALTER TABLE orders ADD COLUMN r float8 DEFAULT random()')",
    "x5": "op.execute('DROP TABLE orders')",
}
LOOP = """bind = op.get_bind()
    for row in bind.exec_driver_sql('SELECT id FROM products').fetchall():
        bind.exec_driver_sql('UPDATE products SET name = %s WHERE id = %s',
                             ("it's 100% \\\\", row[0]))"""
INSERT = """import sqlalchemy as sa
    assert op.get_bind().execute(sa.text('SELECT 1')).scalar() == 1
    table = sa.table('products', sa.column('id', sa.BigInteger),
                     sa.column('name', sa.Text), sa.column('price_cents', sa.Integer))
    op.get_bind().execute(table.insert().values(
        id=901, name="it's 100% \\\\", price_cents=5))"""
ASIDE = """from sqlalchemy import create_engine
    op.execute("COMMENT ON TABLE orders IS 'sold'")
    assert op.get_bind().exec_driver_sql('SELECT 1').scalar() == 1
    with create_engine('postgresql+psycopg://').begin() as other:
        other.exec_driver_sql('DROP TABLE IF EXISTS nowhere')"""
CONCURRENTLY = """with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY ix_op ON orders (product_id)")
    op.execute("COMMENT ON TABLE orders IS 'sold'")"""
AT_ONCE = CONCURRENTLY.replace('"CREATE', '"DROP INDEX IF EXISTS ix_op; CREATE')
TAKEN_BACK = """op.execute("COMMENT ON TABLE orders IS NULL")
    op.execute("DROP INDEX ix_op")"""


def reviewed(
    shop: Shop,
    empty: Database,
    span: str,
    old_code: Path | None = None,
    *,
    rows: int = 50,
) -> Review:
    """Return the review of *span* with a few rows."""
    project = projects.read(shop.ini, span=span)
    dsn = resolve(empty.url)
    asked = run.Asked(rows=rows, dsn=dsn, settings={}, old_code=old_code)
    return run.review(project, asked)


def old_code(found: Review) -> list[Finding]:
    """Return what was found of the previous release."""
    return [item for item in found.findings if item.rule == "old-code"]


def test_a_first_step_may_stand_outside(shop: Shop, empty: Database) -> None:
    """An index built concurrently before other steps runs as Alembic runs it."""
    shop.add("c9", CONCURRENTLY, TAKEN_BACK)

    (found,) = reviewed(shop, empty, "c9").revisions

    assert found.error is None
    assert [item.in_transaction for item in found.up] == [False, True]
    assert found.is_reversible


def test_statements_sent_at_once_are_one_transaction(
    shop: Shop, empty: Database
) -> None:
    """No CONCURRENTLY runs in one message with others: neither here nor there."""
    shop.add("c9", AT_ONCE, TAKEN_BACK)

    (found,) = reviewed(shop, empty, "c9").revisions
    project = projects.read(shop.ini, span="base..c9")
    *history, last = [item.revision for item in project.revisions]
    for revision in history:
        projects.Python(project)(revision, empty.url, is_down=False)
    with pytest.raises(BadValue, match="CONCURRENTLY cannot run inside"):
        projects.Python(project)(last, empty.url, is_down=False)

    assert "CONCURRENTLY cannot run inside" in (found.error or "")


def test_a_table_is_named_before_its_index(shop: Shop, empty: Database) -> None:
    """Both are locked alike; whoever waits knows the table."""
    shop.add("c9", "op.drop_column('products', 'name')")

    (found,) = reviewed(shop, empty, "c9").revisions

    strongest = found.up[0].strongest
    assert strongest is not None
    assert (strongest.mode, strongest.relation) == ("AX", "public.products")


def verdicts(found: Review) -> list[tuple[str, str, str, int | None, str]]:
    """Return what was found in each revision, but for the statement's number."""
    return sorted(
        (x.revision, x.rule, x.severity, None, x.object) for x in found.findings
    )


def test_python_is_judged_as_plain_sql(shop: Shop, empty: Database) -> None:
    """A revision that reads data first is measured by what it then says."""
    parent = "b8"
    files = {}
    for name, sql in PLAIN.items():
        files[name] = shop.add(name, sql, parent=parent)
        parent = name
    plain = verdicts(reviewed(shop, empty, "b8..x5"))
    for file in files.values():
        text = file.read_text()
        file.write_text(text.replace("upgrade():\n", f"upgrade():\n    {READ}\n"))

    found = reviewed(shop, empty, "b8..x5")

    assert len(plain) >= len(PLAIN)
    assert plain == verdicts(found)
    assert [item.tag for one in found.revisions for item in one.up][::2] == (
        ["SELECT"] * len(PLAIN)
    )


def test_a_loop_is_one_statement(shop: Shop, empty: Database) -> None:
    """What Python says row by row is told, and weighed, as what it is together."""
    shop.add("c9", LOOP)

    (one,) = reviewed(shop, empty, "c9").revisions

    (loop,) = one.up
    assert (loop.tag, [item.rows for item in loop.updated]) == ("UPDATE", [50])
    assert "-- one of 51 that follow each other: 50 UPDATE, 1 SELECT" in loop.sql
    assert "'it''s 100% \\" in loop.sql


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_values_sent_apart_are_heard(shop: Shop, empty: Database, driver: str) -> None:
    """Async drivers send values apart: they are written into the statement."""
    shop.replace("alembic.ini", "postgresql://", f"postgresql+{driver}://")
    (shop.folder / "migrations" / "env_async.py").replace(shop.env)
    shop.add("c9", INSERT, "op.execute('DELETE FROM products WHERE id > 900')")

    (one,) = reviewed(shop, empty, "c9").revisions

    assert one.error is None
    assert [item.tag for item in one.up] == ["SELECT", "INSERT"]
    assert "$1" not in one.up[1].sql
    assert "E'it''s 100% \\\\'" in one.up[1].sql
    assert one.up[1].inserted[0].rows == 1


def test_python_may_make_a_role(shop: Shop, empty: Database) -> None:
    """Roles are the server's: what a trial made is not in the way of the run."""
    make = "op.execute('CREATE ROLE shop_seer NOLOGIN')"
    grant = "op.execute('GRANT SELECT ON orders TO shop_seer')"
    drop = "op.execute('DROP OWNED BY shop_seer; DROP ROLE shop_seer')"
    shop.add("c9", f"{READ}\n    {make}\n    {grant}", f"{READ}\n    {drop}")

    (one,) = reviewed(shop, empty, "c9").revisions

    assert (one.error, one.is_reversible) == (None, True)
    assert [item.tag for item in one.up] == ["SELECT", "CREATE ROLE", "GRANT"]
    query = "SELECT FROM pg_roles WHERE rolname = 'shop_seer'"
    assert empty.connect().execute(query).fetchall() == []


def test_python_aside_is_an_error(shop: Shop, empty: Database) -> None:
    """What was said through a second session is not passed over in silence."""
    shop.add("c9", ASIDE, "op.execute('COMMENT ON TABLE orders IS NULL')")

    found = reviewed(shop, empty, "c9")

    assert [item.rule for item in found.findings] == ["python-unread"]
    assert "it speaks through several sessions" in found.revisions[0].notes


def test_old_code_meets_revisions_in_python(
    shop: Shop, empty: Database, tmp_path: Path
) -> None:
    """A revision without SQL breaks the previous release as any other does."""
    shop.add("c9", f"{READ}\n    {RENAME}", RENAME_BACK)
    old = tmp_path / "old.sql"
    old.write_text("-- name: find\nSELECT name FROM products;\n", encoding="utf-8")

    (finding,) = old_code(reviewed(shop, empty, "c9", old))

    assert (finding.severity, finding.object) == ("error", "name")


def test_queries_of_old_code_keep_their_plans(
    shop: Shop, empty: Database, tmp_path: Path
) -> None:
    """Who drops an index hears which query of the application now reads it all."""
    shop.add("c9", "op.execute('CREATE INDEX dear ON products (price_cents)')")
    shop.add("d9", "op.execute('DROP INDEX dear')", parent="c9")
    old = tmp_path / "old.sql"
    query = "SELECT name FROM products WHERE price_cents = $1"
    old.write_text(f"-- name: find\n{query};", encoding="utf-8")

    found = reviewed(shop, empty, "c9..d9", old, rows=3000)

    (finding,) = [item for item in found.findings if item.rule == "plan-got-worse"]
    assert (finding.severity, finding.object) == ("warning", "find")
    assert finding.message.endswith("and now as Seq Scan on public.products")


@pytest.mark.parametrize(
    ("more", "severity"), [("", "error"), ("SELECT name FROM products;", "note")]
)
def test_old_code_that_never_fitted_is_told(
    shop: Shop, empty: Database, tmp_path: Path, more: str, severity: str
) -> None:
    """What cannot be prepared before the change proves nothing, and that is said."""
    old = tmp_path / "old.sql"
    old.write_text(f"SELECT nobody FROM products;\n{more}\n", encoding="utf-8")

    (finding,) = old_code(reviewed(shop, empty, "b8", old))

    assert finding.severity == severity
    assert "even before this revision" in finding.message
