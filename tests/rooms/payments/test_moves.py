"""Every state meets every event in the database, and becomes what the table says or stays."""

from __future__ import annotations

import itertools
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
from civicmall.payments.refunds.queries import q as refunds
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
    ("paid", "refund"): ("fulfilled", "waiting"),
    ("refunding", "refund"): ("fulfilled", "waiting"),
    ("refunding", "refunded"): ("refused", "refunded"),
    ("refunding", "part_refunded"): ("refused", "fulfilled"),
    ("refunding", "restored"): ("fulfilled", "fulfilled"),
}
"""The lines with which an event that the table knows can happen."""
WAS: dict[OrderState, OrderState | None] = {
    "created": None, "paying": "created", "closed": "paying", "paid": "paying", "fulfilled": "paid",
    "refunding": "paid", "refunded": "refunding", "part_refunded": "refunding",
}  # fmt: skip
"""A state that leads to each."""


def news() -> dict[str, Any]:
    """What each statement of a refund tells."""
    return {"event_id": ids.new(7), "type": "payments.refund_moved", "body": {}}


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
        parts = dict(zip(lines, (60, 40), strict=True)) if lines[0] != lines[1] else {lines[0]: 100}
        back, on_way = parts.get("refunded", 0), parts.get("refused", 0)
        db: Any = await asyncpg.connect(self.url)
        await db.execute(
            "insert into payments.orders (bucket, id, citizen_id, state, was, amount_minor, currency,"
            " expires_at, paid_at, closed_at, channel, channel_txn, refunded_minor, refunding_minor,"
            " tenders, tender_minor, back_minor)"
            " values ($1, $2, $3, $4, $5, 100, 'CNY', now() + interval '1 hour', $6, $7, 'sandbox',"
            " 'T', $8, $9, $10, $11, $12)",
            *(bucket, order_id, ids.new(bucket), state, WAS[state], paid_at),
            datetime.now(UTC) if state == "closed" else None,
            *(back, on_way),
            *((["sandbox"], [100], [back + on_way]) if paid_at else (None, None, None)),
        )
        for no, (amount, line) in enumerate(zip((60, 40), lines, strict=True), 1):
            await db.execute(
                "insert into payments.line (bucket, order_id, no, shop, app, charge_id, state,"
                " fee_code, title, beneficiary, period, amount_minor, settlement_account, receipt,"
                " refunding_minor, refunded_minor)"
                " values ($1, $2, $3, 's', 'a', $4, $5, 'f', '{}', '{\"zh-CN\": \"x\"}', '2026',"
                " $6, 's.account', $7, $8, $9)",
                *(bucket, order_id, no, f"{order_id}-{no}", line, amount),
                "{}" if line == "fulfilled" else None,
                *(amount if line == kind else 0 for kind in ("refused", "refunded")),
            )
            if line == "refused":
                await db.execute(
                    "insert into payments.refund (bucket, id, order_id, no, state, amount_minor,"
                    " parts, reason, channel, asked_by, decided_by, decided_at, ask_at)"
                    " values ($1, $2, $3, $4, 'approved', $5, array[$5::bigint], 'refused', 'sandbox',"
                    " 'system', 'system', now(), now())",
                    *(bucket, ids.new(bucket), order_id, no, amount),
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
                refund_id=ids.new(7), ask_after_s=20.0, event_id=ids.new(7),
                type="payments.refund_moved", body={},
            )  # fmt: skip
            if await self.state(order_id) == "refunding":
                return

    async def finish(self, order_id: UUID) -> None:
        """The last line ended."""
        await q.finish_order(
            self.house.db, bucket=ids.bucket_of(order_id), order_id=order_id,
            event_id=ids.new(7), type="payments.order_fulfilled", body={},
        )  # fmt: skip

    async def refund(self, order_id: UUID) -> UUID:
        """Somebody asks for 10 fen of whichever line is fulfilled, and it is approved."""
        refund_id = ids.new(7)
        for no in (1, 2):
            await refunds.ask(
                self.house.db, bucket=7, id=refund_id, order_id=order_id, no=no, amount_minor=10,
                state="asked", reason="other", words="", asked_by="a", asked_name="A", wishes_max=5,
                **news(),
            )  # fmt: skip
        await refunds.approve(
            self.house.db, bucket=7, id=refund_id, decided_by="b", decided_name="B",
            second=True, alone_minor=0, ask_after_s=20.0, **news(),
        )  # fmt: skip
        return refund_id

    async def restore(self, order_id: UUID) -> None:
        """The channel could not send the money, and the desk gives it up."""
        refund_id = await self.refund(order_id)
        await refunds.failed(self.house.db, bucket=7, id=refund_id, trouble="no account", **news())
        await self.finish(order_id)
        await refunds.decline(
            self.house.db, bucket=7, id=refund_id, decided_by="b", decided_name="B", **news()
        )
        await self.finish(order_id)

    async def give_back(self, order_id: UUID) -> None:
        """The money of each refused line went back."""
        for row in await refunds.of_order(self.house.db, bucket=7, order_id=order_id):
            await refunds.done(
                self.house.db, bucket=7, id=row.id, channel_refund="R", posting_id=ids.new(7),
                **news(),
            )  # fmt: skip
        await self.finish(order_id)


@pytest.fixture(scope="module")
def bench(house: House, settings: Settings) -> Bench:
    return Bench(house, settings.database_url)


DOES: dict[Event, Callable[[Bench, UUID], Awaitable[object]]] = {
    "pay": Bench.pay,
    "paid": Bench.paid,
    "expire": Bench.expire,
    "cancel": Bench.cancel,
    "fulfilled": Bench.finish,
    "refuse": Bench.refuse,
    "refund": Bench.refund,
    "refunded": Bench.give_back,
    "part_refunded": Bench.give_back,
    "restored": Bench.restore,
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
        bench.house.db, **ask, refund_id=ids.new(7), ask_after_s=20.0, **news()
    )
    assert refused is None, "what was acknowledged is not refused"


async def test_the_database_refuses_every_step_that_the_table_does_not_know(bench: Bench) -> None:
    """Whatever statement tries it: the pair of states is checked beside the statement's own guard."""
    steps = {(start, end) for (start, _), end in MOVES.items()}
    for start, end in itertools.product(STATES, STATES):
        order_id = await bench.put(start, PLAIN[start])
        db: Any = await asyncpg.connect(bench.url)
        try:
            step = "update payments.orders set was = state, state = $2 where bucket = 7 and id = $1"
            try:
                await db.execute(step, order_id, end)
                taken = True
            except asyncpg.CheckViolationError:
                taken = False
        finally:
            await db.close()
        assert not taken or (start, end) in steps, (start, end)
