"""Closing: once, in order, whoever does it and wherever it is cut off."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
import pytest
from tests.citizens import own_house
from tests.patience import STALL_S
from tests.rooms.payments.ledger.books import (
    Owner,
    at,
    check,
    close_in_time,
    day,
    now,
    standing_at,
)

from civicmall.kernel import crypto, db
from civicmall.kernel import days as business
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.payments import ledger
from civicmall.payments.ledger import closing

ROWS = "select * from payments.ledger_bucket order by day_on, bucket"
ROOTS = "select day_on, root from payments.ledger_day order by day_on"
COUNT = "select count(*) from payments.ledger_bucket where day_on = $1"


def by_hand(exported: str, on: date, before: tuple[list[str], str]) -> tuple[list[str], str]:
    """Digests and root as the docstring of rules.py says, from an export and nothing else."""
    texts = exported.splitlines(keepends=True)[1:]
    buckets: list[str] = []
    for bucket, last in enumerate(before[0]):
        mine = "".join(line for line in texts if line.split(",")[1] == str(bucket))
        head = f"civicmall ledger 1 {on} {bucket} {last}\n"
        buckets.append(hashlib.sha256((head + mine).encode()).hexdigest())
    text = f"civicmall ledger 1 {on} {before[1]}\n" + "".join(f"{d}\n" for d in buckets)
    return buckets, hashlib.sha256(text.encode()).hexdigest()


async def exported(house: House, number: int) -> str:
    return "".join([part async for part in ledger.export(house.db, day(number))])


async def test_anybody_reckons_the_root_from_the_export(house: House, owner: Owner) -> None:
    await owner.some(2)
    await owner.put(at(1, 5), 200, 7, ('fee, "bank"', "suspense"))
    await close_in_time(house, 2)
    known = (["0" * 64] * 256, "0" * 64)
    roots: list[str] = []
    for number in range(2):
        known = by_hand(await exported(house, number), day(number), known)
        roots.append(known[1])
    assert [one.root.hex() for one in await ledger.days(house.db)] == roots
    stored = await owner.db.fetch(
        "select digest from payments.ledger_bucket where day_on = $1 order by bucket", day(1)
    )
    assert [row[0].hex() for row in stored] == known[0]
    rows = list(csv.DictReader(io.StringIO(await exported(house, 1))))
    assert sum(int(row["amount_minor"]) for row in rows) == 0
    assert [row["account"] for row in rows if row["amount_minor"] == "7"] == ['fee, "bank"']
    assert len(rows) == 10


async def test_a_closed_day_stays_closed(house: House, owner: Owner) -> None:
    await owner.some(2)
    await close_in_time(house, 2)
    rows, roots = await owner.db.fetch(ROWS), await owner.db.fetch(ROOTS)
    assert await ledger.close(standing_at(house, 1), day(1)) == []
    assert await closing.close_day(standing_at(house, 1), day(1))
    assert (await owner.db.fetch(ROWS), await owner.db.fetch(ROOTS)) == (rows, roots)


async def test_days_without_postings_are_closed_too(house: House, owner: Owner) -> None:
    await owner.put(at(0))
    await owner.put(at(4))
    assert await ledger.close(standing_at(house, 4), day(4)) == [day(n) for n in range(5)]
    assert len({one.root for one in await ledger.days(house.db)}) == 5


async def test_nothing_to_close(house: House, owner: Owner) -> None:
    assert await ledger.close(house) == []
    await owner.put(now())
    assert await ledger.close(house) == []
    assert await owner.db.fetch(ROWS) == []


async def test_a_day_waits_for_the_grace(house: House, owner: Owner) -> None:
    """The database's clock decides, not the house's, in every write."""
    await owner.put(now())
    today = ledger.day_of(now())
    far = standing_at(house, 10_000)
    assert await ledger.close(far) == []
    assert not await closing.close_day(far, today)
    assert await owner.db.fetch(ROWS) == []


async def test_a_day_waits_for_what_still_runs(
    house: House, settings: Settings, owner: Owner
) -> None:
    """A statement that began on that day may still post into it."""
    await owner.put(at(0))
    password = crypto.load(settings.data_dir).password(db.APP_ROLE)
    pool = await db.open_pool(settings.database_url, password=password, size_max=3)
    async with pool, pool.acquire() as running, running.transaction():
        await running.execute("select 1")
        standing = await closing.q.standing(pool)
        assert standing.oldest_at is not None
        assert standing.now_at - standing.oldest_at < timedelta(seconds=60 + STALL_S)
    by = ledger.end_of(day(0))
    later = business.Standing(by + timedelta(hours=1), None, at(0), by - timedelta(seconds=1))
    assert closing.due(later) is None
    assert closing.due(business.Standing(by + timedelta(hours=1), None, at(0), by)) == day(0)
    assert closing.due(business.Standing(by + timedelta(seconds=899), None, at(0), None)) is None
    assert closing.due(business.Standing(by + timedelta(seconds=900), None, at(0), None)) == day(0)


class Cut(Exception):
    """The process dies here."""


async def test_closing_goes_on_where_it_was_cut_off(
    house: House, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await owner.some(2)
    await close_in_time(house, 2)
    rows, roots = await owner.db.fetch(ROWS), await owner.db.fetch(ROOTS)
    await owner.db.execute("truncate payments.ledger_bucket, payments.ledger_day")
    close_bucket, left = closing.q.close_bucket, [0]

    async def cut(*args: Any, **given: Any) -> Any:
        if not left[0]:
            raise Cut
        left[0] -= 1
        return await close_bucket(*args, **given)

    with monkeypatch.context() as dying:
        dying.setattr(closing.q, "close_bucket", cut)
        for more, there in ((0, 0), (1, 1), (4, 5), (200, 205), (50, 255)):
            left[0] = more
            with pytest.raises(Cut):
                await ledger.close(standing_at(house, 0), day(0))
            assert await owner.db.fetchval(COUNT, day(0)) == there, "each bucket once"
            assert await owner.db.fetch(ROOTS) == []
    await close_in_time(house, 2)
    assert await owner.db.fetch(ROOTS) == roots
    assert [row["digest"] for row in await owner.db.fetch(ROWS)] == [row["digest"] for row in rows]


@pytest.mark.parametrize("locked", [True, False])
async def test_several_close_at_once(
    settings: Settings, house: House, owner: Owner, monkeypatch: pytest.MonkeyPatch, *, locked: bool
) -> None:
    """Also if the lock, which only saves work, didn't hold."""
    await owner.some(3)

    async def alone(*_: Any, **__: Any) -> bool:
        return True

    if not locked:
        monkeypatch.setattr(closing.q, "alone", alone)
    async with own_house(settings, 8) as second:
        houses = [standing_at(one, 1) for one in (house, second, house)]
        await asyncio.gather(*(ledger.close(one, day(2)) for one in houses))
    await ledger.close(standing_at(house, 1), day(2))
    assert [row[0] for row in await owner.db.fetch(ROOTS)] == [day(0), day(1), day(2)]
    assert (await check(house, 3)).findings == []


