"""Build hook: a wheel carries `ai_platform` only, never the script `platform`.

The script imports `cli`, which lives in the checkout and not in a wheel, so only
the editable install of a checkout may declare it.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CheckoutOnlyScript(BuildHookInterface):  # type: ignore[type-arg]
    """Drop the console script from every wheel that is not editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Clear the scripts unless *version* is ``editable``."""
        del build_data
        if version != "editable":
            self.metadata.core.scripts.clear()
