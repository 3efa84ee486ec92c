"""What the contract asks of every shop, one named check each.

A check takes one app of a shop, with the shop's sandbox data, and asserts. `CHECKS` says which
capability a check is about; one without a capability is about the app or shop as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import uuid4

import msgspec
import pytest
from msgspec import Struct

from shopkit import App, Bill, BillsQuery, ChargePaid, NotFound, ProgressQuery, Refused
from shopkit.call import Citizen
from shopkit.sandbox import REGION, Person
from shopkit.testing import TestShop

SAMPLE: Final = 20
"""People whose answers are looked at: the personas and some households."""
UNKNOWN: Final = "no-such-thing-0"


class Bench(Struct, frozen=True):
    """One app of a shop, and the sandbox's people."""

    t: TestShop
    app: App
    people: list[Person]

    async def ask(self, operation: Any, asked: Any, citizen: Person | Citizen) -> Any:
        """One checked answer of this app."""
        return await self.t.call(self.app.id, operation, asked, citizen=citizen)

    async def bills(self, citizen: Person, *, paid: bool = False) -> list[Bill]:
        """A citizen's bills, up to what one answer may hold."""
        return await self.ask("bills.list", BillsQuery(paid=paid, limit=100), citizen)

    async def owed(self) -> AsyncIterator[tuple[Person, Bill]]:
        """Unpaid bills with whose they are, one a person."""
        for person in self.people:
            if bills := await self.bills(person):
                yield person, bills[0]

    async def one_owed(self) -> tuple[Person, Bill]:
        """An unpaid bill; the sandbox must have some."""
        async for found in self.owed():
            return found
        pytest.fail(f"{self.app.id}: nobody in the sandbox owes anything")

    async def pay(self, citizen: Person | Citizen, paid: ChargePaid) -> Any:
        """Tell the shop of a payment."""
        return await self.ask("charge.paid", paid, citizen)

    async def refusal(self, operation: Any, asked: Any, citizen: Person | Citizen) -> NotFound:
        """The NotFound that this must raise."""
        with pytest.raises(NotFound) as raised:
            await self.ask(operation, asked, citizen)
        return raised.value


Check = Callable[[Bench], Awaitable[None]]
CHECKS: Final[dict[str, tuple[str | None, Check]]] = {}
"""By name: the capability it is about, and the check."""


def check(capability: str | None = None) -> Callable[[Check], Check]:
    """Add a check under its function's name, with dashes."""

    def keep(function: Check) -> Check:
        CHECKS[function.__name__.replace("_", "-")] = (capability, function)
        return function

    return keep


def payment(bill: Bill, **changed: Any) -> ChargePaid:
    """News that `bill` was paid in full, just now."""
    paid = ChargePaid(f"pay-{uuid4()}", bill.id, bill.amount_minor, datetime.now(UTC))
    return msgspec.structs.replace(paid, **changed)


def texts(node: Any, at: str = "$") -> Iterator[tuple[str, dict[str, str]]]:
    """Every text in plain data, with its path."""
    if isinstance(node, dict):
        known = cast("dict[str, Any]", node)
        if known.keys() & {"zh-CN", "en"}:
            yield at, known
        else:
            for key, value in known.items():
                yield from texts(value, f"{at}.{key}")
    elif isinstance(node, list):
        for i, value in enumerate(cast("list[Any]", node)):
            yield from texts(value, f"{at}[{i}]")


def in_both_languages(what: Any) -> None:
    """That no text of this lacks a language."""
    for at, text in texts(msgspec.to_builtins(what)):
        assert text.keys() == {"zh-CN", "en"}, f"{at}: {text}"
        assert all(text.values()), f"{at}: empty"


@check()
async def capabilities_served(b: Bench) -> None:
    """Each declared capability has its code (Shop.check)."""
    b.t.shop.check()


@check()
async def manifest_in_both_languages(b: Bench) -> None:
    in_both_languages(b.t.shop.manifest)


