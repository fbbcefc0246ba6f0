"""The shape of a history of revisions: names, ancestors, spans; no files here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ai_platform.errors import BadValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["BASE", "History"]

BASE: Final = "base"
_HINT: Final = "platform db history, or `alembic history` there"


class History:
    """Revisions in an order in which each comes after what it needs.

    *needs* gives the parents and dependencies of each, *parents* its parents alone and
    *labels* its branch labels.
    """

    def __init__(
        self,
        needs: Mapping[str, Sequence[str]],
        heads: Sequence[str],
        labels: Mapping[str, Sequence[str]],
        parents: Mapping[str, Sequence[str]],
    ) -> None:
        self.order = tuple(needs)
        self.heads = tuple(heads)
        self._needs = needs
        self._parents = parents
        self._labels = labels
        self._labelled = {name: key for key, names in labels.items() for name in names}

    @classmethod
    def of(
        cls, revisions: Sequence[Mapping[str, Any]], heads: Sequence[str]
    ) -> History:
        """Return the history of *revisions*, as the project's interpreter tells it."""
        return cls(
            {item["revision"]: item["needs"] for item in revisions},
            heads,
            {item["revision"]: item["labels"] for item in revisions},
            {item["revision"]: item["down_revisions"] for item in revisions},
        )

    def locate(self, name: str) -> str:
        """Return the revision meant by *name*: an id, its beginning, a label, head.

        Raises BadValue when it is none, or several.
        """
        if name in ("head", "heads"):
            return self._only_head()
        if name in self._needs or name == BASE:
            return name
        if name.removesuffix("@head") in self._labelled:
            label = name.removesuffix("@head")
            below = [head for head in self.heads if self._carries(head, label)]
            return below[0] if "@" in name and below else self._labelled[label]
        found = [key for key in self.order if name and key.startswith(name)]
        if len(found) != 1:
            what = f"could be {_listed(found)}" if found else "is not in the history"
            raise BadValue(f"revision {name!r} {what}", hint=_HINT)
        return found[0]

    def _carries(self, head: str, label: str) -> bool:
        return self._labelled[label] in _above(self._parents, [head])

    def branches(self) -> list[list[str]]:
        """Return the heads, those of one branch together: with the same labels.

        Who gave branches labels means each of them to have a head of its own.
        """
        found: dict[frozenset[str], list[str]] = {}
        for head in self.heads:
            line = _above(self._parents, [head])
            labels = frozenset(label for name in line for label in self._labels[name])
            found.setdefault(labels, []).append(head)
        return list(found.values())

    def _only_head(self) -> str:
        if not self.heads:
            raise BadValue("the project has no revisions", hint="alembic revision")
        if len(self.heads) > 1:
            raise BadValue(
                f"the history has {len(self.heads)} heads: {_listed(self.heads)}",
                hint="name one of them, or all: heads; or `alembic merge heads`",
            )
        return self.heads[0]

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """Return *names* and everything that they stand on."""
        return _above(self._needs, names)

    def tops(self, names: Iterable[str]) -> list[str]:
        """Return those of *names* that no other of them stands on."""
        chosen = set(names)
        below = {parent for name in chosen for parent in self._needs[name]}
        return [name for name in self.order if name in chosen - below]

    def before(self, name: str, *, included: bool = False) -> list[str]:
        """Return where a database stands before *name* runs, or with it, after."""
        index = self.order.index(name)
        return self.tops(self.order[: index + 1 if included else index])

    def span(self, text: str | None) -> list[str]:
        """Return the revisions of *text*: REV, A..B, or None for the last one.

        Of several heads ``heads`` means all, as REV and as B.
        Raises BadValue for names that are not there and ends that do not fit.
        """
        if text is None:
            return [self._only_head()]
        low, dots, high = text.partition("..")
        if text == "heads" and self.heads:
            return [name for name in self.order if name in self.heads]
        if not dots:
            name = self.locate(text)
            if name == BASE:
                raise BadValue("base has nothing to review", hint="base..head")
            return [name]
        first = self.locate(low or BASE)
        new = self._ends(text, first, high) - self.ancestors([first])
        return [name for name in self.order if name in new]

    def _ends(self, text: str, first: str, high: str) -> set[str]:
        """Return what the end *high* of a range from *first* on stands on."""
        if high == "heads" and len(self.heads) > 1:
            return self.ancestors(self.heads)
        last = self.locate(high or "head")
        self._demand_way(text, first, last)
        return self.ancestors([last])

    def _demand_way(self, text: str, first: str, last: str) -> None:
        if first == BASE or (last != BASE and first in self.ancestors([last])):
            return
        if last == BASE or last in self.ancestors([first]):
            raise BadValue(
                f"range {text!r} runs backwards", hint=f"write {last}..{first}"
            )
        raise BadValue(
            f"range {text!r}: {last} does not stand on {first}",
            hint="name an ancestor of it, or a merge of both as its end",
        )

    def between(self, names: Iterable[str]) -> list[str]:
        """Return *names* and what lies between two of them, in order."""
        chosen = set(names)
        below = self.ancestors(chosen)
        above = {
            name
            for name in self.order
            if name in below and not chosen.isdisjoint(self.ancestors([name]))
        }
        return [name for name in self.order if name in above]


def _above(needs: Mapping[str, Sequence[str]], names: Iterable[str]) -> set[str]:
    """Return *names* and whatever *needs* leads to from them."""
    found: set[str] = set()
    waiting = [name for name in names if name != BASE]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(needs[name])
    return found


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 - shown
