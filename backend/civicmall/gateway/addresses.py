"""Where a shop may live: on public addresses, and in networks that the operator has named.

A department gives us an address and we call it from inside the city's network, so it must not
lead to the city's own machines or to the cloud's metadata (SSRF). Names are resolved here, every
answer is checked, and the connection goes to exactly the checked address: a name that changes its
mind between check and connection (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from .http1_errors import Forbidden, Unreachable

IP: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Resolver: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""Host and port to addresses in the order to try; raises OSError."""

TTL_S: Final = 30.0
"""How long an answer of the DNS is used: a department that moves is found within half a minute,
and its name server is not asked more often than twice a minute."""
ADDRESSES_MAX: Final = 16
"""Addresses of one name: more than any honest shop has."""
KNOWN_MAX: Final = 1024
"""Names whose addresses are remembered: more than a city has shops."""
URL_MAX: Final = 512
"""Characters of a base address."""
PORT_MAX: Final = 65535

NEVER: Final[dict[Network, str]] = {
    ipaddress.ip_network(network): why
    for network, why in {
        "0.0.0.0/8": "unspecified",
        "169.254.0.0/16": "link-local",
        "224.0.0.0/4": "multicast",
        "255.255.255.255/32": "broadcast",
        "100.100.100.200/32": "a cloud's metadata",
        "168.63.129.16/32": "a cloud's metadata",
        "192.0.0.192/32": "a cloud's metadata",
        "::/128": "unspecified",
        "fe80::/10": "link-local",
        "ff00::/8": "multicast",
        "fd00:ec2::/32": "a cloud's metadata",
        "2001::/32": "a tunnel (Teredo)",
        "2002::/16": "a tunnel (6to4)",
        "64:ff9b:1::/48": "a local translation of another address (NAT64)",
    }.items()
}
"""Not even where the operator lists a network around them. Tunnels and local translations end at
an IPv4 address that somebody else chooses."""
NAT64: Final = IPv6Network("64:ff9b::/96")
COMPATIBLE: Final = IPv6Network("::/96")
GLOBAL_V6: Final = IPv6Network("2000::/3")
"""All that is assigned as global unicast."""
SPECIAL: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20")
)
"""Set aside by IANA for other ends; `is_global` of older Pythons lets some of them pass."""
SITE: Final = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]+)(?::(?P<port>[1-9][0-9]{0,4}))?")
HOST: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
NUMERIC: Final = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
"""A last label that some resolvers take for part of an IPv4 address."""
PREFIX: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?")


class OddAddress(ValueError):
    """An address or network that is written as none should be; the text says what is odd."""


class Base(Struct, frozen=True):
    """Where a shop lives. `prefix` is the path before every target: empty or `/like/this`."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def authority(self) -> str:
        """As in the Host header: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        own = 443 if self.scheme == "https" else 80
        return host if self.port == own else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Written the one way that it is written."""
        return f"{self.scheme}://{self.authority}{self.prefix}"


class Address(Struct, frozen=True):
    """The checked addresses of a host, in the order to try."""

    host: str
    port: int
    ips: tuple[str, ...]


def parse_base(url: str, *, https_only: bool) -> Base:
    """A shop's base address. Raises OddAddress, which says what is odd about it."""
    if len(url) > URL_MAX:
        raise OddAddress(f"longer than {URL_MAX} characters")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise OddAddress("has a space, backslash, control or non-ASCII character (use punycode)")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise OddAddress(str(error)) from None
    _check_parts(parts, url, https_only=https_only)
    site = SITE.fullmatch(parts.netloc.lower())
    if site is None:
        raise OddAddress("has no valid host, or no valid port after it")
    port = int(site["port"] or (443 if parts.scheme == "https" else 80))
    if port > PORT_MAX:
        raise OddAddress(f"has a port above {PORT_MAX}")
    return Base(parts.scheme, _host(site["host"]), port, parts.path.rstrip("/"))


def _check_parts(parts: SplitResult, url: str, *, https_only: bool) -> None:
    if parts.scheme not in (("https",) if https_only else ("https", "http")):
        raise OddAddress("is not https" if https_only else "is neither https nor http")
    if "@" in parts.netloc:
        raise OddAddress("has a user name or password")
    if "%" in parts.netloc:
        raise OddAddress("has a % in its host")
    if "?" in url or "#" in url:
        raise OddAddress("has a query or fragment")
    if PREFIX.fullmatch(parts.path) is None:
        raise OddAddress("has a path with other than letters, digits and - . _ ~")


