"""Runs that are killed, come twice, meet another file, or can't read a line: nothing half concluded."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.payments.reconcile import bills
from tests.rooms.payments.reconcile.world import (
    DAY,
    START,
    Payment,
    Refund,
    World,
    at,
    build,
    came_to,
    day,
    fees,
    tickets,
)

from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.payments import Channels, reconcile
from civicmall.payments.errors import ChannelAway, NoSuchChannel
from civicmall.payments.models import OrderRow, RefundAsk, RefundSaid
from civicmall.payments.reconcile import (
    Daily,
    DayNotOver,
    OtherStatement,
    Progress,
    StatementBad,
    StatementBusy,
    StatementUnreadable,
    loading,
)
from civicmall.payments.reconcile.formats import Entry

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)
_names = itertools.count(1)


class Bank:
    """A channel that has a statement, and knows refunds."""

    def __init__(self, name: str, **days: bytes | Exception) -> None:
        self.name = name
        self.days: dict[date, bytes | Exception] = {
            date.fromisoformat(key.replace("_", "-").removeprefix("d")): said
            for key, said in days.items()
        }
        self.asked: list[date] = []
        self.refunds: dict[Any, RefundSaid] = {}

    async def fetch_statement(self, day: date) -> AsyncIterator[bytes]:
        """In small pieces, as from a network."""
        self.asked.append(day)
        said = self.days.get(day, ChannelAway(channel=self.name))
        if isinstance(said, Exception):
            raise said
        for first in range(0, len(said), 1000):
            yield said[first : first + 1000]

    async def query(self, order: OrderRow) -> None:
        """It knows of no payment."""
        del order

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        """As the test has it."""
        return self.refunds[ask.refund_id]


def channels(*banks: Any) -> Channels:
    return Channels(*banks)


def rows(many: int) -> list[Entry]:
    return [
        Entry("payment", ids.new(n % 256).hex, "", f"T{n}", 1 + n % 50, n % 2,
              START + timedelta(seconds=n))
        for n in range(many)
    ]  # fmt: skip


def ours(entries: list[Entry]) -> list[Payment]:
    from uuid import UUID

    return [Payment(e.txn, UUID(hex=e.number), e.amount_minor, e.at) for e in entries]


@pytest.fixture
def then(house: House) -> House:
    return at(house, NOON)


@pytest.fixture
def name() -> str:
    return f"bank{next(_names)}"


async def stored(house: House, channel: str) -> list[tuple[Any, ...]]:
    found = await house.db.fetch(
        "select r.line, r.txn, r.amount_minor from payments.statement_row r"
        " join payments.statement s on s.id = r.statement where s.channel = $1 order by r.line",
        channel,
    )
    return [tuple(row) for row in found]


class Killed(BaseException):
    """As if the process were gone."""


async def test_a_killed_run_goes_on_where_it_was(
    then: House, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "PIECE_BYTES", 1000)
    entries = rows(300)
    await build(then, World(name, ours(entries), [], {}))
    path = tmp_path / "s.csv"
    path.write_bytes(bills.common(entries))
    bank = channels(Bank(name))

    async def run(stop_after: int) -> list[Progress]:
        seen: list[Progress] = []

        def tick(said: Progress) -> None:
            seen.append(said)
            if len(seen) > stop_after:
                raise Killed

        with contextlib.suppress(Killed):
            await reconcile.reconcile(then, bank, name, DAY, file=path, tick=tick)
        return seen

    reached = 0
    for stop_after in (2, 0, 3, 1, 4):
        seen = await run(stop_after)
        assert seen[0].bytes > reached, "what was read is not read again"
        reached = seen[-1].bytes
        assert (await reconcile.of_day(then.db, name, DAY)).state == "reading"
    for stop_after in (100, 2, 5):  # the first of these ends in the middle of matching
        await run(stop_after if stop_after < 100 else 10)
    await run(100)
    assert await stored(then, name) == [
        (n, one.txn, one.amount_minor) for n, one in enumerate(entries, 2)
    ]
    result = await reconcile.of_day(then.db, name, DAY)
    total = sum(one.amount_minor for one in entries)
    assert came_to(result) == {"matched": (300, total, total)}
    assert await fees(then, name) == result.fee_minor == 150


async def test_killed_at_any_instant(
    then: House, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task is cancelled wherever it happens to be, again and again."""
    monkeypatch.setattr(loading, "PIECE_BYTES", 3000)
    entries = rows(200)
    await build(then, World(name, ours(entries[:150]), [], {}))
    path = tmp_path / "s.csv"
    path.write_bytes(bills.common(entries))
    bank = channels(Bank(name))
    turn, done = 0, False
    while not done:
        turn += 1
        task = asyncio.create_task(reconcile.reconcile(then, bank, name, DAY, file=path))
        ended, _ = await asyncio.wait([task], timeout=0.02 * turn)
        done = bool(ended)
        if not done:
            task.cancel()
            await asyncio.wait([task])
    assert turn > 1, "it was killed at least once"
    result = await reconcile.of_day(then.db, name, DAY)
    assert {name: many for name, (many, *_) in came_to(result).items()} == {
        "matched": 150, "missing_here": 50,
    }  # fmt: skip
    assert await tickets(then, name) == {"missing_here": 50}
    assert await fees(then, name) == 100


