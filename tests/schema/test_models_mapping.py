"""Rows written through the models come back through their relationships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, configure_mappers

from models import (
    Base,
    Chunk,
    Dataset,
    DatasetVersion,
    Deployment,
    Document,
    Endpoint,
    Experiment,
    Membership,
    Model,
    ModelAlias,
    ModelVersion,
    Organization,
    Revision,
    Role,
    Run,
    RunMetric,
    Service,
    User,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import RelationshipProperty

    from tests.support.database import Database


def relationships() -> list[RelationshipProperty[Any]]:
    """Return every relationship of every mapper."""
    configure_mappers()
    found = (each for m in Base.registry.mappers for each in m.relationships)
    return sorted(found, key=str)


def written_columns(relationship: RelationshipProperty[Any]) -> dict[str, bool]:
    """Return the columns that *relationship* writes, and whether each may be NULL."""
    return {
        column.name: bool(column.nullable)
        for _, column in relationship.synchronize_pairs
    }


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Give a session of the superuser: row security is the subject of other tests."""
    with Session(database.engine()) as session:
        yield session


@pytest.fixture
def organization(session: Session) -> Organization:
    """Give an organization with one member, ada, and one role."""
    organization = Organization(slug="acme", name="Acme")
    role = Role(organization=organization, name="tester")
    user = User(username="ada", email="ada@example.org", password_hash="!")  # noqa: S106 - no password
    session.add(Membership(organization=organization, user=user, role=role))
    session.commit()
    return organization


def test_relationships_work_both_ways() -> None:
    """Setting one side shows on the other; only shortcuts for reading have one side."""
    assert [
        str(each)
        for each in relationships()
        if not (each.viewonly or each.back_populates)
    ] == []


def test_only_owner_fills_tenant() -> None:
    """Clearing an optional link never clears the tenant of a row with it.

    text_embeddings alone may have no dataset: there the pair comes and goes as one.
    """
    clearing = {
        each.target.name if each.uselist else each.parent.local_table.name
        for each in relationships()
        if {"organization_id"} < set(written := written_columns(each))
        and any(written.values())
    }

    assert clearing == {"text_embeddings"}


def test_member_reaches_organization(
    session: Session, organization: Organization
) -> None:
    """From a person to the organizations, through the membership and by shortcut."""
    user = session.scalars(select(User).where(User.username == "ada")).one()

    assert user.memberships[0].organization.name == "Acme"
    assert user.organizations == [organization]
    assert organization.users == [user]


def test_password_hash_stays_behind(
    database: Database, session: Session, organization: Organization
) -> None:
    """Services may not read the hash, so a plain load of a user does not ask for it."""
    key = str(organization.users[0].id)

    with Session(database.engine("app")) as service:
        service.execute(select(func.set_config("pb.auth.id", key, True)))  # noqa: FBT003 - SQL

        assert service.scalars(select(User)).one().username == "ada"


def test_document_finds_its_versions(
    session: Session, organization: Organization
) -> None:
    """A version shows the documents whose interval it lies in, down to the chunks."""
    dataset = Dataset(organization=organization, name="manuals")
    first, second = DatasetVersion(dataset=dataset), DatasetVersion(dataset=dataset)
    gone = Document(dataset=dataset, record_id="old", valid_to_version=2)
    kept = Document(dataset=dataset, record_id="kept", content="how to start")
    chunk = Chunk(document=kept, seq=0, content="how to start")
    session.add(dataset)
    session.commit()

    assert sorted([first.version, second.version]) == [1, 2]
    by_number = {version.version: version for version in dataset.versions}
    assert set(by_number[1].documents) == {gone, kept}
    assert by_number[2].documents == [kept]
    assert by_number[2].documents[0].chunks == [chunk]
    assert chunk.document.dataset.organization is organization
    assert chunk.organization_id == organization.id


def test_run_carries_metrics_and_children(
    session: Session, organization: Organization
) -> None:
    """A sweep knows its trials and a trial its curve, in the order of steps."""
    experiment = Experiment(organization=organization, name="sweep")
    parent = Run(experiment=experiment)
    child = Run(experiment=experiment, parent=parent)
    child.metrics = [RunMetric(metric="loss", step=step, value=1.0) for step in (2, 1)]
    session.add(experiment)
    session.commit()

    assert parent.children == [child]
    assert [metric.step for metric in child.metrics] == [1, 2]


def test_deployment_leads_to_model(
    session: Session, organization: Organization
) -> None:
    """From what serves traffic to the version, its alias and the model behind it."""
    model = Model(organization=organization, name="ranker")
    version = ModelVersion(model=model)
    alias = ModelAlias(model=model, version=version, alias="champion")
    service = Service(organization=organization, name="ranking")
    endpoint = Endpoint(service=service, host="ranking.example.org")
    revision = Revision(service=service, model_version=version)
    deployment = Deployment(service=service, endpoint=endpoint, revision=revision)
    session.add_all([model, service])
    session.commit()

    assert service.deployments == [deployment]
    assert deployment.revision.model_version is version
    assert (version.version, version.aliases) == (1, [alias])


def test_trigger_time_comes_back(session: Session, organization: Organization) -> None:
    """After a change the object knows the time the trigger set, without a new load."""
    before = organization.updated_at
    session.commit()
    organization.name = "Acme Corporation"
    session.flush()

    assert "updated_at" in organization.__dict__
    assert organization.updated_at > before


def test_database_deletes_what_belongs(
    session: Session, organization: Organization
) -> None:
    """Deleting a dataset takes its rows along in the database, none loaded before."""
    dataset = Dataset(organization=organization, name="manuals")
    document = Document(dataset=dataset, record_id="1")
    document.chunks = [Chunk(seq=number, content="text") for number in range(3)]
    session.add(dataset)
    session.flush()
    key = dataset.id
    session.commit()
    session.expunge_all()

    session.delete(session.get_one(Dataset, key))
    session.commit()

    assert session.scalar(select(func.count()).select_from(Chunk)) == 0
