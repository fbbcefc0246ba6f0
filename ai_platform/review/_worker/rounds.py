"""How often env.py runs the revisions: once, or once for each of its databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from .places import Project

__all__ = ["Rounds"]


class Rounds:
    """The rounds of one run of env.py, of which that of *project*'s engine is wanted.

    *options* are those of each round that was run; an engine of None wants all, but
    *is_online* no two that differ: one database would wait for the other.
    """

    def __init__(self, project: Project, *, is_online: bool) -> None:
        self.options: list[dict[str, Any]] = []
        self._project = project
        self._engine = project.engine
        self._is_online = is_online
        self._others: list[str] = []

    def around(self, function: Callable[..., None]) -> Callable[..., None]:
        """Return *function*, `run_migrations`, which leaves out unwanted rounds."""

        def run_migrations(**options: Any) -> None:
            names = [repr(value) for value in options.values()]
            # an empty name can only be told between quotes
            if self._engine is not None and self._engine not in {
                *names,
                *map(str, options.values()),
            }:
                self._others += names
                return
            self.options.append(options)
            self._project.is_begun = True
            if self._is_online:
                self.demand_one_kind()
            function(**options)

        return run_migrations

    def demand_one_kind(self) -> None:
        """Raise Fault where the rounds are of several databases."""
        if any(options != self.options[0] for options in self.options):
            raise self.several()

    def demand_some(self) -> None:
        """Raise Fault where no round was the wanted one."""
        if self._engine is not None and not self.options:
            known = ", ".join(self._others) or "none"
            text = "env.py runs no engine " + repr(self._engine) + ", only: " + known
            raise Fault("engine", text)

    def several(self) -> Fault:
        """Return what is wrong where the rounds are of several databases."""
        values = (repr(value) for each in self.options for value in each.values())
        names = ", ".join(dict.fromkeys(values))
        text = "env.py runs the revisions on several databases"
        return Fault("multidb", text + ": " + names if names else text)
