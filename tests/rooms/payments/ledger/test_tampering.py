"""Whoever owns the tables may change all of them; the check names what, and where."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.rooms.payments.ledger.books import (
    Owner,
    at,
    check,
    close_in_time,
    day,
    id_at,
    named,
    standing_at,
)

from civicmall.kernel import crypto
from civicmall.kernel import days as business
from civicmall.kernel.house import House
from civicmall.payments import ledger
from civicmall.payments.ledger import reading, rules

DAYS = 3
Made = list[UUID]
"""On each day: bucket 3 at one o'clock, just before midnight, then bucket 200 the same."""
Where = tuple[str, Any, int | None, UUID | None]
BUCKET = "update payments.ledger_bucket set"


@pytest.fixture
async def made(house: House, owner: Owner) -> Made:
    """Three days, closed."""
    found = await owner.some(DAYS)
    await close_in_time(house, DAYS)
    return found


async def found(house: House) -> list[Where]:
    return named((await check(house, DAYS)).findings)


async def test_an_untouched_ledger_is_clean(house: House, owner: Owner, made: Made) -> None:
    told: list[int] = []
    report = await ledger.verify(house, None, day(DAYS - 1), tell=told.append)
    assert (report.days, report.postings, report.findings) == (3, 12, [])
    assert sum(told) == 12
    assert report.last is not None
    assert report.last.day_on == day(2)
    part = await ledger.verify(house, day(1), day(1))
    assert (part.days, part.postings, part.findings) == (1, 4, [])
    beyond = await ledger.verify(house, day(7), day(8))
    assert (beyond.days, beyond.findings) == (0, [])


async def test_a_ledger_that_nobody_closed(house: House, owner: Owner) -> None:
    assert (await ledger.verify(house)).findings == []
    await owner.some(1)
    assert named((await ledger.verify(house)).findings) == [("missing", day(0), None, None)]


async def test_a_changed_amount(house: House, owner: Owner, made: Made) -> None:
    await owner.db.execute(
        "update payments.posting set amounts = array[9::bigint, -9::bigint] where id = $1", made[4]
    )
    assert await found(house) == [("changed", day(1), 3, made[4])]


async def test_a_changed_account_order_kind_and_time(
    house: House, owner: Owner, made: Made
) -> None:
    change = "update payments.posting set"
    await owner.db.execute(f"{change} accounts[2] = 'payable:b' where id = $1", made[0])
    await owner.db.execute(f"{change} order_id = $2 where id = $1", made[2], uuid4())
    await owner.db.execute(f"{change} kind = 'refund' where id = $1", made[4])
    await owner.db.execute(
        f"{change} posted_at = posted_at + interval '1 microsecond' where id = $1", made[6]
    )
    assert await found(house) == [
        ("changed", day(0), 3, made[0]),
        ("changed", day(0), 200, made[2]),
        ("changed", day(1), 3, made[4]),
        ("changed", day(1), 200, made[6]),
    ]


async def test_an_amount_without_the_check(house: House, owner: Owner, made: Made) -> None:
    """Whoever owns a table can drop its CHECKs."""
    name = await owner.db.fetchval(
        "select conname from pg_constraint where conrelid = 'payments.posting'::regclass"
        " and pg_get_constraintdef(oid) ~ 'sums_to_zero'"
    )
    await owner.db.execute(f"alter table payments.posting drop constraint {name}")
    try:
        await owner.db.execute(
            "update payments.posting set amounts[1] = amounts[1] + 1 where id = $1", made[4]
        )
        assert await found(house) == [
            ("sum", day(1), 3, made[4]),
            ("changed", day(1), 3, made[4]),
        ]
        await owner.db.execute("delete from payments.posting where id = $1", made[4])
        open_day = await owner.put(at(DAYS, 3), 9)
        await owner.db.execute("update payments.posting set amounts[1] = 5 where id = $1", open_day)
        report = await ledger.verify(house, day(2))
        assert ("sum", day(DAYS), 9, open_day) in named(report.findings)
    finally:
        await owner.empty()
        await owner.db.execute(
            f"alter table payments.posting add constraint {name}"
            " check (payments.sums_to_zero(amounts))"
        )


async def test_a_posting_that_is_gone(house: House, owner: Owner, made: Made) -> None:
    await owner.db.execute("delete from payments.posting where id = $1", made[4])
    assert await found(house) == [("missing", day(1), 3, None)]


