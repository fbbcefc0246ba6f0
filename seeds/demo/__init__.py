"""Demo data on request: two believable organizations, so that nothing looks empty."""

from __future__ import annotations

from ._add import LEFT_EMPTY, add_demo, refuse_crowd
from ._embedding import embed
from ._texts import writings

__all__ = ["LEFT_EMPTY", "add_demo", "embed", "refuse_crowd", "writings"]
