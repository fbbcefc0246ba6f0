"""What a review is asked to measure: revisions as SQL, from whatever project."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RevisionSource"]


@dataclass(frozen=True, slots=True)
class RevisionSource:
    """The SQL of one revision, up and down, without Alembic's own bookkeeping.

    *up_sql* is what `upgrade` runs, without the row in `alembic_version`. *down_sql*
    is None where the revision has no way back. *file* is the revision's path in its
    project, *down_revision* its parents with commas between them.

    A way with ``…_in_transaction`` False holds steps that PostgreSQL refuses in a
    transaction, such as CREATE INDEX CONCURRENTLY: each of its statements commits by
    itself. Where a revision leaves its transaction in the middle, the way begins in
    one, and ``COMMIT;`` and ``BEGIN;`` stand in the text where it leaves and returns.

    *offline_error* says why the SQL cannot be written down without a database, such
    as Python that reads data; *up_sql* is then empty. *phase* is expand, migrate or
    contract where the revision says so, *lossy* what it says that it loses.
    """

    revision: str
    down_revision: str | None
    title: str
    file: str
    up_sql: str
    down_sql: str | None
    up_in_transaction: bool = True
    down_in_transaction: bool = True
    offline_error: str | None = None
    phase: str | None = None
    lossy: tuple[str, ...] = ()
