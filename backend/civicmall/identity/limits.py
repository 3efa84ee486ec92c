"""How often codes are sent to and tried from one device and one network, and which devices are known.

A device is whatever keeps the id that we gave it, in a cookie or a header; it is signed, so that
nobody makes ids up. A network is an IPv4 address or a /64 of IPv6. Both are counted under keyed
hashes, in the database, so that all processes count together.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final, Literal

from litestar import Request
from litestar.datastructures import Cookie
from msgspec import Struct

from civicmall.kernel import logs
from civicmall.kernel.house import House
from civicmall.kernel.http import client_ip

from .errors import TooManyTries
from .queries import q

log = logs.get("identity")
COOKIE: Final = "cm_device"
HEADER: Final = "Civicmall-Device"
COOKIE_S: Final = 400 * 86_400
"""As long as browsers keep a cookie at most."""
ID: Final = 16
MAC: Final = 16
SITE_BITS: Final = 64
"""IPv6: what one subscriber gets at least (RFC 6177); single addresses of it cost nothing."""

Act = Literal["send", "try", "staff", "ask"]
"""Have a code sent, try one, try a password of staff's; ask in a client's name what a citizen is to answer."""


class Limit(Struct, frozen=True):
    """At most so many in a window of so many seconds."""

    most: int
    window_s: int


NETWORK: Final[dict[Act, Limit]] = {
    "send": Limit(1200, 600), "try": Limit(2400, 600), "staff": Limit(600, 600),
    "ask": Limit(2400, 600),
}  # fmt: skip
"""Of one network, all devices together. Whole districts come from one address of a carrier (RFC
6888), so it is wide: two codes a second for a town behind one address. Passwords are checked slowly,
two at a time: one network alone never keeps that busy."""
STRANGERS: Final[dict[Act, Limit]] = {
    "send": Limit(600, 600), "try": Limit(1200, 600), "staff": Limit(300, 600),
    "ask": Limit(1200, 600),
}  # fmt: skip
"""Of one network, those that bring no device id: a program that throws its id away each time counts
here, and leaves half of the network's share to others."""
DEVICE: Final[dict[Act, Limit]] = {
    "send": Limit(20, 600), "try": Limit(40, 600), "staff": Limit(40, 600), "ask": Limit(120, 600),
}  # fmt: skip
"""Of one device: a family with one phone, and someone whose messages are slow."""
DEVICE_DAY: Final[dict[Act, Limit]] = {
    "send": Limit(80, 86_400), "try": Limit(160, 86_400), "staff": Limit(160, 86_400),
    "ask": Limit(1200, 86_400),
}  # fmt: skip


class Origin(Struct, frozen=True):
    """Where a request comes from."""

    network: str
    """Empty where it isn't known."""
    address: str
    device: bytes | None
    """The id that we gave it; None for one that brings none, or none of ours."""
    fresh: str | None = None
    """An id to give to it; None where it has one."""


def network(address: str) -> str:
    """What is counted as one: an address of IPv4, a /64 of IPv6. Empty for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        return str(ip_network((found, SITE_BITS), strict=False))
    return str(found)


def origin(request: Request[Any, Any, Any], house: House) -> Origin:
    """Where a request comes from, and the id that its answer should give."""
    said = request.headers.get(HEADER) or request.cookies.get(COOKIE, "")
    device = read(house, said)
    address = client_ip(request, house.settings.trusted_proxies)
    return Origin(network(address), address, device, None if device else made(house))


def made(house: House) -> str:
    """A new device's id, signed."""
    device = secrets.token_bytes(ID)
    return base64.urlsafe_b64encode(device + _mac(house, device)).decode()


def read(house: House, said: str) -> bytes | None:
    """The id in what a device brought; None where it isn't one of ours."""
    if len(said) > 64:  # noqa: PLR2004 (ours have 44)
        return None
    try:
        raw = base64.b64decode(said.encode(), altchars=b"-_", validate=True)
    except ValueError:
        return None
    device, mac = raw[:ID], raw[ID:]
    return device if hmac.compare_digest(_mac(house, device), mac) else None


def _mac(house: House, device: bytes) -> bytes:
    key = house.keys.derive("device-ids")
    return hmac.new(key, device, hashlib.sha256).digest()[:MAC]


def device_hash(house: House, device: bytes) -> bytes:
    """What is kept of a device's id."""
    return house.keys.blind(device.hex(), "device-id")


def headers(found: Origin) -> dict[str, str]:
    """The headers that give a device its id."""
    return {HEADER: found.fresh} if found.fresh else {}


def cookies(house: House, found: Origin) -> list[Cookie]:
    """The cookie that does the same for browsers."""
    if not found.fresh:
        return []
    secure = house.settings.public_url.startswith("https:")
    return [
        Cookie(COOKIE, value=found.fresh, max_age=COOKIE_S, path="/", httponly=True, secure=secure,
               samesite="lax")
    ]  # fmt: skip


async def count(house: House, found: Origin, act: Act) -> None:
    """Count an act where it comes from, each counter in one statement of its own that also says
    whether it is full. Raises TooManyTries.
    """
    counted: list[tuple[str, Limit]] = []
    if found.network:
        counted.append((f"network {found.network}", NETWORK[act]))
    if found.device is not None:
        counted.append((f"device {found.device.hex()}", DEVICE[act]))
        counted.append((f"device-day {found.device.hex()}", DEVICE_DAY[act]))
    elif found.network:
        counted.append((f"strangers {found.network}", STRANGERS[act]))
    for name, limit in counted:
        wait_s = await one_more(house, f"{act} {name}", limit)
        if wait_s is not None:
            log.warning("limit.full", act=act, of=name.partition(" ")[0])
            raise TooManyTries(retry_after_s=wait_s)


async def one_more(house: House, name: str, limit: Limit) -> int | None:
    """Count one, in one statement, so that a thousand at once are counted like one after the other; the
    seconds to wait where it is full.
    """
    key = house.keys.blind(name, "attempts")
    left: int | None = await q.count_attempt(
        house.db, bucket=key[0], blind=key, most=limit.most, window_s=limit.window_s
    )
    return left


async def lane(house: House, phone_blind: bytes, device: bytes | None) -> bytes:
    """Under which key codes for a phone are kept and counted: the phone's, or, on a device on which
    its owner signed in before, one of that phone and device alone. So nobody else's guesses, and
    no flood of codes that somebody else asks for, keeps owners out on their own devices.

    The same statement for every phone and device.
    """
    hashed = device_hash(house, device or b"")
    known: bool = await q.knows_device(
        house.db, bucket=phone_blind[0], blind=phone_blind, hash=hashed
    )
    own = house.keys.blind(f"{phone_blind.hex()} {hashed.hex()}", "phone-on-device")
    return own if known and device is not None else phone_blind


def device_of(house: House, found: Origin) -> bytes | None:
    """The device's id: what it brought, or what it is being given."""
    return found.device or (read(house, found.fresh) if found.fresh else None)


async def remember(house: House, phone_blind: bytes, device: bytes) -> None:
    """That the owner of a phone signed in on a device."""
    await q.know_device(
        house.db, bucket=phone_blind[0], blind=phone_blind, hash=device_hash(house, device)
    )
