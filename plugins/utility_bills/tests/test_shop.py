"""Through the shop's own door: what is owed, what may be taken, and that it is booked once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shopkit import (
    Bill,
    BillDetail,
    BillsQuery,
    Charge,
    ChargePaid,
    Citizen,
    NotFound,
    Receipt,
    Refused,
)
from shopkit.sandbox import Persona, personas
from shopkit.shop import Operation
from shopkit.testing import TestShop

from .days import on, person

TODAY = date(2026, 11, 25)
QUANTITIES = {"Water supply", "Electricity", "Natural gas"}
"""The lines that together hold all that was used, once."""


async def ask(shop: TestShop, who: Persona, app: str, operation: Operation, asked: Any) -> Any:
    return await shop.call(app, operation, asked, citizen=person(shop, who), lang="en")


async def owed(shop: TestShop, who: Persona, app: str, *, paid: bool = False) -> list[Bill]:
    return await ask(shop, who, app, "bills.list", BillsQuery(paid=paid))


async def quoted(shop: TestShop, who: Persona, app: str) -> Charge:
    """A charge for the oldest bill that this persona owes."""
    return await ask(shop, who, app, "charge.quote", (await owed(shop, who, app))[0].id)


async def settle(shop: TestShop, app: str, paid: ChargePaid) -> Receipt:
    """News of a payment; nobody's claims come with it."""
    nobody = Citizen(sub="payer", level=1)
    return await shop.call(app, "charge.paid", paid, citizen=nobody, lang="en")


def news(shop: TestShop, charge: Charge, payment_id: str, wrong_by: int = 0) -> ChargePaid:
    return ChargePaid(payment_id, charge.id, charge.amount_minor + wrong_by, paid_at=shop.now)


async def test_the_owed_come_first_and_then_the_paid(shop: TestShop) -> None:
    bills = await owed(shop, "newborn_mother", "gas", paid=True)

    assert [bill.state for bill in bills] == ["overdue", "owed", *["paid"] * 5]
    days = [bill.due_on for bill in bills]
    assert days == [*sorted(days[:2]), *sorted(days[2:], reverse=True)]


async def test_a_limit_keeps_the_newest_of_the_paid(shop: TestShop) -> None:
    some = await ask(shop, "newborn_mother", "gas", "bills.list", BillsQuery(paid=True, limit=3))
    everything = await owed(shop, "newborn_mother", "gas", paid=True)

    assert some == everything[:3]


@pytest.mark.parametrize("app", ["water", "power", "gas"])
async def test_a_metered_bill_is_what_the_readings_say(shop: TestShop, app: str) -> None:
    for bill in await owed(shop, "school_mother", app, paid=True):
        detail: BillDetail = await ask(shop, "school_mother", app, "bills.get", bill.id)
        assert detail.bill == bill
        assert (detail.receipt is not None) is (bill.state == "paid")
        assert all(line.source or line.example for line in detail.lines)
        first, last = detail.readings
        assert first.read_on < last.read_on == bill.issued_on
        assert last.value_milli - first.value_milli == detail.usage_milli
        priced = [line for line in detail.lines if line.title["en"].split(" (")[0] in QUANTITIES]
        assert sum(line.quantity_milli or 0 for line in priced) == detail.usage_milli


async def test_heating_is_the_area_times_the_price(shop: TestShop) -> None:
    bill = (await owed(shop, "school_mother", "heating"))[0]
    detail: BillDetail = await ask(shop, "school_mother", "heating", "bills.get", bill.id)
    [line] = detail.lines

    assert (line.price_milli_minor, line.example) == (2_400_000, False)
    assert bill.amount_minor * 1_000 == (line.quantity_milli or 0) * 2_400
    assert (bill.period, bill.due_on) == ("2026/2027", date(2026, 12, 31))
    assert (detail.readings, detail.usage_milli) == ([], None)


async def test_the_newest_bill_knows_last_year(shop: TestShop) -> None:
    bill = (await owed(shop, "graduate", "water"))[-1]
    detail: BillDetail = await ask(shop, "graduate", "water", "bills.get", bill.id)

    assert detail.last_year_usage_milli


async def test_a_bill_tells_of_older_ones_left_unpaid(shop: TestShop) -> None:
    late, newest = await owed(shop, "newborn_mother", "gas")
    detail: BillDetail = await ask(shop, "newborn_mother", "gas", "bills.get", newest.id)

    principal = (late.amount_minor - late.late_fee_minor) / 100
    assert any(f"{principal:.2f} yuan before late" in note["en"] for note in detail.notes)


async def test_a_foreign_bill_is_as_unknown_as_none(shop: TestShop) -> None:
    hers = (await owed(shop, "school_mother", "water"))[0].id
    operations: tuple[Operation, ...] = ("bills.get", "charge.quote")
    said: set[str] = set()
    for bill_id in (hers, "W99999999-209901", "nothing"):
        for operation in operations:
            with pytest.raises(NotFound) as caught:
                await ask(shop, "graduate", "water", operation, bill_id)
            said.add(caught.value.detail)

    assert len(said) == 1


async def test_a_bill_is_only_found_at_its_own_counter(shop: TestShop) -> None:
    hers = (await owed(shop, "school_mother", "water"))[0].id
    with pytest.raises(NotFound):
        await ask(shop, "school_mother", "power", "bills.get", hers)


