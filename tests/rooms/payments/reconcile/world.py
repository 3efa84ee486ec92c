"""A small world on both sides: what we have and what the channel says, and what that must come to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from tests.rooms.payments.reconcile import bills

from civicmall.kernel import ids
from civicmall.kernel.clock import FixedClock
from civicmall.kernel.house import House
from civicmall.payments import reconcile
from civicmall.payments.reconcile.formats import Entry

DAY: Final = bills.DAY
START: Final = datetime(2026, 11, 17, 16, tzinfo=UTC)
END: Final = START + timedelta(days=1)
SLACK: Final = timedelta(hours=2)
State = Literal["wanted", "asked", "approved", "sent", "done", "failed", "declined"]


class Payment(Struct, frozen=True):
    """A payment that we have."""

    txn: str
    order_id: UUID
    amount_minor: int
    at: datetime


class Refund(Struct, frozen=True):
    """A refund that we have; `ended_at` where it is done."""

    id: UUID
    order_id: UUID
    amount_minor: int
    state: State
    ended_at: datetime | None


class World(Struct):
    """Both sides. `there` by the day of the statement; a day that isn't there was not read."""

    channel: str
    payments: list[Payment]
    refunds: list[Refund]
    there: dict[date, list[Entry]]


def at(house: House, now: datetime) -> House:
    """The same house at another time."""
    return msgspec.structs.replace(house, clock=FixedClock(now))


def day(plus: int) -> date:
    """The day in question and those beside it."""
    return DAY + timedelta(days=plus)


async def build(house: House, world: World) -> None:
    """Put our side into the tables."""
    async with house.db.acquire() as db:
        for one in world.payments:
            await db.execute(
                "insert into payments.channel_payment (bucket, channel, txn, order_id, amount_minor,"
                " paid_at, outcome, tenders, tender_minor)"
                " values ($1, $2, $3, $4, $5, $6, 'posted', array[$2::text], array[$5::bigint])",
                *(ids.bucket_of(one.order_id), world.channel, one.txn, one.order_id),
                *(one.amount_minor, one.at),
            )
        for one in world.refunds:
            open_ = one.state in {"approved", "sent"}
            decided = one.state not in {"wanted", "asked"}
            ended = one.ended_at or (END if one.state == "declined" else None)
            await db.execute(
                "insert into payments.refund (bucket, id, order_id, no, state, amount_minor, parts,"
                " reason, channel, asked_by, decided_by, decided_at, ended_at, ask_at)"
                " values ($1, $2, $3, 1, $4, $5, array[$5::bigint], 'other', $6, 'staff',"
                " case when $7 then 'staff' end, case when $7 then $8::timestamptz end, $9,"
                " case when $10 then $8::timestamptz end)",
                *(ids.bucket_of(one.id), one.id, one.order_id, one.state, one.amount_minor),
                *(world.channel, decided, START, ended, open_),
            )


async def reconciled(
    house: House, world: World, plus: int, folder: Path, channels: Any = None, **how: Any
) -> reconcile.DayResult:
    """Read a day's statement and match it."""
    path = folder / f"{world.channel}-{plus}.csv"
    path.write_bytes(bills.common(world.there[day(plus)]))
    from civicmall.payments import Channels

    found = await reconcile.read(house, world.channel, day(plus), path, **how)
    return await reconcile.conclude(house, channels or Channels(), found)


