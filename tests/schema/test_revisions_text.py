"""The form of revisions and frozen SQL, read without a server."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from ai_platform.runner import offline
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = sorted((CHECKOUT / "migrations" / "versions").glob("*.py"))
FROZEN = sorted((CHECKOUT / "migrations" / "sql").glob("*.sql"))
PRESENT = sorted((CHECKOUT / "models" / "sql").rglob("*.sql"))
ALLOWED = {"alembic", "sqlalchemy", "pgvector.sqlalchemy", "migrations.ddl"}
EVERY_REVISION = pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
NUMBER = re.compile(r"^\d{4}(_\d\d){2}_\d{4}_([0-9a-f]{12})_[a-z0-9_]+$")


@cache
def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_source(path))


def _steps(path: Path, name: str) -> list[str]:
    """Return the statements of function *name* in the revision at *path*."""
    functions = {n.name: n for n in _tree(path).body if isinstance(n, ast.FunctionDef)}
    return [ast.unparse(statement) for statement in functions[name].body]


@EVERY_REVISION
def test_a_docstring_tells_the_dba_enough(path: Path) -> None:
    """Subject, why, lock, phase and way back, in that order and none empty."""
    text = ast.get_docstring(_tree(path)) or ""
    subject, _, rest = text.partition("\n\n")

    assert re.fullmatch(r"[A-Z][^\n]{0,58}[^.\s]", subject)
    assert re.findall(r"^(\w+): +\S", rest, re.MULTILINE) == [
        "Why",
        "Lock",
        "Phase",
        "Back",
    ]
    assert re.search(r"^Phase: (expand|migrate|contract)\b", rest, re.MULTILINE)


@EVERY_REVISION
def test_a_revision_never_imports_the_models(path: Path) -> None:
    """An old revision must run when the models have long moved on."""
    found = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")

    assert found - ALLOWED <= {"__future__", "sqlalchemy.dialects"}


@EVERY_REVISION
def test_file_names_carry_short_ids(path: Path) -> None:
    """The id fits into alembic_version and stands in the file name."""
    match = NUMBER.match(path.stem)

    assert match
    assert f"revision = '{match[2]}'" in map(ast.unparse, _tree(path).body)


@EVERY_REVISION
def test_later_revisions_act_as_owner(path: Path) -> None:
    """What they make belongs to platform_owner, whoever logs in."""
    if "down_revision = None" in map(ast.unparse, _tree(path).body):
        assert _steps(path, "upgrade")[-1] == "as_owner()"
        return

    assert [_steps(path, name)[0] for name in ("upgrade", "downgrade")] == [
        "as_owner()"
    ] * 2


def test_files_sort_in_the_order_of_history() -> None:
    """`ls` and `alembic history` tell one story."""
    order = [revision.id for revision in offline.revisions()]

    assert order == [NUMBER.match(path.stem)[2] for path in VERSIONS]  # type: ignore[index]


def test_every_frozen_file_is_run_once() -> None:
    """A file that no revision runs is a promise nobody keeps."""
    source = "\n".join(map(_source, VERSIONS))

    assert sorted(re.findall(r'apply_sql\("(\w+)"\)', source)) == sorted(
        path.stem for path in FROZEN
    )


def test_a_frozen_file_belongs_to_its_revision() -> None:
    """The id in its name is that of the one revision that runs it."""
    homes = {
        path.stem: [p for p in VERSIONS if f'"{path.stem}"' in _source(p)]
        for path in FROZEN
    }

    assert [name for name, [home] in homes.items() if name[:12] not in home.stem] == []


def test_offline_text_is_the_file_itself() -> None:
    """No colon became NULL, no percent sign two, no backslash got lost.

    The review files are held to the offline text by a test of their own.
    """
    rendered = "\n".join(map(_source, offline.REVIEW.glob("*.sql")))
    bodies = {path.stem: _source(path).strip().removesuffix(";") for path in FROZEN}

    assert [name for name, body in bodies.items() if body not in rendered] == []


def test_lines_fit_beside_a_diff() -> None:
    """A DBA reads the SQL in two columns."""
    lines = [line for path in [*PRESENT, *FROZEN] for line in _source(path).split("\n")]

    assert [x for x in lines if len(x) > 100 and not x.startswith("-- requires:")] == []


def test_present_sql_names_what_it_needs() -> None:
    """The loader orders files by their first line, and by nothing else."""
    known = {f"{path.parent.name}.{path.stem}" for path in PRESENT} | {"tables", ""}
    first = [_source(path).partition("\n")[0] for path in PRESENT]
    needed = {name.strip() for line in first for name in line[13:].split(",")}

    assert [line for line in first if not line.startswith("-- requires:")] == []
    assert needed <= known
