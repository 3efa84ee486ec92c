"""A shop that does on request whatever a shop should not do. `mode` is set by the tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from shopkit import (
    Bill,
    BillDetail,
    BillLine,
    BillsQuery,
    Call,
    Charge,
    ChargePaid,
    NotFound,
    Progress,
    ProgressQuery,
    Receipt,
    Refused,
    Shop,
    Step,
    Text,
    Unavailable,
)

shop = Shop(__package__)
mode = "ok"
seen: list[Call] = []
heard: list[str] = []
"""What the database said to each statement of `STATEMENTS`."""
release = threading.Event()
DAY = date(2026, 10, 1)
WORDS: Text = {"zh-CN": "账单", "en": "Bill"}
STATEMENTS = (
    "select count(*) from note",
    "select * from identity.citizen",
    "select * from payments.orders",
    "insert into kernel.outbox (bucket, id, type, body) values (1, gen_random_uuid(), 'a.b', '{}')",
    "select * from shop_utility_bills.bill",
    "create table public.mine (n int)",
    "create role thief",
    "copy note to '/tmp/note'",
)


def one(bill_id: str = "b1", amount: int = 100, words: Text = WORDS) -> Bill:
    """A bill like any other."""
    return Bill(bill_id, words, WORDS, "2026-10", amount, "owed", DAY, DAY)


def deep(n: int) -> int:
    """Never comes back."""
    return deep(n + 1)


async def hang() -> None:
    """For a minute, without standing in anybody's way."""
    await asyncio.sleep(60)


async def stay() -> None:
    """Whoever asks it to leave."""
    while not release.is_set():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)


async def block() -> None:
    """The whole thread."""
    release.wait(3)


async def recurse() -> None:
    """Until the stack is full."""
    deep(0)


ODD: Any = object()
NEVER: Any = "never"
WAITS = {"hang": hang, "stubborn": stay, "block": block, "deep": recurse}
RAISES: dict[str, BaseException] = {
    "raise": ValueError("the phone number is 19900009001"),
    "exit": SystemExit(1),
    "interrupt": KeyboardInterrupt(),
    "cancel": asyncio.CancelledError(),
    "not-found": NotFound("no such thing"),
    "refuse": Refused("closed on Mondays"),
    "refuse-oddly": Refused(ODD),
    "away": Unavailable("the mainframe sleeps", retry_after_s=7),
    "away-oddly": Unavailable(retry_after_s=NEVER),
}
ANSWERS: dict[str, Callable[[], Any]] = {
    "wrong-type": lambda: "bills",
    "nothing": lambda: 0,
    "negative": lambda: [one(amount=-1)],
    "float": lambda: [{"id": "b", "amount_minor": 1.5}],
    "too-many": lambda: [one(f"b{n}") for n in range(101)],
    "id-twice": lambda: [one("b1"), one("b1")],
    "huge-list": lambda: [one()] * 2_000_000,
    "huge-text": lambda: [one(words={"zh-CN": "x" * 50_000_000})],
    "surrogate": lambda: [one(words={"zh-CN": "\ud800"})],
    "nul": lambda: [one(words={"zh-CN": "a\x00b"})],
}


async def misbehave() -> Any:
    """What the mode says; None where that is nothing."""
    if mode in WAITS:
        await WAITS[mode]()
    if mode in RAISES:
        raise RAISES[mode]
    return ANSWERS[mode]() if mode in ANSWERS else None


@shop.bills("plain")
@shop.bills("guarded")
async def bills(call: Call, query: BillsQuery) -> list[Bill]:
    """One bill, where all is well."""
    seen.append(call)
    if mode == "sql":
        for statement in STATEMENTS:
            try:
                heard.append(str(await call.db.fetchval(statement)))
            except Exception as error:  # noqa: BLE001 (its name is what we are after)
                heard.append(type(error).__name__)
    answer = await misbehave()
    return [one()] if answer is None else answer


@shop.bill("plain")
@shop.bill("guarded")
async def bill(call: Call, bill_id: str) -> BillDetail:
    """With its lines, which sum to it where all is well."""
    seen.append(call)
    await misbehave()
    lines = [BillLine(WORDS, 60), BillLine(WORDS, 41 if mode == "sum" else 40)]
    return BillDetail(one("other" if mode == "other-bill" else bill_id), lines)


@shop.progress("plain")
async def progress(call: Call, query: ProgressQuery) -> list[Progress]:
    """One matter that runs."""
    answer = await misbehave()
    matter = Progress("m1", WORDS, "running", DAY, [Step(WORDS, "current")])
    return [matter] if answer is None else answer


@shop.quote("plain")
@shop.quote("guarded")
async def quote(call: Call, charge_id: str) -> Charge:
    """100 fen for an hour, where all is well."""
    await misbehave()
    fee = "secret.fee" if mode == "fee" else "plain.fee"
    whom: Text = {"en": "you"} if mode == "no-whom" else WORDS
    until = call.now + timedelta(hours=-1 if mode == "expired" else 1)
    if mode == "naive":
        until = datetime(2099, 1, 1)  # noqa: DTZ001 (that is the point)
    amount = 0 if mode == "free" else 100
    return Charge(charge_id, WORDS, fee, whom, "2026-10", amount, until)


@shop.charge_paid("plain")
@shop.charge_paid("guarded")
async def charge_paid(call: Call, paid: ChargePaid) -> Receipt:
    """A receipt."""
    seen.append(call)
    await misbehave()
    return Receipt("R1", paid.payment_id, paid.amount_minor, call.now, WORDS)
