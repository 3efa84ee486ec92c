"""Objections at the desk of whoever attested: listed without citizens, opened with a reason, answered."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from civicmall.identity import audit, reading
from civicmall.identity.errors import NotAllowed
from civicmall.identity.known import REGISTER
from civicmall.identity.models import Staff
from civicmall.identity.people import known, row
from civicmall.identity.subjects import shop_key, shop_subject
from civicmall.kernel import ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from .errors import DisputeAnswered, NoSuchDispute, RegisterStands
from .models import (
    AnsweredDispute,
    DeskDispute,
    DisputeAnswer,
    OpenDispute,
    OwnDispute,
)
from .queries import q
from .service import WORDS, over

ANSWER: Final = "identity.dispute.answer"


async def some(
    db: Db, shop: str | None, before: UUID | None, limit: int, *, waiting: bool = False
) -> list[DeskDispute]:
    """Objections to what a department attests, newest first; without a shop, everybody's. `waiting`:
    only those that nobody has answered. One more than asked for where there are.
    """
    found: list[DeskDispute] = await q.desk_disputes(
        db, shop=shop, waiting=waiting, before=before, most=limit + 1
    )
    return found


async def open_one(
    house: House, staff: Staff, dispute: UUID, ask: reading.OpenAsk
) -> reading.Opened:
    """Open an objection with a reason that the citizen reads, for this member of staff and a quarter
    of an hour. Raises NotAllowed, NoSuchDispute, also for another source's.
    """
    found = await _own(house, staff, dispute)
    return reading.Opened(
        await reading.open_record(
            house, staff, found.citizen_id, _matter(dispute), ["fact", "objection"], ask
        )
    )


async def one(house: House, staff: Staff, dispute: UUID) -> OpenDispute:
    """What a citizen objects to, and in which words. Raises NotAllowed, NoSuchDispute, ReasonNeeded."""
    found = await _own(house, staff, dispute)
    until = await reading.need(house, staff, found.citizen_id, _matter(dispute))
    now = known(house, await row(house.db, found.citizen_id)).get(found.name)
    said = next((s for s in now.said if s.source == found.source), None) if now else None
    by_shop = found.source != REGISTER
    return OpenDispute(
        id=dispute,
        name=found.name,
        source=found.source,
        sub=shop_subject(shop_key(house.keys, found.source), found.citizen_id) if by_shop else None,
        value=said.value if said else None,
        as_of=said.as_of if said else None,
        words=house.keys.open(found.words, WORDS),
        disputed_at=found.disputed_at,
        verdict=found.verdict,
        answer=house.keys.open(found.answer, ANSWER) if found.answer else None,
        answered_at=found.answered_at,
        until=until,
    )


async def answer(house: House, staff: Staff, dispute: UUID, said: DisputeAnswer) -> None:
    """End an objection that was opened. `kept`: it was right, and is used again. `withdrawn`: it goes,
    and what the same source attests up to its day is not taken again. The citizen is told.

    Raises NotAllowed, NoSuchDispute, ReasonNeeded, RegisterStands, DisputeAnswered.
    """
    found = await _own(house, staff, dispute)
    await reading.need(house, staff, found.citizen_id, _matter(dispute))
    if found.source == REGISTER and said.verdict == "withdrawn":
        raise RegisterStands
    done = await q.answer_dispute(
        house.db,
        bucket=ids.bucket_of(dispute),
        id=dispute,
        verdict=said.verdict,
        answer=house.keys.seal(said.text, ANSWER),
        who=staff.staff_id,
        now=house.clock.now(),
        **over(house, found.citizen_id, found.name, found.source, said.verdict, dispute),
    )
    if done is None:
        raise DisputeAnswered
    house.hint()
    what = [found.name, said.verdict]
    await audit.note(
        house, found.citizen_id, "objection_answered", reader=found.source, what=what, by=staff.staff_id
    )  # fmt: skip


async def answers(house: House, citizen_id: UUID) -> list[AnsweredDispute]:
    """What became of a citizen's own objections, the last answer first."""
    rows: list[OwnDispute] = await q.answered_disputes(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id
    )
    return [
        AnsweredDispute(
            one.name, one.source, house.keys.open(one.words, WORDS), one.disputed_at, one.verdict,
            house.keys.open(one.answer, ANSWER), one.answered_at,
        )
        for one in rows
        if one.verdict and one.answer and one.answered_at
    ]  # fmt: skip


def _matter(dispute: UUID) -> str:
    return f"dispute:{dispute}"


async def _own(house: House, staff: Staff, dispute: UUID) -> OwnDispute:
    """An objection to what the staff's own department attests; the register has no desk, so operators
    answer for it. Raises NotAllowed, NoSuchDispute.
    """
    if staff.role == "auditor" or staff.enrolling:
        raise NotAllowed
    found: OwnDispute | None = await q.dispute_by_id(
        house.db, bucket=ids.bucket_of(dispute), id=dispute
    )
    if found is None or found.source != (staff.shop or REGISTER):
        raise NoSuchDispute
    return found
