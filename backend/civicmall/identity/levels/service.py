"""Verbs: from a phone to a real name, by a register or by an upstream that is trusted for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import msgspec

from civicmall.identity.delegation.proving import grown
from civicmall.identity.errors import AlreadyVerified, NotInRegister, NumberTaken
from civicmall.identity.events import LevelRaised
from civicmall.identity.models import CitizenRow, Profile, Verification
from civicmall.identity.people import ATTESTED, NAME, NUMBER, profile, row
from civicmall.identity.rules import valid_id_number
from civicmall.identity.signing import Signing
from civicmall.kernel import ids, outbox
from civicmall.kernel.house import House

from . import limits, rules
from .authority import Authority, NoAuthority, Register, SandboxAuthority
from .errors import AuthorityAway
from .models import By
from .queries import q
from .remote import RemoteAuthority
from .settings import set_up


def open_authority(
    house: House, client: httpx.AsyncClient, signing: Signing, env: Mapping[str, str] | None = None
) -> Authority:
    """The city's own where its settings are there, in a sandbox else the sandbox's.

    Raises BadSetting.
    """
    found = set_up(os.environ if env is None else env)
    if found is not None:
        remote = RemoteAuthority(house, client, signing, *found)
        return Authority(remote, remote)
    if house.settings.sandbox:
        own = SandboxAuthority(house)
        return Authority(own, own)
    return Authority(NoAuthority(), NoAuthority())


async def verify(
    house: House, citizen_id: UUID, ask: Verification, register: Register | None = None
) -> Profile:
    """Raise a citizen to level 2; without a `register` the sandbox's is asked.

    Raises NotInRegister, NumberTaken, AlreadyVerified, TooManyVerifications, AuthorityAway.
    """
    current = await row(house.db, citizen_id)
    if current.id_number is not None:
        if _is(house, current, ask.name, ask.id_number):
            return profile(house, current)
        raise AlreadyVerified  # and the register isn't asked: nobody learns about others from it
    if not valid_id_number(ask.id_number):
        raise NotInRegister
    facts = await _asked(house, citizen_id, ask, register)
    return await _take(house, citizen_id, ask, facts, "register")


async def _asked(
    house: House, citizen_id: UUID, ask: Verification, register: Register | None
) -> dict[str, Any]:
    """What the register attests. A right answer costs no try of the account's, but one of the
    number's, since it tells something, too. Raises NotInRegister, TooManyVerifications, AuthorityAway.
    """
    mine, theirs = f"verify:citizen:{citizen_id}", f"verify:number:{ask.id_number}"
    await limits.count(house, mine, rules.CITIZEN_DAY)
    try:
        await limits.count(house, theirs, rules.NUMBER_DAY)
        facts = await _register(house, register).check(ask.name, ask.id_number)
    except AuthorityAway:
        await limits.give_back(house, theirs)
        await limits.give_back(house, mine)
        raise
    if facts is None:
        raise NotInRegister
    await limits.give_back(house, mine)
    return facts


def _register(house: House, register: Register | None) -> Register:
    if register is not None:
        return register
    return SandboxAuthority(house) if house.settings.sandbox else NoAuthority()


async def attest(house: House, citizen_id: UUID, name: str, id_number: str, *, by: By) -> Profile:
    """The same where somebody else, whom the city trusts for it, has checked name and number.

    Raises NotInRegister for a number that can't be one, NumberTaken, AlreadyVerified.
    """
    if not valid_id_number(id_number):
        raise NotInRegister
    current = await row(house.db, citizen_id)
    if current.id_number is not None:
        if house.keys.open(current.id_number, NUMBER) == id_number:
            return profile(house, current)
        raise AlreadyVerified
    ask = Verification(name, id_number)
    return await _take(house, citizen_id, ask, rules.facts_of(id_number), by)


async def _take(
    house: House, citizen_id: UUID, ask: Verification, facts: dict[str, Any], by: By
) -> Profile:
    """A number belongs to one account; an account has one number."""
    blind = house.keys.blind(ask.id_number, "id_number")
    taking = {"bucket": blind[0], "blind": blind, "id": citizen_id}
    holder = await q.take_number(house.db, **taking)
    if holder is None:  # lost a race and read too early: whoever won is there now
        holder = await q.take_number(house.db, **taking)
    if holder != citizen_id and not await grown(house, holder, citizen_id, ask.id_number):
        raise NumberTaken
    bucket = ids.bucket_of(citizen_id)
    raised = await q.raise_to_name(
        house.db,
        bucket=bucket,
        id=citizen_id,
        name=house.keys.seal(ask.name, NAME),
        id_number=house.keys.seal(ask.id_number, NUMBER),
        attested=house.keys.seal(msgspec.json.encode(facts).decode(), ATTESTED),
        **news(house, citizen_id, 2, by),
    )
    current = await row(house.db, citizen_id)
    if raised is None and not _has(house, current, ask.id_number):
        # The same account was verified with another number in this instant: this one stays free.
        await q.release_number(house.db, **taking)
        raise AlreadyVerified
    house.hint()
    return profile(house, current)


def news(house: House, citizen_id: UUID, level: int, by: By) -> dict[str, Any]:
    """The event of a raised level, as a statement takes it, and the way for the citizen's line."""
    kind, body = outbox.row(LevelRaised(citizen_id, level, by, house.clock.now()))
    bucket = ids.bucket_of(citizen_id)
    return {"event_id": ids.new(bucket), "type": kind, "body": body, "way": by}


async def forget(house: House) -> None:
    """Remove counts, checks and codes whose time is over."""
    await q.forget(house.db, days=rules.DAYS_KEPT)


def _has(house: House, citizen: CitizenRow, id_number: str) -> bool:
    """Whether a citizen was verified with this number."""
    sealed = citizen.id_number
    return sealed is not None and house.keys.open(sealed, NUMBER) == id_number


def _is(house: House, citizen: CitizenRow, name: str, id_number: str) -> bool:
    known = citizen.name
    return (
        _has(house, citizen, id_number)
        and known is not None
        and house.keys.open(known, NAME) == name
    )
