"""Everything at once: one key a thousand times, callbacks against cancels, refunds for one rest.

Where luck decides which of two statements comes first, hundreds of pairs run; where it matters
which of them waits, one is held at its locks until the other stands behind it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest
from tests.city import City
from tests.rooms.payments.steps import (
    Payer,
    at_once,
    balanced,
    charge,
    owner_sql,
    paid_now,
    payer,
    postings,
    send,
)

from civicmall import payments
from civicmall.identity import Caller, Staff
from civicmall.kernel import db, ids
from civicmall.kernel.errors import Problem
from civicmall.payments import ChargeRef, NewOrder, Paid, Sandbox
from civicmall.payments.models import RefundSaid
from civicmall.payments.queries import q
from civicmall.payments.refunds import results
from civicmall.payments.refunds import service as refunds
from civicmall.payments.refunds.models import RefundOrder
from civicmall.payments.refunds.queries import q as rq
from civicmall.payments.service import close

CALLERS = 1_000
RACES = 120
REFUND_FAILED = "update payments.refund set state = 'failed', ended_at = null where id = $1"
LINE_BACK = (
    "update payments.line set refunded_minor = refunded_minor - 300,"
    " refunding_minor = refunding_minor + 300 where order_id = $1"
)
ORDER_BACK = (
    "update payments.orders set was = 'fulfilled', state = 'refunding', refunded_minor ="
    " refunded_minor - 300, refunding_minor = refunding_minor + 300 where id = $1"
)
UNPOSTED = "delete from payments.posting where order_id = $1 and kind = 'refund'"
OPERATOR = Staff(ids.new(3), uuid4(), "甲", "operator", None)
OTHER = Staff(ids.new(5), uuid4(), "乙", "operator", None)


async def test_a_thousand_at_once_with_one_key_are_one_order(city: City) -> None:
    someone, wanted = await payer(city), charge()
    answers = await at_once(*(someone.ask([wanted], key="one") for _ in range(CALLERS)))
    assert {(a.status_code, a.text) for a in answers} == {(201, answers[0].text)}
    assert len((await someone.http.get("/v1/orders")).json()["items"]) == 1
    other = await someone.ask([charge()], key="one")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_a_thousand_at_once_with_one_key_are_one_refund(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(charge(900))
    await city.settled()
    token = (await city.operator()).headers["authorization"].removeprefix("Bearer ")
    desk = await city.crowd(token)

    async def ask(amount: int) -> httpx.Response:
        return await desk.post(
            "/v1/desk/refunds",
            json={"order_id": made["id"], "no": 1, "amount_minor": amount},
            headers={"idempotency-key": "back"},
        )

    answers = await at_once(*(ask(300) for _ in range(CALLERS)))
    assert {(a.status_code, a.text) for a in answers} == {(201, answers[0].text)}
    other = await ask(301)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    await city.settled()
    done = await someone.state(made)
    assert (done["state"], done["refunded_minor"], done["refunding_minor"]) == (
        "part_refunded",
        300,
        0,
    )
    assert [kind for kind, *_ in await postings(city, made)] == ["payment", "refund"]
    await balanced(city)


async def test_a_hundred_callbacks_with_forged_ones_among_them(city: City) -> None:
    someone, client = await payer(city), await city.crowd()
    made = await someone.order()
    told = paid_now(made)
    body = msgspec.json.encode(told)
    headers = Sandbox(city.house).sign(body)
    more = msgspec.json.encode(msgspec.structs.replace(told, amount_minor=1))
    lies: list[tuple[bytes, dict[str, str]]] = [
        (more, headers),
        (body, {**headers, "sandbox-timestamp": "1"}),
        (body, {}),
    ]
    answers = await at_once(
        *(send(city, *(lies[n % 3] if n % 4 == 3 else (body, headers)), client) for n in range(200))
    )
    forged = [answer for n, answer in enumerate(answers) if n % 4 == 3]
    assert {(a.status_code, a.json()["type"]) for a in forged} == {
        (401, "/problems/callback-forged")
    }
    good = Counter(a.json()["outcome"] for n, a in enumerate(answers) if n % 4 != 3)
    assert good == {"posted": 1, "repeated": 149}
    await city.settled()
    assert [kind for kind, *_ in await postings(city, made)] == ["payment"]


async def _orders(city: City, someone: Payer, count: int) -> list[payments.Order]:
    """So many open orders."""
    parts, gate = city.parts, asyncio.Semaphore(8)

    async def one() -> payments.Order:
        wanted = charge()
        ref = ChargeRef(wanted["shop"], wanted["app"], wanted["charge_id"])
        async with gate:
            return await payments.create_order(
                parts.house, parts.gateway, parts.registry, Caller(someone.id, uuid4(), 1),
                uuid4().hex, NewOrder([ref]), "en",
            )  # fmt: skip

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def _quietly(work: Awaitable[Any]) -> str:
    """The problem's type, or nothing."""
    try:
        await work
    except Problem as problem:
        return problem.type
    return ""


