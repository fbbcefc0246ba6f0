"""How each driver is told where to connect: not all of them know libpq's words."""

from __future__ import annotations

from typing import Any

__all__ = ["arguments"]

ENCRYPTED = ("require", "verify-ca", "verify-full")


def arguments(dialect: Any, dsn: str) -> tuple[Any, dict[str, Any]]:
    """Return positional and named arguments for `connect` of the driver of *dialect*.

    *dsn* may name a socket's folder as host, as libpq has it.
    """
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    url = make_url(dsn).set(drivername="postgresql+" + dialect.driver)
    if dialect.driver.startswith("psycopg"):
        args, options = dialect.create_connect_args(url)
        return args, dict(options)
    query = {"host", "port"} & set(url.query)
    others = [name for name in url.query if name not in query]
    args, options = dialect.create_connect_args(url.difference_update_query(others))
    mode = str(url.query.get("sslmode", ""))
    if dialect.driver == "pg8000":
        return args, _for_pg8000(dict(options), mode)
    return args, {**options, **({"ssl": mode} if mode else {})}


def _for_pg8000(options: dict[str, Any], mode: str) -> dict[str, Any]:
    host, port = str(options.get("host", "")), int(options.pop("port", None) or 5432)
    if host.startswith("/"):
        del options["host"]
        return {**options, "unix_sock": host + "/.s.PGSQL." + str(port)}
    if mode in ENCRYPTED:
        options["ssl_context"] = True
    return {**options, "port": port}
