"""Refunds of what was fulfilled: by wish or by the desk, whole or in part, one person or two."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.city import City
from tests.rooms.payments.steps import (
    KIOSK,
    Kiosk,
    Payer,
    balanced,
    charge,
    payer,
    postings,
    standing_in,
)

from civicmall.identity import sandbox
from civicmall.kernel.house import House
from civicmall.payments import Sandbox
from civicmall.payments.errors import ChannelAway
from civicmall.payments.models import RefundAsk, RefundSaid
from civicmall.payments.refunds import results, sending
from civicmall.payments.rules import REFUND_ALONE_MINOR, WISHES_MAX

PAYABLE = f"payable:{KIOSK}.account"


async def wish(someone: Payer, made: dict[str, Any], key: str = "", **ask: Any) -> httpx.Response:
    return await someone.http.post(
        f"/v1/orders/{made['id']}/refunds",
        json={"no": 1, **ask},
        headers={"idempotency-key": key or uuid4().hex},
    )


async def give(desk: httpx.AsyncClient, made: dict[str, Any], key: str = "", **ask: Any) -> Any:
    return await desk.post(
        "/v1/desk/refunds",
        json={"order_id": made["id"], "no": 1, **ask},
        headers={"idempotency-key": key or uuid4().hex},
    )


async def decide(desk: httpx.AsyncClient, refund: str, what: str) -> httpx.Response:
    return await desk.post(f"/v1/desk/refunds/{refund}/{what}")


async def clerk(city: City) -> httpx.AsyncClient:
    """Somebody of the kiosk's department."""
    await sandbox.add_staff(city.house, [(KIOSK, "售票员")])
    return await city.department(KIOSK)


async def fulfilled(city: City, *charges: dict[str, str]) -> tuple[Payer, dict[str, Any]]:
    """Somebody new with a fulfilled order."""
    someone = await payer(city)
    made = await someone.paid(*charges)
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    return someone, made


async def of(someone: Payer, made: dict[str, Any]) -> list[dict[str, Any]]:
    found = await someone.http.get(f"/v1/orders/{made['id']}/refunds")
    return list(found.json()["items"])


async def test_the_desk_gives_a_part_back_and_then_the_rest(city: City, kiosk: Kiosk) -> None:
    someone, made = await fulfilled(city, wanted := charge(800))
    operator = await city.operator()
    part = await give(operator, made, amount_minor=300, reason="wrong_charge")
    assert (part.status_code, part.json()["state"]) == (201, "approved")
    await city.settled()
    half = await someone.state(made)
    assert (half["state"], half["refunded_minor"], half["refunding_minor"]) == (
        "part_refunded", 300, 0,
    )  # fmt: skip
    assert half["lines"][0] == {
        **half["lines"][0], "state": "fulfilled", "refunded_minor": 300, "refunding_minor": 0,
    }  # fmt: skip
    again = await someone.ask([wanted])
    assert again.json()["type"] == "/problems/charge-in-order", "most of it is still paid"
    rest = await give(operator, made)
    assert rest.json()["state"] == "approved"
    await city.settled()
    done = await someone.state(made)
    assert (done["state"], done["refunded_minor"]) == ("refunded", 800)
    assert await postings(city, made) == [
        ("payment", ["channel:sandbox", PAYABLE], [800, -800]),
        ("refund", [PAYABLE, "channel:sandbox"], [300, -300]),
        ("refund", [PAYABLE, "channel:sandbox"], [500, -500]),
    ]
    assert [one["state"] for one in await of(someone, made)] == ["done", "done"]
    assert sorted(await someone.inbox(made)) == [
        "payments.paid", "payments.refunded", "payments.refunded",
    ]  # fmt: skip
    assert kiosk.refunded(f"{made['id']}.1") == 800, "the shop books each"
    assert (await someone.order(wanted))["id"] != made["id"], "what went back whole is owed again"
    await balanced(city)


