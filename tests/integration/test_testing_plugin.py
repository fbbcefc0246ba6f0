"""The pytest plugin, as another project's developers meet it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.documents import blocks
from tests.support.environment import clean_environment
from tests.support.programs import run_program

if TYPE_CHECKING:
    import subprocess

    from tests.support.cluster import Cluster
    from tests.support.projects import Shop

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

REVISIONS = ["a1", "c3", "b2", "d4", "e5", "f6", "a7", "b8"]
ITEMS = [
    "single_head",
    *(f"stairway[{name}]" for name in REVISIONS),
    "offline_is_online",
    "drift",
]


@pytest.fixture
def tested(shop: Shop) -> Shop:
    """Return a shop whose developers did what docs/review.md says."""
    for name, language in (("conftest.py", "python"), ("pytest.ini", "ini")):
        (block,) = blocks(language, "docs/review.md", "Tests for any Alembic project")
        (shop.folder / name).write_text(block)
    return shop


def run(
    shop: Shop, cluster: Cluster, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest in the shop on the server of these tests."""
    env = clean_environment(TEST_DATABASE_URL=cluster.target.url, COLUMNS="200")
    words = ("-p", "no:randomly", "-p", "no:cacheprovider", "-rA", *arguments)
    return run_program("pytest", *words, cwd=shop.folder, env=env, timeout=200)


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return what became of each test, by its name."""
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S*::(\S+)", done.stdout, re.MULTILINE)
    return {name: outcome for outcome, name in found}


def test_two_lines_test_a_project(tested: Shop, cluster: Cluster) -> None:
    """Every revision is an item; a sound project passes and leaves no role."""
    role = "shop_clerk_of_plugin"
    asks = "op.get_bind().exec_driver_sql('SELECT 1').one(); "  # so it has no SQL
    for name, parent, first in (("x1", "b8", ""), ("x2", "x1", asks)):
        up, down = (
            f"op.execute('{do} ROLE {role}_{name}')" for do in ("CREATE", "DROP")
        )
        tested.add(name, first + up, down, parent=parent)
    done = run(tested, cluster)

    assert done.returncode == 0, done.stdout
    items = [*ITEMS, "stairway[x1]", "stairway[x2]"]
    assert outcomes(done) == dict.fromkeys(items, "PASSED")
    with cluster.connect("postgres") as connection:
        query = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)"
        assert connection.execute(query, [role]).fetchall() == []


def test_planted_faults_are_named(tested: Shop, cluster: Cluster) -> None:
    """Each fault fails its own item with the object at fault, and no other item."""
    b8 = "migrations/versions/b8_odd_prices.py"
    tested.replace(b8, '    op.execute("DROP FUNCTION note_price()")\n', "")
    tested.replace(
        "models/__init__.py",
        '    sa.Column("email", sa.Text, nullable=False),',
        '    sa.Column("email", sa.Text, nullable=True),',
    )
    tested.add(
        "x1",
        "op.execute('CREATE TABLE t%d ()' % op.get_context().as_sql)",
        "op.execute('DROP TABLE t0')",
        parent="a7",
    )

    done = run(tested, cluster)

    failed = {name for name, outcome in outcomes(done).items() if outcome != "PASSED"}
    assert failed == {"single_head", "stairway[b8]", "offline_is_online", "drift"}
    assert "2 heads: b8, x1; merge them" in done.stdout
    assert (
        "the downgrade of b8 does not lead back\n  unexpected function" in done.stdout
    )
    assert "missing table public.t0\n  unexpected table public.t1" in done.stdout
    assert "column public.customers.email: not null" in done.stdout
    assert "Traceback" not in done.stdout


def test_one_revision_can_be_chosen(tested: Shop, cluster: Cluster) -> None:
    """A node id is enough, and tests that are named alone stay alone."""
    (tested.folder / "test_own.py").write_text("def test_own():\n    pass\n")

    chosen = run(tested, cluster, "alembic.ini::stairway[b2]")
    alone = run(tested, cluster, "test_own.py")

    assert outcomes(chosen) == {"stairway[b2]": "PASSED"}
    assert outcomes(alone) == {"test_own": "PASSED"}


def test_a_configuration_may_lie_elsewhere(tested: Shop, cluster: Cluster) -> None:
    """Beside the tests, in a package of the project; what cannot run is said once."""
    (tested.folder / "__init__.py").write_text("raise ImportError('not with pytest')")
    suite = tested.folder.parent / "suite"
    suite.mkdir()
    (tested.folder / "conftest.py").rename(suite / "conftest.py")
    ini = "[pytest]\nrevisions_config = ../shop/alembic.ini\n"
    (suite / "pytest.ini").write_text(ini)
    tested.replace("migrations/versions/b2_customers.py", "op.create_table(", "op.no(")
    tested.folder = suite

    found = run(tested, cluster)

    text = "b2, which comes before, does not run: migrations/versions/b2_customers.py"
    assert "not with pytest" not in found.stdout
    assert text in found.stdout
    assert outcomes(found)["stairway[c3]"] == "PASSED"


@pytest.mark.parametrize(
    ("ini", "told"),
    [
        ("revisions_config = nowhere.ini", "there is no nowhere.ini in"),
        ("revisions_python = nobody", "no interpreter"),
        ("revisions_env = SHOP=1", "KeyError: 'SHOP_URL'"),
    ],
)
def test_what_cannot_be_read_fails_the_run(
    tested: Shop, cluster: Cluster, ini: str, told: str
) -> None:
    """A project that cannot be read is an error in one line, never a pass."""
    (tested.folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    tested.replace(
        "migrations/env.py",
        "config = ",
        "__import__('os').environ['SHOP_URL']\nconfig = ",
    )

    done = run(tested, cluster)

    assert done.returncode in {2, 4}
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
