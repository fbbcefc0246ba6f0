"""Look before anything is changed: each refusal names the fact and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from alembic.util import CommandError

from ai_platform.errors import Refused
from ai_platform.names import OWNER, ROLES, SCHEMAS, VERSION_TABLE, VERSION_TABLE_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.script import ScriptDirectory

__all__ = [
    "Facts",
    "facts",
    "refuse_foreign_ground",
    "refuse_server",
    "refuse_unknown_revision",
    "report_waits",
]

OLDEST = 160000
LONG_TRANSACTION_S = 60

_FACTS: Final = f"""
SELECT current_setting('server_version_num')::int,
       current_setting('server_version'),
       pg_is_in_recovery(),
       current_setting('transaction_read_only') = 'on',
       current_setting('server_encoding'),
       current_database(),
       session_user,
       (SELECT rolsuper FROM pg_roles WHERE rolname = session_user),
       (SELECT rolcreaterole FROM pg_roles WHERE rolname = session_user),
       ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY (%s)),
       (SELECT pg_get_userbyid(relowner) FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = '{VERSION_TABLE_SCHEMA}' AND relname = '{VERSION_TABLE}')
"""
# Apart from the row above: pg_has_role() fails for a role that does not exist.
_MAY_BE_OWNER: Final = f"SELECT pg_has_role(session_user, '{OWNER}', 'SET')"
_OWNER_CREATES: Final = f"""
SELECT has_database_privilege('{OWNER}', current_database(), 'CREATE'),
       has_schema_privilege('{OWNER}', 'public', 'CREATE')
"""
_OWNS_DATABASE: Final = """
SELECT pg_has_role(session_user, datdba, 'USAGE') FROM pg_database
 WHERE datname = current_database()
"""
_FOREIGN_OBJECTS: Final = """
SELECT format('%%s %%I.%%I, owned by %%I', kind, nspname, name, owner), owner FROM (
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence'
                          ELSE 'table' END AS kind,
           n.nspname, c.relname AS name, pg_get_userbyid(c.relowner) AS owner, c.oid
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       AND (n.nspname = ANY (%(schemas)s)
            OR (n.nspname = 'public' AND c.relname = 'request_logs'))
    UNION ALL
    SELECT 'function', n.nspname, p.proname, pg_get_userbyid(p.proowner), p.oid
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = ANY (%(schemas)s)
        OR (n.nspname = 'public' AND p.proname = ANY (%(functions)s))
    UNION ALL
    SELECT 'schema', n.nspname, n.nspname, pg_get_userbyid(n.nspowner), n.oid
      FROM pg_namespace n
     WHERE n.nspname = ANY (%(schemas)s) AND pg_get_userbyid(n.nspowner) <> %(owner)s
) found
 WHERE NOT EXISTS (SELECT 1 FROM pg_depend d
                    WHERE d.objid = found.oid AND d.deptype = 'e')
 ORDER BY owner = %(owner)s, kind = 'schema', kind <> 'table', nspname, name
 LIMIT 1
"""
_VECTOR: Final = """
SELECT n.nspname, to_regtype('vector') IS NOT DISTINCT FROM
                  to_regtype(quote_ident(n.nspname) || '.vector')
  FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
 WHERE x.extname = 'vector'
"""
_VECTOR_AVAILABLE: Final = """
SELECT v.trusted FROM pg_available_extensions a
  JOIN pg_available_extension_versions v
    ON v.name = a.name AND v.version = a.default_version
 WHERE a.name = 'vector'
"""
_OLD_TRANSACTIONS: Final = """
SELECT pid, coalesce(nullif(application_name, ''), usename, backend_type),
       date_trunc('second', clock_timestamp() - xact_start)
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> ALL (%s)
   AND backend_type = 'client backend'
   AND clock_timestamp() - xact_start > make_interval(secs => %s)
 ORDER BY xact_start LIMIT 3
"""
PUBLIC_FUNCTIONS: Final = (
    "assign_version",
    "forbid_change_except",
    "json_valid",
    "pb_notify_event",
    "set_updated_at",
    "uuid_generate_v7",
    "uuid_v7_timestamp",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What one query tells about server, database and login."""

    version_num: int
    version: str
    is_standby: bool
    is_read_only: bool
    encoding: str
    database: str
    login: str
    is_superuser: bool
    may_create_roles: bool
    roles: list[str]
    version_table_owner: str | None

    @property
    def is_ours(self) -> bool:
        """Return whether the bootstrap revision has run in this database."""
        return self.version_table_owner == OWNER


def facts(connection: psycopg.Connection[Any]) -> Facts:
    """Read the facts about the database behind *connection*."""
    row = connection.execute(_FACTS, [list(ROLES)]).fetchone()
    if row is None:  # pragma: no cover - a SELECT without FROM always has one row
        raise AssertionError
    return Facts(*row)