async def test_postings_put_into_the_past(house: House, owner: Owner, made: Made) -> None:
    by_hand = await owner.put(at(1), 3, posting=uuid4())
    made_today = await owner.put(at(1), 4, posting=id_at(at(40), 4))
    like_ours = await owner.put(at(1), 5)
    before_all = await owner.put(at(-3), 5)
    assert await found(house) == [
        ("extra", day(1), 3, by_hand),
        ("extra", day(1), 4, made_today),
        ("late", day(1), 5, like_ours),
        ("extra", day(-3), 5, before_all),
    ]


async def test_a_posting_moved_to_another_day(house: House, owner: Owner, made: Made) -> None:
    await owner.db.execute(
        "update payments.posting set posted_at = $2 where id = $1", made[4], at(2, 1.5)
    )
    assert await found(house) == [("missing", day(1), 3, None), ("extra", day(2), 3, made[4])]


async def test_one_put_in_anothers_place(house: House, owner: Owner, made: Made) -> None:
    await owner.db.execute("delete from payments.posting where id = $1", made[4])
    other = await owner.put(at(1, 2), 3, 777)
    assert await found(house) == [("changed", day(1), 3, other)]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (f"{BUCKET} digest = sha256('x') where bucket = 7 and day_on = $1",
         ("chain", day(1), 7, None)),
        (f"{BUCKET} postings = 1, marks = '\\x0011223344556677' where bucket = 7 and day_on = $1",
         ("changed", day(1), 7, None)),
        (f"{BUCKET} totals = array[5::bigint, -5::bigint] where bucket = 3 and day_on = $1",
         ("changed", day(1), 3, None)),
        (f"{BUCKET} entries = array[3, 3] where bucket = 3 and day_on = $1",
         ("changed", day(1), 3, None)),
        ("delete from payments.ledger_bucket where bucket = 3 and day_on = $1",
         ("missing", day(1), 3, None)),
        ("delete from payments.ledger_day where day_on = $1", ("missing", day(1), None, None)),
        ("update payments.ledger_day set balances = array[1::bigint, -1::bigint] where day_on = $1",
         ("changed", day(1), None, None)),
        ("update payments.ledger_day set signature = $2 where day_on = $1",
         ("signature", day(1), None, None)),
        ("update payments.ledger_day set sealed_at = sealed_at - interval '1 second' where day_on = $1",
         ("signature", day(1), None, None)),
    ],
)  # fmt: skip
async def test_a_changed_closing_row(
    house: House, owner: Owner, made: Made, change: str, where: Where
) -> None:
    args = [day(1), bytes(64)] if "$2" in change else [day(1)]
    await owner.db.execute(change, *args)
    assert await found(house) == [where], "once, and nothing that follows is blamed"


async def test_a_changed_root(house: House, owner: Owner, made: Made) -> None:
    await owner.db.execute(
        "update payments.ledger_day set root = sha256('x') where day_on = $1", day(1)
    )
    assert await found(house) == [
        ("chain", day(1), None, None),
        ("signature", day(1), None, None),
    ]


async def test_swapped_days(house: House, owner: Owner, made: Made) -> None:
    swap = "set day_on = date '2026-06-01' + (2 - (day_on - $1::date)) where day_on > $1::date"
    back = "set day_on = $1::date + (day_on - date '2026-06-01') + 1 where day_on > '2026-05-01'"
    await owner.db.execute(f"update payments.ledger_day {swap}", day(0))
    await owner.db.execute(f"update payments.ledger_day {back}", day(0))
    kinds = {(kind, on) for kind, on, _, _ in await found(house)}
    assert {(k, day(n)) for k in ("chain", "signature") for n in (1, 2)} <= kinds
    assert {on for _, on in kinds} == {day(1), day(2)}


async def _rechain(house: House, owner: Owner, seal: Any = None) -> None:
    """Everything anew, as somebody does who has read rules.py: right, but for the key."""
    previous = dict.fromkeys(range(256), business.NOTHING)
    last = business.NOTHING
    for number in range(DAYS):
        on = day(number)
        async with owner.db.transaction():
            follows = {bucket: [digest] for bucket, digest in previous.items()}
            parts = [part async for part in reading.parts(owner.db, on, follows)]
        for part in parts:
            accounts, totals, entries = rules.columns(part.sums)
            previous[part.bucket] = part.digests[0]
            await owner.db.execute(
                f"{BUCKET} postings = $3, accounts = $4, totals = $5, entries = $6, marks = $7,"
                " digest = $8 where bucket = $1 and day_on = $2",
                *(part.bucket, on, len(part.ids), accounts, totals, entries, bytes(part.marks)),
                part.digests[0],
            )
        last = rules.root(on, last, previous)
        books = await owner.db.fetchrow(
            "select array_agg(account order by account), array_agg(b order by account),"
            " array_agg(n order by account) from (select account, sum(amount)::bigint as b,"
            " count(*) as n from payments.posting, unnest(accounts, amounts) as e (account, amount)"
            " where posted_at < $1 group by 1) as a",
            business.end_of(on),
        )
        sealed_at = await owner.db.fetchval(
            "update payments.ledger_day set root = $2, accounts = $3, balances = $4, entries = $5"
            " where day_on = $1 returning sealed_at",
            *(on, last, *books),
        )
        if seal is not None:
            await owner.db.execute(
                "update payments.ledger_day set signature = $2 where day_on = $1",
                *(on, seal.sign(on, last, sealed_at)),
            )


