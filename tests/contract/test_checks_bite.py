"""Each check of the contract finds the fault it is there for, in a shop that is otherwise right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any, Final
from uuid import uuid4

import msgspec
import pytest
from tests.contract import library
from tests.contract.checks import CHECKS, Bench

from civicmall.kernel.house import House
from shopkit import (
    BadManifest,
    BillsQuery,
    Call,
    ChargePaid,
    NotFound,
    ProgressQuery,
    Receipt,
    Refused,
    Shop,
)  # fmt: skip
from shopkit.answers import WrongAnswer
from shopkit.sandbox import households, people
from shopkit.testing import CITY, TestShop

Fault = Callable[[Shop], None]
FOUND: Final = (AssertionError, WrongAnswer, BadManifest, Refused, pytest.fail.Exception)
"""How a check says so; anything else is the check's own fault."""
changed: Final = msgspec.structs.replace


@pytest.fixture(scope="module")
async def right(tmp_path_factory: pytest.TempPathFactory, house: House) -> AsyncIterator[TestShop]:
    plugins = tmp_path_factory.mktemp("plugins")
    library.write(plugins)
    async with library.opened(plugins, house.settings.database_url) as t:
        yield t


def handler(app: str, operation: Any, wrong: Callable[[Any], Any]) -> Fault:
    """Put `wrong(handler)` in the handler's place."""

    def spoil(shop: Shop) -> None:
        shop.handlers[app, operation] = wrong(shop.handlers[app, operation])

    return spoil


def answers(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A handler that changes each answer."""

    def wrong(right: Any) -> Any:
        async def answer(call: Call, asked: Any) -> Any:
            return change(await right(call, asked))

        return answer

    return wrong


def asks(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A handler that understands each question otherwise."""

    def wrong(right: Any) -> Any:
        async def answer(call: Call, asked: Any) -> Any:
            return await right(call, change(asked))

        return answer

    return wrong


def names_the_foreign(right: Any) -> Any:
    async def answer(call: Call, asked: Any) -> Any:
        known = "select exists (select from fine where id = $1)"
        try:
            return await right(call, asked)
        except NotFound:
            one = asked.id if isinstance(asked, ProgressQuery) else asked
            foreign = await call.db.fetchval(known, one)
            raise NotFound("not yours" if foreign else "no such thing") from None

    return answer


def without_claims(_: Any) -> Any:
    async def answer(call: Call, asked: Any) -> Any:
        return []

    return answer


def books_nothing(_: Any) -> Any:
    async def answer(call: Call, paid: ChargePaid) -> Receipt:
        return Receipt(
            "R", paid.payment_id, paid.amount_minor, paid.paid_at, {"zh-CN": "馆", "en": "L"}
        )

    return answer


def wants_claims(right: Any) -> Any:
    async def answer(call: Call, paid: ChargePaid) -> Receipt:
        call.citizen.claim("id_number")
        return await right(call, paid)

    return answer


def grows(charge: Any) -> Any:
    return changed(charge, amount_minor=charge.amount_minor + uuid4().int % 10_000 + 1)


def one_language(shop: Shop) -> None:
    shop.manifest = changed(shop.manifest, summary={"zh-CN": "图书馆"})


def serves_nothing(shop: Shop) -> None:
    shop.handlers = {}


def seeds(statement: str, *args: str) -> Fault:
    def spoil(shop: Shop) -> None:
        async def fill(db: Any, _secret: bytes, _today: date) -> None:
            await db.execute(statement, *args)

        shop.seeder = fill

    return spoil


LEAK: Final = households()[0].id_number
FAULTS: Final[dict[str, tuple[str, Fault]]] = {
    "capabilities-served": ("fines", serves_nothing),
    "manifest-in-both-languages": ("fines", one_language),
    "seeding-again-changes-nothing": ("orders", seeds("update book_order set title = title || '!'")),
    "no-personal-numbers-in-clear": (
        "orders", seeds("update book_order set title = $1 where id = '0000-0'", LEAK),
    ),
    "progress-fits": ("orders", handler("orders", "progress.list", answers(lambda m: m[::-1]))),
    "progress-limit-respected": (
        "orders", handler("orders", "progress.list", asks(lambda q: ProgressQuery(id=q.id))),
    ),
    "progress-unknown-and-foreign-alike": (
        "orders", handler("orders", "progress.list", names_the_foreign),
    ),
    "progress-needs-its-claims": ("orders", handler("orders", "progress.list", without_claims)),
    "bills-fit": (
        "fines",
        handler("fines", "bills.get", answers(lambda d: changed(d, bill=changed(d.bill, state="paid")))),
    ),
    "bills-limit-respected": (
        "fines", handler("fines", "bills.list", asks(lambda q: BillsQuery(paid=q.paid))),
    ),
    "bills-unknown-and-foreign-alike": ("fines", handler("fines", "charge.quote", names_the_foreign)),
    "bills-need-their-claims": ("fines", handler("fines", "bills.list", without_claims)),
    "quote-twice-is-equal": ("fines", handler("fines", "charge.quote", answers(grows))),
    "paid-twice-is-one-receipt": (
        "fines",
        handler("fines", "charge.paid", answers(lambda r: changed(r, number=f"R-{uuid4()}"))),
    ),
    "paid-is-paid": ("fines", handler("fines", "charge.paid", books_nothing)),
    "paid-by-another-payment-is-refused": ("fines", handler("fines", "charge.paid", books_nothing)),
    "paid-a-wrong-amount-is-refused": ("fines", handler("fines", "charge.paid", books_nothing)),
    "paid-an-unknown-charge-is-not-found": ("fines", handler("fines", "charge.paid", books_nothing)),
    "paid-needs-no-claims": ("fines", handler("fines", "charge.paid", wants_claims)),
}  # fmt: skip
"""By check: the app, and what to do to a shop that is right."""


def test_each_check_has_its_fault() -> None:
    assert FAULTS.keys() == CHECKS.keys()


def bench(t: TestShop, app: str) -> Bench:
    declared = t.shop.manifest.app(app)
    assert declared is not None
    return Bench(t, declared, people(t.now.astimezone(CITY).date()))


@pytest.mark.parametrize("check", FAULTS)
async def test_finds_the_fault(right: TestShop, check: str) -> None:
    app, fault = FAULTS[check]
    shop = object.__new__(Shop)
    vars(shop).update(vars(right.shop) | {"handlers": dict(right.shop.handlers)})
    fault(shop)
    t = TestShop(shop, right.db, now=right.now)
    if check == "no-personal-numbers-in-clear":
        await t.seed()
    with pytest.raises(FOUND):
        await CHECKS[check][1](bench(t, app))
