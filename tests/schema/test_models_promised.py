"""The tables that clients were promised, column by column."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

import models

DIALECT = postgresql.dialect()

# name, type, nullable; is_active, is_superuser and the times of creation and change
# were nullable with a default at first and are NOT NULL now
PROMISED = {
    "auth.users": [
        ("id", "INTEGER", False),
        ("username", "VARCHAR(150)", False),
        ("email", "VARCHAR(254)", False),
        ("password_hash", "VARCHAR(255)", False),
        ("first_name", "VARCHAR(150)", True),
        ("last_name", "VARCHAR(150)", True),
        ("is_active", "BOOLEAN", False),
        ("is_superuser", "BOOLEAN", False),
        ("date_joined", "TIMESTAMP WITH TIME ZONE", False),
        ("last_login", "TIMESTAMP WITH TIME ZONE", True),
        ("organization_id", "INTEGER", True),
    ],
    "auth.groups": [
        ("id", "INTEGER", False),
        ("name", "VARCHAR(150)", False),
        ("description", "TEXT", True),
    ],
    "data_platform.data_sources": [
        ("id", "INTEGER", False),
        ("name", "VARCHAR(200)", False),
        ("description", "TEXT", True),
        ("source_type", "VARCHAR(50)", False),
        ("connection_info", "JSONB", False),
        ("created_by", "INTEGER", True),
        ("created_at", "TIMESTAMP WITH TIME ZONE", False),
        ("updated_at", "TIMESTAMP WITH TIME ZONE", False),
        ("is_active", "BOOLEAN", False),
    ],
    "data_platform.text_embeddings": [
        ("id", "INTEGER", False),
        ("dataset_id", "INTEGER", True),
        ("record_id", "VARCHAR(100)", True),
        ("text_content", "TEXT", True),
        ("embedding", "VECTOR(1536)", True),
        ("created_at", "TIMESTAMP WITH TIME ZONE", True),
    ],
    "algo_platform.algorithms": [
        ("id", "INTEGER", False),
        ("name", "VARCHAR(255)", False),
        ("description", "TEXT", True),
        ("version", "VARCHAR(50)", True),
        ("source_code_url", "VARCHAR(512)", True),
        ("created_by", "INTEGER", True),
        ("created_at", "TIMESTAMP WITH TIME ZONE", False),
        ("updated_at", "TIMESTAMP WITH TIME ZONE", False),
    ],
    "request_logs": [
        ("id", "UUID", False),
        ("created", "TIMESTAMP WITHOUT TIME ZONE", False),
        ("url", "TEXT", True),
        ("method", "TEXT", True),
        ("status", "INTEGER", True),
        ("auth", "TEXT", True),
        ("remote_ip", "TEXT", True),
        ("user_agent", "TEXT", True),
        ("meta", "JSONB", True),
        ("referer", "TEXT", True),
    ],
    "monitoring.metrics": [
        ("time", "TIMESTAMP WITHOUT TIME ZONE", False),
        ("node_id", "TEXT", False),
        ("sys_mem_mb", "INTEGER", True),
        ("go_routines", "INTEGER", True),
        ("db_open_conns", "INTEGER", True),
        ("db_wait_count", "INTEGER", True),
        ("extra", "JSONB", True),
    ],
}
INDEXES = {
    "idx_users_username": "ON auth.users (username)",
    "idx_users_email": "ON auth.users (email)",
    "idx_users_org_id": "ON auth.users (organization_id)",
    "idx_text_embeddings_vector": (
        "ON data_platform.text_embeddings USING ivfflat (embedding vector_cosine_ops)"
        " WITH (lists = 100)"
    ),
    "idx_logs_created": "ON request_logs (created)",
    "idx_logs_auth": "ON request_logs (auth) WHERE auth IS NOT NULL",
    "idx_logs_status": "ON request_logs (status) WHERE status >= 400",
    "idx_monitor_time": "ON monitoring.metrics USING brin (time)",
}
PARTITIONED = {"request_logs": "RANGE (created)", "monitoring.metrics": "RANGE (time)"}


@pytest.mark.parametrize("name", PROMISED)
def test_promised_columns_come_first(name: str) -> None:
    """COPY and INSERT without a list of columns still mean the same columns."""
    columns = [
        (column.name, column.type.compile(dialect=DIALECT), bool(column.nullable))
        for column in models.metadata.tables[name].columns
    ]

    assert columns[: len(PROMISED[name])] == PROMISED[name]


@pytest.mark.parametrize("name", PROMISED)
def test_added_columns_may_be_left_out(name: str) -> None:
    """A client that knows only the promised columns can still insert."""
    added = list(models.metadata.tables[name].columns)[len(PROMISED[name]) :]

    assert [
        column.name
        for column in added
        if not column.nullable and column.server_default is None
    ] == []


@pytest.mark.parametrize("name", INDEXES)
def test_promised_index_is_declared(name: str) -> None:
    """Each index the founding documents spell out exists in the same form."""
    indexes = {
        index.name: index
        for table in models.metadata.tables.values()
        for index in table.indexes
    }
    text = str(CreateIndex(indexes[name]).compile(dialect=DIALECT))

    assert text == f"CREATE INDEX {name} {INDEXES[name]}"


@pytest.mark.parametrize("name", PARTITIONED)
def test_streams_are_partitioned_by_time(name: str) -> None:
    """Old samples go by dropping a partition; the parent itself stays logged."""
    table = models.metadata.tables[name]

    assert table.dialect_options["postgresql"]["partition_by"] == PARTITIONED[name]
    assert table.info["partition_persistence"] == "unlogged"
    assert not table._prefixes
