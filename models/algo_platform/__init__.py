"""Algorithms, experiments, runs and the job queue."""

from .experiments import Algorithm, Experiment, Job
from .runs import Run, RunArtifact, RunMetric

__all__ = ["Algorithm", "Experiment", "Job", "Run", "RunArtifact", "RunMetric"]