def refuse_server(known: Facts, *, writes: bool) -> None:
    """Raise Refused for a server on which no revision may or can run."""
    if known.version_num < OLDEST:
        raise Refused(
            f"PostgreSQL {known.version} is too old: 16, 17 and 18 are supported",
            hint="upgrade the server",
        )
    if not writes:
        return
    if known.is_standby:
        raise Refused(
            f"the server of database {known.database!r} is a read-only standby",
            hint="connect to the primary",
        )
    if known.is_read_only:
        raise Refused(
            f"sessions of {known.login!r} are read-only "
            "(default_transaction_read_only)",
            hint=f'ALTER ROLE "{known.login}" RESET default_transaction_read_only',
        )
    if known.encoding != "UTF8":
        raise Refused(
            f"database {known.database!r} has encoding {known.encoding}, not UTF8",
            hint="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )


def refuse_unknown_revision(
    connection: psycopg.Connection[Any], known: Facts, script: ScriptDirectory
) -> None:
    """Raise Refused when the database is at a revision that is not in *script*."""
    if known.version_table_owner is None:
        return
    try:
        rows = connection.execute(
            f"SELECT version_num FROM {VERSION_TABLE_SCHEMA}.{VERSION_TABLE}"
        ).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return  # the refusal that names the missing right comes later
    for (version,) in rows:
        try:
            script.get_revision(version)
        except CommandError:
            if not known.is_ours:
                raise Refused(
                    f"database {known.database!r} holds the version table of another "
                    f"application, at revision {version!r}",
                    hint="use a database of its own: CREATE DATABASE platform",
                ) from None
            raise Refused(
                f"database {known.database!r} is at revision {version!r}, which this "
                "checkout does not know",
                hint="update the checkout: the database was migrated by a newer one",
            ) from None


def refuse_foreign_ground(
    connection: psycopg.Connection[Any], known: Facts, *, stamps: bool
) -> bool:
    """Raise Refused when a first installation cannot go through here.

    Only asked before the bootstrap: from then on everything found is ours, and drift
    is the business of ``platform db check``. Returns whether the schema is ours but
    Alembic does not know it: SQL files built it, and only *stamps* may go on.
    """
    if known.is_ours:
        _refuse_outsider(connection, known)
        return False
    row = connection.execute(
        _FOREIGN_OBJECTS,
        {
            "schemas": list(SCHEMAS),
            "functions": list(PUBLIC_FUNCTIONS),
            "owner": OWNER,
        },
    ).fetchone()
    if row is None:
        _refuse_roles(connection, known)
        _refuse_vector(connection, known)
        return False
    found, owner = row
    if owner != OWNER:
        raise Refused(
            f"database {known.database!r} holds something of another application "
            f"where the platform would live: {found}",
            hint="use an empty database: CREATE DATABASE platform",
        )
    _refuse_outsider(connection, known)
    if not stamps:
        raise Refused(
            f"database {known.database!r} has the platform's schema but no revision: "
            "SQL files built it, or its version table was lost",
            hint="platform db check; when that is clean, platform db stamp head",
        )
    return True


def _refuse_outsider(connection: psycopg.Connection[Any], known: Facts) -> None:
    row = connection.execute(_MAY_BE_OWNER).fetchone()
    if row is None or not row[0]:
        raise Refused(
            f"login {known.login!r} may not act as {OWNER}",
            hint=f'GRANT {OWNER} TO "{known.login}" WITH INHERIT FALSE, SET TRUE',
        )


def _refuse_roles(connection: psycopg.Connection[Any], known: Facts) -> None:
    if known.is_superuser:
        return
    bootstrap = "a DBA runs the output of: platform db sql --bootstrap"
    missing = [role for role in ROLES if role not in known.roles]
    if missing and not known.may_create_roles:
        raise Refused(
            f"role {missing[0]} does not exist and login {known.login!r} "
            "may not create roles",
            hint=bootstrap,
        )
    if OWNER not in missing and not known.may_create_roles:
        _refuse_outsider(connection, known)
    owns = connection.execute(_OWNS_DATABASE).fetchone()
    if owns is not None and owns[0]:
        return
    creates = (
        None if OWNER in missing else connection.execute(_OWNER_CREATES).fetchone()
    )
    if creates is None or not all(creates):
        raise Refused(
            f"login {known.login!r} does not own database {known.database!r}, and "
            f"{OWNER} may not create schemas in it",
            hint=bootstrap,
        )


def _refuse_vector(connection: psycopg.Connection[Any], known: Facts) -> None:
    row = connection.execute(_VECTOR).fetchone()
    if row is not None:
        schema, reachable = row
        if not reachable:
            raise Refused(
                f"extension vector is in schema {schema!r}, which is not on the "
                "search_path",
                hint=f'ALTER DATABASE "{known.database}" SET search_path = '
                f'"$user", public, "{schema}"; then connect again',
            )
        return
    available = connection.execute(_VECTOR_AVAILABLE).fetchone()
    if available is None:
        raise Refused(
            f"PostgreSQL {known.version} here has no extension vector (pgvector)",
            hint="install the package pgvector for this server",
        )
    if not known.is_superuser and not available[0]:
        raise Refused(
            f"extension vector is not in database {known.database!r} and login "
            f"{known.login!r} may not install it",
            hint="an administrator runs: CREATE EXTENSION vector",
        )


def report_waits(
    connection: psycopg.Connection[Any],
    note: Callable[[str], None],
    *,
    own: list[int],
) -> None:
    """Say which old transactions the DDL may have to wait for."""
    rows = connection.execute(_OLD_TRANSACTIONS, [own, LONG_TRANSACTION_S]).fetchall()
    for pid, name, age in rows:
        note(f"a transaction is open for {age}: pid {pid}, {name}; DDL may wait for it")
