"""Decisions of the identity centre: pure, tested without a database."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from datetime import date
from typing import Final

from stdnum.cn import ric

CODE_VALID_S: Final = 300
"""Five minutes: long enough for a slow text message, short enough for a lost phone."""
CODE_TRIES: Final = 5
CODE_WINDOW_S: Final = 600
CODES_PER_WINDOW: Final = 10
CODES_PER_DAY: Final = 60
WRONG_PER_DAY: Final = 30
"""Wrong codes per phone and day: one guesser in thirty thousand gets in on a given day."""
STAFF_FREE_TRIES: Final = 5
RESEND_AFTER_S: Final = 30
CODES: Final = "sandbox-codes"
"""Purpose of the key that the sandbox's codes are derived with."""
ACCESS_S: Final = 600
"""Life of an access token: what a stolen one is worth at most."""
REFRESH_DAYS: Final = 60
STAFF_HOURS: Final = 12
"""A working day: staff show password and second factor each morning."""
STAFF_IDLE_S: Final = 3600.0
"""Staff who did nothing for so long sign in anew. NIST SP 800-63B (2017), 4.2.3, has half an hour and twelve
hours; a long case is read for longer."""
RECENT_S: Final = 600.0
"""How long after signing in one may change how one signs in."""
GRACE_S: Final = 10.0
"""A page's parallel requests may all bring the last refresh token; later ones look stolen."""
BROWSERS: Final = (
    ("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
"""Mark in the User-Agent → name; those that call themselves something else come first."""
SYSTEMS: Final = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
BACK_MAX: Final = 2_000
"""Characters of a parameter that an upstream sends back; codes of providers in use have a few hundred."""


def code_hash(key: bytes, phone: str, code: str) -> bytes:
    """What is stored instead of a code."""
    return hmac.new(key, f"{phone}\0{code}".encode(), hashlib.sha256).digest()


def sandbox_code(key: bytes, phone: str, day: date) -> str:
    """The sandbox's codes stay the same for a day, so that they can be printed beforehand."""
    digest = hmac.new(key, f"{phone}\0{day}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"


def device_name(user_agent: str) -> str:
    """A browser and its system, in two words that its owner recognises."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return " · ".join(part for part in (browser, system) if part)


def network(address: str) -> str:
    """The network of an address, too wide to name anybody: 24 bits of IPv4, 48 of IPv6 (what providers
    give to one site is as narrow as 56). Empty for what is no address.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))  # noqa: PLR2004


def valid_id_number(number: str) -> bool:
    """Check digit and birth date hold (GB 11643-1999)."""
    try:
        ric.get_birth_date(number)
        return ric.calc_check_digit(number) == number[-1]
    except (ric.InvalidComponent, ric.InvalidFormat, ric.InvalidLength, ValueError):
        return False


def mask(text: str, head: int, tail: int) -> str:
    """Enough to recognise one's own, as in 138****1234 for a head of 3 and a tail of 4."""
    if len(text) <= head + tail:
        return text[:1] + "*" * (len(text) - 1)
    return text[:head] + "*" * (len(text) - head - tail) + text[len(text) - tail :]
