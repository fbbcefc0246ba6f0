"""What a review is asked to measure: revisions as SQL, from whatever project."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Recording", "RevisionSource"]


@dataclass(frozen=True, slots=True)
class RevisionSource:
    """The SQL of one revision, up and down, as Alembic writes it offline.

    *up_sql* is what `upgrade` runs, with the row in `alembic_version` where the
    project keeps one. *down_sql* is None where the revision has no way back. *file*
    is the revision's path in its project.

    BEGIN and COMMIT in the text count: what stands outside them commits statement by
    statement, as in an autocommit block. A text without them is one transaction, or
    with ``…_in_transaction`` False each of its statements is one.

    *offline_error* says why the SQL cannot be written down without a database, such
    as Python that reads data; *up_sql* is then empty. *down_error* says the same of
    the way down, for a revision that has one; *down_sql* is then None. *phase* is
    expand, migrate or contract where the revision says so, *lossy* what it says that
    it loses.
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
    down_error: str | None = None
    phase: str | None = None
    lossy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """What Python said to the server, as one text; BEGIN and COMMIT count.

    *gap* says why it is not all that was done; *sql* is then empty.
    """

    sql: str
    in_transaction: bool = True
    gap: str | None = None
