"""docker-compose.test.yml is what people with Docker start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from tests.support.programs import Run

FILE = CHECKOUT / "docker-compose.test.yml"


def test_the_compose_file_follows_its_schema(run: Run) -> None:
    """Docker would take it: valid against the Compose specification."""
    done = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILE)

    assert done.returncode == 0, done.stdout


def test_the_test_server_is_pinned_private_and_in_memory() -> None:
    """An image by version, the loopback address only, health check, no disk."""
    service = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]["postgres"]

    assert service["image"].startswith("pgvector/pgvector:0.")
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "pg_isready" in " ".join(service["healthcheck"]["test"])
    assert service["tmpfs"]