@check()
async def seeding_again_changes_nothing(b: Bench) -> None:
    """Every start seeds; answers before and after are the same."""

    async def answers() -> list[Any]:
        found: list[Any] = []
        for person in b.people[:SAMPLE]:
            if "progress" in b.app.capabilities:
                found += await b.ask("progress.list", ProgressQuery(), person)
            if "bills" in b.app.capabilities:
                found += await b.bills(person, paid=True)
        return found

    before = await answers()
    assert before, "the sandbox's people have nothing here"
    await b.t.seed()
    assert await answers() == before


@check()
async def no_personal_numbers_in_clear(b: Bench) -> None:
    """No ID number and no phone number stands in any of the shop's tables, as text or bytes."""
    numbers = {n for p in b.people for n in (p.id_number, p.phone)}
    for table in await b.t.db.fetch(
        "select table_name from information_schema.tables where table_schema = current_schema()"
    ):
        rows = await b.t.db.fetch(
            f"select distinct (regexp_matches(t::text, $1, 'g'))[1] from \"{table[0]}\" t",  # noqa: S608 (the catalogue's name)
            f"({REGION}\\d{{11}}[0-9X]|1990000\\d{{4}}|{REGION.encode().hex()}[0-9a-f]{{24}}"
            f"|{b'1990000'.hex()}[0-9a-f]{{8}})",
        )
        seen = {row[0] for row in rows}
        seen |= {bytes.fromhex(found).decode("latin-1") for found in seen if len(found) in {22, 36}}
        assert not seen & numbers, f"table {table[0]}"


@check("progress")
async def progress_fits(b: Bench) -> None:
    """Answers for the sample pass `checked`, newest first, in both languages, the same by id."""
    found = 0
    for person in b.people[:SAMPLE]:
        matters = await b.ask("progress.list", ProgressQuery(), person)
        in_both_languages(matters)
        days = [m.applied_on for m in matters]
        assert days == sorted(days, reverse=True)
        for matter in matters:
            assert await b.ask("progress.list", ProgressQuery(id=matter.id), person) == [matter]
        found += len(matters)
    assert found, "nobody of the sample has a matter"


@check("progress")
async def progress_limit_respected(b: Bench) -> None:
    most: list[Any] = []
    for person in b.people:
        matters = await b.ask("progress.list", ProgressQuery(), person)
        assert await b.ask("progress.list", ProgressQuery(limit=1), person) == matters[:1]
        most = max(most, matters, key=len)
    assert len(most) > 1, "nobody has two matters, so the limit limits nothing"


@check("progress")
async def progress_unknown_and_foreign_alike(b: Bench) -> None:
    """An unknown id and somebody else's are refused in the same words."""
    mine: dict[str, Person] = {}
    for person in b.people[:SAMPLE]:
        for matter in await b.ask("progress.list", ProgressQuery(limit=1), person):
            mine[matter.id] = person
    (_, me), (theirs, them) = list(mine.items())[:2]
    assert me != them
    unknown = await b.refusal("progress.list", ProgressQuery(id=UNKNOWN), me)
    foreign = await b.refusal("progress.list", ProgressQuery(id=theirs), me)
    assert (unknown.detail, unknown.code) == (foreign.detail, foreign.code)


@check("progress")
async def progress_needs_its_claims(b: Bench) -> None:
    if b.app.claims:
        with pytest.raises(Refused):
            await b.ask("progress.list", ProgressQuery(), Citizen("nobody", 2))


@check("bills")
async def bills_fit(b: Bench) -> None:
    """Lists and details of the sample pass `checked`, agree, and stand in the promised order."""
    found = 0
    for person in b.people[:SAMPLE]:
        everything = await b.bills(person, paid=True)
        owed = await b.bills(person)
        in_both_languages(everything)
        assert (
            [bill for bill in everything if bill.state != "paid"] == owed == everything[: len(owed)]
        )
        assert [bill.due_on for bill in owed] == sorted(bill.due_on for bill in owed)
        for bill in [*owed[:2], *everything[-2:]]:
            detail = await b.ask("bills.get", bill.id, person)
            in_both_languages(detail)
            assert detail.bill == bill
        found += len(owed)
    assert found, "nobody of the sample owes anything"


