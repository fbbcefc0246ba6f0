"""A database with a row of two organizations in every table, once per module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .database import Database, carry_over
from .rows import Filler

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from .cluster import Cluster

__all__ = ["OTHER", "OWN", "Tenants"]

OWN, OTHER = 101, 102
"""The organization in whose context tests act, and the one that must stay closed."""

_REQUESTS = """
    INSERT INTO request_logs (id, url, organization_id)
    VALUES (uuid_generate_v7(), '/own', %s), (uuid_generate_v7(), '/other', %s),
           (uuid_generate_v7(), '/nobody', NULL)
"""


class Tenants(Database):
    """A filled database; what a test changes, it rolls back."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        super().__init__(cluster, name)
        with self.connect(autocommit=False) as connection:
            filler = Filler(connection)
            filler.fill(OWN, OTHER)
            connection.execute(_REQUESTS, [OWN, OTHER])
        self.rows = filler.rows
        self.tables = filler.tables
        self.filler = Filler(self.connect())
        self.filler.rows = filler.rows
        self._open: dict[str, psycopg.Connection[Any]] = {}

    def session(self, login: str) -> psycopg.Connection[Any]:
        """Return the module's one connection of *login*, in no transaction."""
        if login not in self._open:
            self._open[login] = self.connect(login, autocommit=False)
        return self._open[login]

    def enter(self, login: str, organization: int = OWN) -> psycopg.Connection[Any]:
        """Return *login*'s connection, in the context of a member of *organization*."""
        connection = self.session(login)
        user = self.rows["auth.users", organization]["id"]
        connection.execute(
            "SELECT set_config('pb.auth.id', %s, true), "
            "set_config('pb.auth.role', 'authenticated', true), "
            "set_config('app.auth.org', %s, true)",
            [str(user), str(organization)],
        )
        return connection

    def roll_back(self) -> None:
        """Undo what the sessions did."""
        for connection in self._open.values():
            connection.rollback()


@pytest.fixture(scope="module")
def filled(cluster: Cluster, template: str) -> Iterator[Tenants]:
    """Give the filled database of this module; use *tenants* in tests."""
    name = cluster.create(template)
    try:
        carry_over(cluster, template, name)
        database = Tenants(cluster, name)
        yield database
        database.close()
    finally:
        cluster.drop(name)


@pytest.fixture
def tenants(filled: Tenants) -> Iterator[Tenants]:
    """Give the filled database; whatever the test did is undone."""
    yield filled
    filled.roll_back()