def _host(host: str) -> str:
    """The host, or OddAddress; an IPv6 address comes in brackets and leaves without."""
    if host.startswith("["):
        return _host_v6(host[1:-1])
    if host.endswith("."):
        raise OddAddress("has a host that ends in a dot")
    if len(host) > 253 or HOST.fullmatch(host) is None:  # noqa: PLR2004 (RFC 1035)
        raise OddAddress("has no valid host")
    if NUMERIC.fullmatch(host.rpartition(".")[2]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise OddAddress("has a host that looks like an odd IPv4 address") from None
    return host


def _host_v6(host: str) -> str:
    try:
        address = IPv6Address(host)
    except ValueError:
        raise OddAddress("has no valid IPv6 address in its brackets") from None
    if address.ipv4_mapped is not None or _wraps(address):
        raise OddAddress("wraps an IPv4 address in an IPv6 one; write it plainly")
    return str(address)


class Networks:
    """Which addresses may be reached, and what names lead to. One for all shops of a loop."""

    def __init__(self, allowed: tuple[Network, ...] = (), resolver: Resolver | None = None) -> None:
        self._allowed = allowed
        self._resolver = resolver or _resolve
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[list[str]]] = {}

    @classmethod
    def parse(cls, setting: str, resolver: Resolver | None = None) -> Networks:
        """From the operator's list, as `127.0.0.0/8, 10.1.0.0/16`. Raises OddAddress."""
        allowed: list[Network] = []
        for part in filter(None, (part.strip() for part in setting.split(","))):
            try:
                allowed.append(ipaddress.ip_network(part))
            except ValueError as error:
                raise OddAddress(f"no network: {error}") from None
        return cls(tuple(allowed), resolver)

    def refusal(self, ip: str) -> str | None:
        """Why an address may not be reached; None if it may."""
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return f"{ip[:60]!r} is no address"
        why = self._why_not(_plain(address))
        return None if why is None else f"{ip} is {why}"

    def _why_not(self, address: IP) -> str | None:
        if isinstance(address, IPv6Address) and (odd := _odd_v6(address)) is not None:
            return odd
        for network, why in NEVER.items():
            if address in network:
                return why
        if any(address in network for network in self._allowed):
            return None
        public = address.is_global and not any(address in network for network in SPECIAL)
        if isinstance(address, IPv6Address):
            public = public and address in GLOBAL_V6
        return None if public else "not public, and in no network that the operator allows"

    async def resolve(self, host: str, port: int) -> Address:
        """The addresses of a host. Raises Forbidden if any of them may not be reached, Unreachable
        if there is none. Whoever waits may stop at any time.
        """
        ips = await self._answers(host, port)
        for ip in ips:
            if (why := self.refusal(ip)) is not None:
                raise Forbidden(host, why)
        return Address(host, port, tuple(ips))

    async def _answers(self, host: str, port: int) -> list[str]:
        """What the name leads to now, or did within `TTL_S`; one question at a time for each."""
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        key = (host, port)
        known = self._known.get(key)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key))
            asking.add_done_callback(lambda task: self._answered(key, task))
        return await asyncio.shield(asking)

    def _answered(self, key: tuple[str, int], task: asyncio.Task[list[str]]) -> None:
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waited has heard it; nobody may have

    async def _ask(self, key: tuple[str, int]) -> list[str]:
        host, port = key
        self._known.pop(key, None)
        try:
            ips = list(dict.fromkeys(await self._resolver(host, port)))
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"no address for {host}: {error}") from None
        if not ips:
            raise Unreachable(f"no address for {host}")
        if len(ips) > ADDRESSES_MAX:
            raise Forbidden(host, f"leads to {len(ips)} addresses, of at most {ADDRESSES_MAX}")
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[key] = (time.monotonic() + TTL_S, ips)
        return ips


def _odd_v6(address: IPv6Address) -> str | None:
    """What is wrong with an IPv6 address by its form alone."""
    if address.scope_id is not None:
        return "link-local"
    return "an IPv4 address in a form long given up" if _wraps(address) else None


def _wraps(address: IPv6Address) -> bool:
    return address in COMPATIBLE and int(address) > 1  # 0 and 1 are unspecified and loopback


def _plain(address: IP) -> IP:
    """The IPv4 address that an IPv6 one stands for, where a kernel or a router would unwrap it."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


async def _resolve(host: str, port: int) -> list[str]:
    """Ask the system, in a thread of its own.

    The loop's few shared threads would all hang as soon as some shops' name servers do.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def tell(ips: list[str] | None, error: Exception | None) -> None:
        if answer.done():
            return
        if ips is None:
            answer.set_exception(error or OSError("no answer"))
        else:
            answer.set_result(ips)

    def ask() -> None:
        ips: list[str] | None = None
        problem: Exception | None = None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            ips = [str(entry[4][0]) for entry in found]
        except Exception as error:  # noqa: BLE001 (it is raised where it is waited for)
            problem = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, ips, problem)

    threading.Thread(target=ask, name=f"resolve-{host}", daemon=True).start()
    return await answer
