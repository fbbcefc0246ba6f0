"""`platform org`: organizations, the tenants of the platform."""

from __future__ import annotations

from typing import Annotated

import typer

from ai_platform.names import OWNER

from ._console import AsJson, example, group, show
from ._database import database

app = group("Organizations: the tenants.")


@app.command(epilog=example('platform org create acme --name "Acme GmbH"'))
def create(
    slug: Annotated[str, typer.Argument(help="Short name: a-z, 0-9 and '-'.")],
    *,
    name: Annotated[
        str | None, typer.Option(help="Display name; the slug without one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an organization; seats in it are given by `platform user create --org`."""
    from ai_platform.accounts import organizations  # noqa: PLC0415 - slow to import

    organizations.check_organization(slug, name or slug)
    with database(OWNER) as connection:
        row = organizations.create_organization(connection, slug, name or slug)
    show(row, as_json=as_json)


@app.command("list", epilog=example("platform org list --json"))
def list_(*, as_json: AsJson = False) -> None:
    """List the organizations with the number of seats."""
    from ai_platform.accounts import organizations  # noqa: PLC0415 - slow to import

    with database(OWNER) as connection:
        rows = organizations.list_organizations(connection)
    show(rows, as_json=as_json, empty="no organizations yet: platform seed")
