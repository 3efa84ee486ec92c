"""Money that went back: noted once, owed again when it was all, never more than was paid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from shopkit import (
    Bill,
    BillDetail,
    BillsQuery,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Citizen,
    NotFound,
    Receipt,
    RefundNoted,
    Refused,
)
from shopkit.sandbox import Persona
from shopkit.testing import TestShop

from .conftest import TODAY, Opened
from .days import fill, on, person

NOBODY = Citizen(sub="payer", level=1)
"""News of money comes without claims."""


@pytest.fixture(scope="module")
async def desk(opened: Opened) -> AsyncGenerator[TestShop]:
    async with opened("refunds") as shop:
        await fill(shop)
        yield shop


async def quoted(desk: TestShop, who: Persona, app: str) -> Charge:
    """A charge for the oldest bill that this persona owes."""
    asked = BillsQuery()
    bills: list[Bill] = await desk.call(app, "bills.list", asked, citizen=person(desk, who))
    return await desk.call(app, "charge.quote", bills[0].id, citizen=person(desk, who))


async def pay(desk: TestShop, app: str, charge: Charge, payment_id: str) -> Receipt:
    paid = ChargePaid(payment_id, charge.id, charge.amount_minor, paid_at=desk.now)
    return await desk.call(app, "charge.paid", paid, citizen=NOBODY, lang="en")


async def refund(
    desk: TestShop, app: str, bill: str, amount_minor: int, *, payment: str = "pay-1", number: str = "ref-1"
) -> RefundNoted:  # fmt: skip
    told = ChargeRefunded(number, payment, bill, amount_minor, refunded_at=desk.now)
    return await desk.call(app, "charge.refunded", told, citizen=NOBODY, lang="en")


async def detail(desk: TestShop, who: Persona, app: str, bill: str) -> BillDetail:
    return await desk.call(app, "bills.get", bill, citizen=person(desk, who), lang="en")


async def test_in_full_it_is_owed_again_and_another_payment_pays(desk: TestShop) -> None:
    charge = await quoted(desk, "graduate", "water")
    first = await pay(desk, "water", charge, "pay-1")
    later = on(desk, TODAY + timedelta(days=1))
    noted = await refund(later, "water", charge.id, charge.amount_minor)
    assert (noted.refund_id, noted.amount_minor, noted.noted_at) == (
        "ref-1", charge.amount_minor, later.now,
    )  # fmt: skip

    owing = await detail(desk, "graduate", "water", charge.id)
    assert (owing.bill.state, owing.receipt) == ("owed", None)
    assert f"{charge.amount_minor / 100:.2f} yuan were refunded" in [n["en"] for n in owing.notes]
    assert await quoted(desk, "graduate", "water") == charge

    second = await pay(desk, "water", charge, "pay-2")
    assert second.number != first.number
    paid = await detail(desk, "graduate", "water", charge.id)
    assert (paid.bill.state, paid.receipt) == ("paid", second)
    receipt = await desk.call(
        "water", "bills.receipt", charge.id, citizen=person(desk, "graduate")
    )  # fmt: skip
    assert receipt == second


async def test_old_news_of_a_refunded_payment_books_nothing(desk: TestShop) -> None:
    charge = await quoted(desk, "graduate", "power")
    first = await pay(desk, "power", charge, "pay-1")
    await refund(desk, "power", charge.id, charge.amount_minor, number="ref-power")
    assert await pay(desk, "power", charge, "pay-1") == first
    assert (await detail(desk, "graduate", "power", charge.id)).bill.state == "owed"


async def test_a_part_leaves_it_paid_until_all_has_gone_back(desk: TestShop) -> None:
    charge = await quoted(desk, "graduate", "gas")
    receipt = await pay(desk, "gas", charge, "pay-1")
    await refund(desk, "gas", charge.id, 100, number="gas-1")
    shown = await detail(desk, "graduate", "gas", charge.id)
    assert (shown.bill.state, shown.receipt) == ("paid", receipt)
    assert shown.bill.amount_minor == charge.amount_minor
    assert "1.00 yuan were refunded" in [note["en"] for note in shown.notes]
    with pytest.raises(Refused, match="paid already"):
        await pay(desk, "gas", charge, "pay-2")
    with pytest.raises(Refused, match="More is refunded"):
        await refund(desk, "gas", charge.id, charge.amount_minor, number="gas-2")
    await refund(desk, "gas", charge.id, charge.amount_minor - 100, number="gas-3")
    assert (await detail(desk, "graduate", "gas", charge.id)).bill.state == "owed"


async def test_an_overdue_bill_comes_back_with_its_late_fee(desk: TestShop) -> None:
    charge = await quoted(desk, "newborn_mother", "gas")
    await pay(desk, "gas", charge, "pay-1")
    later = on(desk, TODAY + timedelta(days=20))
    await refund(later, "gas", charge.id, charge.amount_minor, number="late-1")
    again = await quoted(later, "newborn_mother", "gas")
    assert again.id == charge.id
    assert again.amount_minor > charge.amount_minor
    assert (await pay(later, "gas", again, "pay-2")).amount_minor == again.amount_minor


@pytest.mark.parametrize("part", [1, 2])
async def test_the_same_refund_fifty_times_is_one(desk: TestShop, part: int) -> None:
    """Told at once in full, and as the half that would fit twice."""
    who: Persona = "school_mother" if part == 1 else "newlywed_wife"
    charge = await quoted(desk, who, "water")
    await pay(desk, "water", charge, "pay-1")
    amount = charge.amount_minor // part
    answers = await asyncio.gather(
        *(refund(desk, "water", charge.id, amount, number=f"many-{part}") for _ in range(50))
    )
    assert answers == answers[:1] * 50
    kept = await desk.db.fetchval("select refunded_minor from payment where bill = $1", charge.id)
    assert kept == amount
    with pytest.raises(Refused, match="another refund"):
        await refund(desk, "water", charge.id, amount - 1, number=f"many-{part}")


async def test_many_refunds_at_once_never_exceed_what_was_paid(desk: TestShop) -> None:
    charge = await quoted(desk, "newlywed_husband", "water")
    await pay(desk, "water", charge, "pay-1")
    third = charge.amount_minor // 3
    ended = await asyncio.gather(
        *(refund(desk, "water", charge.id, third, number=f"third-{n}") for n in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, RefundNoted) for one in ended) == 3
    assert sum(isinstance(one, Refused) for one in ended) == 7


async def test_of_several_new_payments_at_once_one_is_booked(desk: TestShop) -> None:
    charge = await quoted(desk, "newborn_father", "water")
    await pay(desk, "water", charge, "pay-1")
    await refund(desk, "water", charge.id, charge.amount_minor, number="father-1")
    ended = await asyncio.gather(
        *(pay(desk, "water", charge, f"pay-{n}") for n in range(2, 22)), return_exceptions=True
    )
    assert sum(isinstance(one, Receipt) for one in ended) == 1
    assert sum(isinstance(one, Refused) for one in ended) == 19


async def test_what_was_never_paid_cannot_be_refunded(desk: TestShop) -> None:
    charge = await quoted(desk, "near_retirement_man", "power")
    for app, bill, payment in (
        ("power", charge.id, "pay-1"), ("power", "nothing", "pay-1"), ("gas", charge.id, "pay-1"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await refund(desk, app, bill, 1, payment=payment, number="never")
    await pay(desk, "power", charge, "pay-1")
    with pytest.raises(NotFound, match="no such payment"):
        await refund(desk, "power", charge.id, 1, payment="pay-2", number="never")


async def test_the_sandbox_pays_no_bill_whose_money_went_back(desk: TestShop) -> None:
    charge = await quoted(desk, "near_retirement_woman", "water")
    await pay(desk, "water", charge, "pay-1")
    await refund(desk, "water", charge.id, charge.amount_minor, number="woman-1")
    await fill(on(desk, TODAY + timedelta(days=70)))
    shown = await detail(
        on(desk, TODAY + timedelta(days=70)), "near_retirement_woman", "water", charge.id
    )
    assert shown.bill.state == "overdue"