async def test_a_citizen_asks_and_the_department_decides(city: City) -> None:
    someone, made = await fulfilled(city, charge(700))
    key = uuid4().hex
    wished = await wish(someone, made, key, amount_minor=200, reason="paid_twice", words="两次")
    assert (wished.status_code, wished.json()["state"]) == (201, "wanted")
    assert (
        await wish(someone, made, key, amount_minor=200, reason="paid_twice", words="两次")
    ).json() == wished.json()
    assert (await wish(someone, made, key, amount_minor=201)).status_code == 422
    await city.settled()
    before = await someone.state(made)
    assert (before["state"], before["lines"][0]["refunding_minor"]) == ("fulfilled", 200)
    desk = await clerk(city)
    seen = (await desk.get("/v1/desk/refunds", params={"only_open": "true"})).json()["items"]
    mine = next(one for one in seen if one["refund_id"] == wished.json()["id"])
    assert (mine["state"], mine["asked_by"], mine["words"]) == ("wanted", "citizen", "两次")
    assert str(someone.id) not in str(mine)
    other = await city.department("utility_bills")
    for what in ("approve", "decline"):
        refused = await decide(other, mine["refund_id"], what)
        assert refused.json()["type"] == "/problems/no-such-refund"
    assert (await decide(desk, mine["refund_id"], "approve")).json()["state"] == "approved"
    await city.settled()
    assert [one["state"] for one in await of(someone, made)] == ["done"]
    late = await decide(desk, mine["refund_id"], "decline")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/refund-decided")


async def test_what_is_declined_is_free_again(city: City) -> None:
    someone, made = await fulfilled(city, charge(600))
    wished = (await wish(someone, made)).json()
    assert wished["amount_minor"] == 600
    operator = await city.operator()
    full = await give(operator, made, amount_minor=1)
    assert (full.status_code, full.json()["left_minor"]) == (409, 0)
    assert (await decide(operator, wished["id"], "decline")).json()["state"] == "declined"
    await city.settled()
    after = await someone.state(made)
    assert (after["state"], after["lines"][0]["refunding_minor"]) == ("fulfilled", 0)
    assert "payments.declined" in await someone.inbox(made)
    assert (await give(operator, made, amount_minor=600)).json()["state"] == "approved"


async def test_over_the_limit_it_takes_two(city: City) -> None:
    someone, made = await fulfilled(city, charge(REFUND_ALONE_MINOR + 1))
    desk, operator = await clerk(city), await city.operator()
    asked = (await give(desk, made)).json()
    assert asked["state"] == "asked"
    refused = await decide(desk, asked["refund_id"], "approve")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/second-person-needed")
    assert (await decide(operator, asked["refund_id"], "approve")).json()["state"] == "approved"
    await city.settled()
    assert (await someone.state(made))["state"] == "refunded"


async def test_an_operator_is_no_second_person_for_themselves(city: City) -> None:
    someone, made = await fulfilled(city, charge(REFUND_ALONE_MINOR + 1))
    operator, reviewer = await city.operator(), await city.reviewer()
    asked = (await give(operator, made)).json()
    refused = await decide(operator, asked["refund_id"], "approve")
    assert refused.json()["limit_minor"] == REFUND_ALONE_MINOR
    assert (await someone.state(made))["state"] == "fulfilled"
    assert (await decide(reviewer, asked["refund_id"], "approve")).json()["state"] == "approved"


@pytest.mark.parametrize(
    ("ask", "status", "kind"),
    [
        ({"amount_minor": 501}, 409, "not-refundable"), ({"amount_minor": 0}, 400, "bad-request"),
        ({"amount_minor": -1}, 400, "bad-request"), ({"no": 2}, 404, "no-such-order"),
        ({"reason": "refused"}, 400, "bad-request"), ({"words": "x" * 501}, 400, "bad-request"),
        ({"amount": 3}, 400, "bad-request"), ({"words": "a\x00b"}, 400, "bad-request"),
    ],
)  # fmt: skip
async def test_bad_input_moves_nothing(city: City, ask: Any, status: int, kind: str) -> None:
    someone, made = await fulfilled(city, charge(500))
    operator = await city.operator()
    for answer in (await wish(someone, made, **ask), await give(operator, made, **ask)):
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert await of(someone, made) == []
    stranger = await payer(city)
    assert (await wish(stranger, made)).json()["type"] == "/problems/no-such-order"
    unpaid = await someone.order()
    assert (await wish(someone, unpaid)).json()["type"] == "/problems/not-refundable"


class Slow(Sandbox):
    """The sandbox's bank on a day when refunds take their time, or fail."""

    def __init__(self, house: House, *says: RefundSaid | Exception) -> None:
        super().__init__(house)
        self.says = list(says)
        self.asked: list[RefundAsk] = []

    def _next(self, ask: RefundAsk) -> RefundSaid:
        self.asked.append(ask)
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return RefundSaid(ask.refund_id, said.state, said.txn, said.trouble)

    async def refund(self, ask: RefundAsk) -> RefundSaid:
        return self._next(ask)

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        return self._next(ask)


