"""Checks of the money side of `bills`: what may be taken, what was paid, what went back."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import msgspec

from ..call import Citizen  # noqa: TID252 (the package is one thing)
from ..contract import Bill, ChargePaid, ChargeRefunded, Receipt  # noqa: TID252 (the same)
from ..errors import NotFound, Refused  # noqa: TID252 (the same)
from ..sandbox import Person  # noqa: TID252 (the same)
from .bench import UNKNOWN, Bench, fresh, in_both_languages
from .bills import bills_of, on_bills, one_owed, owed
from .checks import asks_for_claims, check, fail, hold, short, since_2

on_refunds = partial(check, "bills", capability="bills", when=since_2)


def payment(b: Bench, bill: Bill, **changed: Any) -> ChargePaid:
    """News that `bill` was paid in full, just now."""
    paid = ChargePaid(fresh("pay"), bill.id, bill.amount_minor, b.target.now)
    return msgspec.structs.replace(paid, **changed)


async def paid(b: Bench) -> tuple[Person, Bill, ChargePaid, Receipt]:
    """A bill that has just been paid."""
    person, bill = await one_owed(b)
    news = payment(b, bill)
    return person, bill, news, await b.ask("charge.paid", news, person)


def refund(b: Bench, news: ChargePaid, **changed: Any) -> ChargeRefunded:
    """News that all of a payment went back."""
    back = ChargeRefunded(
        fresh("refund"), news.payment_id, news.charge_id, news.amount_minor, b.target.now
    )
    return msgspec.structs.replace(back, **changed)


async def state(b: Bench, person: Person, bill: Bill) -> str:
    """How a bill stands, by the list."""
    bills = await bills_of(b, person, paid=True)
    return next((other.state for other in bills if other.id == bill.id), "gone")


@on_bills()
async def quote_agrees_with_its_bill(b: Bench) -> None:
    """A quote is over the bill's amount, names a published fee, and holds for a while."""
    person, bill = await one_owed(b)
    charge = await b.ask("charge.quote", bill.id, person)
    in_both_languages(charge)
    hold(
        charge.amount_minor == bill.amount_minor,
        f"{charge.amount_minor}, the bill {bill.amount_minor}",
    )
    hold(
        charge.fee_code in {fee.code for fee in b.app.fees}, f"fee {charge.fee_code} is unpublished"
    )
    hold(charge.valid_until > b.target.now, f"valid until {charge.valid_until}")


@on_bills()
async def quote_changes_nothing(b: Bench) -> None:
    """A quote can be asked for again: the bill stands as before, the amount too."""
    person, bill = await one_owed(b)
    first = await b.ask("charge.quote", bill.id, person)
    again = await b.ask("charge.quote", bill.id, person)
    hold(
        msgspec.structs.replace(first, valid_until=again.valid_until) == again,
        f"{short(first)}, then {short(again)}",
    )
    hold(bill in await bills_of(b, person), "the bill isn't owed as before")


@on_bills()
async def quote_unknown_and_foreign_alike(b: Bench) -> None:
    """A charge that doesn't exist and somebody else's are refused in the same words."""
    found = owed(b)
    (me, _), (_, theirs) = await anext(found), await anext(found)
    await b.alike("charge.quote", theirs.id, me)


@on_bills(when=asks_for_claims)
async def quote_needs_its_claims(b: Bench) -> None:
    """Without the claims that the app asks for, a quote is refused."""
    _, bill = await one_owed(b)
    await b.needs_claims("charge.quote", bill.id)


@on_bills()
async def quote_of_what_was_paid_is_refused(b: Bench) -> None:
    """What was paid can't be charged again."""
    person, bill, _, _ = await paid(b)
    await b.refusal("charge.quote", bill.id, person, Refused)


@on_bills()
async def paid_twice_is_one_receipt(b: Bench) -> None:
    """News of a payment comes at least once: told again, the receipt is the same to the letter."""
    person, _, news, receipt = await paid(b)
    in_both_languages(receipt)
    again = await b.ask("charge.paid", news, person)
    hold(again == receipt, f"{short(receipt)}, then {short(again)}")


@on_bills()
async def paid_at_once_is_one_receipt(b: Bench) -> None:
    """Told four times at the same moment, a payment has one receipt."""
    person, bill = await one_owed(b)
    news = payment(b, bill)
    found = await asyncio.gather(*(b.ask("charge.paid", news, person) for _ in range(4)))
    hold(all(receipt == found[0] for receipt in found), f"{short(found)}")


