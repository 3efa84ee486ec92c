"""Objecting to a reading, and answering that."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from civicmall.identity import audit
from civicmall.identity.audit.rules import KEEP_DAYS
from civicmall.identity.errors import SecondOperatorNeeded
from civicmall.identity.events import ReadingAnswered, ReadingDisputed
from civicmall.identity.guards import must_be
from civicmall.identity.models import Staff
from civicmall.kernel import calendar, idempotency, ids, outbox
from civicmall.kernel.house import House

from .errors import (
    AlreadyAnswered,
    AlreadyObjected,
    NoSuchObjection,
    NoSuchReading,
    TooManyObjections,
)
from .models import (
    DeskObjection,
    DeskRow,
    Kept,
    ObjectionMade,
    ObjectionMark,
    ObjectionRow,
    ReadingObjection,
    Standing,
)
from .queries import q

SCOPE: Final = "identity.reading_objections"
WORDS: Final = "identity.reading_objection.words"
ANSWER: Final = "identity.reading_objection.answer"
WORKING_DAYS: Final = 5
"""Within which an operator answers."""
A_DAY: Final = 20
"""Objections of one citizen: each is read by somebody."""
DESK_DAYS: Final = 365
LINE_MAX: Final = 2**63 - 1


async def raise_objection(
    house: House, citizen_id: UUID, key: str | None, line: int, words: str
) -> ReadingObjection:
    """Say that a reading wasn't right; once for a line. The same key again is the same objection.

    Raises NoSuchReading, AlreadyObjected, TooManyObjections, and those of idempotency.
    """
    if not 1 <= line <= LINE_MAX:
        raise NoSuchReading

    async def work(objection: UUID) -> ObjectionMade:
        await _object(house, citizen_id, objection, line, words)
        return ObjectionMade(line)

    # What is remembered of the request says nothing of what was said: it lies there unsealed.
    mark = ObjectionMark(house.keys.blind(f"{citizen_id} {line} {words}", SCOPE))
    made = await idempotency.once(house.db, citizen_id, SCOPE, key, mark, ObjectionMade, work)
    row: ObjectionRow | None = await q.one(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, seq=made.line
    )
    if row is None:  # they left in this instant
        raise NoSuchReading
    return _shown(house, row)


async def _object(house: House, citizen_id: UUID, objection: UUID, line: int, words: str) -> None:
    bucket, now = ids.bucket_of(citizen_id), house.clock.now()
    due = calendar.add_working_days(house.clock.today(), WORKING_DAYS).on
    kind, body = outbox.row(ReadingDisputed(citizen_id, objection, due, now))
    found: Kept = await q.object(
        house.db, bucket=bucket, citizen_id=citizen_id, seq=line, id=objection,
        words=house.keys.seal(words, WORDS), now=now, due_on=due, most=A_DAY, type=kind, body=body,
    )  # fmt: skip
    if not found.there:
        raise NoSuchReading
    if not found.kept:
        # Where two come at once, the later one began too early to see the other.
        others = await objected(house, citizen_id, [line])
        raise AlreadyObjected if found.taken or others else TooManyObjections(most=A_DAY)
    house.hint()
    await audit.note(house, citizen_id, "reading_objected", purpose=str(line))


async def mine(
    house: House, citizen_id: UUID, before: int | None, limit: int
) -> list[ReadingObjection]:
    """A citizen's objections by line, the newest line first; one more than `limit` where there is
    more.
    """
    rows: list[ObjectionRow] = await q.mine(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, before=before,
        most=limit + 1,
    )  # fmt: skip
    return [_shown(house, row) for row in rows]


async def objected(house: House, citizen_id: UUID, lines: Collection[int]) -> frozenset[int]:
    """Which of these lines the citizen has objected to."""
    rows = await q.objected(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, seqs=[*lines]
    )
    return frozenset(seq for (seq,) in rows)


def _shown(house: House, row: ObjectionRow) -> ReadingObjection:
    return ReadingObjection(
        row.seq, house.keys.open(row.words, WORDS), row.made_at, row.due_on, _answer(house, row.answer),
        row.answered_at,
    )  # fmt: skip


def _answer(house: House, sealed: bytes | None) -> str | None:
    return None if sealed is None else house.keys.open(sealed, ANSWER)


async def waiting(
    house: House, staff: Staff, after: UUID | None, limit: int, *, answered: bool = False
) -> list[DeskObjection]:
    """Objections that wait, what is due first standing first; or those that are answered, newest
    first. One more than `limit` where there are more.
    """
    must_be(staff, "operator")
    if answered:
        rows = await q.desk_answered(house.db, before=after, most=limit + 1)
    else:
        rows = await q.desk_open(house.db, after=after, most=limit + 1)
    return await _desk(house, staff, [id_ for (id_,) in rows])


async def _desk(house: House, staff: Staff, found: list[UUID]) -> list[DeskObjection]:
    """These with their lines, in the same order; those of citizens who left are gone."""
    if not found:
        return []
    rows: list[DeskRow] = await q.desk_rows(
        house.db, buckets=sorted({ids.bucket_of(one) for one in found}), ids=found
    )
    by_id = {row.id: row for row in rows}
    today = house.clock.today()
    return [
        DeskObjection(
            id=row.id,
            read_at=row.read_at,
            reader=row.reader,
            staff=audit.StaffReader(row.role, row.shop) if row.role else None,
            claims=row.claims,
            purpose=row.purpose,
            reason=row.reason,
            words=house.keys.open(row.words, WORDS),
            made_at=row.made_at,
            due_on=row.due_on,
            overdue=row.answered_at is None and row.due_on < today,
            mine=_did(staff, row.reader, row.by),
            answer=_answer(house, row.answer),
            answered_at=row.answered_at,
        )
        for one in found
        if (row := by_id.get(one)) is not None
    ]


def _did(staff: Staff, reader: str, by: UUID | None) -> bool:
    """Whether this member of staff did the reading."""
    return reader == f"staff:{staff.staff_id}" or by == staff.staff_id


async def answer(house: House, staff: Staff, objection: UUID, text: str) -> DeskObjection:
    """Answer an objection, once; nobody answers for their own reading. The citizen is told.

    Raises NotAllowed, NoSuchObjection, SecondOperatorNeeded, AlreadyAnswered.
    """
    must_be(staff, "operator")
    bucket = ids.bucket_of(objection)
    found: Standing | None = await q.standing(house.db, bucket=bucket, id=objection)
    if found is None:
        raise NoSuchObjection
    if _did(staff, found.reader, found.by):
        raise SecondOperatorNeeded
    done = await q.answer(
        house.db, bucket=bucket, id=objection, answer=house.keys.seal(text, ANSWER),
        staff_id=staff.staff_id, now=house.clock.now(), event_id=ids.new(bucket),
        type=ReadingAnswered.__struct_config__.tag,
    )  # fmt: skip
    if done is None:
        raise AlreadyAnswered
    house.hint()
    await audit.note(
        house, found.citizen_id, "reading_answered", purpose=str(found.seq), by=staff.staff_id
    )
    rows = await _desk(house, staff, [objection])
    if not rows:  # they left in this instant
        raise NoSuchObjection
    return rows[0]


async def erase(house: House, citizen_id: UUID) -> None:
    """Forget what somebody who leaves objected to."""
    gone = await q.erase(house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id)
    await q.erase_desk(house.db, ids=[id_ for (id_,) in gone])


async def forget(house: House) -> None:
    """Answered ones: a year on the operators' list, with the citizen for as long as lines are kept."""
    await q.forget_desk(house.db, days=DESK_DAYS)
    await q.forget(house.db, days=KEEP_DAYS)