async def test_two_runs_at_once(
    then: House, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "PIECE_BYTES", 3000)
    entries = rows(300)
    path = tmp_path / "s.csv"
    path.write_bytes(bills.common(entries))
    bank = channels(Bank(name))
    ends = await asyncio.gather(
        *(reconcile.reconcile(then, bank, name, DAY, file=path) for _ in range(4)),
        return_exceptions=True,
    )
    assert {type(end) for end in ends} <= {reconcile.DayResult, StatementBusy}, ends
    result = await reconcile.reconcile(then, bank, name, DAY, file=path)
    assert [line for line, *_ in await stored(then, name)] == list(range(2, 302))
    assert {key: many for key, (many, *_) in came_to(result).items()} == {"missing_here": 300}
    assert (await tickets(then, name), await fees(then, name)) == ({"missing_here": 300}, 150)


async def test_the_same_file_again_changes_nothing(then: House, name: str, tmp_path: Path) -> None:
    entries = rows(20)
    path = tmp_path / "s.csv"
    path.write_bytes(bills.common(entries))
    bank = channels(Bank(name))
    first = await reconcile.reconcile(then, bank, name, DAY, file=path)
    kept = await then.db.fetch("select * from payments.posting where kind = 'fee' order by id")
    again = await reconcile.reconcile(then, bank, name, DAY, file=path)
    assert came_to(again) == came_to(first)
    assert kept == await then.db.fetch(
        "select * from payments.posting where kind = 'fee' order by id"
    )
    assert await tickets(then, name) == {"missing_here": 20}


async def test_another_file_only_where_somebody_says_so(
    then: House, name: str, tmp_path: Path
) -> None:
    entries = rows(6)
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_bytes(bills.common(entries))
    other.write_bytes(bills.common([entries[0]._replace(fee_minor=9), *entries[1:4]]))
    bank = channels(Bank(name))
    await reconcile.reconcile(then, bank, name, DAY, file=one)
    with pytest.raises(OtherStatement):
        await reconcile.reconcile(then, bank, name, DAY, file=other)
    assert await fees(then, name) == 3
    result = await reconcile.reconcile(then, bank, name, DAY, file=other, replace=True)
    assert (result.entries, result.fee_minor) == (4, 11)
    assert await fees(then, name) == 11
    assert len(await stored(then, name)) == 4
    assert await tickets(then, name) == {"missing_here": 4}
    assert await tickets(then, name, "resolved") == {"missing_here": 2}


async def test_bad_rows_conclude_nothing_unless_an_operator_leaves_them_out(
    then: House, name: str, tmp_path: Path
) -> None:
    lines = bills.common(rows(5)).splitlines(keepends=True)
    lines[2] = b"payment,X,1.5\n"
    lines.append(lines[1])
    path = tmp_path / "s.csv"
    path.write_bytes(b"".join(lines))
    bank = channels(Bank(name))
    for _ in range(2):
        with pytest.raises(StatementBad) as caught:
            await reconcile.reconcile(then, bank, name, DAY, file=path)
        assert caught.value.extra == {"bad": 2, "lines": ["3: columns", "7: repeated"]}
        assert await stored(then, name) == []
        assert (await tickets(then, name), await fees(then, name)) == ({}, 0)
    result = await reconcile.reconcile(then, bank, name, DAY, file=path, skip_bad=True)
    assert (result.entries, result.bad) == (4, 2)
    assert await tickets(then, name) == {"bad_row": 2, "missing_here": 4}
    rows_ = await then.db.fetch(
        "select line, reason from payments.ticket where channel = $1 and kind = 'bad_row'"
        " order by line",
        name,
    )
    assert [tuple(row) for row in rows_] == [(3, "columns"), (7, "repeated")]


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        (b"", "truncated", None),
        (b"kind,txn\n", "header", 1),
        (bills.common(rows(2))[:-1], "truncated", 3),
        (b"x" * 100_000, "line-too-long", None),
        (bills.common([])[:-1] + b"\n" + b"bad\n" * 1001, "too-many-bad", 2),
    ],
)
async def test_what_is_no_statement(
    then: House, name: str, tmp_path: Path, data: bytes, reason: str, line: int | None
) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(data)
    with pytest.raises(StatementUnreadable) as caught:
        await reconcile.reconcile(then, channels(Bank(name)), name, DAY, file=path, skip_bad=True)
    assert caught.value.extra == {"reason": reason, "line": line}
    assert await then.db.fetch("select from payments.statement where channel = $1", name) == []


