"""Where a database stands, asked before a command touches it, without Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ai_platform.errors import Refused
from ai_platform.names import OWNER, SCHEMAS, VERSION_TABLE, VERSION_TABLE_SCHEMA

if TYPE_CHECKING:
    from psycopg import Connection

    from ai_platform.connection import Target

__all__ = ["OLDEST", "require_schema"]

OLDEST: Final = 160000
"""The oldest server version, as `server_version_num` has it."""

# by catalog: to_regclass() would raise for a login without USAGE on the schema
_FACTS: Final = """
SELECT current_setting('server_version_num')::int,
       current_setting('server_version'),
       current_database()::text,
       (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = %(schema)s AND c.relname = %(table)s)::text,
       EXISTS (SELECT 1 FROM pg_catalog.pg_namespace n
                WHERE n.nspname = ANY (%(schemas)s)
                  AND pg_catalog.pg_get_userbyid(n.nspowner) = %(owner)s)
"""
_MAY_READ: Final = """
SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
       AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %s AND c.relname = %s
"""
_AT: Final = f"SELECT version_num FROM {VERSION_TABLE_SCHEMA}.{VERSION_TABLE}"


class _Facts(NamedTuple):
    version_num: int
    version: str
    database: str
    version_table_owner: str | None
    has_our_schemas: bool

    @property
    def is_unstamped(self) -> bool:
        return self.has_our_schemas and self.version_table_owner is None


def require_schema(
    connection: Connection[Any], target: Target, *, complete: bool = True
) -> int:
    """Raise Refused unless the database is the platform's, at a revision known here.

    Returns how many revisions are missing. With *complete* none may be, nor the
    version table itself, which a schema built from SQL files has not got. A server
    that is too old is refused first: all else would be said in riddles there.
    """
    facts = _facts(connection)
    if facts.version_num < OLDEST:
        raise Refused(
            f"PostgreSQL {facts.version} is too old: 16, 17 and 18 are supported",
            hint="upgrade the server",
        )
    # behind a pooler the name the client gave may be another one
    name = target.database or facts.database
    if facts.version_table_owner != OWNER:
        if facts.is_unstamped and not complete:
            return 0
        raise _not_ours(facts, name)
    missing = _missing(connection, name)
    if missing and complete:
        are = "revision is" if missing == 1 else "revisions are"
        raise Refused(
            f"{missing} {are} missing in database {name!r}", hint="platform db upgrade"
        )
    return missing


def _facts(connection: Connection[Any]) -> _Facts:
    values = {
        "schema": VERSION_TABLE_SCHEMA,
        "table": VERSION_TABLE,
        "schemas": list(SCHEMAS),
        "owner": OWNER,
    }
    return _Facts(*connection.execute(_FACTS, values).fetchall()[0])


def _not_ours(facts: _Facts, name: str) -> Refused:
    if facts.is_unstamped:
        return Refused(
            f"database {name!r} has the platform's schema but no revision: "
            "SQL files built it, or its version table was lost",
            hint="platform db stamp head",
        )
    return Refused(
        f"database {name!r} does not hold the platform yet", hint="platform db upgrade"
    )


def _missing(connection: Connection[Any], name: str) -> int:
    from ai_platform.revision_files import read_revisions  # noqa: PLC0415 - reads files

    table = (VERSION_TABLE_SCHEMA, VERSION_TABLE)
    row = connection.execute(_MAY_READ, table).fetchone()
    if not (row and row[0]):
        return 0  # the refusal that names the missing right comes later
    files = read_revisions()
    done = [version for (version,) in connection.execute(_AT).fetchall()]
    for version in done:
        if version not in files.after:
            raise Refused(
                f"database {name!r} is at revision {version!r}, which this checkout "
                "does not know",
                hint="update the checkout: the database was migrated by a newer one",
            )
    return len(files.missing(done))
