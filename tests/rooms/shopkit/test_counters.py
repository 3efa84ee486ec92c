"""Booking at a counter, on PostgreSQL: many at once, the same request again, giving back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests import workshop
from tests.rooms.shopkit.schema import schema, write

from civicmall.kernel.embedded import Server
from shopkit import (
    BookAsk,
    Booking,
    BookingsQuery,
    Citizen,
    NotFound,
    Refused,
    Shop,
    ShopDb,
    Slots,
    SlotsQuery,
    counters,
)
from shopkit.testing import TestShop

NOW = datetime(2026, 11, 30, 0, 30, tzinfo=UTC)
"""Half past eight on a Monday in the city."""
MONDAY = date(2026, 11, 30)
NINE = "east.20261130T0900.n"
HALF_PAST = "east.20261130T0930.n"
TEN = "east.20261130T1000.n"


def place(name: str) -> dict[str, Any]:
    return {"id": name, "name": {"zh-CN": name}, "address": {"zh-CN": "某路1号"}}


TIMETABLE = counters.parse(
    {
        "counters": [
            {
                "place": place("east"), "slot_minutes": 30, "capacity": 4, "green": 1,
                "hours": [
                    {"days": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "11:00"},
                    {"days": [1], "opens": "18:00", "closes": "19:00", "kind": "after_hours"},
                ],
            },
            {
                "place": place("west"), "slot_minutes": 60, "capacity": 2, "matters": ["birth"],
                "hours": [{"days": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "11:00"}],
            },
        ],
        "matters": [
            {"id": "birth", "name": {"zh-CN": "出生登记"}, "bring": [{"zh-CN": "出生医学证明"}]},
            {"id": "move", "name": {"zh-CN": "迁入登记"}},
        ],
        "days_ahead": 7, "notice_minutes": 10, "cancel_minutes": 60, "open_max": 2,
        "green_note": {"zh-CN": "供老人和病人使用"}, "source": "a test",
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop of two apps with counters of their own."""
    home = tmp_path_factory.mktemp("counters")
    (home / "src" / "kit_counters").mkdir(parents=True)
    (home / "src" / "kit_counters" / "__init__.py").touch()
    (home / "migrations").mkdir()
    write(home / "migrations", "counters", counters.DDL, counters.DDL_BACK)
    said = {"zh-CN": "户政"}
    manifest = {
        "id": "counters", "version": "1.0.0", "contract": 2, "name": said, "summary": said,
        "department": said, "contacts": {"responsible": said, "phone": "19900008120"},
        "settlement_account": "counters", "apps": [workshop.app(name, "appointments") for name in ("desk", "other")],
    }  # fmt: skip
    (home / "shop.json").write_text(json.dumps(manifest))
    sys.path.append(str(home / "src"))
    shop = Shop("kit_counters")
    for name in ("desk", "other"):
        counters.serve(shop, name, TIMETABLE)
    yield shop
    sys.path.remove(str(home / "src"))


@pytest.fixture(scope="module")
async def db(server: Server, shop: Shop) -> AsyncIterator[ShopDb]:
    assert shop.migrations is not None
    async with schema(server, "counters", shop.migrations, size_max=12) as found:
        yield found


@pytest.fixture
async def desk(shop: Shop, db: ShopDb) -> AsyncIterator[TestShop]:
    """The shop at half past eight, with no bookings."""
    async with TestShop(shop, db, now=NOW) as t:
        yield t
    await db.execute("delete from counter_booking")
    await db.execute("delete from counter_slot")
    await db.execute("delete from counter_citizen")


def at(desk: TestShop, hour: int, minute: int = 0, day: date = MONDAY) -> TestShop:
    """The same counters at another time of the city."""
    now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=counters.timetable.CITY)
    return TestShop(desk.shop, desk.db, now=now.astimezone(UTC))


async def book(
    desk: TestShop, who: str, slot: str, request: str = "r1", matter: str | None = "birth",
    app: str = "desk", lang: str = "zh-CN",
) -> Booking:  # fmt: skip
    asked = BookAsk(request, slot, matter)
    return await desk.call(app, "appointments.book", asked, citizen=Citizen(who, 1), lang=lang)


async def cancel(desk: TestShop, who: str, booking: str, app: str = "desk") -> Booking:
    return await desk.call(app, "appointments.cancel", booking, citizen=Citizen(who, 1), lang="en")


async def mine(desk: TestShop, who: str, *, past: bool = False, limit: int = 20) -> list[Booking]:
    asked = BookingsQuery(past, limit)
    return await desk.call("desk", "appointments.list", asked, citizen=Citizen(who, 1))


