"""`call.http`: how a shop calls the department's own systems, and nothing that its manifest doesn't name.

In the platform's process this keeps honest code from a wrong address, and shows reviewers where data
goes; code that means harm is kept out by review and by a network of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import httpx

TIMEOUT_S: Final = 30.0
"""No call of a shop may take longer; its own deadline is usually shorter."""
CONNECTIONS_MAX: Final = 16
PORTS: Final = {"https": 443, "http": 80}


class NotDeclared(LookupError):
    """A host that is not in `egress`: a fault of the shop's, found before anything is sent."""


class Declared(httpx.AsyncBaseTransport):
    """Lets through what the manifest names: `host`, on the scheme's own port, or `host:port`."""

    def __init__(self, hosts: Iterable[str], inner: httpx.AsyncBaseTransport) -> None:
        self._hosts = frozenset(hosts)
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on. Raises NotDeclared."""
        url = request.url
        port = url.port or PORTS.get(url.scheme, 0)
        own_port = port == PORTS.get(url.scheme)
        if f"{url.host}:{port}" not in self._hosts and not (own_port and url.host in self._hosts):
            raise NotDeclared(f"{url.host}:{port} is not in the manifest's egress")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what lies below."""
        await self._inner.aclose()


class NoEgress:
    """Stands for the client of a shop whose manifest names no hosts: says so when it is used."""

    async def aclose(self) -> None:
        """There is nothing to close."""

    def __getattr__(self, name: str) -> Any:
        raise NotDeclared(f"http.{name}: this shop's manifest names no hosts in `egress`")


def client(hosts: Iterable[str]) -> httpx.AsyncClient | NoEgress:
    """A client for these hosts, made in the loop that uses it. No redirects, no proxy settings."""
    named = list(hosts)
    if not named:
        return NoEgress()
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX)
    inner = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)
    return httpx.AsyncClient(
        transport=Declared(named, inner), timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
    )
