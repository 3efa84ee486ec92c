"""The housing fund: balance and interest, loans and how they are repaid, withdrawals.

Whose an account or a loan is, is found by a keyed hash of the ID number, which is never stored.
"""

from __future__ import annotations

from datetime import date

import msgspec

from shopkit import ApplyForm, Calculation, Call, Enquiry, Filled, FormQuery, Shop, ShopDb

from . import account, calculator, change, rates, records, seed, withdrawal

__all__ = ["shop"]

shop = Shop(__package__)
rules = rates.read(shop.file.parent / "data" / "rules.json")

changes = change.applications(rules)
changes.serve(shop)
withdrawals = withdrawal.applications(rules)
withdrawals.serve(shop)


@shop.enquire("account")
async def balance(call: Call, filled: Filled) -> Enquiry:
    """The account's book. Raises NotFound."""
    await withdrawals.catch_up(call)
    held = await records.holding(call, rules)
    asked = msgspec.convert(filled.values, account.Asked)
    return account.tell(rules, held, asked, call.now, call.lang)


@shop.calculate("loan_calculator")
async def loan(call: Call, filled: Filled) -> Calculation:
    """A loan that somebody thinks of. Raises BadForm."""
    asked = msgspec.convert(filled.values, calculator.Asked)
    return calculator.calculate(rules, asked, call.today)


@shop.calculate(change.APP)
async def trial(call: Call, filled: Filled) -> Calculation:
    """Another way of repaying one's own loan, or some of it early. Raises BadForm, NotFound."""
    owes = await change.own(call, rules, changes)
    return change.compare(rules, owes, msgspec.convert(filled.values, change.Asked), call.today)


@shop.apply_form(change.APP)
async def change_form(call: Call, _: FormQuery) -> ApplyForm:
    """For the loan that there is. Raises NotFound."""
    owes = await change.own(call, rules, changes)
    declared = shop.manifest.app(change.APP)
    assert declared is not None and declared.forms.calculate is not None, "the manifest has it"  # noqa: PT018 (one fact)
    return change.form(rules, owes, declared.forms.calculate)


@shop.apply_form(withdrawal.APP)
async def withdrawal_form(call: Call, query: FormQuery) -> ApplyForm:
    """By reason, or for all reasons. Raises NotFound."""
    await withdrawals.catch_up(call)
    return withdrawal.form(rules, call, query, await records.holding(call, rules))


@shop.seed
async def fill(db: ShopDb, secret: bytes, today: date) -> None:
    """The sandbox's accounts and loans, and somebody at the counters."""
    await seed.fill(db, secret, today, changes, withdrawals)
    await changes.employ(db, today)
    await withdrawals.employ(db, today)
