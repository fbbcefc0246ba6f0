"""Who is at the other end: behind proxies that are trusted, and only behind those."""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING, Final

from ai_platform.errors import BadValue

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FORWARDED", "X_FORWARDED_FOR", "TrustedProxies"]

Address = IPv4Address | IPv6Address

X_FORWARDED_FOR: Final = "x-forwarded-for"
FORWARDED: Final = "forwarded"
UNIX: Final = "unix"
_FOR: Final = re.compile(r'(?:^|[;\s])for=("[^"]*"|[^\s;,]+)', re.IGNORECASE)
_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d+)?|(?P<four>[\d.]+):\d+")
_MOST_HOPS: Final = 32


class TrustedProxies:
    """The proxies whose word is taken for the address of a client.

    *networks* are addresses or networks, `unix` stands for a peer on a Unix socket.
    Only *header* is read: a proxy hands on the other one as the client wrote it.
    Raises BadValue.
    """

    def __init__(
        self, networks: Iterable[str] = (), *, header: str = X_FORWARDED_FOR
    ) -> None:
        names = [networks] if isinstance(networks, str) else list(networks)
        self._unix = UNIX in names
        self._networks = [_network(name) for name in names if name != UNIX]
        self.header = header.lower()
        if self.header not in {X_FORWARDED_FOR, FORWARDED}:
            raise BadValue(
                f"not a header of proxies: got {header!r}",
                hint=f"name {X_FORWARDED_FOR} or {FORWARDED}",
            )

    def __bool__(self) -> bool:
        return self._unix or bool(self._networks)

    def client(self, peer: str | None, said: str | None) -> str | None:
        """Return the rightmost address that is no trusted proxy.

        *peer* is who connected (None on a Unix socket), *said* the header. What stands
        left of the first untrusted address was written by that one: it is not read.
        """
        if not said or not self._trusts(peer):
            return peer
        hops = _elements(said, self.header)[-_MOST_HOPS:]
        client = peer
        for hop in reversed(hops):
            address = _address(hop)
            if address is None:
                break  # "unknown", a hidden name, nonsense: the last hop known it is
            client = str(address)
            if not self._holds(address):
                break
        return client

    def _trusts(self, peer: str | None) -> bool:
        if not peer:
            return self._unix
        address = _address(peer)
        return address is not None and self._holds(address)

    def _holds(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _network(name: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(name, strict=False)
    except ValueError:
        raise BadValue(
            f"not an address or network of a proxy: got {name!r}",
            hint="write it as 10.0.0.0/8, fd00::/8 or unix",
        ) from None


def _elements(said: str, header: str) -> list[str]:
    elements = said.split(",")
    if header == X_FORWARDED_FOR:
        return elements
    # an element without for= names nobody, which ends the walk as nonsense does
    found = (_FOR.search(element) for element in elements)
    return [match[1].strip('"') if match else "" for match in found]


def _address(text: str) -> Address | None:
    text = text.strip()
    if match := _WITH_PORT.fullmatch(text):
        text = match["six"] or match["four"]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
