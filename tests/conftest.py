"""Where the fixtures are; each module of tests/support says what it offers."""

from __future__ import annotations

pytest_plugins = (
    "tests.support.environment",
    "tests.support.programs",
    "tests.support.cluster",
    "tests.support.database",
    "tests.support.tenants",
    "tests.support.accounts",
    "tests.support.servers",
    "tests.support.standby",
    "tests.support.branch",
    "tests.support.writers",
    "tests.support.collectors",
    "tests.support.requests_logged",
    "tests.support.rule_proofs",
    "tests.support.measured",
    "tests.support.projects",
)
