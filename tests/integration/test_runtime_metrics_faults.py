"""Faults of server and network that take their time; run by `make torture`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_platform.connection import Target
from ai_platform.runtime import MetricsCollector
from tests.support.environment import clean_environment
from tests.support.programs import run_program
from tests.support.proxy import Proxy
from tests.support.servers import rows
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_platform.server import EmbeddedServer
    from tests.support.database import Database

pytestmark = pytest.mark.torture


def test_a_network_that_goes_silent_is_noticed(database: Database) -> None:
    """Nothing is forwarded, nothing is closed: rows are kept, then written."""
    admin = database.connect()
    with Proxy(Target(database.login("app").url, "tests")) as proxy:
        collector = MetricsCollector(proxy.url, node_id="n1", interval=0.5).start()
        until(lambda: collector.written)
        proxy.hold()

        until(lambda: collector.last_error, within_s=40)
        assert "did not answer" in collector.last_error
        assert collector.pending > 2

        proxy.resume()
        until(lambda: not collector.pending, within_s=40)
        assert collector.close()

    assert collector.dropped == {}
    query = "SELECT count(*) FROM monitoring.metrics"
    assert admin.execute(query).fetchone() == (collector.written,)


def test_a_restart_in_between_loses_no_row(
    embedded: Callable[..., EmbeddedServer],
) -> None:
    """Stopped in order and started again: what came meanwhile is there too."""
    server = embedded()
    server.start()
    url = server.url()
    env = clean_environment(DATABASE_URL=url)
    run_program("alembic", "upgrade", "head", env=env, timeout=120, check=True)
    with MetricsCollector(url, node_id="n1", interval=0.2) as collector:
        until(lambda: collector.written > 1)
        server.stop(mode="fast")
        until(lambda: collector.pending > 3)
        server.start()
        until(lambda: not collector.pending, within_s=60)

    assert collector.connects >= 2
    assert collector.dropped == {}
    query = "SELECT count(*) FROM monitoring.metrics"
    assert rows(server, query) == [(collector.written,)]
