"""Both sides laid beside each other, against an oracle that looks at each movement by itself."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.payments.reconcile.world import (
    DAY,
    END,
    START,
    Payment,
    Refund,
    World,
    at,
    build,
    came_to,
    day,
    expected,
    fees,
    reconciled,
    tickets,
)

from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.payments.reconcile.formats import Entry

CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
_names = itertools.count(1)
HOURS = st.one_of(
    st.floats(-3, 27), st.floats(-0.2, 0.2), st.floats(23.8, 24.2), st.floats(21.9, 22.1)
)


def _instant(hours: float) -> datetime:
    return (START + timedelta(hours=hours)).replace(microsecond=0)


def _plus(when: datetime) -> int:
    return -1 if when < START else (1 if when >= END else 0)


@st.composite
def worlds(draw: Any) -> World:
    world = World(f"w{next(_names)}", [], [], {day(plus): [] for plus in (-1, 0, 1)})
    for number in range(draw(st.integers(0, 12))):
        _payment(draw, world, number)
    for number in range(draw(st.integers(0, 6))):
        _refund(draw, world, number)
    return world


def _payment(draw: Any, world: World, number: int) -> None:
    bucket = draw(st.sampled_from([0, 7, 255]))
    order_id, amount = ids.new(bucket), draw(st.integers(1, 3))
    when, txn = _instant(draw(HOURS)), f"T{number}"
    side = draw(st.sampled_from(["both", "both", "both", "here", "there", "amount", "order"]))
    if side != "there":
        world.payments.append(Payment(txn, order_id, amount, when))
    if side != "here":
        said = when + timedelta(minutes=draw(st.sampled_from([0, 0, -9, 9])))
        known = order_id if side != "order" else ids.new(bucket)
        world.there[day(_plus(said))].append(
            Entry("payment", known.hex, "", txn, amount + (side == "amount"), 1, said)
        )


def _refund(draw: Any, world: World, number: int) -> None:
    bucket = draw(st.sampled_from([0, 7, 255]))
    refund_id, order_id, amount = ids.new(bucket), ids.new(bucket), draw(st.integers(1, 3))
    when = _instant(draw(HOURS))
    state = draw(
        st.sampled_from(
            ["done"] * 5 + ["wanted", "asked", "approved", "sent", "failed", "declined"]
        )
    )
    side = draw(st.sampled_from(["both", "both", "here", "there", "amount"]))
    if side != "there":
        ended = when if state == "done" else None
        world.refunds.append(Refund(refund_id, order_id, amount, state, ended))
    if side != "here":
        said = when + timedelta(minutes=draw(st.sampled_from([0, 0, -9, 9])))
        world.there[day(_plus(said))].append(
            Entry("refund", refund_id.hex, order_id.hex, f"R{number}", amount + (side == "amount"),
                  -1, said)
        )  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=CHECKS)
@given(world=worlds(), read=st.sampled_from([(), (-1,), (1,), (-1, 1)]))
async def test_every_movement_is_judged_as_the_oracle_does(
    house: House, tmp_path: Path, world: World, read: tuple[int, ...]
) -> None:
    then = at(house, NOON)
    await build(house, world)
    for plus in read:
        await reconciled(then, world, plus, tmp_path)
    result = await reconciled(then, world, 0, tmp_path)
    wanted = expected(world, read, today=then.clock.today())
    assert came_to(result) == wanted
    assert result.there_minor - result.here_minor == result.explained_minor + result.ticketed_minor
    opened = await tickets(house, world.channel, on=DAY)
    named = {name: many for name, (many, *_) in wanted.items() if name in TICKETED}
    assert opened == named
    fee = sum(one.fee_minor for plus in (*read, 0) for one in world.there[day(plus)])
    assert await fees(house, world.channel) == fee

    again = await reconciled(then, world, 0, tmp_path)
    assert (came_to(again), again.fee_minor) == (wanted, result.fee_minor)
    assert await fees(house, world.channel) == fee


TICKETED = {
    "missing_here", "missing_there", "statement_amount_differs", "refund_missing_here",
    "refund_missing_there", "refund_amount_differs",
}  # fmt: skip


async def test_what_is_near_midnight_waits_for_the_next_day(house: House, tmp_path: Path) -> None:
    """Ours before midnight, theirs after it; another one that the channel never has."""
    then, order, lost = at(house, NOON), ids.new(3), ids.new(3)
    late = END - timedelta(seconds=5)
    world = World(
        "midnight",
        [Payment("A", order, 100, late), Payment("B", lost, 70, late)], [],
        {DAY: [], day(1): [Entry("payment", order.hex, "", "A", 100, 0, END + timedelta(seconds=3))]},
    )  # fmt: skip
    await build(house, world)
    result = await reconciled(then, world, 0, tmp_path)
    assert came_to(result) == {"waits": (2, 0, 170)}
    assert await tickets(house, "midnight") == {}
    after = await reconciled(then, world, 1, tmp_path)
    assert came_to(after) == {"other_day": (1, 100, 0)}
    assert await tickets(house, "midnight") == {"missing_there": 1}
    from civicmall.payments import reconcile

    now = await reconcile.of_day(house.db, "midnight", DAY)
    assert came_to(now) == {"other_day": (1, 0, 100), "missing_there": (1, 0, 70)}


async def test_a_refund_that_the_channel_lists_when_it_begins(house: House, tmp_path: Path) -> None:
    then, refund = at(house, NOON), ids.new(9)
    begun = Entry("refund", refund.hex, ids.new(9).hex, "R", 50, 0, START + timedelta(hours=5))
    world = World(
        "begins", [], [Refund(refund, ids.new(9), 50, "done", END + timedelta(hours=9))],
        {DAY: [begun], day(1): []},
    )  # fmt: skip
    await build(house, world)
    assert came_to(await reconciled(then, world, 0, tmp_path)) == {"refund_other_day": (1, -50, 0)}
    assert came_to(await reconciled(then, world, 1, tmp_path)) == {"refund_other_day": (1, 0, -50)}


async def test_a_ticket_settles_itself_once_it_fits(house: House, tmp_path: Path) -> None:
    then, order = at(house, NOON), ids.new(40)
    when = START + timedelta(hours=3)
    row = Entry("payment", order.hex, "", "A", 100, 0, when)
    world = World("fits", [], [], {DAY: [row]})
    await reconciled(then, world, 0, tmp_path)
    assert await tickets(house, "fits") == {"missing_here": 1}
    await build(house, World("fits", [Payment("A", order, 100, when)], [], {}))
    assert came_to(await reconciled(then, world, 0, tmp_path)) == {"matched": (1, 100, 100)}
    assert await tickets(house, "fits") == {}
    assert await tickets(house, "fits", "resolved") == {"missing_here": 1}


async def test_somebody_elses_payment_has_a_ticket_too(house: House, tmp_path: Path) -> None:
    then = at(house, NOON)
    row = Entry("payment", "SHOP-2026-1", "", "A", 100, 3, START + timedelta(hours=3))
    world = World("others", [], [], {DAY: [row, row._replace(txn="B", number="0" * 32)]})
    result = await reconciled(then, world, 0, tmp_path)
    assert came_to(result) == {"missing_here": (2, 200, 0)}
    rows = await house.db.fetch(
        "select reference, order_id, there_minor, line, day_on from payments.ticket"
        " where channel = 'others' order by reference"
    )
    assert [tuple(row) for row in rows] == [
        ("A", None, 100, 2, DAY), ("B", UUID(int=0), 100, 3, DAY)
    ]  # fmt: skip


@pytest.mark.parametrize("state", ["pending", "failed"])
async def test_what_is_not_done_there(house: House, tmp_path: Path, state: Any) -> None:
    """WeChat Pay's own bill says how a refund stands."""
    from tests.rooms.payments.reconcile import bills

    from civicmall.payments import Channels, reconcile

    then, sent, done = at(house, NOON), ids.new(5), ids.new(5)
    when, channel = START + timedelta(hours=3), "wechatpay"
    await house.db.execute("delete from payments.refund where channel = $1", channel)
    mine = [Refund(sent, sent, 5, "sent", None), Refund(done, done, 7, "done", when)]
    await build(house, World(channel, [], mine, {}))
    rows = [
        Entry("refund", one.id.hex, one.order_id.hex, f"R{one.amount_minor}", one.amount_minor, 0,
              when, state)
        for one in mine
    ]  # fmt: skip
    path = tmp_path / "bill.csv"
    path.write_bytes(bills.wechatpay(rows))
    found = await reconcile.read(then, channel, DAY, path, replace=True)
    result = came_to(await reconcile.conclude(then, Channels(), found))
    assert (
        result
        == {
            "pending": {"refund_begun": (1, -5, 0), "refund_matched": (1, -7, -7)},
            "failed": {"refund_void": (1, 0, 0), "refund_missing_there": (1, 0, -7)},
        }[state]
    )