async def test_days_and_channels_that_are_none(then: House, name: str) -> None:
    bank = channels(Bank(name))
    for plus in (2, 3):
        with pytest.raises(DayNotOver):
            await reconcile.reconcile(then, bank, name, day(plus))
    with pytest.raises(NoSuchChannel):
        await reconcile.reconcile(then, bank, "nobody", DAY)
    with pytest.raises(ChannelAway):
        await reconcile.reconcile(then, bank, name, DAY)


async def test_a_refund_that_is_done_there_ends_here(then: House, name: str) -> None:
    order, began = ids.new(8), [ids.new(8) for _ in range(3)]
    when = START + timedelta(hours=2)
    refunds = [Refund(one, order, 10 + n, "sent", None) for n, one in enumerate(began)]
    money = [Payment(f"P{one.amount_minor}", order, one.amount_minor, when) for one in refunds]
    await build(then, World(name, money, refunds, {}))
    await then.db.execute(  # of payments that fit no order, on their way back
        "update payments.refund set no = null, txn = 'P' || amount_minor where order_id = $1", order
    )
    entries = [
        *(Entry("payment", order.hex, "", one.txn, one.amount_minor, 0, when) for one in money),
        *(Entry("refund", one.id.hex, order.hex, f"R{one.amount_minor}", one.amount_minor, 0, when)
          for one in refunds),
    ]  # fmt: skip
    bank = Bank(name, d2026_11_18=bills.common(entries))
    bank.refunds = {
        began[0]: RefundSaid(began[0], "done", "R10"),
        began[1]: RefundSaid(began[1], "pending"),
        began[2]: RefundSaid(began[2], "failed", trouble="closed"),
    }
    result = await reconcile.reconcile(then, channels(bank), name, DAY)
    assert came_to(result) == {
        "matched": (3, 33, 33), "refund_begun": (1, -11, 0), "refund_repaired": (1, -10, 0),
        "refund_missing_here": (1, -12, 0),
    }  # fmt: skip
    states = await then.db.fetch(
        "select state from payments.refund where order_id = $1 order by amount_minor", order
    )
    assert [row[0] for row in states] == ["done", "sent", "failed"]
    assert await tickets(then, name) == {"refund_missing_here": 1}


async def test_every_morning_until_it_is_there(house: House, name: str) -> None:
    """Before ten nothing is asked; a day that isn't ready or can't be read is asked for again."""
    good, bad = bills.common(rows(3)), bills.common(rows(3)) + b"rubbish\n"
    bank = Bank(name)
    morning = datetime(2026, 11, 19, 1, 30, tzinfo=UTC)  # half past nine in the city
    clock = at(house, morning)
    await (daily := Daily(clock, channels(bank))).run()
    assert bank.asked == [day(-1)], "only the day before the last is due so early"
    clock.clock.move(timedelta(hours=1))  # type: ignore[attr-defined]
    await daily.run()
    assert bank.asked[1:] == [DAY]
    bank.days[DAY] = bad
    await daily.run()
    assert bank.asked[2:] == [], "not again at once"
    clock.clock.move(timedelta(minutes=11))  # type: ignore[attr-defined]
    await daily.run()
    assert bank.asked[2:] == [DAY]
    assert await tickets(house, name) == {"statement_unreadable": 1}
    bank.days[DAY] = good
    clock.clock.move(timedelta(hours=1))  # type: ignore[attr-defined]
    await daily.run()
    assert (await reconcile.of_day(house.db, name, DAY)).state == "matched"
    assert await tickets(house, name) == {"missing_here": 3}
    await daily.run()
    assert bank.asked[3:] == [DAY], "what is matched isn't asked for again"
    clock.clock.move(timedelta(days=3))  # type: ignore[attr-defined]
    await daily.run()
    assert sorted(bank.asked[4:]) == [day(1), day(2), day(3)], "what was missed is caught up with"


async def test_what_was_read_whole_is_not_asked_for_again(
    then: House, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(bills.common(rows(3)))
    await reconcile.read(then, name, DAY, path)
    bank = Bank(name)
    clock = at(then, datetime(2026, 11, 19, 4, tzinfo=UTC))
    await Daily(clock, channels(bank)).run()
    assert bank.asked == []
    assert (await reconcile.of_day(then.db, name, DAY)).state == "matched"


async def test_memory_does_not_grow_with_the_file(
    then: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In small pieces, so that a short file has several of them already."""
    monkeypatch.setattr(loading, "PIECE_BYTES", 64 * 1024)
    peaks: list[int] = []
    for many in (4_000, 40_000):
        path = tmp_path / f"{many}.csv"
        with path.open("wb") as file:
            file.write(bills.common([]))
            for n in range(many):
                number = b"%030x%02x" % (n, n % 256)
                file.write(
                    b"payment,T%d,%s,,%d,1,2026-11-18T03:00:00Z\n" % (n, number, 1 + n % 1000)
                )
        tracemalloc.start()
        try:
            found = await reconcile.read(then, f"bank{next(_names)}", DAY, path)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert (found.state, found.entries) == ("read", many)
    assert peaks[1] < 1.5 * peaks[0], peaks
