"""Data sources, datasets, documents, embeddings and their quality."""

from .datasets import Dataset, DatasetVersion, DataSource
from .documents import Chunk, Document
from .embeddings import (
    ChunkEmbedding,
    EmbeddingModel,
    TextEmbedding,
    Vectorizer,
    VectorizerQueueEntry,
)
from .lineage import LineageEdge
from .quality import QualityCheck, QualityResult

__all__ = [
    "Chunk",
    "ChunkEmbedding",
    "DataSource",
    "Dataset",
    "DatasetVersion",
    "Document",
    "EmbeddingModel",
    "LineageEdge",
    "QualityCheck",
    "QualityResult",
    "TextEmbedding",
    "Vectorizer",
    "VectorizerQueueEntry",
]