async def free(desk: TestShop, app: str = "desk", **asked: Any) -> dict[str, int]:
    query = SlotsQuery(asked.pop("since", MONDAY), asked.pop("until", MONDAY), **asked)
    found: Slots = await desk.call(app, "appointments.slots", query, citizen=Citizen("any", 1))
    return {slot.id: slot.left for slot in found.slots}


async def been_here(desk: TestShop, who: str) -> None:
    """A citizen who is no stranger: the shop has a row of theirs already."""
    kept = await book(at(desk, 7), who, "east.20261202T0900.n", "before")
    await cancel(at(desk, 7), who, kept.id)


async def outcomes(*asked: Any) -> tuple[list[Booking], list[str]]:
    """What several calls at once came to: bookings, and the words of the refusals."""
    ended = await asyncio.gather(*asked, return_exceptions=True)
    strange = [e for e in ended if not isinstance(e, Booking | Refused)]
    assert strange == []
    return [e for e in ended if isinstance(e, Booking)], [
        e.detail for e in ended if isinstance(e, Refused)
    ]


async def test_a_hundred_at_once_for_the_last_place(desk: TestShop, db: ShopDb) -> None:
    await book(desk, "first", "west.20261130T0900.n")
    made, refused = await outcomes(
        *(book(desk, f"citizen-{n}", "west.20261130T0900.n", lang="en") for n in range(100))
    )
    assert len(made) == 1
    assert refused == ["This time is fully booked; choose another."] * 99
    assert await db.fetchval("select taken from counter_slot") == 2
    assert await db.fetchval("select count(*) from counter_booking") == 2
    assert "west.20261130T0900.n" not in await free(desk)


async def test_fifty_times_the_same_request_is_one_booking(desk: TestShop, db: ShopDb) -> None:
    made, refused = await outcomes(*(book(desk, "ann", NINE) for _ in range(50)))
    assert refused == []
    assert made == made[:1] * 50
    assert await db.fetchval("select taken from counter_slot") == 1
    assert [b.id for b in await mine(desk, "ann")] == [made[0].id]


@pytest.mark.parametrize(("slot", "matter"), [(TEN, "birth"), (NINE, "move")])
async def test_the_same_request_for_something_else_is_refused(
    desk: TestShop, slot: str, matter: str
) -> None:
    first = await book(desk, "ann", NINE)
    with pytest.raises(Refused, match="已用于另一项预约"):
        await book(desk, "ann", slot, matter=matter)
    assert await mine(desk, "ann") == [first]


async def test_one_request_for_two_slots_at_once_books_one(desk: TestShop) -> None:
    slots = [NINE, TEN] * 10
    made, refused = await outcomes(*(book(desk, "ann", slot) for slot in slots))
    assert len({b.id for b in made}) == 1
    assert len(made) == len(refused) == 10
    assert len(await mine(desk, "ann")) == 1


async def test_requests_of_two_citizens_are_never_the_same(desk: TestShop) -> None:
    one, other = await book(desk, "ann", NINE), await book(desk, "bob", NINE)
    assert one.id != other.id
    assert one.code != other.code


async def test_at_most_so_many_open_bookings_however_many_are_asked_for(desk: TestShop) -> None:
    slots = list(await free(desk, place="east"))
    normal = [slot for slot in slots if slot.endswith(".n")]
    assert len(normal) == 4
    await been_here(desk, "ann")
    made, refused = await outcomes(
        *(book(desk, "ann", slot, f"r-{n}") for n, slot in enumerate(normal * 10))
    )
    assert len(made) == 2
    assert len(refused) == 38
    assert any("已达上限" in said for said in refused)
    await cancel(at(desk, 7), "ann", made[0].id)
    again = next(s for s in normal if s not in {_slot(b) for b in made})
    assert (await book(desk, "ann", again, "r-more")).state == "booked"


def _slot(booking: Booking) -> str:
    local = booking.begins_at.astimezone(counters.timetable.CITY)
    return f"{booking.place.id}.{local:%Y%m%dT%H%M}.n"


async def test_what_is_over_counts_no_more(desk: TestShop) -> None:
    for n, slot in enumerate((NINE, HALF_PAST)):
        await book(desk, "ann", slot, f"r{n}")
    with pytest.raises(Refused, match="已达上限"):
        await book(at(desk, 9, 25), "ann", TEN, "r3")
    assert (await book(at(desk, 9, 31), "ann", TEN, "r3")).state == "booked"


