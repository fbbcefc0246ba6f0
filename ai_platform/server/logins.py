"""One login per working role, so that developers meet row security."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ai_platform import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

__all__ = ["DEV_LOGINS", "ensure_dev_logins"]

DEV_LOGINS: Final[Mapping[str, str]] = {
    "app": "dev_app",
    "worker": "dev_worker",
    "readonly": "dev_readonly",
    "log_writer": "dev_log_writer",
    "migrator": names.MIGRATOR,
}
"""Short name of a working role to the login that works in it."""

_MEMBERS: Final = {
    "dev_app": names.APP,
    "dev_worker": names.WORKER,
    "dev_readonly": names.READONLY,
    "dev_log_writer": names.LOG_WRITER,
}


def ensure_dev_logins(connection: psycopg.Connection[Any]) -> list[str]:
    """Create the logins that are missing and make each a member of its role.

    Returns the logins created. They have no password: only the socket of the embedded
    server lets them in. Needs a superuser, and the roles of the bootstrap revision.
    """
    from psycopg import sql  # noqa: PLC0415 - keeps `platform --help` fast

    with connection.transaction():
        # two `platform up` at once would collide in the catalog of roles
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('dev logins'))")
        created = []
        for login, role in _MEMBERS.items():
            names_ = {"login": sql.Identifier(login), "role": sql.Identifier(role)}
            if not _exists(connection, login):
                connection.execute(
                    sql.SQL("CREATE ROLE {login} LOGIN").format(**names_)
                )
                created.append(login)
            if not _is_member(connection, login, role):
                connection.execute(sql.SQL("GRANT {role} TO {login}").format(**names_))
    return created


def _exists(connection: psycopg.Connection[Any], login: str) -> bool:
    query = "SELECT 1 FROM pg_roles WHERE rolname = %s"
    return connection.execute(query, [login]).fetchone() is not None


def _is_member(connection: psycopg.Connection[Any], login: str, role: str) -> bool:
    query = """
        SELECT 1 FROM pg_auth_members
         WHERE roleid = %s::regrole AND member = %s::regrole
    """
    return connection.execute(query, [role, login]).fetchone() is not None
