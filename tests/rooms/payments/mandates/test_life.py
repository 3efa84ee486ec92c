"""A mandate's life, day by day."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.rooms.payments.mandates.steps import announced, later
from tests.rooms.payments.mandates.world import METERS, Citizen, World

from civicmall import identity
from civicmall.payments import AgreementClosed, MandateMovedOn, mandates
from civicmall.payments.mandates import debiting, telling


async def test_a_bill_is_announced_and_debited_on_the_announced_day(world: World) -> None:
    who = await world.citizen()
    bill = who.owes(45_00, later(world, 9))
    made = await who.allow()
    assert made.state == "active"
    looks = await identity.accesses(world.house.db, who.id, None, 100)
    began = max((look.seq for look in looks), default=0)
    await world.turn()
    (debit,) = (await who.detail(made.id)).debits
    assert debit.state == "announced"
    assert debit.debit_on == later(world, 7)
    assert await who.heard() == ["mandate_active", "debit_announced"]
    said = (await who.message("debit_announced")).body
    assert "45.00 yuan" in said
    assert debit.debit_on.isoformat() in said
    assert "revoke" in said
    await world.until(debit.debit_on - timedelta(days=1))
    assert not await who.taken()
    await world.until(debit.debit_on)
    assert await who.taken() == {bill["id"]: 45_00}
    assert await who.states(made.id) == [("paid", "")]
    assert (await who.detail(made.id)).mandate.month_minor == 45_00
    assert await who.heard() == ["mandate_active", "debit_announced", "debit_paid"]
    assert (await who.message("debit_paid")).link.startswith("/orders/")
    looks = await identity.accesses(world.house.db, who.id, None, 100)
    by_mandate = {(look.purpose, look.reader) for look in looks if look.seq > began}
    assert by_mandate >= {
        ("mandate.bills.list", f"{METERS}/water"),
        ("mandate.charge.quote", f"{METERS}/water"),
    }
    assert not {purpose for purpose, _ in by_mandate} & {"bills.list", "charge.quote"}
    await world.until(later(world, 5))
    assert await who.taken() == {bill["id"]: 45_00}


async def test_revoked_between_reminder_and_debit(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await world.until(day - timedelta(days=1))
    assert (await who.change(mandate_id, "revoke")).state == "revoked"
    assert await who.states(mandate_id) == [("stopped", "revoked")]
    await world.until(day + timedelta(days=3))
    assert not await who.taken()
    assert await who.heard() == ["mandate_active", "debit_announced", "mandate_revoked"]
    bank = await world.bank.at_agreement(mandate_id, world.bank.agreement_token(mandate_id))
    assert bank.state == "ended"
    for event in ("pause", "resume"):
        with pytest.raises(MandateMovedOn):
            await who.change(mandate_id, event)
    assert (await who.change(mandate_id, "revoke")).state == "revoked"


async def test_revoked_while_the_debit_is_being_prepared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is made, and the guard of the write that starts the debit finds the mandate gone."""
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await world.until(day - timedelta(days=1))
    quote = world.means.gateway.quote

    async def revoking(*args: Any) -> Any:
        found = await quote(*args)
        await who.change(mandate_id, "revoke")
        return found

    monkeypatch.setattr(world.means.gateway, "quote", revoking)
    await world.until(day)
    assert not await who.taken()
    assert await who.states(mandate_id) == [("stopped", "revoked")]
    monkeypatch.undo()
    (bill,) = world.shop.owed[who.sub]
    await who.pay(bill)  # the order that was prepared does not keep it
    assert await who.taken() == {bill["id"]: 45_00}