async def test_two_overlapping_times_are_refused_even_at_once_and_in_another_app(
    desk: TestShop,
) -> None:
    await been_here(desk, "ann")
    wanted = [
        (HALF_PAST, "desk"), ("west.20261130T0900.n", "desk"), ("east.20261130T0930.g", "desk"),
        (HALF_PAST, "other"),
    ] * 5  # fmt: skip
    made, refused = await outcomes(
        *(book(desk, "ann", slot, f"r{n}", app=app) for n, (slot, app) in enumerate(wanted))
    )
    assert len(made) == 1
    assert all("已有另一项预约" in said for said in refused)
    assert len(refused) == 19


async def test_times_that_touch_do_not_overlap(desk: TestShop) -> None:
    await book(desk, "ann", NINE, "r1")
    assert (await book(desk, "ann", HALF_PAST, "r2")).state == "booked"


async def test_each_app_has_places_of_its_own(desk: TestShop) -> None:
    for n in range(3):
        await book(desk, f"citizen-{n}", NINE)
    assert NINE not in await free(desk)
    assert (await free(desk, app="other"))[NINE] == 3


async def test_giving_back_frees_the_place_once(desk: TestShop) -> None:
    kept = await book(desk, "ann", TEN)
    assert (await free(desk))[TEN] == 2
    gone, _ = await outcomes(*(cancel(desk, "ann", kept.id) for _ in range(20)))
    assert {b.state for b in gone} == {"cancelled"}
    assert len(gone) == 20
    assert (await free(desk))[TEN] == 3
    assert await mine(desk, "ann") == []
    assert [b.state for b in await mine(desk, "ann", past=True)] == ["cancelled"]
    with pytest.raises(Refused, match="已取消或已过期"):
        await book(desk, "ann", TEN)
    assert (await book(desk, "ann", TEN, "r2")).state == "booked"


async def test_bookers_and_those_who_give_back_leave_the_count_right(
    desk: TestShop, db: ShopDb
) -> None:
    async def come_and_go(n: int) -> Booking:
        kept = await book(desk, f"citizen-{n}", TEN)
        return await cancel(desk, f"citizen-{n}", kept.id) if n % 2 else kept

    made, refused = await outcomes(*(come_and_go(n) for n in range(40)))
    staying = sum(b.state == "booked" for b in made)
    assert 1 <= staying <= 3
    assert len(made) + len(refused) == 40
    assert await db.fetchval("select taken from counter_slot") == staying


@pytest.mark.parametrize(("minute", "state"), [(0, "cancelled"), (1, None)])
async def test_until_when_it_can_be_given_back(
    desk: TestShop, minute: int, state: str | None
) -> None:
    kept = await book(desk, "ann", TEN)
    assert kept.cancel_until == datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
    then = at(desk, 9, minute)
    if state:
        assert (await cancel(then, "ann", kept.id)).state == state
    else:
        with pytest.raises(Refused, match="too late"):
            await cancel(then, "ann", kept.id)
        assert [b.state for b in await mine(then, "ann")] == ["booked"]


async def test_a_foreign_booking_looks_like_none(desk: TestShop) -> None:
    hers = await book(desk, "ann", TEN)
    said: set[str] = set()
    for who, booking, app_ in (
        ("bob", hers.id, "desk"), ("bob", "none", "desk"), ("ann", hers.id, "other"),
    ):  # fmt: skip
        with pytest.raises(NotFound) as caught:
            await cancel(desk, who, booking, app_)
        said.add(caught.value.detail)
    assert said == {"You have no such booking."}
    assert await mine(desk, "ann") == [hers]


async def test_the_past_is_attended_or_missed(desk: TestShop) -> None:
    came, missed = await book(desk, "ann", NINE, "r1"), await book(desk, "ann", HALF_PAST, "r2")
    staff = counters.Desk("desk", TIMETABLE)
    for _ in range(2):
        await staff.attend(desk.db, came.id)
    assert [b.id for b in await mine(desk, "ann")] == [missed.id]
    with pytest.raises(NotFound):
        await staff.attend(desk.db, "none")
    with pytest.raises(NotFound):
        await counters.Desk("other", TIMETABLE).attend(desk.db, came.id)
    noon = at(desk, 12)
    assert await mine(noon, "ann") == []
    past = await mine(noon, "ann", past=True)
    assert [(b.id, b.state) for b in past] == [(missed.id, "missed"), (came.id, "attended")]
    with pytest.raises(Refused):
        await cancel(noon, "ann", missed.id)


