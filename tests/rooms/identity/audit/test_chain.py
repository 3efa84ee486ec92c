"""A citizen's lines: a chain that only grows, and every change of which is found."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rooms.identity.audit.lines import Owner, findings

from civicmall.identity import audit, note_access
from civicmall.identity.audit import rules
from civicmall.kernel import ids
from civicmall.kernel.house import House

TEXT: Final = st.text(max_size=12)
NOTES: Final = st.lists(
    st.fixed_dictionaries({
        "kind": st.sampled_from(["read", "sign_in", "consent_given", "export"]),
        "reader": TEXT, "what": st.lists(TEXT, max_size=3), "purpose": TEXT, "reason": TEXT,
        "by": st.none() | st.uuids(),
    }),
    min_size=1, max_size=5,
)  # fmt: skip
SLOW: Final = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


async def noted(house: House, count: int, bucket: int = 7) -> UUID:
    """Somebody new with so many lines."""
    citizen = ids.new(bucket)
    for no in range(count):
        await audit.note(house, citizen, "sign_in", what=["code"], reason=f"no {no}")
    return citizen


async def gone(owner: Owner, citizen: UUID) -> None:
    """As if nothing had been tried: others' chains are to be looked at alone."""
    for table in ("audit", "audit_head", "audit_reading"):
        await owner.do(
            f"delete from identity.{table} where bucket = $1 and citizen_id = $2",  # noqa: S608
            ids.bucket_of(citizen), citizen,
        )  # fmt: skip


@settings(max_examples=25, suppress_health_check=SLOW)
@given(notes=NOTES, bucket=st.integers(0, 255))
async def test_any_lines_verify_and_are_reckoned_by_hand(
    house: House, owner: Owner, notes: list[dict[str, Any]], bucket: int
) -> None:
    citizen = ids.new(bucket)
    for one in notes:
        await audit.note(house, citizen, **one)
    assert await findings(house, citizen) == []
    prev = bytes(32)
    lines = await owner.lines(citizen)
    assert [line.seq for line in lines] == list(range(1, len(notes) + 1))
    for line in lines:
        said = await owner.db.fetchval(
            "select identity.audit_line(citizen_id, seq, at, kind, reader, claims, purpose, reason, by,"
            " again, prev) from identity.audit where bucket = $1 and citizen_id = $2 and seq = $3",
            bucket, citizen, line.seq,
        )  # fmt: skip
        assert said == rules.text(line)
        assert line.prev == prev
        prev = hashlib.sha256(said.encode()).digest()
        assert line.hash == prev
    await gone(owner, citizen)


CHANGES: Final = {
    "at": "at + interval '1 second'",
    "kind": "'level'",
    "reader": "'staff:nobody'",
    "claims": "array['id_number']",
    "purpose": "'something else'",
    "reason": "'none'",
    "by": "gen_random_uuid()",
    "again": "again + 1",
    "prev": "sha256(prev)",
    "hash": "sha256(hash)",
}


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("column", sorted(CHANGES))
async def test_a_changed_line_is_found(house: House, owner: Owner, column: str, at: int) -> None:
    citizen = await noted(house, 3)
    await owner.do(
        f"update identity.audit set {column} = {CHANGES[column]}"  # noqa: S608 (from above)
        " where bucket = 7 and citizen_id = $1 and seq = $2", citizen, at,
    )  # fmt: skip
    found = await findings(house, citizen)
    assert ("changed", at) in found
    await gone(owner, citizen)


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_line_changed_together_with_its_hash_is_found(
    house: House, owner: Owner, at: int
) -> None:
    """Whoever reckons a line's own hash anew still breaks the one after it, or the head."""
    citizen = await noted(house, 3)
    line = (await owner.lines(citizen))[at - 1]
    other = replace(line, reader="staff:nobody")
    await owner.do(
        "update identity.audit set reader = 'staff:nobody', hash = $3"
        " where bucket = 7 and citizen_id = $1 and seq = $2", citizen, at, rules.hash_of(other),
    )  # fmt: skip
    found = await findings(house, citizen)
    assert found == ([("forged_head", 3)] if at == 3 else [("changed", at + 1)])
    await gone(owner, citizen)


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_removed_line_is_found(house: House, owner: Owner, at: int) -> None:
    citizen = await noted(house, 3)
    await owner.do("delete from identity.audit where citizen_id = $1 and seq = $2", citizen, at)
    found = await findings(house, citizen)
    assert found == ([("cut_off", 2)] if at == 3 else [("missing", at + 1)])
    await gone(owner, citizen)


async def test_swapped_lines_are_found(house: House, owner: Owner) -> None:
    citizen = await noted(house, 4)
    for old, new in ((2, 99), (3, 2), (99, 3)):
        await owner.do(
            "update identity.audit set seq = $2 where citizen_id = $1 and seq = $3",
            citizen,
            new,
            old,
        )
    found = await findings(house, citizen)
    assert {("changed", 2), ("changed", 3)} <= {*found}
    await gone(owner, citizen)


async def test_everything_removed_is_found(house: House, owner: Owner) -> None:
    citizen = await noted(house, 2)
    await owner.do("delete from identity.audit where citizen_id = $1", citizen)
    assert await findings(house, citizen) == [("cut_off", 0)]
    await gone(owner, citizen)


@pytest.mark.parametrize("seq", [0, 1, 3, 9])
async def test_a_moved_head_is_found(house: House, owner: Owner, seq: int) -> None:
    citizen = await noted(house, 2)
    await owner.do("update identity.audit_head set seq = $2 where citizen_id = $1", citizen, seq)
    kind = "forged_head" if seq < 2 else "cut_off"
    assert [found for found, _ in await findings(house, citizen)] == [kind]
    await gone(owner, citizen)


