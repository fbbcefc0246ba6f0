"""Registered models, their versions, aliases and evaluations."""

from .evaluations import Evaluation
from .registry import Model, ModelAlias, ModelVersion

__all__ = ["Evaluation", "Model", "ModelAlias", "ModelVersion"]
