"""The tests of a history, as items of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from ai_platform.catalog import diff
from ai_platform.catalog.difference import is_trace, is_validation
from ai_platform.errors import PlatformError
from ai_platform.review._foreign import Place
from ai_platform.review.projects import whole

from ._drift import drift
from ._ground import Ground, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ai_platform.catalog import Difference, Snapshot
    from ai_platform.review.projects import Project

__all__ = ["Revisions"]


class Leak(Exception):
    """Two catalogs that should be equal are not; *differences* are as readers see."""

    def __init__(self, told: str, differences: list[Difference]) -> None:
        super().__init__(told)
        self.told = told
        self.differences = differences

    @property
    def text(self) -> str:
        """Return what was found, a line each."""
        return "\n".join([self.told, *(f"  {item}" for item in self.differences)])


class Revisions(pytest.File):
    """The configuration of an Alembic project, and the tests of its revisions."""

    project: Project
    walk: Walk

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the tests; raises CollectError where the project cannot be read."""
        ini = self.config.getini
        timeout_s = float(ini("revisions_timeout"))
        env = dict(line.partition("=")[::2] for line in ini("revisions_env"))
        try:
            python = ini("revisions_python")
            place = Place.of(
                self.path,
                self.config.rootpath / python if python else None,
                env,
                x=ini("revisions_x"),
                engine=ini("revisions_engine") or None,
            )
            self.project = whole(place, timeout_s=timeout_s)
        except PlatformError as error:
            raise self.CollectError(_told(error)) from None
        self.walk = Walk(self.project, _ground(self.config), timeout_s)
        yield SingleHead.from_parent(self, name="single_head")
        for revision in self.project.history.order:
            yield Stairway.from_parent(
                self, name=f"stairway[{revision}]", revision=revision
            )
        yield OfflineIsOnline.from_parent(self, name="offline_is_online")
        if ini("revisions_metadata"):
            yield Drift.from_parent(self, name="drift")

    def teardown(self) -> None:
        """Drop the database."""
        self.walk.close()


class RevisionTest(pytest.Item):
    """A test of a history; its docstring is the promise that it guards."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_marker("revisions")
        of = cast("Revisions", self.parent)
        self.project, self.walk = of.project, of.walk

    def repr_failure(self, excinfo: Any, *_: Any) -> Any:
        """Return what a reader needs: no traceback of ours."""
        error = excinfo.value
        if isinstance(error, Leak):
            return error.text
        if isinstance(error, PlatformError):
            return _told(error)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the test comes from."""
        return self.path, None, self.name


class SingleHead(RevisionTest):
    """Two people who both added a revision hear of it before production does."""

    def runtest(self) -> None:
        """Count the heads of each branch: those with labels of their own may stand."""
        heads = [head for one in self.project.history.branches() for head in one]
        if len(heads) > len(self.project.history.branches()):
            raise Leak(f"{len(heads)} heads: {', '.join(heads)}; merge them", [])


class Stairway(RevisionTest):
    """A revision can be taken back without a trace, and run again to the same."""

    def __init__(self, *, revision: str, **options: Any) -> None:
        super().__init__(**options)
        self._revision = revision

    def runtest(self) -> None:
        """Go up, down and up, with a snapshot of the whole catalog after each."""
        name = self._revision
        self.walk.before(name)
        below = self.walk.snapshot()
        self.walk.run(name)
        above = self.walk.snapshot()
        self.walk.run(name, down=True)
        self._demand(below, f"the downgrade of {name} does not lead back")
        self.walk.run(name)
        self._demand(above, f"{name} leads elsewhere when it runs again")

    def _demand(self, expected: Snapshot, otherwise: str) -> None:
        """Compare, and let nobody go on from a database that is not as it should be."""
        found = [
            one
            for one in diff(expected, self.walk.snapshot())
            if is_trace(one)
            and not is_validation(one.kind, one.property, one.expected, one.actual)
        ]
        if found:
            self.walk.close()
            raise Leak(otherwise, found)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the file of the revision."""
        sources = {source.revision: source for source in self.project.revisions}
        file = self.project.place.folder / sources[self._revision].file
        return file, None, self.name


class OfflineIsOnline(RevisionTest):
    """The SQL that a DBA reads makes the same database as `upgrade` does."""

    def runtest(self) -> None:
        """Build one database each way."""
        self.walk.to_the_end()
        online = self.walk.snapshot()
        self.walk.written()
        found = diff(online, self.walk.snapshot())
        if found:
            raise Leak("written SQL leads elsewhere than upgrade", found)


class Drift(RevisionTest):
    """Models and revisions say the same."""

    def runtest(self) -> None:
        """Build one database from the models, one by the revisions."""
        self.walk.to_the_end()
        attribute = self.config.getini("revisions_metadata")
        found = drift(self.walk, self.project, _ground(self.config), attribute)
        if found:
            raise Leak(f"models ({attribute}) and revisions differ", found)


_GROUND = pytest.StashKey[Ground]()


def _ground(config: pytest.Config) -> Ground:
    """Return the server of this session; it ends with it."""
    if _GROUND not in config.stash:
        ground = config.stash.setdefault(_GROUND, Ground())
        config.add_cleanup(ground.close)
    return config.stash[_GROUND]


def _told(error: PlatformError) -> str:
    return f"{error}\nnext: {error.hint}" if error.hint else str(error)