async def test_a_head_that_is_gone_is_found(house: House, owner: Owner) -> None:
    citizen = await noted(house, 2)
    await owner.do("delete from identity.audit_head where citizen_id = $1", citizen)
    assert await findings(house, citizen) == [("forged_head", 2)]
    await gone(owner, citizen)


async def test_fifty_at_once_make_one_chain(house: House, owner: Owner) -> None:
    citizen = ids.new(200)
    await asyncio.gather(
        *(note_access(house, citizen, f"shop/app_{n}", ["phone"], "look") for n in range(50))
    )
    lines = await owner.lines(citizen)
    assert [line.seq for line in lines] == list(range(1, 51))
    assert {line.reader for line in lines} == {f"shop/app_{n}" for n in range(50)}
    assert await findings(house, citizen) == []


async def test_the_same_reading_at_once_is_one_line_and_counted(house: House, owner: Owner) -> None:
    citizen = ids.new(201)
    await asyncio.gather(
        *(note_access(house, citizen, "shop/app", ["phone", "name"], "look") for _ in range(20))
    )
    (row,) = await audit.accesses(house.db, citizen, None, 10)
    assert (row.reader, row.claims, row.purpose, row.times) == (
        "shop/app", ["name", "phone"], "look", 20,
    )  # fmt: skip
    await note_access(house, citizen, "shop/app", ["phone"], "look")  # other facts: a line
    await note_access(house, citizen, "shop/app", ["phone"], "another")
    lines = await owner.lines(citizen)
    assert [(line.claims, line.purpose, line.again) for line in lines] == [
        (["name", "phone"], "look", 0), (["phone"], "look", 19), (["phone"], "another", 0),
    ]  # fmt: skip
    rows = await audit.accesses(house.db, citizen, None, 10)
    assert [row.times for row in rows] == [1, 1, 20]


async def test_the_next_hour_has_a_line_that_says_how_often_it_was(
    house: House, owner: Owner
) -> None:
    citizen = ids.new(202)
    for _ in range(3):
        await note_access(house, citizen, "shop/app", ["phone"], "look")
    await owner.do(
        "update identity.audit_reading set hour_at = hour_at - interval '1 hour' where citizen_id = $1",
        citizen,
    )
    await note_access(house, citizen, "shop/app", ["phone"], "look")
    assert [line.again for line in await owner.lines(citizen)] == [0, 2]
    assert [r.times for r in await audit.accesses(house.db, citizen, None, 10)] == [1, 3]
    assert await findings(house, citizen) == []


async def test_whom_a_person_looks_at_has_a_line_each_time(house: House, owner: Owner) -> None:
    citizen, staff = ids.new(203), ids.new(0)
    for reason in ("a complaint", "a complaint", ""):
        await note_access(
            house, citizen, f"staff:{staff}", ["phone"], "look_up", reason=reason, by=staff
        )
    rows = await audit.accesses(house.db, citizen, None, 10)
    assert [(r.reader, r.reason, r.by, r.times) for r in rows] == [
        (f"staff:{staff}", reason, staff, 1) for reason in ("", "a complaint", "a complaint")
    ]


async def test_readings_by_different_people_are_different_lines(house: House) -> None:
    citizen, agent = ids.new(205), ids.new(0)
    for by in (None, agent, agent, None):
        await note_access(house, citizen, "shop/app", ["phone"], "look", by=by)
    rows = await audit.accesses(house.db, citizen, None, 10)
    assert [(r.by, r.times) for r in rows] == [(None, 1), (agent, 2), (None, 1)]


async def test_numbers_of_people_stay_out_of_a_line(house: House, owner: Owner) -> None:
    citizen = ids.new(204)
    said = "asked for 11010119900307123X\nand 13812345678 \x00"
    await note_access(house, citizen, "shop/app", ["phone"], said, reason=said, by=citizen)
    (line,) = await owner.lines(citizen)
    assert line.reason == line.purpose == "asked for ****************** and ***********"


OLDER: Final = (
    "insert into identity.audit (bucket, citizen_id, seq, at, kind, reader, claims, purpose, reason,"
    " again, prev, hash) values (0, gen_random_uuid(), 1, now() - interval '1 year', 'read', '', '{}',"
    " '', '', 0, sha256(''), sha256(''))"
)
"""A line with a time of one's own choice."""


@pytest.mark.parametrize(
    "statement",
    [
        "update identity.audit set reader = 'x'",
        "delete from identity.audit",
        "truncate identity.audit",
        "delete from identity.audit_head",
        "truncate identity.audit_head",
        "update identity.audit_anchor set lines = 0",
        "delete from identity.audit_anchor",
        "update identity.audit_day set lines = 0",
        "delete from identity.audit_day",
        "delete from identity.consent",
        "drop table identity.audit",
        OLDER,
    ],
)
async def test_the_program_can_only_add(house: House, statement: str) -> None:
    """In its own role, as PostgreSQL sees it."""
    async with house.db.acquire() as db:
        assert await db.fetchval("select current_user") == "civicmall_app"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(statement)


@given(st.text(), st.integers(1, 50))
def test_a_text_is_one_bounded_line_without_numbers(said: str, most: int) -> None:
    clean = rules.clean(said, most)
    assert len(clean) <= most
    assert len(clean.splitlines()) <= 1
    assert not rules.NUMBERS.search(clean)
    clean.encode()
