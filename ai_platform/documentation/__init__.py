"""The catalog of a database as pages for people: Markdown, diagrams, one HTML page."""

from .coverage import Coverage, coverage
from .pages import pages
from .policies import PartitionPolicy, partition_policies

__all__ = ["Coverage", "PartitionPolicy", "coverage", "pages", "partition_policies"]