@on_bills()
async def paid_is_paid(b: Bench) -> None:
    """A bill whose payment was told is owed no more, and stands among those paid."""
    person, bill, _, _ = await paid(b)
    hold(await state(b, person, bill) == "paid", f"it is {await state(b, person, bill)}")


@on_bills()
async def paid_keeps_its_receipt(b: Bench) -> None:
    """A paid bill's details carry the receipt."""
    person, bill, _, receipt = await paid(b)
    kept = (await b.ask("bills.get", bill.id, person)).receipt
    hold(kept == receipt, f"{short(kept)}, it was {short(receipt)}")


@on_refunds()
async def receipt_by_itself(b: Bench) -> None:
    """A paid bill's receipt can be had by itself, and an unpaid bill has none."""
    person, bill, _, receipt = await paid(b)
    kept = await b.ask("bills.receipt", bill.id, person)
    hold(kept == receipt, f"{short(kept)}, it was {short(receipt)}")
    other, unpaid = await one_owed(b)
    await b.refusal("bills.receipt", unpaid.id, other)


@on_bills()
async def paid_by_another_payment_is_refused(b: Bench) -> None:
    """A bill is paid once: news of a second payment is refused, so that the money goes back."""
    person, bill, _, _ = await paid(b)
    await b.refusal("charge.paid", payment(b, bill), person, Refused)


@on_bills()
async def paid_a_wrong_amount_is_refused(b: Bench) -> None:
    """News of another amount than is owed is refused, and the bill stays owed."""
    person, bill = await one_owed(b)
    for amount_minor in (bill.amount_minor + 1, bill.amount_minor - 1, 0):
        wrong = payment(b, bill, amount_minor=amount_minor)
        await b.refusal("charge.paid", wrong, person, Refused)
    hold(bill in await bills_of(b, person), "the bill isn't owed any more")


@on_bills()
async def paid_an_unknown_charge_is_not_found(b: Bench) -> None:
    """News of a payment for a charge that doesn't exist is refused as not found."""
    person, bill = await one_owed(b)
    await b.refusal("charge.paid", payment(b, bill, charge_id=UNKNOWN), person)


@on_bills(when=asks_for_claims)
async def paid_needs_no_claims(b: Bench) -> None:
    """A payment is booked without claims: consent may be withdrawn between paying and the news."""
    person, bill = await one_owed(b)
    sees = b.citizen(person, claims=False)
    try:
        await b.ask("charge.paid", payment(b, bill), sees)
    except Refused as error:
        fail(f"refused: {error.detail!r}")


@on_refunds()
async def refunded_twice_is_one_note(b: Bench) -> None:
    """News of a refund comes at least once: told again, the answer is the same to the letter."""
    person, _, news, _ = await paid(b)
    back = refund(b, news)
    first, again = [await b.ask("charge.refunded", back, person) for _ in range(2)]
    hold(first == again, f"{short(first)}, then {short(again)}")


@on_refunds()
async def refunded_is_owed_again(b: Bench) -> None:
    """What was refunded in full is owed again."""
    person, bill, news, _ = await paid(b)
    await b.ask("charge.refunded", refund(b, news), person)
    now = await state(b, person, bill)
    hold(now in {"owed", "overdue"}, f"it is {now}")


@on_refunds()
async def refunded_without_a_payment_is_refused(b: Bench) -> None:
    """News of a refund of a payment that was never told is refused."""
    person, _, news, _ = await paid(b)
    unknown = refund(b, news, payment_id=fresh("pay"))
    await b.refusal("charge.refunded", unknown, person, (NotFound, Refused))


@on_refunds()
async def refunded_too_much_is_refused(b: Bench) -> None:
    """News of a refund of more than was paid is refused."""
    person, _, news, _ = await paid(b)
    more = refund(b, news, amount_minor=news.amount_minor + 1)
    await b.refusal("charge.refunded", more, person, (NotFound, Refused))


@on_refunds()
async def refunded_needs_no_claims(b: Bench) -> None:
    """A refund is booked without claims and whoever the citizen is by now."""
    _, _, news, _ = await paid(b)
    try:
        await b.ask("charge.refunded", refund(b, news), Citizen("nobody", 1))
    except (NotFound, Refused) as error:
        fail(f"refused: {error.detail!r}")