def expected(world: World, read: Iterable[int], *, today: date) -> dict[str, tuple[int, int, int]]:
    """What the day must come to: outcome → how many, there, here. As naive as can be."""
    rows = world.there[DAY]
    beside = [one for plus in (-1, 1) if plus in read for one in world.there[day(plus)]]
    first = min([*read, 0])
    oldest = today - timedelta(days=7)
    wait_before = -1 not in read and first <= -1 and day(-1) >= oldest
    wait_after = 1 not in read and day(1) >= oldest
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(name: str, there: int, here: int) -> None:
        for index, part in enumerate((1, there, here)):
            sums[name][index] += part

    ours = {one.txn: one for one in world.payments}
    for row in (one for one in rows if one.kind == "payment"):
        one = ours.get(row.txn)
        today_ = one is not None and START <= one.at < END
        here = one.amount_minor if one is not None and today_ else 0
        if one is None:
            add("missing_here", row.amount_minor, 0)
        elif one.amount_minor != row.amount_minor or one.order_id.hex != row.number:
            add("statement_amount_differs", row.amount_minor, here)
        else:
            add("matched" if today_ else "other_day", row.amount_minor, here)
    said = {row.txn for row in rows if row.kind == "payment"}
    for one in world.payments:
        if not START <= one.at < END or one.txn in said:
            continue
        early, late = one.at < START + SLACK, one.at >= END - SLACK
        elsewhere = [
            row for row in beside
            if row.kind == "payment" and row.txn == one.txn
            and (START - SLACK <= row.at < START + SLACK or END - SLACK <= row.at < END + SLACK)
        ]  # fmt: skip
        if (early or late) and elsewhere:
            add("other_day", 0, one.amount_minor)
        elif (early and wait_before) or (late and wait_after):
            add("waits", 0, one.amount_minor)
        else:
            add("missing_there", 0, one.amount_minor)
    _refunds(world, rows, beside, (wait_before, wait_after), add)
    return {name: (n, there, here) for name, (n, there, here) in sums.items()}


def _refunds(
    world: World, rows: list[Entry], beside: list[Entry], waits: tuple[bool, bool], add: Any
) -> None:
    ours = {one.id.hex: one for one in world.refunds}
    for row in (one for one in rows if one.kind == "refund"):
        one = ours.get(row.number)
        there = 0 if row.state == "failed" else -row.amount_minor
        today = bool(one and one.ended_at and one.state == "done" and START <= one.ended_at < END)
        here = -one.amount_minor if one is not None and today else 0
        if one is None or one.state in {"wanted", "asked", "declined"}:
            add("refund_missing_here", there, here)
        elif one.amount_minor != row.amount_minor:
            add("refund_amount_differs", there, here)
        elif one.state == "done":
            add("refund_matched" if today else "refund_other_day", there, here)
        else:  # nobody is there to be asked
            add("refund_missing_here", there, here)
    said = {row.number for row in rows if row.kind == "refund"}
    elsewhere = {row.number for row in beside if row.kind == "refund" and row.state != "failed"}
    for one in world.refunds:
        ended = one.ended_at
        if one.state != "done" or ended is None or not START <= ended < END or one.id.hex in said:
            continue
        early, late = ended < START + SLACK, ended >= END - SLACK
        if one.id.hex in elsewhere:
            add("refund_other_day", 0, -one.amount_minor)
        elif (early and waits[0]) or (late and waits[1]):
            add("refund_waits", 0, -one.amount_minor)
        else:
            add("refund_missing_there", 0, -one.amount_minor)


def came_to(result: reconcile.DayResult) -> dict[str, tuple[int, int, int]]:
    """The same of a result."""
    return {one.outcome: (one.many, one.there_minor, one.here_minor) for one in result.outcomes}


async def fees(house: House, channel: str) -> int:
    """What the ledger has of a channel's fees; each posting must be balanced between two accounts."""
    rows = await house.db.fetch(
        "select accounts, amounts from payments.posting where kind = 'fee' and accounts[1] = $1",
        f"fee:{channel}",
    )
    assert all(row[0] == [f"fee:{channel}", f"channel:{channel}"] for row in rows)
    assert all(sum(row[1]) == 0 for row in rows)
    return sum(row[1][0] for row in rows)


async def tickets(
    house: House, channel: str, state: str = "open", on: date | None = None
) -> Counter[str]:
    """How many tickets of each kind; of all days where none is said."""
    rows = await house.db.fetch(
        "select kind, count(*) from payments.ticket where channel = $1 and state = $2"
        " and ($3::date is null or day_on = $3) group by kind",
        *(channel, state, on),
    )
    return Counter({row[0]: row[1] for row in rows})
