"""Checks of the capability `bills`: what is owed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from ..contract import Bill, BillsQuery  # noqa: TID252 (the package is one thing)
from ..sandbox import Person  # noqa: TID252 (the same)
from .bench import SAMPLE, Bench, in_both_languages
from .checks import Failed, asks_for_claims, check, hold, short

on_bills = partial(check, "bills", capability="bills")


async def bills_of(b: Bench, person: Person, *, paid: bool = False) -> list[Bill]:
    """A person's bills, up to what one answer may hold."""
    return await b.ask("bills.list", BillsQuery(paid=paid, limit=100), person)


async def owed(b: Bench) -> AsyncIterator[tuple[Person, Bill]]:
    """Unpaid bills with whose they are, one a person."""
    for person in b.people:
        if bills := await bills_of(b, person):
            yield person, bills[0]


async def one_owed(b: Bench) -> tuple[Person, Bill]:
    """An unpaid bill. Raises Failed where there is none."""
    async for found in owed(b):
        return found
    raise Failed("nobody in the sandbox owes anything")


@on_bills()
async def bills_in_order(b: Bench) -> None:
    """What is owed comes first, oldest due first, then what was paid."""
    await one_owed(b)
    for person in b.people[:SAMPLE]:
        bills = await bills_of(b, person, paid=True)
        states = [bill.state == "paid" for bill in bills]
        hold(states == sorted(states), "a paid bill stands before one that is owed")
        due = [bill.due_on for bill in bills if bill.state != "paid"]
        hold(due == sorted(due), f"due_on in the order {short(due)}")


@on_bills()
async def bills_owed_are_never_left_out(b: Bench) -> None:
    """Without `paid` only what is owed comes; with it the same bills are there and those paid."""
    for person in b.people[:SAMPLE]:
        only = await bills_of(b, person)
        hold(all(bill.state != "paid" for bill in only), "a paid bill that wasn't asked for")
        everything = await bills_of(b, person, paid=True)
        there = sorted(bill.id for bill in everything if bill.state != "paid")
        hold(sorted(bill.id for bill in only) == there, f"owed with `paid`: {short(there)}")


@on_bills()
async def bills_in_both_languages(b: Bench) -> None:
    """Every text of a bill and of its details is there in Chinese and in English."""
    for person in b.people[:SAMPLE]:
        bills = await bills_of(b, person, paid=True)
        in_both_languages(bills)
        for bill in bills[:1]:
            in_both_languages(await b.ask("bills.get", bill.id, person))


@on_bills()
async def bills_agree_with_their_details(b: Bench) -> None:
    """A bill's details are about the bill as it stands in the list."""
    for person in b.people[:SAMPLE]:
        bills = await bills_of(b, person, paid=True)
        for bill in {bill.id: bill for bill in (*bills[:2], *bills[-1:])}.values():
            detail = await b.ask("bills.get", bill.id, person)
            hold(detail.bill == bill, f"{short(detail.bill)} is not {short(bill)}")


@on_bills()
async def bills_limit_respected(b: Bench) -> None:
    """With a limit of one, one bill comes, though there are more."""
    most = 0
    for person in b.people[:SAMPLE]:
        for paid in (False, True):
            bills = await bills_of(b, person, paid=paid)
            few = await b.ask("bills.list", BillsQuery(paid=paid, limit=1), person)
            hold(len(few) == len(bills[:1]), f"{len(few)} bills for a limit of 1")
            most = max(most, len(bills))
    hold(most > 1, "nobody has two bills, so the limit limits nothing")


@on_bills()
async def bills_are_ones_own(b: Bench) -> None:
    """No bill is in the lists of two people."""
    owner: dict[str, str] = {}
    for person in b.people[:SAMPLE]:
        for bill in await bills_of(b, person, paid=True):
            first = owner.setdefault(bill.id, person.key)
            hold(first == person.key, f"{bill.id} is in two people's lists")


@on_bills()
async def bills_unknown_and_foreign_alike(b: Bench) -> None:
    """A bill that doesn't exist and somebody else's are refused in the same words."""
    found = owed(b)
    (me, _), (_, theirs) = await anext(found), await anext(found)
    await b.alike("bills.get", theirs.id, me)


@on_bills(when=asks_for_claims)
async def bills_need_their_claims(b: Bench) -> None:
    """Without the claims that the app asks for, the list is refused."""
    await b.needs_claims("bills.list", BillsQuery())


@on_bills(when=asks_for_claims)
async def bill_needs_its_claims(b: Bench) -> None:
    """Without the claims that the app asks for, a bill's details are refused."""
    _, bill = await one_owed(b)
    await b.needs_claims("bills.get", bill.id)