@pytest.mark.parametrize("against", ["cancel", "expiry"])
async def test_two_callbacks_of_one_payment_against(city: City, against: str) -> None:
    someone, house = await payer(city), city.house
    made = await _orders(city, someone, RACES)
    if against == "expiry":
        await owner_sql(
            city,
            "update payments.orders set expires_at = now(), ask_at = null where bucket = $1 and id = any($2)",
            *(ids.bucket_of(someone.id), [order.id for order in made]),
        )
    gate = asyncio.Semaphore(2)

    async def race(n: int, order: payments.Order) -> None:
        told = Paid(order.id, uuid4().hex, order.amount_minor, datetime.now(UTC))
        rival: Any = (
            payments.cancel(house, city.parts.channels, someone.id, order.id, "en")
            if against == "cancel"
            else close(house.db, order.id, only_expired=True)
        )
        runners = [
            payments.settle(house, "sandbox", told),
            _quietly(rival),
            payments.settle(house, "sandbox", told),
        ]
        turn = n % 3  # whoever is asked first has the better chance
        async with gate:
            # Now and then the rival is through before: a cancel has the longer way, and on some
            # machines it never came first.
            ahead = [await runners.pop(1)] if n % 10 == 1 else []
            found = [*ahead, *await asyncio.gather(*runners[turn:], *runners[:turn])]
        outcomes = {one.outcome for one in found if not isinstance(one, str)}
        assert outcomes in ({"posted", "repeated"}, {"late", "repeated"})

    await asyncio.gather(*(race(n, order) for n, order in enumerate(made)))
    await city.settled()
    rows = await house.db.fetch(
        "select o.state, array_agg(p.kind order by p.id) from payments.orders o"
        " join payments.posting p on p.bucket = o.bucket and p.order_id = o.id"
        " where o.bucket = $1 and o.citizen_id = $2 group by o.id, o.state",
        *(ids.bucket_of(someone.id), someone.id),
    )
    ends = Counter((row[0], *row[1]) for row in rows)
    assert set(ends) <= {("fulfilled", "payment"), ("closed", "suspense", "return")}
    assert ends.total() == RACES
    assert len(ends) == 2, "both came first now and then, or nothing was raced"
    await balanced(city)


async def _fulfilled(city: City, *amounts: int) -> tuple[Payer, UUID]:
    someone = await payer(city)
    made = await someone.paid(*(charge(amount) for amount in amounts))
    await city.settled()
    return someone, UUID(made["id"])


async def _ask(city: City, order_id: UUID, amount: int, staff: Staff = OPERATOR) -> UUID:
    ask = RefundOrder(order_id, 1, amount, "wrong_charge")
    return (await refunds.order_refund(city.house, staff, uuid4().hex, ask)).refund_id


async def test_two_refunds_for_the_same_rest(city: City) -> None:
    """Each wants 300 of 500; then what is left goes in the same manner, and never more."""
    someone, order_id = await _fulfilled(city, 3_000)
    for _ in range(4):
        got = await asyncio.gather(*(_quietly(_ask(city, order_id, 300)) for _ in range(8)))
        assert set(got) <= {"", "/problems/not-refundable"}
    await city.settled()
    done = await someone.state({"id": str(order_id)})
    assert (done["state"], done["refunded_minor"]) == ("refunded", 3_000)
    kinds = [kind for kind, *_ in await postings(city, {"id": str(order_id)})]
    assert Counter(kinds) == {"payment": 1, "refund": 10}
    await balanced(city)


async def test_approve_against_decline(city: City) -> None:
    """Of two operators one lets it go and one declines: one of them is heard, whole."""
    someone, order_id = await _fulfilled(city, 20_000_000)
    ends: Counter[str] = Counter()
    for n in range(30):
        refund_id = await _ask(city, order_id, 200_000)
        runners = [
            _quietly(refunds.approve(city.house, OTHER, refund_id)),
            _quietly(refunds.decline(city.house, OPERATOR, refund_id)),
        ]
        await asyncio.gather(*(runners if n % 2 else reversed(runners)))
        await city.settled()
        row = await refunds.row_of(city.house.db, refund_id)
        assert row is not None
        ends[row.state] += 1
    assert set(ends) == {"done", "declined"}
    done = await someone.state({"id": str(order_id)})
    assert (done["state"], done["refunding_minor"]) == ("part_refunded", 0)
    assert done["refunded_minor"] == ends["done"] * 200_000
    await balanced(city)


@asynccontextmanager
async def _connection(city: City) -> AsyncGenerator[Any]:
    found: Any = await asyncpg.connect(city.settings.database_url)
    await db.prepare(found)
    try:
        yield found
    finally:
        await found.close()