async def test_another_amount_than_announced_waits_for_the_citizen(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    (bill,) = world.shop.owed[who.sub]
    bill["amount_minor"] = 45_01
    await world.until(day + timedelta(days=4))
    assert not await who.taken()
    assert await who.states(mandate_id) == [("held", "amount_changed")]
    assert (await who.heard())[-1] == "debit_held"
    assert (await who.message("debit_held")).link == f"/shops/{METERS}/water/bills/{bill['id']}"
    await who.pay(bill)
    assert await who.taken() == {bill["id"]: 45_01}


async def test_over_the_cap_of_one_debit_nothing_is_announced(world: World) -> None:
    who = await world.citizen()
    who.owes(100_01, later(world, 5))
    fits = who.owes(100_00, later(world, 5))
    made = await who.allow(100_00, 300_00)
    await world.turn()
    assert sorted(await who.states(made.id)) == [("announced", ""), ("held", "over_cap")]
    await world.until(later(world, 7))
    assert await who.taken() == {fits["id"]: 100_00}


async def test_the_month_s_cap_holds_also_for_debits_at_once(world: World) -> None:
    who = await world.citizen()
    for _ in range(4):
        who.owes(80_00, later(world, 5))
    made = await who.allow(80_00, 200_00)
    await world.turn()
    rows = await world.owner.fetch(
        "select bucket, id, debit_on from payments.mandate_debit where mandate_id = $1", made.id
    )
    day = rows[0][2]
    assert {state for state, _ in await who.states(made.id)} == {"announced"}
    world.clock.at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    await asyncio.gather(*(debiting.debit(world.means, row[0], row[1]) for row in rows))
    await world.turn()
    assert sum((await who.taken()).values()) == 160_00
    assert sorted(await who.states(made.id)) == [
        ("held", "over_month"), ("held", "over_month"), ("paid", ""), ("paid", ""),
    ]  # fmt: skip
    assert (await who.detail(made.id)).mandate.month_minor == 160_00
    following = (day.replace(day=1) + timedelta(days=40)).replace(day=9)
    bill = who.owes(80_00, following)
    await world.until(following)
    assert (await who.taken())[bill["id"]] == 80_00
    assert (await who.detail(made.id)).mandate.month_minor == 80_00


async def test_an_empty_account_is_asked_on_two_later_days(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await who.at_bank(mandate_id, "no_funds")
    await world.until(day)
    assert await who.states(mandate_id) == [("announced", "no_funds")]
    assert (await who.detail(mandate_id)).mandate.month_minor == 0
    assert day + timedelta(days=1) == (await who.detail(mandate_id)).debits[0].try_on
    await world.until(day + timedelta(days=5))
    assert await who.states(mandate_id) == [("failed", "no_funds")]
    assert (await who.detail(mandate_id)).debits[0].tries == 3
    assert (await who.heard())[2:] == ["debit_declined", "debit_declined", "debit_failed"]
    assert "not enough money" in (await who.message("debit_failed")).body
    assert not await who.taken()
    (bill,) = world.shop.owed[who.sub]
    await who.pay(bill)


async def test_money_on_a_later_day(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await who.at_bank(mandate_id, "no_funds")
    await world.until(day + timedelta(days=1))
    await who.at_bank(mandate_id, "works")
    await world.until(day + timedelta(days=2))
    assert await who.states(mandate_id) == [("paid", "")]
    assert sum((await who.taken()).values()) == 45_00


async def test_an_agreement_that_was_ended_at_the_bank_ends_the_mandate(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await who.at_bank(mandate_id, "end")
    await world.until(day)
    found = (await who.detail(mandate_id)).mandate
    assert (found.state, found.why) == ("ended", "agreement_ended")
    assert await who.states(mandate_id) == [("failed", "agreement_ended")]
    assert sorted((await who.heard())[2:]) == ["debit_failed", "mandate_ended"]


async def test_a_bank_that_tells_by_callback_only(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await who.at_bank(mandate_id, "callback_only")
    world.clock.at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    await world.run()
    assert await who.states(mandate_id) == [("debiting", "")]
    await world.deliver()
    assert await who.states(mandate_id) == [("paid", "")]
    assert (await who.heard())[-1] == "debit_paid"


async def test_a_bill_in_the_citizen_s_own_order_is_left_alone(world: World) -> None:
    who = await world.citizen()
    by_hand = who.owes(10_00, later(world, 5))
    await who.order(by_hand)
    made = await who.allow()
    await world.turn()
    assert await who.states(made.id) == []
    bill = who.owes(20_00, later(world, 6))
    await world.until(later(world, 1))
    assert await who.states(made.id) == [("announced", "")]
    await who.order(bill)
    await world.until(later(world, 5))
    assert set(await who.states(made.id)) == {("skipped", "in_order")}
    assert not await who.taken()
    assert (await who.heard())[-1] == "debit_skipped"


async def test_a_bill_paid_by_hand_after_its_reminder(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    (bill,) = world.shop.owed[who.sub]
    await who.pay(bill)
    await world.until(day)
    assert await who.states(mandate_id) == [("skipped", "not_owed")]
    assert await who.taken() == {bill["id"]: 45_00}


async def test_a_bill_that_is_not_owed_any_more(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    world.shop.owed[who.sub].clear()
    await world.until(day)
    assert await who.states(mandate_id) == [("skipped", "not_owed")]
    assert not await who.taken()


async def test_consent_taken_back_pauses(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await identity.take_back_consent(world.house, who.id, METERS, "water")
    await world.until(day)
    found = (await who.detail(mandate_id)).mandate
    assert (found.state, found.why) == ("paused", "consent")
    assert await who.states(mandate_id) == [("stopped", "paused")]
    assert not await who.taken()
    assert "consent" in (await who.message("mandate_paused")).body
    await who.consent()
    assert (await who.change(mandate_id, "resume")).state == "active"
    await world.turn()
    again = (await who.detail(mandate_id)).debits[0]
    assert again.state == "announced"
    assert again.debit_on >= later(world, 3)
    await world.until(again.debit_on)
    assert sum((await who.taken()).values()) == 45_00


async def test_a_day_that_was_missed_is_announced_anew(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    world.clock.at += timedelta(days=6)  # nothing of ours ran meanwhile
    await world.turn()
    assert not await who.taken()
    (debit,) = (await who.detail(mandate_id)).debits
    assert debit.state == "announced"
    assert debit.debit_on == later(world, 3) > day
    assert (await who.heard()).count("debit_announced") == 2
    await world.until(debit.debit_on)
    assert sum((await who.taken()).values()) == 45_00


async def test_nothing_by_night(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    await world.until(day - timedelta(days=1))
    for hour in (20, 23):  # of the evening before, and then before eight
        world.clock.at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
            hours=hour - 32
        )
        await world.turn()
    world.clock.at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(minutes=1)
    await world.turn()
    assert not await who.taken()
    assert await who.states(mandate_id) == [("announced", "")]
    await world.until(day)
    assert sum((await who.taken()).values()) == 45_00


async def test_no_reminder_no_debit_but_an_alarm(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await world.citizen()
    who.owes(45_00, later(world, 5))
    made = await who.allow()
    await world.deliver()

    async def lost(*_: Any, kind: str, **__: Any) -> None:
        raise OSError(kind)

    monkeypatch.setattr(telling, "send", lost)
    for _ in range(6):
        world.clock.at += timedelta(days=1)
        await world.run()
        await world.drain.once()
        await world.revive()
    assert await who.states(made.id) == [("found", "")]
    counts = {(c.shop, c.app): c for c in await mandates.counts(world.house)}
    assert counts[METERS, "water"].late_reminders == 1
    assert not await who.taken()
    monkeypatch.undo()
    await world.turn()
    (debit,) = (await who.detail(made.id)).debits
    assert (debit.state, debit.debit_on >= later(world, 3)) == ("announced", True)
    assert (await who.heard()).count("debit_announced") == 1


async def test_its_last_day(world: World) -> None:
    who = await world.citizen()
    inside, outside = who.owes(1_00, later(world, 5)), who.owes(2_00, later(world, 8))
    made = await who.allow(ends_on=later(world, 4))
    await world.until(later(world, 9))
    assert await who.taken() == {inside["id"]: 1_00}
    assert outside["id"] not in await who.taken()
    found = (await who.detail(made.id)).mandate
    assert (found.state, found.why) == ("ended", "ended_on")


async def test_one_meter_of_two(world: World) -> None:
    who = await world.citizen()
    mine = who.owes(1_00, later(world, 5), "一号表")
    who.owes(2_00, later(world, 5), "二号表")
    made = await who.allow(beneficiary="一号表")
    everything = await who.allow()  # another mandate, for whatever the first doesn't debit
    await world.until(later(world, 4))
    assert (await who.taken())[mine["id"]] == 1_00
    assert len(await who.taken()) == 2
    states = await who.states(made.id) + await who.states(everything.id)
    assert [state for state, _ in states] == ["paid", "paid"]


async def test_a_shop_that_is_away_on_the_day(world: World) -> None:
    who = await world.citizen()
    mandate_id, day = await announced(world, who)
    world.away("quote")
    await world.until(day)
    assert await who.states(mandate_id) == [("announced", "")]
    world.away("")
    await world.until(day + timedelta(days=1))
    assert not await who.taken(), "that day was not announced"
    (debit,) = (await who.detail(mandate_id)).debits
    assert debit.debit_on >= day + timedelta(days=4)
    await world.until(debit.debit_on)
    assert sum((await who.taken()).values()) == 45_00


async def test_the_job_finds_out_whether_the_payer_has_agreed(world: World) -> None:
    made: list[tuple[Citizen, mandates.Mandate]] = []
    for _ in range(2):
        who = await world.citizen()
        ask = mandates.NewMandate(METERS, "water", 100_00, 300_00)
        found = await mandates.make(
            world.house, world.means.gateway, world.channels, who.caller, uuid4().hex, ask, "en"
        )
        assert found.state == "waiting"
        made.append((who, found))
    (late, agreed), (never, _) = made
    await late.at_bank(agreed.id, "sign")
    world.clock.at += timedelta(hours=12)
    await world.turn()
    assert await late.heard() == ["mandate_active"]
    assert not await never.heard()
    for _ in range(3):
        world.clock.at += timedelta(hours=6)
        await world.turn()
    assert await never.heard() == ["mandate_ended"]
    assert "not confirmed" in (await never.message("mandate_ended")).body


@pytest.mark.parametrize("how", ["revoke", "lapse"])
async def test_what_ended_before_it_was_agreed_can_be_signed_no_more(
    world: World, how: str
) -> None:
    """The bank's page of it is closed, and counts as no signature for the next one."""
    who = await world.citizen()
    ask = mandates.NewMandate(METERS, "water", 100_00, 300_00)

    async def make() -> mandates.Mandate:
        return await mandates.make(
            world.house, world.means.gateway, world.channels, who.caller, uuid4().hex, ask, "en"
        )

    made = await make()
    assert made.state == "waiting"
    if how == "revoke":
        await who.change(made.id, "revoke")
        await world.deliver()
    else:
        for _ in range(4):
            world.clock.at += timedelta(hours=8)
            await world.turn()
    assert (await who.detail(made.id)).mandate.state in {"revoked", "ended"}
    with pytest.raises(AgreementClosed):
        await who.at_bank(made.id, "sign")
    assert (await make()).state == "waiting"


async def test_signed_but_not_heard_of_when_it_is_revoked(world: World) -> None:
    who = await world.citizen()
    ask = mandates.NewMandate(METERS, "water", 100_00, 300_00)
    made = await mandates.make(
        world.house, world.means.gateway, world.channels, who.caller, uuid4().hex, ask, "en"
    )
    await who.at_bank(made.id, "sign")
    await who.change(made.id, "revoke")
    await world.deliver()
    left = await world.bank.at_agreement(made.id, world.bank.agreement_token(made.id))
    assert left.state == "ended"


async def test_revoked_while_the_bank_is_asked_for_the_first_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end comes to the bank before the agreement does; it is struck all the same."""
    who = await world.citizen()
    agree = world.bank.agree

    async def slowly(asked: Any) -> Any:
        await who.change(asked.mandate_id, "revoke")
        await world.deliver()
        return await agree(asked)

    monkeypatch.setattr(world.bank, "agree", slowly)
    ask = mandates.NewMandate(METERS, "water", 100_00, 300_00)
    made = await mandates.make(
        world.house, world.means.gateway, world.channels, who.caller, uuid4().hex, ask, "en"
    )
    assert (made.state, made.confirm_url) == ("revoked", None)
    left = await world.bank.at_agreement(made.id, world.bank.agreement_token(made.id))
    assert left.state == "refused"
