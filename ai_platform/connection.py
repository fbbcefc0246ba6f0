"""Which database is meant, and a connection to it with errors a person can use."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit, urlunsplit

from ai_platform.errors import BadValue, CannotConnect, Refused
from ai_platform.settings import settings

if TYPE_CHECKING:
    import psycopg

__all__ = ["Target", "configured_by", "connect", "resolve"]

CONNECT_TIMEOUT_S = 10
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_ENCODE = (
    "write postgresql://user@host:5432/database; percent-encode special characters "
    "of the password, such as @ as %40"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A database: its libpq URL (with password) and where the URL came from."""

    url: str = field(repr=False)
    source: str

    @property
    def shown(self) -> str:
        """Return the URL without any password, for people and logs."""
        parts = urlsplit(self.url)
        user = parts.username
        host = parts.netloc.rpartition("@")[2]
        netloc = f"{user}@{host}" if user else host
        query = [(k, v) for k, v in _pairs(parts.query) if "password" not in k]
        return _joined(parts._replace(netloc=netloc, query=_encoded(query)))

    @property
    def password(self) -> str | None:
        """Return the password in the URL, decoded; None where it has none."""
        parts = urlsplit(self.url)
        # libpq takes an option over what stands before the host
        in_query = dict(_pairs(parts.query)).get("password")
        if in_query is not None or parts.password is None:
            return in_query
        return unquote(parts.password)

    @property
    def sqlalchemy_url(self) -> str:
        """Return the URL that SQLAlchemy takes; psycopg 3 is named outright.

        Several hosts, and a folder as host, go where SQLAlchemy looks for them.
        """
        parts = urlsplit(self.url)
        login, _, hosts = parts.netloc.rpartition("@")
        if "," in hosts or "%" in hosts:
            listed = [("host", unquote(host)) for host in hosts.split(",")]
            query = _encoded([*listed, *_pairs(parts.query)])
            parts = parts._replace(netloc=f"{login}@" if login else "", query=query)
        return "postgresql+psycopg" + _joined(parts).removeprefix("postgresql")

    def without_secrets(self, text: str) -> str:
        """Return *text* with every secret of the URL, however written, as ``***``."""
        parts = urlsplit(self.url)
        found = [
            parts.password,
            *(v for k, v in _pairs(parts.query) if "password" in k),
        ]
        for secret in filter(None, found):
            for form in (secret, unquote(secret), quote(unquote(secret), safe="")):
                text = text.replace(form, "***")
        return text

    @property
    def database(self) -> str:
        """Return the name of the database."""
        return unquote(urlsplit(self.url).path.lstrip("/"))

    def with_database(self, name: str) -> Target:
        """Return the same server and login with database *name*."""
        parts = urlsplit(self.url)._replace(path="/" + quote(name, safe=""))
        return Target(_joined(parts), self.source)


def configured_by() -> str | None:
    """Return the variable that names a server; None where the embedded is meant."""
    if settings().database_url is None:
        return None
    return "DATABASE_URL" if os.environ.get("DATABASE_URL") else "POSTGRES_URL"


def resolve(
    explicit: str | None = None, ini: str | None = None, *, source: str = "-x url"
) -> Target:
    """Return the database meant: *explicit*, environment, *ini*, then embedded.

    *source* is where *explicit* was given, as errors call it.

    The embedded server is started when it is the one meant.

    For the embedded server every PG* variable of this process is dropped: libpq
    would fill what our URL leaves open from them. Other servers keep them.

    Raises BadValue when the URL is not one of PostgreSQL.
    """
    if explicit:
        return _parse(explicit, source)
    configured, variable = settings().database_url, configured_by()
    if configured is not None and variable is not None:
        return _parse(configured.get_secret_value(), variable)
    if ini:
        return _parse(ini, "sqlalchemy.url")
    from ai_platform.server import EmbeddedServer  # noqa: PLC0415 - starts processes

    server = EmbeddedServer()
    server.start()
    _forget_libpq_variables()
    return Target(server.url(), "embedded server")


def _joined(parts: SplitResult) -> str:
    text = urlunsplit(parts)
    # urlunsplit drops the empty authority of a socket-only URL
    return text if parts.netloc else text.replace("postgresql:", "postgresql://", 1)


