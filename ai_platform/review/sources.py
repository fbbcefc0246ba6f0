"""What a review is asked to measure: revisions as SQL, from whatever project."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RevisionSource"]


@dataclass(frozen=True, slots=True)
class RevisionSource:
    """The SQL of one revision, up and down, without BEGIN and COMMIT of its own.

    *up_sql* is what `upgrade` runs, with the row in `alembic_version` where the
    project keeps one. *down_sql* is None where the revision has no way back. *file*
    is the revision's path in its project. A way with ``…_in_transaction`` False
    holds steps that PostgreSQL refuses in a transaction, such as CREATE INDEX
    CONCURRENTLY: each of its statements commits by itself.
    """

    revision: str
    down_revision: str | None
    title: str
    file: str
    up_sql: str
    down_sql: str | None
    up_in_transaction: bool = True
    down_in_transaction: bool = True
