"""Least, mean and greatest of numbers seen between two writes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

__all__ = ["Spread"]

_EXACT: Final = 2**53


@dataclass(slots=True)
class Spread:
    """Numbers in four fields, however many they were."""

    count: int = 0
    total: float = 0.0
    least: float = math.inf
    greatest: float = -math.inf

    def add(self, value: float) -> None:
        """Count one more number; what is not finite is left out."""
        if math.isfinite(value):
            value = float(value)  # an int is one too, but lacks a method or two
            self.count += 1
            self.total += value
            self.least = min(self.least, value)
            self.greatest = max(self.greatest, value)

    @property
    def mean(self) -> float | None:
        """Return the mean; None without a number."""
        return self.total / self.count if self.count else None

    def as_dict(self) -> dict[str, float]:
        """Return min, avg and max, rounded for JSON; nothing without a number."""
        if not self.count:
            return {}
        return {
            "min": _short(self.least),
            "avg": _short(self.total / self.count),
            "max": _short(self.greatest),
        }


def _short(value: float) -> float:
    """Return *value* with at most three decimals, as a whole number where it is one."""
    rounded = round(value, 3)
    return int(rounded) if rounded.is_integer() and abs(rounded) < _EXACT else rounded
