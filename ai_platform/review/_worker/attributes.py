"""What the program of a project would have put into `config.attributes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict  # noqa: UP035 - as below

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Attributes"]


class Attributes(Dict[str, Any]):  # noqa: UP006 - the language of Python 3.8
    """Holds a connection for the env.py that must have one, made by *connect*.

    One that asks whether it is there (`get`, `in`) is told so only where *is_told*:
    most of them open their own. *is_asked* says that it asked.
    """

    def __init__(self, connect: Callable[[], Any], *, is_told: bool) -> None:
        super().__init__()
        self._connect = connect
        self._is_told = is_told
        self.is_asked = False

    def __contains__(self, name: object) -> bool:
        """Return whether there is *name*; remember the question."""
        if name != "connection" or super().__contains__(name):
            return super().__contains__(name)
        self.is_asked = True
        return self._is_told

    def get(self, name: str, default: Any = None) -> Any:
        """Return what is at *name*, or *default*."""
        if name not in self:
            return default
        return self[name]

    def __missing__(self, name: str) -> Any:
        """Return a new connection, kept for who asks again."""
        if name != "connection":
            raise KeyError(name)
        return self.setdefault(name, self._connect())
