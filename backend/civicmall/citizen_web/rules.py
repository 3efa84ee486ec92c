"""Decisions of the citizen app: pure, tested without a server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from civicmall.payments import Channel, Channels, ChargeRef, insurance

HOME: Final = "/"
LOCAL: Final = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]{0,400}")
"""A path of ours. Browsers read `//host` and `/\\host` as another site, and drop tabs and line
breaks before they look, so whatever has one is no path of ours."""
ADDRESS: Final = re.compile(r"https?://[^\s<>\"'，。；）]+")
CHARGES_MAX: Final = 20
"""Bills in one order; the payment centre takes no more."""
POLLED: Final = frozenset({"paying", "paid", "refunding"})
"""States in which an order changes by itself, so that its page looks again."""


def local(asked: str | None) -> str:
    """Where to go next: the path asked for if it is one of ours, else the home."""
    return asked if asked and LOCAL.fullmatch(asked) else HOME


def after(url: str, public_url: str) -> str:
    """A link of ours as a path, so that it works under whatever name the browser knows us by;
    anybody else's link as it is.
    """
    return local(url.removeprefix(public_url)) if url.startswith(public_url + "/") else url


def day(said: str) -> date | None:
    """A day as a form has it; None where it is none."""
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        return None


def ways(channels: Channels) -> list[Channel]:
    """The channels that an order can be paid through with one press; the medical insurance has a
    page of its own.
    """
    return [one for one in channels.all() if one.name != insurance.NAME]


def web_address(source: str) -> str:
    """The address in what a department names as a source; empty where there is none."""
    found = ADDRESS.search(source)
    return found[0] if found else ""


def greeting(hour: int) -> str:
    """The words that suit the hour in the city, as a message id."""
    if 5 <= hour < 11:  # noqa: PLR2004 (a morning)
        return "Good morning"
    if 11 <= hour < 18:  # noqa: PLR2004 (an afternoon)
        return "Good afternoon"
    return "Good evening"


def decimal(milli: int) -> str:
    """Thousandths as a number without needless zeros: 26818 → "26.818", 5000 → "5"."""
    sign = "-" if milli < 0 else ""
    whole, rest = divmod(abs(milli), 1000)
    return f"{sign}{whole:,}" + (f".{rest:03d}".rstrip("0") if rest else "")


def price(milli_minor: int) -> str:
    """A price in yuan from thousandths of a fen, two decimals at least: 261000 → "2.61"."""
    whole, rest = divmod(milli_minor, 100_000)
    digits = f"{rest:05d}".rstrip("0").ljust(2, "0")
    return f"{whole:,}.{digits}"


class Change(Struct, frozen=True):
    """How one quantity differs from an earlier one. `percent` is absolute, one decimal."""

    direction: Literal["more", "less", "same"]
    percent: str


def change(now: int, before: int | None) -> Change | None:
    """Against an earlier quantity; None where there is nothing to compare with."""
    if not before:
        return None
    tenths = round((now - before) * 1000 / before)
    if tenths == 0:
        return Change("same", "0")
    return Change("more" if tenths > 0 else "less", f"{abs(tenths) / 10:.1f}".removesuffix(".0"))


def charge(shop: str, app: str, charge_id: str) -> str:
    """A charge as a form carries it."""
    return f"{shop}/{app}/{charge_id}"


def charges(values: Iterable[str]) -> list[ChargeRef]:
    """Charges as forms carry them, each once. Raises msgspec.ValidationError."""
    found: list[dict[str, Any]] = []
    for value in dict.fromkeys(values):
        shop, _, rest = value.partition("/")
        app, _, charge_id = rest.partition("/")
        found.append({"shop": shop, "app": app, "charge_id": charge_id})
    return msgspec.convert(found, list[ChargeRef])


def order_key(nonce: str, wanted: Iterable[ChargeRef]) -> str:
    """The Idempotency-Key of a form: the same page and the same bills are the same order, and
    other bills from the same page are another.
    """
    chosen = sorted(charge(one.shop, one.app, one.charge_id) for one in wanted)
    return f"web.{nonce}.{hashlib.sha256(chr(10).join(chosen).encode()).hexdigest()[:16]}"


def fact(kind: str, raw: str) -> Any:
    """What a form says about a fact, as identity takes it; None forgets it."""
    match kind, raw.strip():
        case _, "":
            return None
        case "flag", said:
            return said == "true"
        case "number", said if said.isascii() and said.isdecimal():
            return int(said)
        case _, said:
            return said
