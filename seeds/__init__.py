"""Day one: reference rows, the first organization and its administrator."""

from __future__ import annotations

from ._upsert import Outcome
from .first_day import FirstDay, needs_password, seed

__all__ = ["FirstDay", "Outcome", "needs_password", "seed"]
