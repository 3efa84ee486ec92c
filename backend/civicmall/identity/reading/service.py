"""Opening a record with a reason, and looking a citizen up with a second operator."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from civicmall.identity.audit import note_access
from civicmall.identity.errors import (
    NoSuchLookup,
    ReasonNeeded,
    RequestOver,
    SecondOperatorNeeded,
)
from civicmall.identity.guards import must_be
from civicmall.identity.models import CitizenRow, Staff
from civicmall.identity.people import NAME, NUMBER, PHONE, row
from civicmall.identity.rules import mask
from civicmall.kernel import ids, logs
from civicmall.kernel.errors import BadRequest, NotFound
from civicmall.kernel.house import House

from .models import Claim, Found, Lookup, LookupAsk, LookupRow, OpenAsk, Why
from .queries import q

log = logs.get("identity")
OPEN_S: Final = 900
"""A quarter of an hour: to read a record and act on it."""
ASK_S: Final = 3600
"""A look-up waits this long for the second operator."""
MASKED: Final = "identity.lookup.masked"
REASONS: Final[dict[Why, str]] = {
    "citizen_asked": "本人请求协助", "case": "办理事项需要", "complaint": "处理投诉",
    "safety": "涉及人身安全", "law": "依法协查",
}  # fmt: skip
"""As the citizen reads it, before the words of whoever looked."""


async def open_record(
    house: House, staff: Staff, citizen_id: UUID, matter: str, claims: list[str], ask: OpenAsk
) -> datetime:
    """Open what a desk's `matter` (`case:<id>`) shows of a citizen, for this member of staff and a
    quarter of an hour; the citizen sees who and why. Whether it is theirs to open, the caller knows.
    """
    until: datetime = await q.open_record(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, staff_id=staff.staff_id,
        matter=matter, reason=ask.reason, words=ask.words, valid_s=OPEN_S,
    )  # fmt: skip
    await _note(house, staff, citizen_id, claims, "desk.open", ask.reason, ask.words)
    return until


async def need(house: House, staff: Staff, citizen_id: UUID, matter: str) -> datetime:
    """Until when a record is open for this member of staff. Raises ReasonNeeded."""
    until: datetime | None = await q.is_open(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id,
        staff_id=staff.staff_id, matter=matter,
    )  # fmt: skip
    if until is None:
        raise ReasonNeeded(open_s=OPEN_S)
    return until


async def _note(
    house: House, staff: Staff, citizen_id: UUID, claims: list[str], purpose: str, why: Why, words: str
) -> None:  # fmt: skip
    await note_access(
        house, citizen_id, f"staff:{staff.staff_id}", claims, purpose,
        reason=f"{REASONS[why]}：{words}", by=staff.staff_id,
    )  # fmt: skip


async def ask(house: House, staff: Staff, said: LookupAsk) -> Lookup:
    """An operator wants to look a citizen up; another one decides within the hour. The answer is the
    same whether there is such a citizen. Raises BadRequest.
    """
    must_be(staff, "operator")
    if (said.phone is None) == (said.id_number is None):
        raise BadRequest("either a phone or an ID number", field="phone")
    kind, whom, masked = (
        ("phone", said.phone, mask(said.phone, 3, 4)) if said.phone
        else ("id_number", said.id_number or "", mask(said.id_number or "", 4, 2))
    )  # fmt: skip
    blind = house.keys.blind(whom, kind)
    lookup_id = ids.new(blind[0])
    await q.ask_lookup(
        house.db, bucket=blind[0], id=lookup_id, kind=kind, blind=blind,
        masked=house.keys.seal(masked, MASKED), reason=said.reason, words=said.words,
        asked_by=staff.staff_id, asked_name=staff.name, valid_s=ASK_S,
    )  # fmt: skip
    log.warning("lookup.asked", id=str(lookup_id), by=str(staff.staff_id))
    return _shown(house, await _row(house, lookup_id), staff)


async def some(
    house: House, staff: Staff, after: tuple[datetime, UUID] | None, limit: int
) -> list[Lookup]:
    """Look-ups of the last three months, newest first; one more than asked for where there are."""
    at, lookup_id = after or (None, None)
    rows: list[LookupRow] = await q.lookups(
        house.db, before_at=at, before_id=lookup_id, most=limit + 1
    )
    return [_shown(house, one, staff) for one in rows]


async def decide(house: House, staff: Staff, lookup_id: UUID, *, yes: bool) -> Lookup:
    """Let a colleague look, or not; whoever asked may only take it back.

    Raises NoSuchLookup, SecondOperatorNeeded, RequestOver.
    """
    must_be(staff, "operator")
    before = await _row(house, lookup_id)
    if yes and before.asked_by == staff.staff_id:
        raise SecondOperatorNeeded
    done = await q.decide_lookup(
        house.db, bucket=ids.bucket_of(lookup_id), id=lookup_id,
        state="approved" if yes else "declined", who=staff.staff_id, name=staff.name, valid_s=OPEN_S,
    )  # fmt: skip
    if done is None:
        raise RequestOver
    log.warning("lookup.decided", id=str(lookup_id), by=str(staff.staff_id), yes=yes)
    return _shown(house, await _row(house, lookup_id), staff)


async def look(
    house: House, staff: Staff, lookup_id: UUID, claims: list[Claim] | None = None
) -> Found:
    """Whom an approved look-up found, masked but for `claims`; each look leaves a line that the
    citizen sees, also of who allowed it.

    Raises NoSuchLookup (also for another's), ReasonNeeded while nobody has approved, RequestOver,
    NotFound where there is no such citizen.
    """
    must_be(staff, "operator")
    found = await _row(house, lookup_id)
    if found.asked_by != staff.staff_id:
        raise NoSuchLookup
    if found.state == "asked" and not found.over:
        raise SecondOperatorNeeded
    if found.state != "approved" or found.over:
        raise RequestOver
    by = q.by_phone if found.kind == "phone" else q.by_number
    citizen_id: UUID | None = await by(house.db, bucket=found.blind[0], blind=found.blind)
    if citizen_id is None:
        raise NotFound
    citizen = await row(house.db, citizen_id)
    clear = frozenset(claims or ())
    words = f"{found.words}（同意人：{found.decided_name}）"
    seen: list[str] = [*sorted(clear)] or ["masked_profile"]
    await _note(house, staff, citizen_id, seen, "desk.lookup", found.reason, words)
    return _opened(house, citizen, clear, found.expires_at)


def _opened(house: House, citizen: CitizenRow, clear: frozenset[str], until: datetime) -> Found:
    def shown(sealed: bytes | None, claim: Claim, context: str, head: int, tail: int) -> str | None:
        if sealed is None:
            return None
        text = house.keys.open(sealed, context)
        return text if claim in clear else mask(text, head, tail)

    return Found(
        citizen.id, citizen.level, shown(citizen.phone, "phone", PHONE, 3, 4) or "",
        shown(citizen.name, "name", NAME, 1, 0), shown(citizen.id_number, "id_number", NUMBER, 4, 2),
        until,
    )  # fmt: skip


async def _row(house: House, lookup_id: UUID) -> LookupRow:
    found: LookupRow | None = await q.lookup(
        house.db, bucket=ids.bucket_of(lookup_id), id=lookup_id
    )
    if found is None:
        raise NoSuchLookup
    return found


def _shown(house: House, one: LookupRow, staff: Staff) -> Lookup:
    said: dict[str, Any] = {
        "id": one.id, "kind": one.kind, "whom": house.keys.open(one.masked, MASKED),
        "reason": one.reason, "words": one.words, "asked_by": one.asked_name,
        "asked_at": one.asked_at, "mine": one.asked_by == staff.staff_id, "state": one.state,
        "decided_by": one.decided_name, "over": one.over, "expires_at": one.expires_at,
    }  # fmt: skip
    return Lookup(**said)
