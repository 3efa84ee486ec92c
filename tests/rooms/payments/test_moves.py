"""Every state meets every event in the database, and becomes what the table says or stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from civicmall.kernel import ids
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.payments import Paid, posting
from civicmall.payments.queries import q
from civicmall.payments.rules import MOVES, STATES, Event, LineState, OrderState, after

RECEIPT = {"number": "R1", "payment_id": "p", "amount_minor": 60}
PLAIN: dict[OrderState, tuple[LineState, LineState]] = {
    "created": ("waiting", "waiting"),
    "paying": ("waiting", "waiting"),
    "closed": ("waiting", "waiting"),
    "paid": ("waiting", "waiting"),
    "fulfilled": ("fulfilled", "fulfilled"),
    "refunding": ("refused", "waiting"),
    "refunded": ("refunded", "refunded"),
    "part_refunded": ("refunded", "fulfilled"),
}
"""What the two lines of an order are in each state where nothing else is asked for."""
READY: dict[tuple[OrderState, Event], tuple[LineState, LineState]] = {
    ("paid", "fulfilled"): ("fulfilled", "fulfilled"),
    ("refunding", "refunded"): ("refused", "refunded"),
    ("refunding", "part_refunded"): ("refused", "fulfilled"),
}
"""The lines with which an event that the table knows can happen."""


class Bench:
    """Orders put straight into a state, and the statements that move them."""

    def __init__(self, house: House, url: str) -> None:
        self.house = house
        self.url = url

    async def put(self, state: OrderState, lines: tuple[LineState, LineState]) -> UUID:
        """An order of 100 fen in two lines, as if it had come so far."""
        bucket = 7
        order_id = ids.new(bucket)
        paid_at = None if state in {"created", "paying", "closed"} else datetime.now(UTC)
        refunded = sum(a for a, line in zip((60, 40), lines, strict=True) if line == "refunded")
        db: Any = await asyncpg.connect(self.url)
        await db.execute(
            "insert into payments.orders (bucket, id, citizen_id, state, amount_minor, currency,"
            " expires_at, paid_at, channel, refunded_minor)"
            " values ($1, $2, $3, $4, 100, 'CNY', now() + interval '1 hour', $5, 'sandbox', $6)",
            *(bucket, order_id, ids.new(bucket), state, paid_at, refunded),
        )
        for no, (amount, line) in enumerate(zip((60, 40), lines, strict=True), 1):
            await db.execute(
                "insert into payments.line (bucket, order_id, no, shop, app, charge_id, state,"
                " fee_code, title, beneficiary, period, amount_minor, settlement_account, receipt)"
                " values ($1, $2, $3, 's', 'a', $4, $5, 'f', '{}', '{\"zh-CN\": \"x\"}', '2026',"
                " $6, 's.account', $7)",
                *(bucket, order_id, no, f"{order_id}-{no}", line, amount),
                "{}" if line == "fulfilled" else None,
            )
        await db.close()
        return order_id

    async def state(self, order_id: UUID) -> OrderState:
        """As stored now."""
        row = await q.order(self.house.db, bucket=ids.bucket_of(order_id), id=order_id)
        found: OrderState = row.state
        return found

    async def pay(self, order_id: UUID) -> None:
        """The citizen goes to the cashier."""
        row = await q.order(self.house.db, bucket=ids.bucket_of(order_id), id=order_id)
        await q.start_paying(
            self.house.db, bucket=ids.bucket_of(order_id), id=order_id,
            citizen_id=row.citizen_id, channel="sandbox", ask_after_s=20.0,
        )  # fmt: skip

    async def paid(self, order_id: UUID) -> None:
        """The channel tells of the money."""
        told = Paid(order_id, uuid4().hex, 100, datetime.now(UTC))
        await q.settle(self.house.db, **posting("sandbox", told))

    async def expire(self, order_id: UUID) -> None:
        """Its time is over, and the job comes by."""
        db: Any = await asyncpg.connect(self.url)
        await db.execute("update payments.orders set expires_at = now() where id = $1", order_id)
        await db.close()
        await q.close(self.house.db, bucket=ids.bucket_of(order_id), id=order_id, only_expired=True)

    async def cancel(self, order_id: UUID) -> None:
        """The citizen gives it up."""
        await q.close(
            self.house.db, bucket=ids.bucket_of(order_id), id=order_id, only_expired=False
        )

    async def refuse(self, order_id: UUID) -> None:
        """A shop refuses whichever line still waits, else the first."""
        for no in (1, 2):
            await q.refuse_line(
                self.house.db, bucket=ids.bucket_of(order_id), order_id=order_id, no=no,
                event_id=ids.new(7), type="payments.line_refused", body={},
            )  # fmt: skip
            if await self.state(order_id) == "refunding":
                return

    async def finish(self, order_id: UUID) -> None:
        """The last line ended."""
        await q.finish_order(
            self.house.db, bucket=ids.bucket_of(order_id), order_id=order_id,
            event_id=ids.new(7), type="payments.order_fulfilled", body={},
        )  # fmt: skip

    async def refund(self, order_id: UUID) -> None:
        """The money of the first line went back."""
        await q.refund_line(
            self.house.db, bucket=ids.bucket_of(order_id), order_id=order_id, no=1,
            posting_id=ids.new(7),
        )  # fmt: skip
        await self.finish(order_id)


@pytest.fixture(scope="module")
def bench(house: House, settings: Settings) -> Bench:
    return Bench(house, settings.database_url)


DOES: dict[Event, Callable[[Bench, UUID], Awaitable[None]]] = {
    "pay": Bench.pay,
    "paid": Bench.paid,
    "expire": Bench.expire,
    "cancel": Bench.cancel,
    "fulfilled": Bench.finish,
    "refuse": Bench.refuse,
    "refunded": Bench.refund,
    "part_refunded": Bench.refund,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", DOES)
async def test_every_pair_of_state_and_event(bench: Bench, state: OrderState, event: Event) -> None:
    order_id = await bench.put(state, READY.get((state, event), PLAIN[state]))
    await DOES[event](bench, order_id)
    assert await bench.state(order_id) == (after(state, event) or state)


async def test_each_move_of_the_table_is_made_by_the_database(bench: Bench) -> None:
    for (state, event), end in MOVES.items():
        order_id = await bench.put(state, READY.get((state, event), PLAIN[state]))
        await DOES[event](bench, order_id)
        assert await bench.state(order_id) == end, (state, event)


@pytest.mark.parametrize("state", ["paid", "refunding"])
async def test_an_order_with_an_open_line_is_not_finished(bench: Bench, state: OrderState) -> None:
    open_: list[tuple[LineState, LineState]] = [
        ("waiting", "fulfilled"), ("refused", "fulfilled"), ("refused", "refunded"),
    ]  # fmt: skip
    for lines in open_:
        order_id = await bench.put(state, lines)
        await bench.finish(order_id)
        assert await bench.state(order_id) == state


async def test_a_line_that_was_told_twice_ends_once(bench: Bench) -> None:
    order_id = await bench.put("paid", ("waiting", "waiting"))
    ask: dict[str, Any] = {"bucket": 7, "order_id": order_id, "no": 1}
    assert await q.fulfil_line(bench.house.db, **ask, receipt=RECEIPT) == 1
    assert await q.fulfil_line(bench.house.db, **ask, receipt=RECEIPT) is None
    refused = await q.refuse_line(
        bench.house.db, **ask, event_id=ids.new(7), type="payments.line_refused", body={}
    )
    assert refused is None, "what was acknowledged is not refused"
    assert await q.refund_line(bench.house.db, **ask, posting_id=ids.new(7)) is None