async def test_without_consent_there_is_nothing(shop: TestShop) -> None:
    silent = shop.citizen(person(shop, "graduate"), "water", claims=False)
    with pytest.raises(Refused, match="id_number"):
        await shop.call("water", "bills.list", BillsQuery(), citizen=silent)


async def test_a_quote_holds_until_the_day_ends(shop: TestShop) -> None:
    charge = await quoted(shop, "near_retirement_man", "water")
    bill = (await owed(shop, "near_retirement_man", "water"))[0]

    assert charge.amount_minor == bill.amount_minor
    assert charge.fee_code == "water.tariff"
    assert charge.valid_until == datetime(2026, 11, 25, 15, 59, 59, tzinfo=UTC)


async def test_the_late_fee_of_another_day_is_higher(shop: TestShop) -> None:
    today = await quoted(shop, "newborn_mother", "gas")
    later = await quoted(on(shop, TODAY + timedelta(days=20)), "newborn_mother", "gas")

    assert today.id == later.id
    assert today.amount_minor < later.amount_minor


async def test_paying_gives_a_receipt_and_again_the_same(shop: TestShop) -> None:
    charge = await quoted(shop, "newlywed_wife", "power")
    paid = news(shop, charge, "pay-1")
    first = await settle(shop, "power", paid)
    again = await settle(on(shop, TODAY + timedelta(days=3)), "power", paid)

    assert first == again
    assert first.amount_minor == charge.amount_minor
    detail: BillDetail = await ask(shop, "newlywed_wife", "power", "bills.get", charge.id)
    assert (detail.bill.state, detail.receipt) == ("paid", first)
    assert charge.id not in [bill.id for bill in await owed(shop, "newlywed_wife", "power")]
    with pytest.raises(Refused, match="paid already"):
        await ask(shop, "newlywed_wife", "power", "charge.quote", charge.id)
    with pytest.raises(Refused, match="amount"):
        await settle(shop, "power", news(shop, charge, "pay-1", wrong_by=1))


async def test_fifty_at_once_book_once(shop: TestShop) -> None:
    charge = await quoted(shop, "newlywed_husband", "power")
    paid = news(shop, charge, "pay-many")

    receipts = await asyncio.gather(*(settle(shop, "power", paid) for _ in range(50)))

    assert len({(receipt.number, receipt.issued_at) for receipt in receipts}) == 1
    rows = await shop.db.fetch("select payment_id from payment where bill = $1", charge.id)
    assert [row["payment_id"] for row in rows] == ["pay-many"]


async def test_of_several_payments_at_once_one_is_booked(shop: TestShop) -> None:
    charge = await quoted(shop, "newlywed_husband", "water")

    outcomes = await asyncio.gather(
        *(settle(shop, "water", news(shop, charge, f"pay-{n}")) for n in range(8)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, Receipt) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 7
    with pytest.raises(Refused, match="paid already"):
        await settle(shop, "water", news(shop, charge, "pay-late"))


@pytest.mark.parametrize("wrong_by", [-1, 1, 10_000])
async def test_another_amount_is_refused_and_books_nothing(shop: TestShop, wrong_by: int) -> None:
    charge = await quoted(shop, "near_retirement_woman", "water")
    with pytest.raises(Refused, match="amount"):
        await settle(shop, "water", news(shop, charge, "pay-wrong", wrong_by))

    assert charge.id in [b.id for b in await owed(shop, "near_retirement_woman", "water")]


async def test_paying_what_does_not_exist_is_said_so(shop: TestShop) -> None:
    charge = await quoted(shop, "graduate", "water")
    with pytest.raises(NotFound):
        await settle(shop, "gas", news(shop, charge, "pay-astray"))


async def test_the_amount_owed_is_that_of_the_day_of_payment(shop: TestShop) -> None:
    """News that comes late is measured by the day on which the money was taken."""
    charge = await quoted(shop, "newborn_mother", "gas")
    later = on(shop, TODAY + timedelta(days=9))

    receipt = await settle(later, "gas", news(shop, charge, "pay-gas"))

    assert receipt.amount_minor == charge.amount_minor
    kept = await shop.db.fetchval("select late_fee_minor from payment where bill = $1", charge.id)
    bills = await owed(later, "newborn_mother", "gas", paid=True)
    assert next(b.late_fee_minor for b in bills if b.id == charge.id) == kept > 0


async def test_refusals_speak_the_callers_language(shop: TestShop) -> None:
    with pytest.raises(NotFound, match="您名下没有这张账单"):
        await shop.call("gas", "bills.get", "nothing", citizen=person(shop, "graduate"))


async def test_nothing_personal_is_kept(shop: TestShop) -> None:
    tables = await shop.db.fetch(
        "select table_name from information_schema.tables where table_schema = current_schema()"
    )
    assert len(tables) == 7
    for row in tables:
        text = await shop.db.fetchval(
            f"select coalesce(string_agg(t::text, ' '), '') from {row[0]} t"  # noqa: S608
        )
        for one in personas(TODAY):
            for secret in (one.id_number, one.name, one.phone, one.address):
                assert secret not in text
