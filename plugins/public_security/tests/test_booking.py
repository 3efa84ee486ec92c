"""Times at the household registration counters, on the shop's own timetable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from public_security import shop
from public_security.data import COUNTERS, OFFICES

from shopkit import (
    BookAsk,
    Booking,
    BookingsQuery,
    Refused,
    ShopDb,
    Slots,
    SlotsQuery,
    counters,
)
from shopkit.call import Citizen
from shopkit.local import CITY
from shopkit.testing import TestShop

NOW = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
"""Seven on a Wednesday morning in the city."""
TODAY = date(2026, 11, 25)
LAST = TODAY + timedelta(days=14)


@pytest.fixture
async def desk(db: ShopDb) -> AsyncIterator[TestShop]:
    yield TestShop(shop, db, now=NOW)
    for table in ("counter_booking", "counter_slot", "counter_citizen"):
        await db.execute(f"delete from {table}")  # noqa: S608 (the three above)


async def slots(desk: TestShop, **asked: str) -> Slots:
    query = SlotsQuery(TODAY, LAST, **asked)  # pyright: ignore[reportArgumentType] (place and matter)
    return await desk.call("household_booking", "appointments.slots", query, citizen=ann)


async def book(desk: TestShop, slot: str, matter: str, who: Citizen, request: str = "r") -> Booking:
    asked = BookAsk(request, slot, matter)
    return await desk.call("household_booking", "appointments.book", asked, citizen=who)


ann = Citizen("ann", 2)


def test_counters_are_the_offices() -> None:
    assert {c.place.id: c.place.name for c in COUNTERS.counters} == {
        office.id: office.name for office in OFFICES.values()
    }
    assert COUNTERS.example
    for matter in COUNTERS.matters:
        assert matter.bring, matter.id
        for text in (matter.name, *matter.bring):
            assert text.keys() == {"zh-CN", "en"}


def test_the_tables_are_those_of_shopkit() -> None:
    """What a migration applied stays as it is; a change of shopkit needs another one."""
    folder = shop.migrations or Path()
    text = "".join(path.read_text() for path in sorted(folder.glob("*.sql")))
    assert counters.DDL in text
    assert counters.DDL_BACK in text


async def test_a_newborn_is_booked_and_told_what_to_bring(desk: TestShop) -> None:
    found = await slots(desk, place="qinghe", matter="birth_registration")
    assert {slot.kind for slot in found.slots} == {"normal", "after_hours", "green_channel"}
    assert {slot.place.id for slot in found.slots} == {"qinghe"}
    first = next(slot for slot in found.slots if slot.kind == "normal")
    assert first.begins_at == datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
    made = await book(desk, first.id, "birth_registration", ann)
    assert made.bring[0]["zh-CN"] == "《出生医学证明》"
    assert made.cancel_until == datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
    mine = await desk.call(
        "household_booking", "appointments.list", BookingsQuery(), citizen=ann
    )  # fmt: skip
    assert mine == [made]
    gone = await desk.call("household_booking", "appointments.cancel", made.id, citizen=ann)
    assert gone.state == "cancelled"


async def test_evenings_and_saturdays_are_after_hours(desk: TestShop) -> None:
    found = await slots(desk, place="qinghe")
    days: dict[str, set[int]] = {}
    for slot in found.slots:
        days.setdefault(slot.kind, set()).add(slot.begins_at.astimezone(CITY).isoweekday())
    assert days["after_hours"] == {3, 6}
    assert days["normal"] == days["green_channel"] <= {1, 2, 3, 4, 5}


async def test_the_township_does_not_take_every_matter(desk: TestShop) -> None:
    assert (await slots(desk, place="yunling", matter="name_change")).slots == []
    slot = (await slots(desk, place="yunling")).slots[0]
    with pytest.raises(Refused, match="请选择该网点办理的事项"):
        await book(desk, slot.id, "name_change", ann)


async def test_the_last_place_goes_to_one(desk: TestShop) -> None:
    slot = next(s for s in (await slots(desk, place="yunling")).slots if s.kind == "normal")
    assert slot.left == 1
    many = (Citizen(f"c{n}", 2) for n in range(100))
    ended = await asyncio.gather(
        *(book(desk, slot.id, "booklet_renewal", who) for who in many), return_exceptions=True
    )
    assert sum(isinstance(one, Booking) for one in ended) == 1
    assert sum(isinstance(one, Refused) for one in ended) == 99