async def test_everything_chained_anew_without_the_key(
    house: House, owner: Owner, made: Made
) -> None:
    await owner.db.execute("delete from payments.posting where id = $1", made[4])
    await _rechain(house, owner)
    signatures = [("signature", day(n), None, None) for n in range(1, DAYS)]
    assert await found(house) == signatures
    await _rechain(house, owner, rules.Seal(crypto.Keys(crypto.generate())))
    assert await found(house) == [("signature", day(0), None, None), *signatures]


async def test_with_the_key_only_a_published_root_tells(
    house: House, owner: Owner, made: Made
) -> None:
    roots = {one.day_on: one.root.hex() for one in await ledger.days(house.db)}
    await owner.db.execute("delete from payments.posting where id = $1", made[4])
    await _rechain(house, owner, rules.Seal(house.keys))
    assert await found(house) == []
    report = await ledger.verify(house, None, day(2), published=roots)
    assert named(report.findings) == [("published", day(n), None, None) for n in (1, 2)]


async def test_days_taken_away_and_closed_anew_by_us(
    house: House, owner: Owner, made: Made
) -> None:
    """The program signs what it finds; when it signed, it says as well."""
    roots = {one.day_on: one.root.hex() for one in await ledger.days(house.db)}
    await owner.db.execute("delete from payments.posting where id = $1", made[4])
    await owner.db.execute("delete from payments.ledger_bucket where day_on > $1", day(0))
    await owner.db.execute("delete from payments.ledger_day where day_on > $1", day(0))
    assert await ledger.close(standing_at(house, 30), day(2)) == [day(1), day(2)]
    late: list[Where] = [("sealed_late", day(n), None, None) for n in (1, 2)]
    assert await found(house) == late
    told = await ledger.verify(house, None, day(2), published={day(2): roots[day(2)]})
    assert named(told.findings) == [("published", day(2), None, None), *late]


async def test_a_published_root_vouches_for_what_was_signed_late(
    house: House, owner: Owner
) -> None:
    await owner.some(2)
    await ledger.close(standing_at(house, 30), day(1))
    roots = {one.day_on: one.root.hex().upper() for one in await ledger.days(house.db)}
    late = ("sealed_late", day(1), None, None)
    for published, left in (({day(1): roots[day(1)]}, []), ({day(0): roots[day(0)]}, [late])):
        report = await ledger.verify(house, None, day(1), published=published)
        assert named(report.findings) == left


async def test_closing_rows_where_no_day_was_closed(house: House, owner: Owner, made: Made) -> None:
    await owner.db.execute(
        "insert into payments.ledger_bucket select bucket, day_on + 9, postings, accounts, totals,"
        " entries, marks, digest from payments.ledger_bucket where bucket = 3 and day_on = $1",
        day(2),
    )
    kinds = named((await ledger.verify(house)).findings)
    assert ("extra", day(11), 3, None) in kinds
    assert ("missing", day(3), None, None) in kinds, "nobody closed the days since"


async def test_all_days_taken_away(house: House, owner: Owner, made: Made) -> None:
    await owner.db.execute("truncate payments.ledger_day")
    kinds = named((await ledger.verify(house)).findings)
    assert ("missing", day(0), None, None) in kinds
    assert ("extra", day(2), 3, None) in kinds


async def test_a_part_is_checked_upon_the_day_before_it(
    house: House, owner: Owner, made: Made
) -> None:
    await owner.db.execute("delete from payments.ledger_day where day_on = $1", day(1))
    report = await ledger.verify(house, day(2), day(2))
    assert ("missing", day(1), None, None) in named(report.findings)


async def test_another_installations_keys(house: House, owner: Owner, made: Made) -> None:
    other = msgspec.structs.replace(house, keys=crypto.Keys(crypto.generate()))
    assert await found(other) == [("signature", day(n), None, None) for n in range(DAYS)]
