"""The sandbox fills itself, quickly, once, and moves with the calendar."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from datetime import date, timedelta

import pytest

from shopkit import Bill, BillsQuery
from shopkit.local import local
from shopkit.sandbox import people, personas
from shopkit.testing import TestShop

from .conftest import TODAY, Opened
from .days import fill, on

COUNTS = """
    select (select count(*) from account), (select count(*) from reading),
           (select count(*) from bill), (select count(*) from bill_line),
           (select count(*) from payment)
"""


@pytest.fixture(scope="module")
async def calendar(opened: Opened) -> AsyncGenerator[TestShop]:
    """A shop that these tests, in this order, carry through the years."""
    async with opened("calendar") as shop:
        began = time.perf_counter()
        await fill(shop)
        assert time.perf_counter() - began < 30, "three seconds are meant; thirty are a fault"
        yield shop


async def counts(shop: TestShop) -> tuple[int, ...]:
    return tuple(await shop.db.fetchrow(COUNTS))


async def everyone_owes(shop: TestShop) -> None:
    """Every persona owes one bill each, not overdue; but one gas bill is."""
    for person in personas(local(shop.now)):
        states: dict[str, list[str]] = {}
        for app in ("water", "power", "gas"):
            bills: list[Bill] = await shop.call(app, "bills.list", BillsQuery(), citizen=person)
            states[app] = [bill.state for bill in bills]
        late = ["overdue"] if person.persona == "newborn_mother" else []
        assert states == {"water": ["owed"], "power": ["owed"], "gas": [*late, "owed"]}


async def test_the_same_day_again_changes_nothing(calendar: TestShop) -> None:
    before = await counts(calendar)
    began = time.perf_counter()
    await fill(calendar)
    assert time.perf_counter() - began < 10, "a second is meant; ten are a fault"
    assert await counts(calendar) == before


async def test_the_city_is_there(calendar: TestShop) -> None:
    accounts, readings, bills, lines, payments = await counts(calendar)
    households = len(people(TODAY))

    assert accounts == 4 * households
    assert readings == households * (15 + 8 + 8)
    assert bills == households * (14 + 7 + 7 + 2)
    assert payments < bills < lines
    await everyone_owes(calendar)


async def test_amounts_are_the_sums_of_their_lines(calendar: TestShop) -> None:
    wrong = await calendar.db.fetchval(
        "select count(*) from (select b.id from bill b join bill_line l on l.bill = b.id"
        " group by b.id having sum(l.amount_minor) <> b.amount_minor) x"
    )
    assert wrong == 0


async def test_bills_are_what_the_readings_say(calendar: TestShop) -> None:
    wrong = await calendar.db.fetchval(
        "select count(*) from bill b join meter m on m.account = b.account"
        " join reading o on o.meter = m.id and o.read_on = b.period_from"
        " join reading n on n.meter = m.id and n.read_on = b.period_until"
        " where n.value_milli - o.value_milli <> b.usage_milli"
    )
    assert wrong == 0


async def test_some_households_are_in_arrears_but_few(calendar: TestShop) -> None:
    overdue = await calendar.db.fetchval(
        "select count(distinct a.holder) from bill b join account a on a.number = b.account"
        " where b.due_on < $1 and not exists (select from payment p where p.bill = b.id)",
        TODAY,
    )
    assert 10 < overdue < 100


async def test_what_somebody_paid_stays_paid(calendar: TestShop) -> None:
    """A bill paid by hand is not paid a second time when its household would have."""
    bill = await calendar.db.fetchrow(
        "select b.id, b.amount_minor from bill b join account a on a.number = b.account"
        " where a.utility = 'power' and b.issued_on = $1 and not exists"
        " (select from payment p where p.bill = b.id) order by b.id limit 1",
        date(2026, 11, 1),
    )
    await calendar.db.execute(
        "insert into payment values ($1, 'by hand', 'R1', $2, 0, now(), now())", *bill
    )
    await fill(on(calendar, date(2026, 12, 2)))
    kept = await calendar.db.fetchval("select payment_id from payment where bill = $1", bill[0])
    assert kept == "by hand"


async def test_each_later_start_finds_everybody_owing(calendar: TestShop) -> None:
    """On any day of a year, through New Year, when two personas get other ID numbers."""
    day = date(2026, 12, 2)
    while day < date(2027, 12, 31):
        shop = on(calendar, day)
        await fill(shop)
        await everyone_owes(shop)
        day += timedelta(days=29)


async def test_after_a_long_sleep_no_month_is_missing(calendar: TestShop) -> None:
    await fill(on(calendar, date(2029, 12, 1)))
    gaps = await calendar.db.fetchval(
        "select count(*) from (select period_from <> lag(period_until)"
        " over (partition by account order by period_from) as gap from bill b"
        " join account a on a.number = b.account where a.utility <> 'heating') x where gap"
    )
    assert gaps == 0
