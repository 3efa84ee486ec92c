"""Facts: told by the citizen, attested by departments, objected to, switched off."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall.identity import audit
from civicmall.identity.errors import BadDeclaration
from civicmall.identity.events import AttributeDisputed, DisputeOver
from civicmall.identity.known import REGISTER, SELF, AttributeView, view
from civicmall.identity.models import CitizenRow, Profile
from civicmall.identity.people import VALUE, known, old_declarations, profile, row
from civicmall.kernel import ids, outbox
from civicmall.kernel.house import House
from shopkit.contract import NAMES, Attestation

from . import rules
from .errors import BadAttestation, NoSuchAttribute, NothingToDispute
from .models import AttestedRow, DisputeRow, Objection, Outcome
from .queries import q

WORDS: Final = "identity.dispute.words"
DESK_DAYS: Final = 365


async def attributes(house: House, citizen_id: UUID) -> list[AttributeView]:
    """Every fact with its source and date. Raises NotFound."""
    found = known(house, await row(house.db, citizen_id))
    return [view(found[name]) for name in sorted(found)]


async def declare(
    house: House, citizen_id: UUID, said: dict[str, Any], *, by: UUID | None = None
) -> Profile:
    """Keep facts in the citizen's own words; None forgets one. `by`: who acts for the citizen.

    Raises BadDeclaration.
    """
    if wrong := rules.wrong_declaration(said):
        field, problem = wrong
        raise BadDeclaration(errors=[{"field": f"facts.{field}", "problem": problem}])
    while True:
        citizen = await row(house.db, citizen_id)
        told = _told(house, citizen, said)
        if await q.declare(
            house.db,
            bucket=ids.bucket_of(citizen_id),
            citizen_id=citizen_id,
            before=citizen.declared,
            names=[name for name, *_ in told],
            values=[_sealed(house, value) for _, value, *_ in told],
            as_ofs=[day for _, _, day, _ in told],
            told_ats=[at for *_, at in told],
            forgotten=[name for name, value in said.items() if value is None],
        ):
            if said:
                await audit.note(house, citizen_id, "facts", what=said, by=by)
            return profile(house, await row(house.db, citizen_id))


def _told(
    house: House, citizen: CitizenRow, said: dict[str, Any]
) -> list[tuple[str, Any, Any, Any]]:
    """What is told now, and what moves with it, each with the day of which it speaks."""
    now, today = house.clock.now(), house.clock.today()
    told = [(name, value, today, now) for name, value in said.items() if value is not None]
    told += [old for old in old_declarations(house, citizen) if old[0] not in said]
    return told


def _sealed(house: House, value: Any) -> bytes:
    return house.keys.seal(msgspec.json.encode(value).decode(), VALUE)


async def attest(
    house: House, citizen_id: UUID, shop: str, said: Attestation, attests: Collection[str]
) -> bool:
    """Keep what a department attests, which its manifest names in `attests`; a value of None takes it
    back. False where something as of a later day is here already, where the department's desk withdrew
    it up to that day, or the citizen has left.

    Raises BadAttestation.
    """
    today = house.clock.today()
    if wrong := rules.wrong_attestation(said.name, said.value, said.as_of, attests, today):
        field, problem = wrong
        raise BadAttestation(errors=[{"field": field, "problem": problem}])
    name = {"bucket": ids.bucket_of(citizen_id), "citizen_id": citizen_id, "name": said.name}
    held: AttestedRow | None = await q.attested(house.db, source=shop, **name)
    if held is not None and _same(house, held, said):
        return True  # as shops do whenever they are asked: it is no answer to an objection
    if said.value is None:
        gone = await q.unattest(
            house.db,
            source=shop,
            as_of=said.as_of,
            **name,
            **over(house, citizen_id, said.name, shop, "corrected"),
        )
        return gone is not None
    kept = await q.attest(
        house.db,
        source=shop,
        value=_sealed(house, said.value),
        as_of=said.as_of,
        now=house.clock.now(),
        **name,
        **over(house, citizen_id, said.name, shop, "corrected"),
    )
    house.hint()
    return kept is not None


def _same(house: House, held: AttestedRow, said: Attestation) -> bool:
    value = msgspec.json.encode(said.value).decode()
    return held.as_of == said.as_of and house.keys.open(held.value, VALUE) == value


async def switch(
    house: House, citizen_id: UUID, name: str, *, recommend: bool, by: UUID | None = None
) -> None:
    """Whether the home may look at an attribute. Raises NoSuchAttribute."""
    change = q.switch_on if recommend else q.switch_off
    changed = await change(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, name=_name(name)
    )
    if changed:
        what = [name, "switched_on" if recommend else "switched_off"]
        await audit.note(house, citizen_id, "fact_switched", what=what, by=by)


async def dispute(
    house: House, citizen_id: UUID, name: str, ask: Objection, *, by: UUID | None = None
) -> None:
    """Say that what a source attests is wrong; it is told, and no recommendation rests on it until
    it is answered. Raises NoSuchAttribute, NothingToDispute, NotFound.
    """
    found = known(house, await row(house.db, citizen_id)).get(_name(name))
    sources = {said.source for said in found.said} if found else set[str]()
    if ask.source == SELF or ask.source not in sources:
        raise NothingToDispute
    now = house.clock.now()
    kind, body = outbox.row(AttributeDisputed(citizen_id, name, ask.source, now))
    bucket = ids.bucket_of(citizen_id)
    kept = await q.dispute(
        house.db,
        bucket=bucket,
        citizen_id=citizen_id,
        name=name,
        source=ask.source,
        words=house.keys.seal(ask.words, WORDS),
        now=now,
        event_id=ids.new(bucket),
        type=kind,
        body=body,
    )
    if kept is None:  # it was taken back in this instant
        raise NothingToDispute
    house.hint()
    await audit.note(house, citizen_id, "objection", reader=ask.source, what=[name], by=by)


async def take_back_dispute(
    house: House, citizen_id: UUID, name: str, source: str, *, by: UUID | None = None
) -> None:
    """It is right after all. No harm if nobody objected. Raises NoSuchAttribute."""
    gone = await q.take_back_dispute(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        name=_name(name),
        source=source,
        **over(house, citizen_id, name, source, "taken_back"),
    )
    if gone:
        house.hint()
        await audit.note(
            house, citizen_id, "objection_taken_back", reader=source, what=[name], by=by
        )


async def objection(house: House, citizen_id: UUID, name: str, source: str) -> str | None:
    """What a citizen says against it; None where they don't any more."""
    found: DisputeRow | None = await q.objection(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        name=name,
        source=source,
    )
    return None if found is None else house.keys.open(found.words, WORDS)


def over(
    house: House,
    citizen_id: UUID,
    name: str,
    source: str,
    outcome: Outcome,
    dispute: UUID | None = None,
) -> dict[str, Any]:
    """What a statement needs that ends an objection and tells of it."""
    event = DisputeOver(citizen_id, name, source, outcome, house.clock.now(), dispute)
    kind, body = outbox.row(event)
    return {"event_id": ids.new(ids.bucket_of(citizen_id)), "type": kind, "body": body}


async def forget(house: House) -> None:
    """Objections that departments have had before them for a year."""
    await q.forget_disputes(house.db, days=DESK_DAYS)


def _name(said: str) -> str:
    if said not in NAMES:
        raise NoSuchAttribute
    return said


__all__ = [
    "REGISTER", "attest", "attributes", "declare", "dispute", "objection", "over", "switch",
    "take_back_dispute",
]  # fmt: skip
