"""Days that are closed: what an owner of the tables takes away together with the head is found too."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
import pytest_asyncio
from tests.rooms.identity.audit.lines import Owner, ago, day_ago, findings

from civicmall.identity import audit
from civicmall.identity.audit import rules
from civicmall.kernel import days as business
from civicmall.kernel import ids
from civicmall.kernel.house import House

WHO = ids.new(3)
OTHER = ids.new(4)


@pytest_asyncio.fixture(autouse=True)
async def three_days(house: House, owner: Owner) -> AsyncGenerator[None]:
    """Three closed days with lines on two of them, and some lines of today."""
    await owner.empty()
    await owner.past(WHO, [ago(3), ago(3) + timedelta(minutes=5), ago(1)])
    await owner.past(OTHER, [ago(3)])
    closed = await audit.close(house)
    assert closed == [day_ago(3), day_ago(2), day_ago(1)]
    await audit.note(house, WHO, "sign_in")
    yield
    await owner.empty()


async def test_what_was_not_touched_verifies(house: House) -> None:
    told: list[int] = []
    report = await audit.verify(house, tell=told.append)
    assert report.findings == []
    assert (report.days, report.lines, sum(told)) == (3, 5, 5)
    assert report.last is not None
    assert report.last.day_on == day_ago(1)
    one = await audit.verify(house, day_ago(2), day_ago(1))
    assert (one.days, one.lines, one.findings) == (2, 1, [])


async def test_closing_once_more_closes_nothing(house: House) -> None:
    assert await audit.close(house) == []
    before = await audit.days(house)
    assert [day.lines for day in before] == [3, 0, 1]


async def test_the_root_is_reckoned_by_hand(house: House, owner: Owner) -> None:
    days = await audit.days(house)
    chain = {bucket: bytes(32) for bucket in range(256)}
    before = bytes(32)
    lines = {who: await owner.lines(who) for who in (WHO, OTHER)}
    for day in days:
        for bucket, last in [*chain.items()]:
            said = f"civicmall audit 1 {day.day_on} {bucket} {last.hex()}\n"
            of = [w for w in lines if ids.bucket_of(w) == bucket]
            for who in sorted(of):
                todays = [x for x in lines[who] if business.day_of(x.at) == day.day_on]
                if todays:
                    said += f"{who} {todays[-1].seq} {todays[-1].hash.hex()}\n"
            chain[bucket] = hashlib.sha256(said.encode()).digest()
        said = f"civicmall audit 1 {day.day_on} {before.hex()}\n"
        said += "".join(f"{chain[bucket].hex()}\n" for bucket in range(256))
        before = hashlib.sha256(said.encode()).digest()
        assert day.root == before


async def test_a_tail_cut_off_with_its_head_is_found(house: House, owner: Owner) -> None:
    lines = await owner.lines(WHO)
    await owner.do("delete from identity.audit where citizen_id = $1 and seq > 2", WHO)
    await owner.head(WHO, 2, lines[1].hash)
    assert await findings(house, WHO) == [("cut_off", 3)]


async def test_a_part_of_a_day_cut_off_is_found(house: House, owner: Owner) -> None:
    lines = await owner.lines(WHO)
    await owner.do("delete from identity.audit where citizen_id = $1 and seq > 1", WHO)
    await owner.head(WHO, 1, lines[0].hash)
    assert await findings(house, WHO) == [("cut_off", 2), ("cut_off", 3)]


async def test_a_citizen_who_is_gone_wholly_is_found(house: House, owner: Owner) -> None:
    await owner.do("delete from identity.audit where citizen_id = $1", OTHER)
    await owner.do("delete from identity.audit_head where citizen_id = $1", OTHER)
    assert await findings(house, OTHER) == [("cut_off", 1)]


async def test_a_chain_written_anew_is_found(house: House, owner: Owner) -> None:
    """Every hash is right, and the head too; only the anchors know better."""
    lines = await owner.lines(WHO)
    await owner.do("delete from identity.audit where citizen_id = $1", WHO)
    await owner.past(WHO, [line.at for line in lines], reader="another/one")
    assert await findings(house, WHO) == [("changed", 2), ("changed", 3)]


async def test_lines_that_were_put_into_a_closed_day_are_found(house: House, owner: Owner) -> None:
    third = ids.new(3)
    await owner.past(third, [ago(2)])
    await owner.past(OTHER, [ago(2)])
    assert sorted(await findings(house, third, OTHER)) == [("extra", 1), ("extra", 2)]


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("update identity.audit_anchor set digest = sha256(digest) where bucket = 9", "anchor"),
        ("update identity.audit_anchor set heads = '' where bucket = 3", "anchor"),
        ("delete from identity.audit_anchor where bucket = 3", "missing"),
        ("update identity.audit_anchor set lines = lines + 1 where bucket = 3", "changed"),
        ("update identity.audit_day set root = sha256(root)", "anchor"),
        (
            "update identity.audit_day set signature = sha256(signature) || sha256(root)",
            "signature",
        ),
        ("update identity.audit_day set sealed_at = sealed_at + interval '1 day'", "signature"),
    ],
)
async def test_a_changed_anchor_is_found(
    house: House, owner: Owner, statement: str, kind: str
) -> None:
    await owner.do(statement)
    assert kind in {found for found, _ in await findings(house)}


async def test_a_closing_row_that_is_gone_is_found(house: House, owner: Owner) -> None:
    await owner.do("delete from identity.audit_day where day_on = $1", day_ago(2))
    report = await audit.verify(house)
    assert [(f.kind, f.day) for f in report.findings] == [("missing", day_ago(2))]


async def test_days_taken_away_and_closed_anew_differ_from_what_was_published(
    house: House, owner: Owner
) -> None:
    published = {day.day_on: day.root.hex() for day in await audit.days(house)}
    assert (await audit.verify(house, published=published)).findings == []
    await owner.empty()
    await owner.past(WHO, [ago(3), ago(1)], reader="another/one")
    await audit.close(house)
    report = await audit.verify(house, published=published)
    assert {f.kind for f in report.findings} == {"published"}


async def test_a_day_that_is_overdue_is_named(house: House, owner: Owner) -> None:
    await owner.empty()
    await owner.past(WHO, [ago(3)])
    assert [f.kind for f in (await audit.verify(house)).findings] == ["missing"]


async def test_days_that_lack_a_bucket_are_not_gone_on_from(house: House, owner: Owner) -> None:
    await owner.empty()
    await owner.past(WHO, [ago(3)])
    await audit.close(house, day_ago(3))
    await owner.do("delete from identity.audit_anchor where bucket = 5")
    with pytest.raises(audit.AuditTorn):
        await audit.close(house)


async def test_only_what_is_older_than_three_years_is_forgotten(house: House, owner: Owner) -> None:
    await owner.empty()
    old = 3 * 366 + 10
    await owner.past(WHO, [ago(old), ago(old) + timedelta(minutes=1), ago(old - 1), ago(old - 20)])
    await owner.past(OTHER, [ago(old)])
    await audit.close(house, day_ago(old - 30))
    assert await audit.forget(house) == 2
    assert [line.seq for line in await owner.lines(WHO)] == [3, 4]
    assert [line.seq for line in await owner.lines(OTHER)] == [1], "the next one follows it"
    assert await audit.forget(house) == 0
    assert await findings(house, WHO, OTHER) == []
    await owner.do("delete from identity.audit where citizen_id = $1 and seq = 3", WHO)
    assert await findings(house, WHO) == [("missing", 4)]


async def test_the_program_cant_have_newer_lines_forgotten(house: House, owner: Owner) -> None:
    async with house.db.acquire() as db:
        gone = await db.fetchval(
            "select identity.audit_forget($1::smallint, $2::uuid[], $3::bigint[])", 3, [WHO], [99]
        )
    assert gone == 0
    assert len(await owner.lines(WHO)) == 4


def test_heads_are_packed_and_unpacked() -> None:
    heads = {ids.new(1): (2**40, b"x" * 32), ids.new(1): (1, b"y" * 32)}
    assert rules.unpack(rules.pack(heads)) == heads