@check("bills")
async def bills_limit_respected(b: Bench) -> None:
    """Of what is owed the first are shown; beside it, which of the paid ones is up to the shop."""
    most: list[Any] = []
    for person in b.people[:SAMPLE]:
        bills, owed = await b.bills(person, paid=True), await b.bills(person)
        assert await b.ask("bills.list", BillsQuery(limit=1), person) == owed[:1]
        few = await b.ask("bills.list", BillsQuery(paid=True, limit=1), person)
        assert len(few) == len(bills[:1])
        assert all(bill in bills for bill in few)
        most = max(most, bills, key=len)
    assert len(most) > 1, "nobody has two bills, so the limit limits nothing"


@check("bills")
async def bills_unknown_and_foreign_alike(b: Bench) -> None:
    """An unknown bill or charge and somebody else's are refused in the same words."""
    owed = b.owed()
    (me, _), (them, theirs) = await anext(owed), await anext(owed)
    assert me != them
    for operation in ("bills.get", "charge.quote"):
        unknown = await b.refusal(operation, UNKNOWN, me)
        foreign = await b.refusal(operation, theirs.id, me)
        assert (unknown.detail, unknown.code) == (foreign.detail, foreign.code)


@check("bills")
async def bills_need_their_claims(b: Bench) -> None:
    _, bill = await b.one_owed()
    asked = {"bills.list": BillsQuery(), "bills.get": bill.id, "charge.quote": bill.id}
    for operation, question in asked.items() if b.app.claims else ():
        with pytest.raises(Refused):
            await b.ask(operation, question, Citizen("nobody", 2))


@check("bills")
async def quote_twice_is_equal(b: Bench) -> None:
    """A quote changes nothing, says what the bill says, and names a published fee."""
    person, bill = await b.one_owed()
    first, second = [await b.ask("charge.quote", bill.id, person) for _ in range(2)]
    assert first == second
    in_both_languages(first)
    assert first.amount_minor == bill.amount_minor
    assert first.valid_until > b.t.now
    assert first.fee_code in {fee.code for fee in b.app.fees}


@check("bills")
async def paid_twice_is_one_receipt(b: Bench) -> None:
    """News comes at least once, also at the same time: the receipt is the same to the letter."""
    person, bill = await b.one_owed()
    news = payment(bill)
    at_once = await asyncio.gather(*(b.pay(person, news) for _ in range(4)))
    again = await b.pay(person, news)
    in_both_languages(again)
    assert all(receipt == again for receipt in at_once)


@check("bills")
async def paid_is_paid(b: Bench) -> None:
    """A paid bill is owed no more, keeps its receipt, and can't be quoted."""
    person, bill = await b.one_owed()
    receipt = await b.pay(person, payment(bill))
    assert bill.id not in {other.id for other in await b.bills(person)}
    now = {other.id: other.state for other in await b.bills(person, paid=True)}
    assert now[bill.id] == "paid"
    assert (await b.ask("bills.get", bill.id, person)).receipt == receipt
    with pytest.raises(Refused):
        await b.ask("charge.quote", bill.id, person)


@check("bills")
async def paid_by_another_payment_is_refused(b: Bench) -> None:
    person, bill = await b.one_owed()
    receipt = await b.pay(person, payment(bill))
    with pytest.raises(Refused):
        await b.pay(person, payment(bill))
    assert (await b.ask("bills.get", bill.id, person)).receipt == receipt


@check("bills")
async def paid_a_wrong_amount_is_refused(b: Bench) -> None:
    """The bill stays owed."""
    person, bill = await b.one_owed()
    for amount_minor in (bill.amount_minor + 1, bill.amount_minor - 1, 0):
        with pytest.raises(Refused):
            await b.pay(person, payment(bill, amount_minor=amount_minor))
    assert bill in await b.bills(person)


@check("bills")
async def paid_an_unknown_charge_is_not_found(b: Bench) -> None:
    person, bill = await b.one_owed()
    await b.refusal("charge.paid", payment(bill, charge_id=UNKNOWN), person)


@check("bills")
async def paid_needs_no_claims(b: Bench) -> None:
    """Consent may have been withdrawn between paying and the news of it."""
    person, bill = await b.one_owed()
    sees = b.t.citizen(person, b.app.id, claims=False)
    assert (await b.pay(sees, payment(bill))).amount_minor == bill.amount_minor
