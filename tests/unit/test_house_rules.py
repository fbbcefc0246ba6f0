"""The rooms of the house: who imports whom, and names that must agree."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from typing import TYPE_CHECKING

import pytest

import models
from ai_platform import names
from ai_platform.runner._preflight import PUBLIC_FUNCTIONS
from ai_platform.settings import Settings
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SQL = CHECKOUT / "models" / "sql"
ROOMS = ("ai_platform", "models", "migrations", "seeds", "commands")
# everybody's, not ours to explain
FOREIGN_VARIABLES = {
    "PATH",
    "HOME",
    "XDG_STATE_HOME",
    "TERM",
    "NO_COLOR",
    "FLASK_APP",  # of the project that is reviewed
}
IN_REVISIONS = {"__future__", "alembic", "sqlalchemy", "pgvector", "migrations"}


def _imports(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield every module that *path* imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield tuple((node.module or "").split("."))


def test_models_need_sqlalchemy_and_pgvector_only() -> None:
    """Whoever imports the models gets declarations, not our tools."""
    third_party = {
        parts[0]
        for path in (CHECKOUT / "models").rglob("*.py")
        for parts in _imports(path)
    }

    assert third_party <= {
        "__future__",
        "models",
        "typing",
        "datetime",
        "decimal",
        "uuid",
    } | {
        "sqlalchemy",
        "pgvector",
        "ipaddress",
        "collections",
        "enum",
    }


def test_revisions_never_import_the_living_schema() -> None:
    """An old revision must run when the models have long moved on."""
    for path in (CHECKOUT / "migrations" / "versions").glob("*.py"):
        for parts in _imports(path):
            assert parts[0] in IN_REVISIONS, (path.name, parts)
            if parts[0] == "migrations":
                assert parts == ("migrations", "ddl"), path.name


def test_only_env_py_knows_the_models() -> None:
    """In the folder of migrations one file compares, and imports late."""
    knowing = [
        path.name
        for path in (CHECKOUT / "migrations").rglob("*.py")
        if any(parts[0] == "models" for parts in _imports(path))
    ]

    assert knowing == ["env.py"]


def test_nothing_shadows_what_everything_needs() -> None:
    """A folder `platform/` or `alembic/` would shadow a module of that name."""
    assert not (CHECKOUT / "platform").exists()
    assert not (CHECKOUT / "alembic").exists()


def test_the_names_we_use_are_declared() -> None:
    """Tables that ai_platform names without importing models exist in models."""
    tables = set(models.metadata.tables)

    assert names.PARTITION_POLICIES in tables
    assert {names.METRICS, names.NODES, names.DAILY_STATS_ARCHIVE} <= tables
    parents = {name.removeprefix("public.") for name in names.RUNTIME_PARTITIONED}
    assert parents <= tables
    assert {table.schema for table in models.metadata.tables.values()} == {
        None,
        *names.SCHEMAS,
    }


@pytest.mark.parametrize(
    "function",
    [
        names.CREATE_PARTITION,
        names.ARCHIVE_DAILY_STATS,
        names.DAILY_STATS,
        names.ENSURE_PARTITION_FOR,
    ],
)
def test_the_functions_we_call_are_declared(function: str) -> None:
    """Functions and views that ai_platform uses have a file under models/sql."""
    assert (SQL / f"{function.replace('.', '/')}.sql").is_file()


def test_the_roles_are_those_of_the_bootstrap() -> None:
    """Six roles, named alike in Python and in SQL."""
    text = (SQL / "database" / "roles.sql").read_text(encoding="utf-8")

    assert [role for role in names.ROLES if f"'{role}'" not in text] == []


def test_every_public_list_is_true() -> None:
    """`__all__` names what is there; the linter keeps it in order."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for info in pkgutil.walk_packages(package.__path__, f"{room}."):
            if ".versions" in info.name or info.name == "migrations.env":
                continue
            module = importlib.import_module(info.name)
            public = getattr(module, "__all__", [])
            missing = [name for name in public if not hasattr(module, name)]
            assert missing == [], info.name


def test_every_module_says_what_it_is_for() -> None:
    """The first line of a module is one sentence for a newcomer."""
    for room in ROOMS:
        for path in (CHECKOUT / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert ast.get_docstring(tree), path


def _variables() -> set[str]:
    """Return the environment variables of ours that the sources or the tests name."""
    found = {"DATABASE_URL", "POSTGRES_URL"}
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        found.update(getattr(alias, "choices", None) or [str(alias)])
    for folder in (*ROOMS, "tests"):
        for path in (CHECKOUT / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if folder != "tests":
                found.update(re.findall(r"\b(?:PLATFORM|PB)_[A-Z_]+\b", text))
            found.update(re.findall(r"\bos\.environ(?:\.get\(|\[)\"(\w+)\"", text))
    return found - FOREIGN_VARIABLES


def test_every_setting_is_documented() -> None:
    """The variables that are read, and only those, stand in docs/install.md."""
    text = (CHECKOUT / "docs" / "install.md").read_text(encoding="utf-8")
    _, _, table = text.partition("\n## Settings\n")
    rows = re.findall(
        r"^\| (`[A-Z_`, ]+`) \|", table.partition("\n## ")[0], re.MULTILINE
    )

    assert {name for row in rows for name in re.findall(r"\w+", row)} == _variables()


def test_no_other_way_reads_a_variable() -> None:
    """What the test above collects is all there is: no getenv, no alias of environ."""
    for room in ROOMS:
        for path in (CHECKOUT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "getenv" not in text, path
            assert "from os import" not in text, path


def test_the_public_functions_are_those_declared() -> None:
    """What the preflight takes for ours in `public` is what models/sql puts there."""
    declared = {
        match[1]
        for path in (SQL / "public").glob("*.sql")
        for match in re.finditer(
            r"CREATE (?:OR REPLACE )?FUNCTION public\.(\w+)", path.read_text()
        )
    }

    assert sorted(PUBLIC_FUNCTIONS) == sorted(declared)


def test_the_objects_we_name_are_declared() -> None:
    """Each `schema.name` in a text of ai_platform is a table or has an SQL file."""
    tables = set(models.metadata.tables)
    named = re.compile(rf"(?<![\w.])({'|'.join(names.SCHEMAS)})\.([a-z]\w*)")
    unknown = {
        f"{path.name}: {found[0]}"
        for path in (CHECKOUT / "ai_platform").rglob("*.py")
        for text in _texts(path)
        for found in named.finditer(text)
        if found[0] not in tables and not (SQL / found[1] / f"{found[2]}.sql").is_file()
    }

    assert unknown == set()


def _texts(path: Path) -> Iterator[str]:
    """Yield every string of *path* that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield "" if id(node) in documentation else node.value
