"""What the program of a project would have put into `config.attributes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict  # noqa: UP035 - as below

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Attributes"]


class Attributes(Dict[str, Any]):  # noqa: UP006 - the language of Python 3.8
    """Holds a connection for the env.py that must have one, made by *connect*.

    One that asks whether it is there (`get`, `in`) is told that it is not, and opens
    its own.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        super().__init__()
        self._connect = connect

    def __missing__(self, name: str) -> Any:
        """Return a new connection, kept for who asks again."""
        if name != "connection":
            raise KeyError(name)
        return self.setdefault(name, self._connect())
