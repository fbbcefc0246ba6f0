"""Demo data sources, datasets, documents, their chunks and vectors, quality."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import Table, delete, func, select

from models import (
    Chunk,
    ChunkEmbedding,
    Dataset,
    DatasetVersion,
    DataSource,
    Document,
    EmbeddingModel,
    TextEmbedding,
    Vectorizer,
    VectorizerQueueEntry,
)

from ._embedding import DIMENSIONS, PROVIDER, VECTOR_MODEL, embed, pieces, tokens
from ._texts import Writing, cut, writings

if TYPE_CHECKING:
    from ._people import Tenant
    from ._world import World

__all__ = ["Library", "add_library"]

_WAITING = 1
"""Documents at the end that no worker has embedded yet."""


class Library(NamedTuple):
    """The data of a tenant: where it came from and the versions of two datasets."""

    source: int
    table: int
    table_versions: list[int]
    text_versions: list[int]


def add_library(world: World, tenant: Tenant) -> Library:
    """Add the datasets of *tenant*; its documents are chunked and embedded."""
    plan = tenant.plan
    source = world.put(
        DataSource,
        organization_id=tenant.id,
        name=f"{plan.library} store",
        description="Example source; the secret is named, not held",
        created_by=tenant.engineer,
        is_active=True,
        last_checked_at=world.ago(hours=3),
        **plan.source,
    )
    texts = _add_dataset(world, tenant, source, plan.library, "text")
    table = _add_dataset(world, tenant, source, plan.table, "tabular")
    found = writings(plan.slug)
    text_versions = _add_versions(
        world, tenant, texts, [("title", "content")] * 2, len(found)
    )
    table_versions = _add_versions(world, tenant, table, [plan.columns] * 3, 12_000)
    _add_documents(world, tenant, texts, found)
    return Library(source, table, table_versions, text_versions)


def _add_dataset(
    world: World, tenant: Tenant, source: int, name: str, kind: str
) -> int:
    dataset: int = world.put(
        Dataset,
        organization_id=tenant.id,
        data_source_id=source,
        name=name,
        kind=kind,
        description=f"Demo dataset {name}",
        tags=["demo", kind],
        created_by=tenant.engineer,
        created_at=world.ago(days=60),
    )
    return dataset


def _add_versions(
    world: World,
    tenant: Tenant,
    dataset: int,
    columns: list[tuple[str, ...]],
    rows: int,
) -> list[int]:
    return [
        world.put(
            DatasetVersion,
            organization_id=tenant.id,
            dataset_id=dataset,
            version=number,
            status="published",
            storage_uri=f"s3://demo-data/{tenant.plan.slug}/{dataset}/v{number}",
            format="parquet",
            columns=[{"name": name} for name in names],
            row_count=rows * (2 + number) // 3,
            size_bytes=rows * (2 + number) * 310,
            content_sha256=_digest(f"{tenant.plan.slug} {dataset} {number}"),
            published_at=world.ago(days=50 - 12 * number),
            created_by=tenant.engineer,
            created_at=world.ago(days=51 - 12 * number),
        )
        for number, names in enumerate(columns, 1)
    ]


def _add_documents(
    world: World, tenant: Tenant, dataset: int, found: list[Writing]
) -> None:
    model = _add_vector_model(world, tenant)
    vectorizer = world.put(
        Vectorizer,
        organization_id=tenant.id,
        dataset_id=dataset,
        embedding_model_id=model,
        name=f"{tenant.plan.library} passages",
        chunking={"method": "sentences", "longest": 240},
        created_by=tenant.engineer,
    )
    done = []
    for place, writing in enumerate(found):
        is_waiting = place >= len(found) - _WAITING
        document = _add_document(world, tenant, dataset, writing, is_waiting=is_waiting)
        if not is_waiting:
            _add_chunks(world, tenant, (dataset, document, model), writing)
            _add_text_vector(world, tenant, dataset, model, writing)
            done.append(document)
    _leave_queue(world, vectorizer, done)


def _add_vector_model(world: World, tenant: Tenant) -> int:
    """Add a model of the tenant's own: its vectors must not mix with real ones."""
    model: int = world.put(
        EmbeddingModel,
        organization_id=tenant.id,
        provider=PROVIDER,
        name=VECTOR_MODEL,
        dimensions=DIMENSIONS,
        is_default=True,
        config={"demo": True},
    )
    made = func.data_platform.ensure_embedding_partition(model)
    world.connection.execute(select(made))
    return model


def _add_document(
    world: World, tenant: Tenant, dataset: int, writing: Writing, *, is_waiting: bool
) -> int:
    values: dict[str, Any] = {
        "organization_id": tenant.id,
        "dataset_id": dataset,
        "record_id": writing.record_id,
        "title": writing.title,
        "uri": f"https://{tenant.plan.slug}.example.com/{writing.record_id}",
        "mime_type": "text/plain",
        "metadata": {"topic": writing.topic, "language": writing.language},
    }
    if writing.earlier:
        values |= {"valid_from_version": 1, "valid_to_version": 2, "status": "skipped"}
        world.put(Document, **values, **_text(writing.earlier))
    values["valid_from_version"] = 2 if writing.earlier else 1
    values["valid_to_version"] = None
    values["status"] = "pending" if is_waiting else "chunked"
    return int(world.put(Document, **values, **_text(writing.content)))


def _add_chunks(
    world: World, tenant: Tenant, place: tuple[int, int, int], writing: Writing
) -> None:
    dataset, document, model = place
    for seq, passage in enumerate(cut(writing.content)):
        chunk = world.put(
            Chunk,
            organization_id=tenant.id,
            dataset_id=dataset,
            document_id=document,
            seq=seq,
            search_text=" ".join(pieces(passage.text)),
            start_offset=passage.start,
            end_offset=passage.end,
            metadata={"topic": writing.topic, "language": writing.language},
            **_text(passage.text),
        )
        world.put(
            ChunkEmbedding,
            embedding_model_id=model,
            chunk_id=chunk,
            organization_id=tenant.id,
            dataset_id=dataset,
            embedding=embed(passage.text),
        )


def _add_text_vector(
    world: World, tenant: Tenant, dataset: int, model: int, writing: Writing
) -> None:
    text = f"{writing.title}\n{writing.content}"
    world.put(
        TextEmbedding,
        organization_id=tenant.id,
        dataset_id=dataset,
        record_id=writing.record_id,
        text_content=text,
        embedding=embed(text),
        embedding_model_id=model,
        content_sha256=_digest(text),
        metadata={"topic": writing.topic, "language": writing.language},
    )


def _leave_queue(world: World, vectorizer: int, done: list[int]) -> None:
    """Take the embedded documents out of the queue that a trigger filled."""
    queue = cast("Table", VectorizerQueueEntry.__table__)
    finished = queue.c.vectorizer_id == vectorizer, queue.c.document_id.in_(done)
    world.connection.execute(delete(queue).where(*finished))
    left = select(func.count()).where(queue.c.vectorizer_id == vectorizer)
    world.rows[queue.fullname] += world.connection.execute(left).scalar_one()


def _text(content: str) -> dict[str, Any]:
    return {
        "content": content,
        "content_sha256": _digest(content),
        "token_count": len(tokens(content)),
    }


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
