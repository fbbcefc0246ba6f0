"""The rooms of the house: who imports whom, and names that must agree."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

import models
from ai_platform import names
from ai_platform.settings import Settings
from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SQL = CHECKOUT / "models" / "sql"
ROOMS = ("ai_platform", "models", "migrations", "seeds", "commands")
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
    assert names.METRICS in tables
    assert set(names.RUNTIME_PARTITIONED) <= tables
    assert {table.schema for table in models.metadata.tables.values()} == {
        None,
        *names.SCHEMAS,
    }


@pytest.mark.parametrize(
    "function", [names.CREATE_PARTITION, names.ARCHIVE_DAILY_STATS]
)
def test_the_functions_we_call_are_declared(function: str) -> None:
    """Functions that ai_platform calls have a file under models/sql."""
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


def test_every_setting_is_documented() -> None:
    """Each environment variable that is read stands in docs/install.md."""
    text = (CHECKOUT / "docs" / "install.md").read_text(encoding="utf-8")
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        variables = getattr(alias, "choices", None) or [alias]
        assert [name for name in variables if f"`{name}`" not in text] == []
