"""What a way down leaves changed of roles that were there before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ai_platform.catalog._role_state import (
    Facet,
    alters_roles,
    changed,
    is_named,
    role_state,
)
from ai_platform.catalog.scratch import PREFIX

from .facts import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from ._plan import Plan
    from .scratch import Scratch

__all__ = ["role_facts", "roles_left"]

State = dict[Facet, str | None]


def role_facts(conn: psycopg.Connection[Any], plan: Plan) -> State | None:
    """Return what is set for each role; None where *plan* leaves all of that be."""
    if not (plan.online or alters_roles(_texts(plan))):
        return None
    return role_state(conn, besides=PREFIX)


def roles_left(
    server: Scratch, conn: psycopg.Connection[Any], plan: Plan, before: State | None
) -> tuple[Change, ...]:
    """Return what differs from *before* of roles that were there, in order.

    A role that a revision makes may stay: it belongs to the server, where another
    database may need it. So may what it is a member of; and a way down may drop one
    that the way up found there, as long as that one runs without it. On a
    *server* that others use only what the SQL of *plan* names counts: the rest may be
    theirs.
    """
    if before is None:
        return ()
    after = role_state(conn, besides=PREFIX)
    known = {facet.role for facet in before}
    texts, login = _texts(plan), conn.info.user
    return tuple(
        Change(
            "role",
            facet.role or "all",
            " ".join((facet.kind, *filter(None, facet.name))),
            _shown(before, facet),
            _shown(after, facet),
        )
        for facet in changed(before, after)
        if facet.kind != "gone"
        and (facet.kind != "member" or set(facet.name) <= known)
        and not _is_salted(before, after, facet)
        and (server.is_own or is_named(facet, texts, login))
    )


def _texts(plan: Plan) -> list[str]:
    return [item.text for item in (*plan.up, *(plan.down or ()))]


def _is_salted(
    before: Mapping[Facet, str | None], after: Mapping[Facet, str | None], facet: Facet
) -> bool:
    """Return whether nobody knows if it changed: one password has many forms."""
    return facet.kind == "password" and None not in (
        before.get(facet),
        after.get(facet),
    )


def _shown(state: Mapping[Facet, str | None], facet: Facet) -> str | None:
    """Return the value of *facet*, but of a password only that there is one."""
    value = state.get(facet)
    return "set" if facet.kind == "password" and value is not None else value
