"""What a review says when it is asked in vain, and that nothing stays behind."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from ai_platform.catalog._made_roles import roles
from ai_platform.connection import resolve
from ai_platform.review import projects, run
from ai_platform.review.measure import measure
from ai_platform.review.production import collect, dumps
from ai_platform.review.sources import RevisionSource

if TYPE_CHECKING:
    from pathlib import Path

    from ai_platform.review._plan import Told
    from tests.support.database import Database
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("rows", "other"), [(50, 10_000), (20_000, 2_000)])
def test_estimates_come_from_two_rounds(
    shop: Shop, empty: Database, tmp_path: Path, rows: int, other: int
) -> None:
    """Few rows are made up for, many are taken apart; progress says which round."""
    stats = tmp_path / "stats.json"
    server = empty.connect()
    server.execute("CREATE TABLE products (name text)")
    stats.write_text(dumps(collect(server)), encoding="utf-8")
    server.execute("DROP TABLE products")
    shop.add("c9", "op.create_index('ix', 'products', ['name'])", "op.drop_index('ix')")
    asked = run.Asked(rows=rows, dsn=resolve(empty.url), settings={}, stats=stats)
    told: list[Told] = []

    found = run.review(projects.read(shop.ini, span="c9"), asked, progress=told.append)

    assert {item.round for item in told} == {"", f"once more with {other:,} rows"}
    assert found.revisions[0].filled[0].rows == rows
    assert any("10,000 rows" in item for item in found.revisions[0].notes) == (
        rows < other
    )
    assert found.revisions[0].up[0].timing.estimated_s is not None


def test_what_was_tried_on_a_copy_is_gone(empty: Database) -> None:
    """A role belongs to the server: one of a trial must not fail what is measured."""
    role = f"made_{secrets.token_hex(4)}"
    up = f"CREATE ROLE {role}; CREATE TABLE t (); ALTER TABLE t OWNER TO {role}"
    down = f"DROP TABLE t; DROP ROLE {role}"
    change = RevisionSource("r1", None, "", "r1.py", up, down, up_in_transaction=False)

    found = measure([change], dsn=resolve(empty.url), rows=0)

    assert found.revisions[0].error is None
    assert found.revisions[0].is_reversible
    assert role not in roles(empty.connect())
