"""A wire between a client and its server that can be held, cut or made to lie."""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ai_platform.connection import Target

__all__ = ["Proxy"]


def _nothing(_data: bytes) -> None:
    pass


class Proxy:
    """Forwards to the server of *target*, from a port of its own on 127.0.0.1.

    `url` is that of *target* by way of the proxy. `on_client` is called with what the
    client sends and may hold or cut before it is forwarded; `on_server` likewise.
    """

    def __init__(self, target: Target) -> None:
        words = conninfo_to_dict(target.url)
        self._host, self._port = str(words["host"]), int(words.get("port") or 5432)
        self._listener = socket.create_server(("127.0.0.1", 0))
        host, port = self._listener.getsockname()
        secret = f":{quote(str(words['password']))}" if words.get("password") else ""
        user, name = quote(str(words["user"])), quote(str(words["dbname"]))
        # in clear text, for the hooks below to see what passes
        plain = "sslmode=disable&gssencmode=disable"
        self.url = f"postgresql://{user}{secret}@{host}:{port}/{name}?{plain}"
        self.on_client: Callable[[bytes], object] = _nothing
        self.on_server: Callable[[bytes], object] = _nothing
        self.accepted = 0
        self._flows = threading.Event()
        self._flows.set()
        self._open: list[socket.socket] = []
        self._changing = threading.Lock()
        self._ends = False
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def hold(self) -> None:
        """Forward nothing from now on, neither way; connections stay open."""
        self._flows.clear()

    def resume(self) -> None:
        """Forward again, also what was held."""
        self._flows.set()

    def cut(self) -> None:
        """Close every connection; new ones are taken."""
        with self._changing:
            connections, self._open = self._open, []
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends = True
        self._flows.set()
        # one that was accepted a moment ago may open its connections only now
        while any(thread.is_alive() for thread in self._threads):
            self.cut()
            time.sleep(0.01)

    def _accept(self) -> None:
        with self._listener:
            while not self._ends:
                if select.select([self._listener], [], [], 0.05)[0]:
                    client, _ = self._listener.accept()
                    self.accepted += 1
                    thread = threading.Thread(target=self._serve, args=(client,))
                    self._threads.append(thread)
                    thread.start()

    def _dial(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return server

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), self._dial() as server:
            with self._changing:
                self._open += [client, server]
            while ready := select.select([client, server], [], [])[0]:
                for source in ready:
                    if not (data := source.recv(1 << 16)):
                        return
                    (self.on_client if source is client else self.on_server)(data)
                    self._flows.wait()
                    (server if source is client else client).sendall(data)