async def test_bookings_come_next_one_first_and_then_the_past(desk: TestShop) -> None:
    await book(desk, "ann", NINE, "r1")
    later = at(desk, 9, 45)
    tomorrow = "east.20261201T0900.n"
    await book(later, "ann", tomorrow, "r2")
    await book(later, "ann", "east.20261130T1800.a", "r3")
    assert [_slot(b)[:18] for b in await mine(later, "ann", past=True)] == [
        "east.20261130T1800", "east.20261201T0900", "east.20261130T0900",
    ]  # fmt: skip
    assert len(await mine(later, "ann", past=True, limit=1)) == 1


async def test_a_booking_says_where_when_and_what_to_bring(desk: TestShop) -> None:
    made = await book(desk, "ann", NINE)
    assert made.place.name == {"zh-CN": "east"}
    assert made.begins_at == datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
    assert made.ends_at - made.begins_at == timedelta(minutes=30)
    assert (made.matter, made.bring) == ({"zh-CN": "出生登记"}, [{"zh-CN": "出生医学证明"}])
    assert len(made.code) == 9
    assert set(made.code.replace("-", "")) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert await mine(desk, "ann") == [made]


async def test_free_times_by_day_place_and_matter(desk: TestShop) -> None:
    everywhere = await free(desk)
    assert {slot: left for slot, left in everywhere.items() if "T0900" in slot} == {
        NINE: 3,
        "east.20261130T0900.g": 1,
        "west.20261130T0900.n": 2,
    }
    assert all(slot.startswith("east") for slot in await free(desk, matter="move"))
    assert set(await free(desk, place="west")) == {"west.20261130T0900.n", "west.20261130T1000.n"}
    unknown: list[dict[str, Any]] = [
        {"matter": "none"}, {"place": "none"}, {"since": MONDAY + timedelta(days=8)},
    ]  # fmt: skip
    for nothing in unknown:
        assert await free(desk, until=MONDAY + timedelta(days=30), **nothing) == {}
    weeks = await free(desk, until=MONDAY + timedelta(days=30), since=date(2026, 1, 1))
    assert len(weeks) == 6 * 10 + 2 * 2
    assert list(weeks)[:5] == list(everywhere)[:5]
    assert len(await free(desk, until=MONDAY + timedelta(days=30), limit=7)) == 7


async def test_times_that_are_over_are_not_offered(desk: TestShop) -> None:
    later = at(desk, 9, 25)
    assert NINE not in await free(later)
    assert HALF_PAST not in await free(later)
    assert TEN in await free(later)
    for slot in (NINE, HALF_PAST):
        with pytest.raises(Refused, match="已过或尚未开放"):
            await book(later, "ann", slot)
    with pytest.raises(Refused, match="已过或尚未开放"):
        await book(desk, "ann", "east.20261208T0900.n")


@pytest.mark.parametrize(
    "slot",
    ["east.20261130T0905.n", "east.20261129T0900.n", "north.20261130T0900.n", "x", "east.20261130T1800.n"],
)  # fmt: skip
async def test_a_slot_that_is_none_is_not_found(desk: TestShop, slot: str) -> None:
    with pytest.raises(NotFound, match="没有这个可预约的时段"):
        await book(desk, "ann", slot)


@pytest.mark.parametrize(
    ("slot", "matter"), [(NINE, None), (NINE, "none"), ("west.20261130T0900.n", "move")]
)
async def test_a_matter_that_is_not_done_there_is_refused(
    desk: TestShop, slot: str, matter: str | None
) -> None:
    with pytest.raises(Refused, match="请选择该网点办理的事项"):
        await book(desk, "ann", slot, matter=matter)


async def test_the_green_channel_says_whom_it_is_for(desk: TestShop) -> None:
    query = SlotsQuery(MONDAY, MONDAY)
    found: Slots = await desk.call("desk", "appointments.slots", query, citizen=Citizen("any", 1))
    notes = {slot.kind: slot.note for slot in found.slots}
    assert notes == {
        "normal": None, "after_hours": None, "green_channel": {"zh-CN": "供老人和病人使用"},
    }  # fmt: skip
    assert (await book(desk, "ann", "east.20261130T0900.g")).kind == "green_channel"
    assert NINE in await free(desk)


async def test_an_old_booking_outlives_its_place(desk: TestShop) -> None:
    kept = await book(desk, "ann", "west.20261130T0900.n")
    fewer = counters.Desk(
        "desk", counters.Timetable([c for c in TIMETABLE.counters if c.place.id == "east"], "a test")
    )  # fmt: skip
    shop = desk.shop
    held = dict(shop.answering.handlers)
    shop.bookings("desk")(fewer.bookings)
    try:
        (shown,) = await mine(desk, "ann")
    finally:
        shop.answering.handlers.update(held)
    assert (shown.id, shown.place.id) == (kept.id, "west")
