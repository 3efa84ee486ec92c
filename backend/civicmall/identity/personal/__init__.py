"""What this room keeps about a citizen: given out whole, and forgotten when they leave."""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID

from civicmall.identity.agreements import consents, take_back
from civicmall.identity.attributes.disputes import ANSWER
from civicmall.identity.attributes.service import WORDS
from civicmall.identity.delegation.views import AGENT, PRINCIPAL
from civicmall.identity.devices import PLACE
from civicmall.identity.models import CitizenRow
from civicmall.identity.objections import service as objections
from civicmall.identity.people import (
    ATTESTED,
    DECLARED,
    EVENT,
    NAME,
    NUMBER,
    PHONE,
    USCC,
    VALUE,
)
from civicmall.identity.queries import q as room
from civicmall.kernel import ids, sql
from civicmall.kernel.house import House
from civicmall.kernel.personal import Personal, Table

q = sql.load(__file__)
LAPSED_S: Final = 1300.0
"""For so long other processes look back for what ended."""
NOBODY: Final = "—"
PASSKEY: Final = "identity.passkey.name"

TABLES: Final = (
    Table("identity.citizen", q.citizen, {
        "phone": PHONE, "name": NAME, "id_number": NUMBER, "uscc": USCC, "attested": ATTESTED,
        "declared": DECLARED,
    }),
    Table("identity.attribute", q.attributes, {"value": VALUE}),
    Table("identity.attribute_off", q.attributes_off),
    Table("identity.dispute", q.disputes, {"words": WORDS, "answer": ANSWER}),
    Table("identity.life_event", q.life_events, {"event": EVENT}),
    Table("identity.session", q.sessions, {"network": PLACE}),
    Table("identity.passkey", q.passkeys, {"name": PASSKEY}),
    Table("identity.consent", q.consents),
    Table("identity.audit", q.audit),
    Table("identity.reading", q.readings),
    Table("identity.reading_objection", q.reading_objections, {"words": objections.WORDS, "answer": objections.ANSWER}),
    Table("identity.grant_", q.grants),
    Table("identity.upstream_link", q.upstream_links),
    Table("identity.face_check", q.face_checks),
    Table("identity.delegation", q.delegations, {"agent_name": AGENT}),
    Table("identity.delegation_held", q.held),
)  # fmt: skip
LEFT_OUT: Final = {
    "identity.phone": "The way from a keyed hash to the account; the phone stands in identity.citizen.",
    "identity.id_number": "The way from a keyed hash to the account; the number stands in identity.citizen.",
    "identity.enterprise": "The way from a keyed hash to the account; the code stands in identity.citizen.",
    "identity.upstream_subject": "The way from a keyed hash to the account; the link stands in identity.upstream_link.",
    "identity.passkey_id": "The way from a keyed hash to the account; the passkey stands in identity.passkey.",
    "identity.auth_code": "Works once within a minute; what it was for stands in identity.grant_.",
    "identity.counter_code": "A secret of five minutes that only the counter needs.",
    "identity.audit_head": "Where the chain of identity.audit ends, which is exported whole.",
    "identity.audit_reading": "What was read within the last hour; it stands in identity.audit.",
    "identity.deletion": "Who can ask has no row in it.",
}


async def erase(house: House, citizen_id: UUID) -> None:
    """Everything but the bare id, the trail of who looked, and that they left."""
    mine: dict[str, Any] = {"bucket": ids.bucket_of(citizen_id), "citizen_id": citizen_id}
    for given in await consents(house.db, citizen_id):
        await take_back(house, citizen_id, given.grantee)
    await objections.erase(house, citizen_id)
    await _end_delegations(house, citizen_id)
    for (credential,) in await q.passkey_ids(house.db, **mine):
        digest = hashlib.sha256(credential).digest()
        await q.forget_passkey_id(house.db, bucket=digest[0], hash=digest, owner=citizen_id)
    for (blind,) in await q.upstream_blinds(house.db, **mine):
        await q.forget_upstream(house.db, bucket=blind[0], blind=blind, citizen_id=citizen_id)
    citizen: CitizenRow | None = await room.citizen(house.db, bucket=mine["bucket"], id=citizen_id)
    if citizen is not None and citizen.phone is not None:
        await _decline(house, house.keys.open(citizen.phone, PHONE))
    if citizen is not None and citizen.id_number is not None:  # before it can't be read any more
        blind = house.keys.blind(house.keys.open(citizen.id_number, NUMBER), "id_number")
        await q.forget_number(house.db, bucket=blind[0], blind=blind, citizen_id=citizen_id)
    await q.erase(house.db, phone=house.keys.seal("", PHONE), lapsed_s=LAPSED_S, **mine)


async def _end_delegations(house: House, citizen_id: UUID) -> None:
    bucket = ids.bucket_of(citizen_id)
    nobody = {"agent": house.keys.seal(NOBODY, AGENT)}
    await q.end_delegations(
        house.db, bucket=bucket, citizen_id=citizen_id, lapsed_s=LAPSED_S,
        principal=house.keys.seal(NOBODY, PRINCIPAL), **nobody,
    )  # fmt: skip
    after: str | None = None
    while held := await q.held(
        house.db, bucket=bucket, citizen_id=citizen_id, after=after, most=100
    ):
        for row in held:
            await q.end_held(
                house.db, bucket=ids.bucket_of(row["id"]), id=row["id"], citizen_id=citizen_id,
                **nobody,
            )  # fmt: skip
        after = held[-1]["key"]
    await q.forget_held(house.db, bucket=bucket, citizen_id=citizen_id)


async def _decline(house: House, phone: str) -> None:
    """What they were asked and didn't answer is no question to whoever has the phone next."""
    if not phone:  # forgotten already
        return
    blind = house.keys.blind(phone, "phone")
    for (asked,) in await q.invited(house.db, bucket=blind[0], blind=blind):
        await q.decline(house.db, bucket=ids.bucket_of(asked), id=asked, blind=blind)
    await q.forget_invited(house.db, bucket=blind[0], blind=blind)


def personal() -> Personal:
    """What the room offers."""
    return Personal("identity", TABLES, LEFT_OUT, erase=erase)