def _forget_libpq_variables() -> None:
    """Drop PGHOSTADDR, PGOPTIONS and the like: they are for another server.

    libpq fills whatever a URL leaves open from them, ours would end up elsewhere.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def _pairs(query: str) -> list[tuple[str, str]]:
    """Return the options of a URL as libpq reads them: a plus is a plus."""
    items = (item.partition("=") for item in query.split("&") if item)
    return [(unquote(name), unquote(value)) for name, _, value in items]


def _encoded(pairs: list[tuple[str, str]]) -> str:
    # libpq reads %20, not +
    return urlencode(pairs, safe="/:", quote_via=quote)


def _parse(url: str, source: str) -> Target:
    """Return the target of *url*; no error repeats any of it, it may be a password."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme not in _SCHEMES:
        raise BadValue(
            f"{source} is not a PostgreSQL URL: it begins with {scheme[:20]!r}"
            if separator
            else f"{source} is not a URL",
            hint="write postgresql://user@host:5432/database",
        )
    if fault := _fault(rest):
        raise BadValue(f"{source} {fault}", hint=_ENCODE)
    return Target(f"postgresql://{rest}", source)


def _fault(rest: str) -> str | None:
    """Return what makes *rest* of a URL ambiguous, or None.

    Programs disagree where a password ends that holds one of these characters, so
    a part of it would be taken for a host and shown.
    """
    if not rest.isprintable() or any(c in rest for c in " #"):
        return "has a space or '#' that is not percent-encoded"
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    if "@" in rest[len(authority) :]:
        return "has an '@' after the host that is not percent-encoded"
    if authority.count("@") > 1:
        return "has more than one '@' before the host"
    for host in authority.rpartition("@")[2].split(","):
        try:
            _ = urlsplit(f"//{host}").port
        except ValueError:
            return "has a host or port that cannot be read"
    return None


def connect(
    target: Target,
    *,
    role: str | None = None,
    autocommit: bool = True,
    application_name: str = "platform",
    **kwargs: Any,
) -> psycopg.Connection[Any]:
    """Open a connection to *target*; with *role*, under ``SET ROLE``.

    Raises BadValue (a URL that libpq does not take), CannotConnect (no server,
    password, database) or Refused (*role*).
    """
    import psycopg  # noqa: PLC0415 - keeps `platform --help` fast
    from psycopg import sql  # noqa: PLC0415

    # Without a client encoding, a database in SQL_ASCII answers in bytes.
    options = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "client_encoding": "utf8",
        **kwargs,
    }
    try:
        connection: psycopg.Connection[Any] = psycopg.connect(
            target.url,
            autocommit=autocommit,
            application_name=application_name,
            **options,
        )
    except psycopg.ProgrammingError:
        # libpq did not understand the URL, and quotes the part, which may be secret
        raise BadValue(
            f"{target.source} has a part that PostgreSQL does not understand",
            hint=f"{_ENCODE}; after '?' stand options of libpq only",
        ) from None
    except psycopg.Error as error:
        raise cannot_connect(target, error) from None
    if role is not None:
        try:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        except psycopg.Error as error:
            connection.close()
            raise Refused(
                f"the login of {target.shown} may not act as {role}: "
                f"{first_line(error)}",
                hint=f"GRANT {role} to the login, or use a login that may",
            ) from None
        if not autocommit:
            connection.commit()
    _set_styles(connection)
    return connection


def _set_styles(connection: psycopg.Connection[Any]) -> None:
    """Have times written so that psycopg can read them, whatever the login's style."""
    for name, style in (("DateStyle", "ISO"), ("IntervalStyle", "postgres")):
        told = connection.info.parameter_status(name)
        if told is not None and not told.startswith(style):
            connection.execute(f"SET {name} = {style}".encode())
            if not connection.autocommit:
                connection.commit()


def first_line(error: BaseException) -> str:
    """Return the first line of an error text; the rest is context or a secret."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip()


def cannot_connect(target: Target, error: BaseException) -> CannotConnect:
    """Say in one line why *target* did not let us in, and what to try next."""
    text = target.without_secrets(" ".join(str(error).split()))
    lowered = text.lower()
    if "password" in lowered or "authentication" in lowered or 'role "' in lowered:
        hint = f"check user and password in {target.source}"
    elif "does not exist" in lowered and "database" in lowered:
        hint = f'createdb "{target.database}", or correct the name in {target.source}'
    elif target.source == "embedded server":
        hint = "platform status"
    else:
        hint = f"is the server up and the address in {target.source} right?"
    return CannotConnect(f"cannot connect to {target.shown}: {text}", hint=hint)