ANY = UUID(int=0)
PENDING = RefundSaid(ANY, "pending", "R1")
FAILED = RefundSaid(ANY, "failed", None, "ACCOUNT_CLOSED")
DONE = RefundSaid(ANY, "done", "R1")


async def test_a_result_that_comes_later_is_asked_for(city: City) -> None:
    someone, made = await fulfilled(city, charge(400))
    slow = Slow(city.house, PENDING, ChannelAway(channel="sandbox"), PENDING, DONE)
    with standing_in(city, slow):
        await give(await city.operator(), made, amount_minor=150)
        await city.settled()
        waiting = await someone.state(made)
        assert (waiting["state"], waiting["refunding_minor"]) == ("refunding", 150)
        refund = UUID((await of(someone, made))[0]["id"])
        with pytest.raises(ChannelAway):
            await sending.send(city.house, city.parts.channels, refund)
        for _ in range(2):
            await sending.send(city.house, city.parts.channels, refund)
        await city.settled()
    assert (await someone.state(made))["state"] == "part_refunded"
    assert {ask.refund_id for ask in slow.asked} == {refund}, "always the same number"
    for said in (DONE, FAILED, PENDING):
        told = RefundSaid(refund, said.state, said.txn, said.trouble)
        await results.told(city.house, "sandbox", told)
    assert [one["state"] for one in await of(someone, made)] == ["done"]
    assert len(await postings(city, made)) == 2


async def test_no_channel_ends_the_refund_of_another(city: City) -> None:
    someone, made = await fulfilled(city, charge(400))
    with standing_in(city, Slow(city.house, PENDING)):
        await give(await city.operator(), made)
        await city.settled()
        refund = UUID((await of(someone, made))[0]["id"])
        await results.told(city.house, "elsewhere", RefundSaid(refund, "done", "R1"))
        assert (await of(someone, made))[0]["state"] == "sent"
        assert len(await postings(city, made)) == 1
        await results.told(city.house, "sandbox", RefundSaid(refund, "done", "R1"))
        assert (await of(someone, made))[0]["state"] == "done"
        await city.settled()


async def test_what_the_channel_can_not_do_waits_for_somebody(city: City) -> None:
    someone, made = await fulfilled(city, charge(400))
    operator = await city.operator()
    with standing_in(city, Slow(city.house, FAILED, FAILED, DONE)):
        refund = (await give(operator, made, amount_minor=100)).json()["refund_id"]
        await city.settled()
        assert (await someone.state(made))["state"] == "refunding"
        seen = (await operator.get("/v1/desk/refunds", params={"limit": 100})).json()["items"]
        mine = next(one for one in seen if one["refund_id"] == refund)
        assert (mine["state"], mine["trouble"]) == ("failed", "ACCOUNT_CLOSED")
        assert (await decide(operator, refund, "approve")).json()["state"] == "approved"
        await city.settled()
        assert (await decide(operator, refund, "decline")).json()["state"] == "declined"
        await city.settled()
        back = await someone.state(made)
        assert (back["state"], back["refunding_minor"], back["refunded_minor"]) == (
            "fulfilled", 0, 0,
        )  # fmt: skip
        assert (await give(operator, made)).json()["state"] == "approved"
        await city.settled()
    assert (await someone.state(made))["state"] == "refunded"
    await balanced(city)


async def test_many_want_the_same_rest(city: City) -> None:
    someone, made = await fulfilled(city, charge(1000))
    operator = await city.operator()
    answers = await asyncio.gather(
        *(wish(someone, made, amount_minor=300) for _ in range(6)),
        *(give(operator, made, amount_minor=300) for _ in range(6)),
    )
    taken = [answer for answer in answers if answer.status_code == 201]
    assert len(taken) == 3
    assert {answer.status_code for answer in answers} == {201, 409}


