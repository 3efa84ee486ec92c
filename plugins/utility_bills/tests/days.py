"""A shop on another day: the same tables, another date."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from shopkit.local import CITY, local
from shopkit.sandbox import Person, Persona, personas
from shopkit.testing import TestShop


def noon(day: date) -> datetime:
    """Noon in the city."""
    return datetime.combine(day, time(12), CITY).astimezone(UTC)


def on(shop: TestShop, day: date) -> TestShop:
    """The same shop on another day."""
    return TestShop(shop.shop, shop.db, now=noon(day), secret=shop.secret)


def person(shop: TestShop, persona: Persona) -> Person:
    """A persona as it stands on the shop's day."""
    return next(p for p in personas(local(shop.now)) if p.persona == persona)


async def fill(shop: TestShop) -> None:
    """What the seeder does, on the shop's day."""
    await shop.seed()
