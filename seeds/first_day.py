"""The first organization and the first administrator, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Engine, Table, func, insert, or_, select

from ai_platform.accounts.passwords import check_password, hash_password
from ai_platform.accounts.values import (
    check_email,
    check_slug,
    check_text,
    check_username,
)
from ai_platform.errors import BadValue, Refused
from models import Membership, Organization, Role, User

from ._upsert import Outcome
from .reference import seed_reference

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOCK", "FirstDay", "administrator", "needs_password", "seed"]

LOCK = 0x5EED
"""Two seeds at once wait for each other on this advisory lock."""


@dataclass(frozen=True, slots=True)
class FirstDay:
    """Who is to be the first; None takes whoever is there, or the usual name."""

    org_slug: str | None = None
    org_name: str | None = None
    username: str | None = None
    email: str | None = None

    USUAL_SLUG = "default"
    USUAL_NAME = "Default organization"
    USUAL_USERNAME = "admin"
    USUAL_EMAIL = "admin@localhost"

    @property
    def login(self) -> str:
        """Return the login name of the administrator to be."""
        return self.username or self.USUAL_USERNAME

    @property
    def address(self) -> str:
        """Return the mail address of the administrator to be."""
        return self.email or self.USUAL_EMAIL

    def check(self) -> None:
        """Raise BadValue for the first value that cannot be used."""
        check_slug(self.org_slug or self.USUAL_SLUG)
        check_text("name", self.org_name or self.USUAL_NAME, longest=200)
        check_email(self.address)
        check_username(self.login, email=self.address)


def needs_password(engine: Engine, wanted: FirstDay) -> bool:
    """Return whether `seed` would make an administrator.

    Raises BadValue for a bad value, or when others than those wanted are there.
    """
    wanted.check()
    with engine.connect() as connection:
        return administrator(connection, wanted) is None


def seed(
    engine: Engine, wanted: FirstDay, password: Callable[[], str]
) -> list[Outcome]:
    """Bring in what is missing, in one transaction; return what was done.

    *engine* connects as a role that sees every row. *password* is called only when
    an administrator must be made, and before the transaction begins: it may ask a
    person. Raises BadValue, or Refused when the name belongs to somebody else.
    """
    stored = None
    if needs_password(engine, wanted):
        text = password()
        check_password(text, username=wanted.login, email=wanted.address)
        stored = hash_password(text)
    with engine.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
        done = list(seed_reference(connection))
        org, outcome = _organization(connection, wanted)
        done.append(outcome)
        done.append(_first_administrator(connection, wanted, org, stored))
    return done


def _organization(connection: Connection, wanted: FirstDay) -> tuple[int, Outcome]:
    table = cast("Table", Organization.__table__)
    found = select(table.c.id, table.c.slug).where(table.c.deleted_at.is_(None))
    if wanted.org_slug:
        found = found.where(table.c.slug == wanted.org_slug)
    row = connection.execute(found.order_by(table.c.id)).first()
    if row is not None:
        return row.id, Outcome(f"organization {row.slug}", "unchanged")
    _refuse_second_organization(connection, wanted)
    slug = wanted.org_slug or wanted.USUAL_SLUG
    name = wanted.org_name or wanted.org_slug or wanted.USUAL_NAME
    values = insert(table).values(slug=slug, name=name).returning(table.c.id)
    created = connection.execute(values).scalar_one()
    return created, Outcome(f"organization {slug}", "created")


def _refuse_second_organization(connection: Connection, wanted: FirstDay) -> None:
    table = cast("Table", Organization.__table__)
    others = select(table.c.slug).where(table.c.deleted_at.is_(None))
    slug = connection.execute(others.order_by(table.c.id)).scalar()
    if slug is not None:
        raise BadValue(
            f"there is an organization already, {slug!r}, and no {wanted.org_slug!r}: "
            "seeding makes the first one only",
            hint=f"platform org create {wanted.org_slug}",
        )


def administrator(connection: Connection, wanted: FirstDay) -> str | None:
    """Return the login name of the administrator that is there.

    Raises Refused when the wanted name or address belongs to another kind of user,
    BadValue when an administrator is there who is not the wanted one.
    """
    table = cast("Table", User.__table__)
    columns = select(table.c.username, table.c.is_superuser)
    columns = columns.where(table.c.deleted_at.is_(None))
    if wanted.username is None and wanted.email is None:
        anybody = columns.where(table.c.is_superuser, table.c.is_active)
        row = connection.execute(anybody.order_by(table.c.id)).first()
        if row is not None:
            return str(row.username)
    same = or_(
        func.lower(table.c.username) == func.lower(wanted.login),
        func.lower(table.c.email) == func.lower(wanted.address),
    )
    row = connection.execute(columns.where(same).order_by(table.c.id)).first()
    if row is not None and not row.is_superuser:
        raise Refused(
            f"user {row.username!r} exists and is not an administrator",
            hint="choose another --username and --email",
        )
    if row is not None and row.username.lower() == wanted.login.lower():
        return str(row.username)
    first = select(table.c.username).where(
        table.c.deleted_at.is_(None), table.c.is_superuser, table.c.is_active
    )
    other = row or connection.execute(first.order_by(table.c.id)).first()
    if other is None:
        return None
    if wanted.username is None and row is not None:
        return str(row.username)
    raise BadValue(
        f"there is an administrator already, {other.username!r}, and no "
        f"{wanted.login!r}: seeding makes the first one only",
        hint=f"platform user create {wanted.login} --email ADDRESS --superuser",
    )


def _first_administrator(
    connection: Connection, wanted: FirstDay, org: int, stored: str | None
) -> Outcome:
    present = administrator(connection, wanted)
    if present is not None:  # somebody was quicker, or it was there before
        return Outcome(f"administrator {present}", "unchanged")
    if stored is None:
        raise Refused(
            "the administrator disappeared while seeding", hint="platform seed"
        )
    values: dict[str, Any] = {
        "username": wanted.login,
        "email": wanted.address,
        "password_hash": stored,
        "is_superuser": True,
        "organization_id": org,
    }
    users = cast("Table", User.__table__)
    user = connection.execute(insert(users).values(values).returning(users.c.id))
    _give_owner_seat(connection, org, user.scalar_one())
    return Outcome(f"administrator {wanted.login}", "created")


def _give_owner_seat(connection: Connection, org: int, user: int) -> None:
    roles, seats = cast("Table", Role.__table__), cast("Table", Membership.__table__)
    owner = select(roles.c.id).where(
        roles.c.organization_id.is_(None), roles.c.name == "owner"
    )
    connection.execute(
        insert(seats).values(
            organization_id=org, user_id=user, role_id=owner.scalar_subquery()
        )
    )