async def test_many_small_ones_are_over_the_limit_together(city: City) -> None:
    someone, made = await fulfilled(city, charge(3 * REFUND_ALONE_MINOR))
    desk, operator = await clerk(city), await city.operator()
    part = REFUND_ALONE_MINOR
    states = [(await give(desk, made, amount_minor=part)).json()["state"] for _ in range(2)]
    assert states == ["approved", "asked"]
    wished = (await wish(someone, made, amount_minor=part)).json()
    assert (await decide(desk, wished["id"], "approve")).json()["state"] == "asked"
    await city.settled()
    assert (await someone.state(made))["refunded_minor"] == REFUND_ALONE_MINOR
    assert (await decide(operator, wished["id"], "approve")).json()["state"] == "approved"


async def test_a_citizen_has_one_wish_open_and_not_many_in_all(city: City) -> None:
    someone, made = await fulfilled(city, charge(500))
    operator = await city.operator()
    for _ in range(WISHES_MAX):
        wished = await wish(someone, made, amount_minor=1)
        assert wished.status_code == 201
        assert (await wish(someone, made, amount_minor=1)).status_code == 409
        await decide(operator, wished.json()["id"], "decline")
    assert (await wish(someone, made, amount_minor=1)).json()["type"] == "/problems/not-refundable"


async def test_money_that_went_after_all_is_posted_or_somebodys_matter(city: City) -> None:
    """The channel says no, the desk gives it up, and then the channel says yes."""
    someone, made = await fulfilled(city, charge(1000))
    operator = await city.operator()

    async def given_up(amount: int) -> UUID:
        with standing_in(city, Slow(city.house, FAILED)):
            refund = (await give(operator, made, amount_minor=amount)).json()["refund_id"]
            await city.settled()
        assert (await decide(operator, refund, "decline")).json()["state"] == "declined"
        await city.settled()
        return UUID(refund)

    first, second = await given_up(400), await given_up(700)
    for _ in range(2):
        await results.told(city.house, "sandbox", RefundSaid(first, "done", "R1"))
        await city.settled()
    after = await someone.state(made)
    assert (after["state"], after["refunded_minor"]) == ("part_refunded", 400)
    assert after["lines"][0]["refunded_minor"] == 400
    assert [row[2] for row in await postings(city, made)] == [[1000, -1000], [400, -400]]
    assert [one["state"] for one in await of(someone, made)] == ["done", "declined"]
    await results.told(city.house, "sandbox", RefundSaid(second, "done", "R2"))
    await city.settled()
    assert (await someone.state(made))["refunded_minor"] == 400, "no room: it isn't in the ledger"
    found = (await operator.get("/v1/desk/tickets", params={"limit": 100})).json()["items"]
    mine = [one for one in found if one["refund_id"] == str(second) and one["state"] == "open"]
    assert [one["kind"] for one in mine] == ["refund_missing_here"]
    await balanced(city)


async def test_the_desks_see_what_went_back(city: City) -> None:
    _, made = await fulfilled(city, charge(777))
    operator = await city.operator()

    async def seen() -> tuple[str, int]:
        await city.settled()
        rows = (await operator.get("/v1/desk/payments", params={"limit": 100})).json()["items"]
        row = next(row for row in rows if row["order_id"] == made["id"])
        totals = (await operator.get("/v1/desk/totals")).json()["items"]
        return row["state"], next(t for t in totals if t["shop"] == KIOSK)["refunded_minor"]

    _, before = await seen()
    await give(operator, made, amount_minor=77)
    assert await seen() == ("fulfilled", before + 77)
    await give(operator, made)
    assert await seen() == ("refunded", before + 777)


@settings(max_examples=150, deadline=None)
@given(
    whole=st.lists(st.integers(1, 10**12), min_size=1, max_size=4),
    cuts=st.lists(st.integers(1, 10**12), max_size=6),
)
async def test_no_purse_gives_back_more_than_it_gave(
    house: House, whole: list[int], cuts: list[int]
) -> None:
    """The last purse first; parts are exact, whatever the order of refunds."""
    back = [0] * len(whole)
    for cut in cuts:
        amount = min(cut, sum(whole) - sum(back))
        if not amount:
            break
        parts: list[int] = await house.db.fetchval(
            "select payments.parts($1, $2, $3)", amount, whole, back
        )
        assert sum(parts) == amount
        rooms = [w - b for w, b in zip(whole, back, strict=True)]
        assert all(0 <= part <= room for part, room in zip(parts, rooms, strict=True))
        touched = next(n for n, part in enumerate(parts) if part)
        assert parts[touched + 1 :] == rooms[touched + 1 :], "what comes later is empty first"
        back = [b + part for b, part in zip(back, parts, strict=True)]
