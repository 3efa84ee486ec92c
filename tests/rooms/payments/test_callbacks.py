"""What a channel tells, truly or not, once or a hundred times, in time or too late."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.city import City
from tests.rooms.payments.steps import (
    KIOSK,
    Kiosk,
    at_once,
    balanced,
    call_back,
    charge,
    let_expire,
    paid_now,
    payer,
    postings,
    send,
)

from civicmall.kernel.clock import FixedClock
from civicmall.payments import Sandbox, look_after
from civicmall.payments.channels.sandbox import SIGNATURE, TIMESTAMP

PAYABLE = f"payable:{KIOSK}.account"


async def _tickets(city: City, order: dict[str, Any]) -> list[dict[str, Any]]:
    operator = await city.operator()
    found = (await operator.get("/v1/desk/tickets", params={"limit": 100})).json()["items"]
    return [one for one in found if one["order_id"] == order["id"]]


def _signed_by_another(city: City, body: bytes) -> dict[str, str]:
    stamp = Sandbox(city.house).sign(body)[TIMESTAMP]
    signature = Ed25519PrivateKey.generate().sign(stamp.encode() + b"." + body)
    return {TIMESTAMP: stamp, SIGNATURE: base64.b64encode(signature).decode()}


def _signed_at(city: City, body: bytes, ago: timedelta) -> dict[str, str]:
    clock = FixedClock(city.house.clock.now() - ago)
    return Sandbox(msgspec.structs.replace(city.house, clock=clock)).sign(body)


async def test_a_forged_callback_changes_nothing(city: City) -> None:
    someone = await payer(city)
    made = await someone.order()
    body = msgspec.json.encode(paid_now(made))
    good = Sandbox(city.house).sign(body)
    cheaper = body.replace(b'"amount_minor":500', b'"amount_minor":501')
    assert cheaper != body
    forged: list[tuple[str, bytes, dict[str, str]]] = [
        ("headers-missing", body, {}),
        ("headers-missing", body, {TIMESTAMP: good[TIMESTAMP]}),
        ("headers-missing", body, {SIGNATURE: good[SIGNATURE]}),
        ("headers-missing", body, good | {TIMESTAMP: "now"}),
        ("signature", body, good | {SIGNATURE: "%%%"}),
        ("signature", body, good | {SIGNATURE: "é"}),
        ("signature", body, good | {TIMESTAMP: str(int(good[TIMESTAMP]) + 1)}),
        ("signature", body, _signed_by_another(city, body)),
        ("signature", cheaper, good),
        ("signature", body + b" ", good),
        ("timestamp", body, _signed_at(city, body, timedelta(minutes=6))),
        ("timestamp", body, _signed_at(city, body, timedelta(minutes=-6))),
    ]
    for reason, sent, headers in forged:
        answer = await send(city, sent, {k: v.encode() for k, v in headers.items()})  # type: ignore[dict-item]
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/callback-forged")
        assert answer.json()["reason"] == reason
    assert (await someone.state(made))["state"] == "created"
    assert await postings(city, made) == []
    assert await call_back(city, paid_now(made)) == "posted"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"order_id":"x"}', b"\xff"])
async def test_what_is_no_callback_is_refused(city: City, body: bytes) -> None:
    answer = await send(city, body, Sandbox(city.house).sign(body))
    assert (answer.status_code, answer.json()["reason"]) == (401, "body")


async def test_no_such_channel(city: City) -> None:
    nobody = await city.anonymous()
    body = {
        "order_id": str(uuid4()),
        "txn": "T",
        "amount_minor": 1,
        "paid_at": "2026-10-01T00:00:00Z",
    }
    answer = await nobody.post("/v1/channels/elsewhere/callbacks", json=body)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-channel")


async def test_a_hundred_times_the_same_is_one_posting(city: City, kiosk: Kiosk) -> None:
    someone, client = await payer(city), await city.crowd()
    made = await someone.order()
    told = paid_now(made)
    outcomes = await at_once(*(call_back(city, told, client) for _ in range(100)))
    assert sorted(outcomes) == ["posted"] + ["repeated"] * 99
    await city.settled()
    assert await call_back(city, told) == "repeated"
    assert (await someone.state(made))["state"] == "fulfilled"
    assert await postings(city, made) == [("payment", ["channel:sandbox", PAYABLE], [500, -500])]
    assert kiosk.told(f"{made['id']}.1") == 1
    assert await _tickets(city, made) == []


@pytest.mark.parametrize("amount", [499, 501, 1])
async def test_another_amount_waits_in_suspense(city: City, amount: int) -> None:
    someone = await payer(city)
    made = await someone.order()
    assert await call_back(city, paid_now(made, amount)) == "amount_differs"
    await city.settled()
    assert (await someone.state(made))["state"] == "created"
    assert await postings(city, made) == [
        ("suspense", ["channel:sandbox", "suspense"], [amount, -amount])
    ]
    seen = await _tickets(city, made)
    assert [(one["kind"], one["resolved_at"]) for one in seen] == [("amount_differs", None)]
    assert await call_back(city, paid_now(made)) == "posted", "the order stays payable"
    await city.settled()
    await balanced(city)


async def test_a_wrong_amount_at_the_cashier_can_be_made_good(city: City) -> None:
    someone = await payer(city)
    made = await someone.paid(choice="wrong_amount")
    await city.settled()
    assert (await someone.state(made))["state"] == "paying"
    cashier = (await someone.pay(made)).json()
    assert (await someone.choose(cashier)).json()["state"] == "paid"
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    assert [kind for kind, *_ in await postings(city, made)] == ["suspense", "payment"]


@pytest.mark.parametrize("when", ["before", "between", "after"])
async def test_a_wrong_amount_goes_back_whenever_the_right_one_comes(city: City, when: str) -> None:
    someone, operator = await payer(city), await city.operator()
    made = await someone.paid(choice="wrong_amount")
    await city.settled()
    txn = await city.house.db.fetchval(
        "select txn from payments.channel_payment where order_id = $1", UUID(made["id"])
    )

    async def give_back() -> None:
        ask = {"order_id": made["id"], "channel": "sandbox", "txn": txn}
        answer = await operator.post("/v1/desk/mismatches/return", json=ask)
        assert answer.json()["state"] == "approved", answer.text
        await city.settled()

    if when == "before":
        await give_back()
    cashier = (await someone.pay(made)).json()
    if when == "between":
        await give_back()
    assert (await someone.choose(cashier)).json()["state"] == "paid"
    await city.settled()
    if when == "after":
        await give_back()
    assert (await someone.state(made))["state"] == "fulfilled"
    kinds = [kind for kind, *_ in await postings(city, made)]
    assert sorted(kinds) == ["payment", "return", "suspense"]
    refund = {"order_id": made["id"], "no": 1}
    await operator.post("/v1/desk/refunds", json=refund, headers={"idempotency-key": uuid4().hex})
    await city.settled()
    assert (await someone.state(made))["state"] == "refunded", "and so does the right one"


async def test_a_wrong_amount_holds_no_charge_for_ever(city: City) -> None:
    someone, wanted = await payer(city), charge()
    made = await someone.paid(wanted, choice="wrong_amount")
    await city.settled()
    await let_expire(city, made)
    await look_after(city.house, city.parts.channels)
    assert (await someone.state(made))["state"] == "closed"
    again = await someone.paid(wanted, choice="wrong_amount")
    await city.settled()
    assert (await someone.cancel(again)).json()["state"] == "closed"


@pytest.mark.parametrize("end", ["cancelled", "expired"])
async def test_late_money_goes_back(city: City, kiosk: Kiosk, end: str) -> None:
    someone, wanted = await payer(city), charge()
    made = await someone.order(wanted)
    if end == "cancelled":
        await someone.cancel(made)
    else:
        await let_expire(city, made)
        await look_after(city.house, city.parts.channels)
    assert (await someone.state(made))["state"] == "closed"
    told = paid_now(made)
    assert await call_back(city, told) == "late"
    await city.settled()
    assert (await someone.state(made))["state"] == "closed"
    assert [(kind, sum(amounts)) for kind, _, amounts in await postings(city, made)] == [
        ("suspense", 0),
        ("return", 0),
    ]
    net: dict[str, int] = {}
    for _, accounts, amounts in await postings(city, made):
        for account, amount in zip(accounts, amounts, strict=True):
            net[account] = net.get(account, 0) + amount
    assert net == {"channel:sandbox": 0, "suspense": 0}
    seen = await _tickets(city, made)
    assert [one["kind"] for one in seen] == ["late"]
    assert seen[0]["resolved_at"]
    assert kiosk.told(f"{made['id']}.1") == 0
    assert (await someone.order(wanted))["id"] != made["id"], "the charge is free"


async def test_a_second_payment_for_one_order_goes_back(city: City, kiosk: Kiosk) -> None:
    someone = await payer(city)
    made = await someone.order()
    assert await call_back(city, paid_now(made)) == "posted"
    assert await call_back(city, paid_now(made)) == "double"
    await city.settled()
    assert await call_back(city, paid_now(made)) == "double"
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    kinds = [kind for kind, *_ in await postings(city, made)]
    assert sorted(kinds) == ["payment", "return", "return", "suspense", "suspense"]
    assert all(one["resolved_at"] for one in await _tickets(city, made))
    assert kiosk.told(f"{made['id']}.1") == 1
    await balanced(city)


async def test_money_for_an_unknown_order_waits_for_an_operator(city: City) -> None:
    made = {"id": str(uuid4()), "amount_minor": 77}
    told = paid_now(made)
    assert [await call_back(city, told) for _ in range(3)] == [
        "unknown_order",
        "repeated",
        "repeated",
    ]
    await city.settled()
    seen = await _tickets(city, made)
    assert [(one["kind"], one["resolved_at"]) for one in seen] == [("unknown_order", None)]
    assert [kind for kind, *_ in await postings(city, made)] == ["suspense"]
    await balanced(city)


async def test_a_callback_and_a_cancel_at_once_end_in_one_of_two_ways(city: City) -> None:
    someone, client = await payer(city), await city.crowd()
    ends: set[str] = set()
    for _ in range(12):
        made = await someone.order()
        cancelled, outcome = await at_once(
            someone.cancel(made), call_back(city, paid_now(made), client)
        )
        await city.settled()
        state = (await someone.state(made))["state"]
        if outcome == "posted":
            assert (cancelled.status_code, state) == (409, "fulfilled")
            assert [kind for kind, *_ in await postings(city, made)] == ["payment"]
        else:
            assert (cancelled.status_code, state, outcome) == (200, "closed", "late")
            assert [k for k, *_ in await postings(city, made)] == ["suspense", "return"]
        ends.add(state)
    assert ends <= {"fulfilled", "closed"}
    await balanced(city)


async def test_one_transaction_number_is_one_payment_whatever_it_says(city: City) -> None:
    someone = await payer(city)
    first, second = await someone.order(), await someone.order()
    told = paid_now(first)
    assert await call_back(city, told) == "posted"
    other = msgspec.structs.replace(told, order_id=UUID(second["id"]))
    assert await call_back(city, other) == "repeated"
    assert (await someone.state(second))["state"] == "created"
