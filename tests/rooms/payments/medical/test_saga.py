"""What goes wrong between the insurer's part and the citizen's: nothing stays half, nothing is doubled."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tests.city import City
from tests.rooms.payments.medical.insured import (
    SELF,
    Held,
    account_of,
    agree,
    agreed,
    agrees,
    booked,
    held,
    mood,
    order,
    overdue,
    split,
    start,
)
from tests.rooms.payments.steps import (
    call_back,
    charge,
    let_expire,
    paid_now,
    payer,
    postings,
    standing_in,
)

from civicmall.kernel import ids
from civicmall.payments import Cashier, Paid, Sandbox, insurance, look_after, service
from civicmall.payments.channels import parts
from civicmall.payments.channels.medical_insurance.letters import SIGNATURE, TIMESTAMP, Deduction
from civicmall.payments.channels.medical_insurance.sandbox import SandboxInsurer
from civicmall.payments.errors import ChannelAway

NOTHING = Held(0, 0, 0)


async def look(city: City) -> None:
    """Every look that the program takes by itself, once."""
    await overdue(city)
    await look_after(city.house, city.parts.channels)
    await insurance.of_channels(city.parts.channels).saga.look_after()
    await city.settled()


async def test_what_the_insurer_declines_is_paid_another_way(city: City) -> None:
    someone, made = await order(city)
    await mood(someone, made, fault="declined")
    await start(someone, made)
    answer = await agree(someone, made)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/insurer-declined")
    assert (await split(someone, made))["state"] == "refused"
    assert await held(city, made) == NOTHING
    assert (await agree(someone, made)).json()["type"] == "/problems/no-such-split"
    await start(someone, made)  # a new attempt, at a new quote
    assert (await agree(someone, made)).json()["state"] == "deducted"
    cashier = (await someone.pay(made)).json()
    assert await held(city, made) == NOTHING, "who goes elsewhere has nothing taken here"
    await someone.choose(cashier)
    await city.settled()
    assert (await someone.state(made))["channel"] == "sandbox"
    assert await account_of(someone, made) == 150


async def test_less_money_than_quoted_is_declined(city: City) -> None:
    someone, made = await order(city)
    await start(someone, made)
    await mood(someone, made, account_minor=149)
    assert (await agree(someone, made)).json()["type"] == "/problems/insurer-declined"
    assert await account_of(someone, made) == 149


async def test_an_insurer_that_is_away(city: City) -> None:
    someone, made = await order(city)
    await mood(someone, made, fault="away")
    assert (await start(someone, made)).json()["type"] == "/problems/channel-away"
    await start(someone, made)
    await mood(someone, made, fault="away", times=2)
    answer = await agree(someone, made)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/channel-away")
    assert (await split(someone, made))["state"] == "deducting"
    await look(city)  # away again
    assert (await split(someone, made))["state"] == "deducting"
    assert (await agree(someone, made)).json()["state"] == "deducted"
    assert await held(city, made) == Held(600, 150, 0)


async def test_an_answer_that_is_lost_is_asked_for(city: City) -> None:
    someone, made = await order(city, account=400)
    await mood(someone, made, fault="lost")
    await start(someone, made)
    assert (await agree(someone, made)).status_code == 503
    assert await held(city, made) == Held(600, 400, 0)
    await look(city)
    assert (await someone.state(made))["state"] == "fulfilled"
    assert await agrees(city, made) == Held(600, 400, 0)


async def test_a_lost_answer_and_the_same_again_take_it_once(city: City) -> None:
    someone, made = await order(city)
    await mood(someone, made, fault="lost")
    await start(someone, made)
    assert (await agree(someone, made)).status_code == 503
    answers = await asyncio.gather(*(agree(someone, made) for _ in range(6)))
    assert {answer.json()["state"] for answer in answers} == {"deducted"}
    assert await held(city, made) == Held(600, 150, 0)
    assert await account_of(someone, made) == 0


async def test_news_that_come_later(city: City) -> None:
    someone, made = await order(city)
    await mood(someone, made, fault="later")
    await start(someone, made)
    seen = (await agree(someone, made)).json()
    assert (seen["state"], seen["cashier"]) == ("deducting", None)
    await city.settled()
    assert (await split(someone, made))["state"] == "deducted"
    await someone.choose((await agree(someone, made)).json()["cashier"])
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"


@pytest.mark.parametrize("change", ["body", "timestamp", "signature"])
async def test_forged_news_change_nothing(city: City, change: str) -> None:
    someone, made = await order(city)
    await mood(someone, made, fault="away")
    await start(someone, made)
    await start(someone, made)
    await mood(someone, made, fault="away")
    await agree(someone, made)
    row = await insurance.of_channels(city.parts.channels).saga.newest(UUID(made["id"]))
    assert row is not None
    said = Deduction(row.id, "deducted", 600, 150, "MI1", city.house.clock.now())
    letter = SandboxInsurer(city.house).letter(said)
    headers = {TIMESTAMP: letter.timestamp, SIGNATURE: letter.signature}
    body = letter.body
    if change == "body":
        body = body.replace(b"150", b"151")
    elif change == "timestamp":
        headers[TIMESTAMP] = str(int(letter.timestamp) - 1)
    else:
        headers[SIGNATURE] = ""
    answer = await (await city.anonymous()).post(
        "/v1/channels/medical_insurance/callbacks", content=body, headers=headers
    )
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/callback-forged")
    assert (await split(someone, made))["state"] == "deducting"


async def test_another_amount_than_agreed_is_undone(city: City) -> None:
    someone, made = await order(city)
    await start(someone, made)
    saga = insurance.of_channels(city.parts.channels).saga
    row = await saga.newest(UUID(made["id"]))
    assert row is not None
    await mood(someone, made, fault="away", times=1)
    await agree(someone, made)
    said = Deduction(row.id, "deducted", 600, 151, "MI1", city.house.clock.now())
    assert (await saga.heard(row, said)).state == "reversing"
    await look(city)
    assert (await split(someone, made))["state"] == "reversed"


@pytest.mark.parametrize("fault", [None, "reverse_away"])
async def test_cancelling_undoes_the_insurers_part(city: City, fault: str | None) -> None:
    someone, made, seen = await agreed(city)
    if fault:
        await mood(someone, made, fault=fault, times=2)
    assert (await someone.cancel(made)).json()["state"] == "closed"
    if fault:
        assert (await split(someone, made))["state"] == "reversing"
        assert await held(city, made) == Held(600, 150, 0)
        await look(city)
        assert (await split(someone, made))["state"] == "reversing"
    await look(city)
    assert (await split(someone, made))["state"] == "reversed"
    assert await held(city, made) == NOTHING
    assert await account_of(someone, made) == 150
    closed = await someone.choose(seen["cashier"])
    assert closed.json()["type"] == "/problems/cashier-closed"
    assert await booked(city, made) == {}


@pytest.mark.parametrize("until", ["quoted", "lost", "deducted"])
async def test_expiry_undoes_the_insurers_part(city: City, until: str) -> None:
    someone, made = await order(city)
    await start(someone, made)
    if until == "lost":
        await mood(someone, made, fault="lost")
    if until != "quoted":
        await agree(someone, made)
        assert await held(city, made) == Held(600, 150, 0)
    await let_expire(city, made)
    assert (await agree(someone, made)).status_code in {200, 409}
    await look(city)
    assert (await someone.state(made))["state"] == "closed"
    ended = (await split(someone, made))["state"]
    assert ended == ("dropped" if until == "quoted" else "reversed")
    assert await held(city, made) == NOTHING
    assert await account_of(someone, made) == 150


async def test_a_deduction_still_on_its_way_is_never_made_after_the_reversal(city: City) -> None:
    someone, made = await order(city)
    await start(someone, made)
    await mood(someone, made, fault="away")
    await agree(someone, made)
    channel = insurance.of_channels(city.parts.channels)
    row = await channel.saga.newest(UUID(made["id"]))
    assert row is not None
    await someone.cancel(made)
    assert (await split(someone, made))["state"] == "reversed"
    found = await service.any_order(city.house.db, UUID(made["id"]))
    late = await channel.saga._deduct(row, found)  # pyright: ignore[reportPrivateUsage]
    assert late.state == "reversed"
    assert await held(city, made) == NOTHING


async def test_a_payment_that_was_told_of_by_nobody_is_found(city: City) -> None:
    someone, made, seen = await agreed(city)
    await someone.choose(seen["cashier"], "no_callback")
    await city.settled()
    assert (await someone.state(made))["state"] == "paying"
    await look(city)
    assert (await someone.state(made))["state"] == "fulfilled"
    assert await agrees(city, made) == Held(600, 150, 250)


async def test_who_has_paid_both_parts_cant_cancel(city: City) -> None:
    someone, made, seen = await agreed(city)
    await someone.choose(seen["cashier"], "no_callback")
    answer = await someone.cancel(made)
    assert answer.json()["type"] == "/problems/order-not-cancellable"
    await look(city)
    assert (await someone.state(made))["state"] == "fulfilled"


async def test_cancelling_and_paying_at_once_is_one_of_the_two(city: City) -> None:
    for _ in range(6):
        someone, made, seen = await agreed(city)
        await asyncio.gather(
            someone.choose(seen["cashier"]), someone.cancel(made), return_exceptions=True
        )
        await city.settled()
        await look(city)
        ended = (await someone.state(made))["state"]
        assert await agrees(city, made) == (
            Held(600, 150, 250) if ended == "fulfilled" else NOTHING
        )
        assert ended in {"fulfilled", "closed"}


class Forgetful(Sandbox):
    """A bank that says that a payment is closed, and takes it all the same."""

    async def cancel(self, order: Any) -> bool:
        del order
        return True


async def test_a_part_that_comes_too_late_goes_back_by_itself(city: City) -> None:
    someone, made, seen = await agreed(city)
    bank: Any = Forgetful(city.house)
    with standing_in(city, bank):
        assert (await someone.cancel(made)).json()["state"] == "closed"
    assert await held(city, made) == NOTHING
    await someone.choose(seen["cashier"])
    await city.settled()
    assert await agrees(city, made) == NOTHING
    part = {"id": seen["cashier"]["order_id"]}
    assert [(row[0], row[1]) for row in await postings(city, part)] == [
        ("suspense", [SELF, "suspense"]),
        ("return", ["suspense", SELF]),
    ]


async def test_an_order_paid_elsewhere_meanwhile_gives_the_insurers_part_back(city: City) -> None:
    """As when somebody goes to two cashiers at once."""
    someone, made, seen = await agreed(city)
    assert await call_back(city, paid_now(made)) == "posted"
    await look(city)
    assert (await split(someone, made))["state"] == "reversed"
    there = await held(city, made)
    assert (there.pool, there.account) == (0, 0)
    closed = await someone.choose(seen["cashier"])
    assert closed.json()["type"] == "/problems/cashier-closed"


async def test_news_of_no_split_are_no_money_for_anybody(city: City) -> None:
    someone = await payer(city)
    made = await someone.order(charge(5))
    stray = {"id": str(parts.of(ids.new(ids.bucket_of(UUID(made["id"]))))), "amount_minor": 5}
    assert await call_back(city, paid_now(stray)) == "nothing"
    await city.settled()
    assert [row[0] for row in await postings(city, stray)] == ["suspense"]
    assert (await someone.state(made))["state"] == "created"


async def test_a_bank_that_is_away_keeps_the_order_open(city: City) -> None:
    class Away(Sandbox):
        async def cancel(self, order: Any) -> bool:
            del order
            raise ChannelAway(channel=self.name)

    someone, made, _ = await agreed(city)
    bank: Any = Away(city.house)
    with standing_in(city, bank):
        assert (await someone.cancel(made)).json()["type"] == "/problems/channel-away"
        assert (await split(someone, made))["state"] == "deducted"
    assert (await someone.cancel(made)).json()["state"] == "closed"
    assert await held(city, made) == NOTHING


async def test_there_and_back_between_bank_and_insurance(city: City) -> None:
    someone, made = await order(city)
    for _ in range(2):
        await someone.pay(made)
        await start(someone, made)
        assert (await agree(someone, made)).json()["state"] == "deducted"
    cashier = (await someone.pay(made)).json()
    assert await held(city, made) == NOTHING
    await someone.choose(cashier)
    await city.settled()
    assert (await someone.state(made))["state"] == "fulfilled"
    assert await agrees_whole(city, made) == 1000
    assert await account_of(someone, made) == 150


async def agrees_whole(city: City, made: dict[str, Any]) -> int:
    """What the bank has of the order itself."""
    there = await agrees(city, made)
    assert (there.pool, there.account) == (0, 0)
    return there.own


class Other(Sandbox):
    """Another bank, whose cashier is elsewhere."""

    name = "otherbank"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.closed: list[UUID] = []
        self.paid: Paid | None = None

    async def prepare(self, order: Any, agent: Any) -> Cashier:
        del agent
        return Cashier(order.id, self.name, order.amount_minor, "x:", "", order.expires_at)

    async def query(self, order: Any) -> Paid | None:
        del order
        return self.paid

    async def cancel(self, order: Any) -> bool:
        self.closed.append(order.id)
        return self.paid is None


async def test_the_rest_may_be_paid_at_another_bank_but_at_one_only(city: City) -> None:
    bank: Any = Other(city.house)
    by_name: dict[str, Any] = getattr(city.parts.channels, "_by_name")  # noqa: B009 (for tests only)
    by_name[bank.name] = bank
    try:
        someone, made, seen = await agreed(city)
        forgetful: Any = Forgetful(city.house)
        with standing_in(city, forgetful):
            turned = (await agree(someone, made, "otherbank")).json()
        assert (turned["self_channel"], turned["cashier"]["channel"]) == ("otherbank", "otherbank")
        part = {"id": seen["cashier"]["order_id"], "amount_minor": 250}
        await someone.choose(seen["cashier"])  # at the bank that was left
        await city.settled()
        assert (await split(someone, made))["state"] == "deducted"
        bank.paid = paid_now(part, txn="OTHER-1")
        answer = await agree(someone, made)
        assert (answer.status_code, answer.json()["state"]) == (409, "paid")
        await look(city)
        assert (await someone.state(made))["state"] == "fulfilled"
        assert (await postings(city, made))[0][1][2] == "channel:otherbank"
        assert [row[0] for row in await postings(city, part)] == ["suspense", "return"]
    finally:
        del by_name[bank.name]


async def test_who_gives_up_while_the_cashier_is_opened_has_no_cashier(city: City) -> None:
    someone, made = await order(city)
    await start(someone, made)

    class Slow(Sandbox):
        async def prepare(self, order: Any, agent: Any) -> Cashier:
            await insurance.of_channels(city.parts.channels).cancel(
                await service.any_order(self._house.db, UUID(made["id"]))
            )
            return await super().prepare(order, agent)

    bank: Any = Slow(city.house)
    with standing_in(city, bank):
        answer = await agree(someone, made)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/order-not-payable")
    left = "select state from payments.sandbox_payment where order_id = $1"
    row = await insurance.of_channels(city.parts.channels).saga.newest(UUID(made["id"]))
    assert row is not None
    assert row.state == "reversed"
    assert await city.house.db.fetchval(left, parts.of(row.id)) == "cancelled"
