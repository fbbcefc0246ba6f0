"""What became of each record, as numbers and as Prometheus text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Counts", "Metric", "prometheus_text"]


@dataclass(slots=True)
class Counts:
    """Totals since the writer was made; times are seconds.

    *taken* have left the buffer, and each of them ends in *written*, *set_aside* (by
    reason; the fallback took it) or *lost* (by reason; the fallback failed).
    *refused*, by reason, never were in the buffer.
    """

    taken: int = 0
    written: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    flush_s: float = 0.0
    partitions_made: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def resolved(self) -> int:
        """How many of the records taken have come to an end."""
        return self.written + self.set_aside.total() + self.lost.total()

    @property
    def dropped(self) -> dict[str, int]:
        """Records dropped by reason: buffer_full, closed, fallback_failed, failed."""
        # copied first: the writer's thread may add a reason meanwhile
        return dict(self.refused.copy() + self.lost.copy())


Metric = tuple[str, str, str, "Mapping[str, float] | float"]
"""Name, type, help, and a value or the values by reason."""

_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def prometheus_text(metrics: Iterable[Metric], label: str = "reason") -> str:
    """Return *metrics* in the text format of Prometheus, version 0.0.4."""
    lines: list[str] = []
    for name, kind, text, value in metrics:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        if isinstance(value, float | int):
            lines.append(f"{name} {value:.15g}")
        else:
            lines += [
                f'{name}{{{label}="{key.translate(_ESCAPES)}"}} {number:.15g}'
                for key, number in sorted(value.items())
            ]
    return "\n".join(lines) + "\n"