async def test_no_day_follows_a_torn_one(house: House, owner: Owner) -> None:
    await owner.some(2)
    await close_in_time(house, 1)
    await owner.db.execute("delete from payments.ledger_bucket where bucket = 9")
    with pytest.raises(ledger.Torn, match="2026-03-30"):
        await ledger.close(house, day(1))


STATEMENTS: Final = [
    *(
        f"{verb} {table} {rest}"
        for table in ("payments.ledger_bucket", "payments.ledger_day")
        for verb, rest in (
            ("update", "set postings = 0"), ("delete from", ""), ("truncate", ""), ("drop table", ""),
        )
    ),
    (
        "insert into payments.posting (bucket, id, order_id, kind, accounts, amounts, posted_at)"
        " values (1, gen_random_uuid(), gen_random_uuid(), 'payment', array['a', 'b'],"
        " array[1, -1], now() - interval '40 days')"
    ),
]  # fmt: skip


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_the_program_can_not_touch_a_closed_day(
    house: House, owner: Owner, statement: str
) -> None:
    await owner.some(1)
    await close_in_time(house, 1)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await house.db.execute(statement)


async def test_what_comes_late_is_raised(house: House, owner: Owner) -> None:
    await owner.some(2)
    await close_in_time(house, 2)
    assert await ledger.watch(house) == []
    late = await owner.put(at(1, 23.999), 77)
    assert [(d.day_on, d.bucket, d.closed, d.found) for d in await ledger.differing(house.db)] == [
        (day(1), 77, 0, 1)
    ]
    found = await ledger.watch(house)
    assert [(one.kind, one.day, one.bucket, one.posting) for one in found] == [
        ("late", day(1), 77, late)
    ]