async def _waits(city: City, other: Any) -> None:
    """Until that connection stands before somebody's lock."""
    async with asyncio.timeout(10):
        while not await city.house.db.fetchval(
            "select cardinality(pg_blocking_pids($1)) > 0", other.get_server_pid()
        ):
            await asyncio.sleep(0.002)


def _finish(connection: Any, order_id: UUID) -> Awaitable[Any]:
    bucket = ids.bucket_of(order_id)
    return q.finish_order(
        connection, bucket=bucket, order_id=order_id, event_id=ids.new(bucket),
        type="payments.order_fulfilled", body={"order_id": str(order_id)},
    )  # fmt: skip


def _approve(connection: Any, order_id: UUID, refund_id: UUID) -> Awaitable[Any]:
    return rq.approve(
        connection, bucket=ids.bucket_of(order_id), id=refund_id, decided_by="x", decided_name="",
        second=True,
        alone_minor=10**9, ask_after_s=20.0, **refunds.moved(order_id, refund_id, "approved"),
    )  # fmt: skip


@pytest.mark.parametrize("first", ["approve", "finish"])
async def test_finish_against_approve(city: City, first: str) -> None:
    """One refund has just ended and its order is about to be finished, when another is approved.

    Whoever waits behind the other looks at the order again: it is finished with nothing open, or
    it stays `refunding` until the other refund has ended as well.
    """
    someone, order_id = await _fulfilled(city, 500_000)
    one, two = [await _ask(city, order_id, 200_000) for _ in range(2)]
    async with _connection(city) as early, _connection(city) as late:
        bucket = ids.bucket_of(order_id)
        async with early.transaction():
            await _approve(early, order_id, one)
            await rq.done(
                early, bucket=bucket, id=one, channel_refund=None, posting_id=ids.new(bucket),
                **refunds.moved(order_id, one, "done"),
            )  # fmt: skip
            mine = "delete from kernel.outbox where bucket = $1 and body ->> 'refund_id' = $2"
            await early.execute(mine, bucket, str(one))  # or the worker would finish the order
        async with early.transaction():
            if first == "approve":
                await _approve(early, order_id, two)
                second = asyncio.ensure_future(_finish(late, order_id))
            else:
                await _finish(early, order_id)
                second = asyncio.ensure_future(_approve(late, order_id, two))
            await _waits(city, late)
        ended = await second
    if first == "approve":
        assert ended is None, "it is not finished over a refund that is open"
    else:
        assert ended is not None
    between = await someone.state({"id": str(order_id)})
    assert (between["state"], between["refunding_minor"]) == ("refunding", 200_000)
    await city.settled()
    done = await someone.state({"id": str(order_id)})
    assert (done["state"], done["refunded_minor"]) == ("part_refunded", 400_000)


async def test_a_refund_that_ends_against_another_that_is_declined(city: City) -> None:
    """Both write the line and the order: they take their locks in the same order, so none is shot."""
    someone, order_id = await _fulfilled(city, 900)
    house, bucket = city.house, ids.bucket_of(order_id)
    one, two = [await _ask(city, order_id, 300) for _ in range(2)]
    await city.settled()
    for refund_id in (one, two):  # as if the bank had not done either yet
        await owner_sql(city, REFUND_FAILED, refund_id)
        await owner_sql(city, LINE_BACK, order_id)
        await owner_sql(city, ORDER_BACK, order_id)
    await owner_sql(city, UNPOSTED, order_id)
    async with _connection(city) as holder, _connection(city) as early, _connection(city) as late:
        async with holder.transaction():
            await holder.execute(
                "select from payments.orders where bucket = $1 and id = $2 for update",
                bucket,
                order_id,
            )
            declined = asyncio.ensure_future(
                rq.decline(
                    early, bucket=bucket, id=two, decided_by="x", decided_name="",
                    **refunds.moved(order_id, two, "declined"),
                )
            )  # fmt: skip
            await _waits(city, early)
            ended = asyncio.ensure_future(
                rq.done(
                    late, bucket=bucket, id=one, channel_refund=None, posting_id=ids.new(bucket),
                    **refunds.moved(order_id, one, "done"),
                )
            )  # fmt: skip
            await _waits(city, late)
        assert await declined
        assert await ended
    await city.settled()
    done = await someone.state({"id": str(order_id)})
    assert (done["state"], done["refunded_minor"], done["refunding_minor"]) == (
        "part_refunded",
        300,
        0,
    )
    await results.told(house, "sandbox", RefundSaid(one, "done"))
    assert len(await postings(city, {"id": str(order_id)})) == 2
    await balanced(city)


async def test_the_same_bills_in_two_orders_of_both_orders(city: City) -> None:
    """A, B against B, A: one of them gets both, and nobody stands in the other's way for ever."""
    someone = await payer(city)
    for _ in range(25):
        wanted = [charge() for _ in range(4)]
        answers = await at_once(someone.ask(wanted), someone.ask(wanted[::-1]))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["type"] == "/problems/charge-in-order"
