"""What a register proves: whose parents somebody has, and who represents an enterprise."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from civicmall.identity import people
from civicmall.identity.models import Caller
from civicmall.identity.rules import valid_id_number
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, logs
from civicmall.kernel.errors import NotFound, Problem
from civicmall.kernel.house import House

from . import register, rules, service, views
from .errors import OfAge, RelationUnproven
from .models import ChildAsk, Delegation, Due, EnterpriseAsk, Kind, Row
from .queries import q

log = logs.get("identity")
AT_ONCE: Final = 500
"""Of one turn of the job; the rest has the next."""


async def child(house: House, caller: Caller, ask: ChildAsk) -> Delegation:
    """A parent acts for their child until it is eighteen (Civil Code, articles 23 and 27). The child's
    account is made if there is none: without a phone, known by the register.

    Raises ActorUnproven, OfAge, RelationUnproven.
    """
    me = service.proven(caller)
    if not valid_id_number(ask.id_number):
        raise RelationUnproven
    until = rules.of_age_at(rules.born(ask.id_number))
    if until <= house.clock.now():
        raise OfAge
    if not await register.of(house).is_parent(await _number(house, me), ask.id_number, ask.name):
        raise RelationUnproven
    keys, blind = house.keys, house.keys.blind(ask.id_number, "id_number")
    facts = {
        "birth_date": rules.born(ask.id_number).isoformat(),
        "sex": "male" if int(ask.id_number[16]) % 2 else "female",
    }
    account = {
        "bucket": blind[0], "blind": blind, "id": ids.new(blind[0]),
        "name": keys.seal(ask.name, people.NAME), "id_number": keys.seal(ask.id_number, people.NUMBER),
        "attested": keys.seal(msgspec.json.encode(facts).decode(), people.ATTESTED),
    }  # fmt: skip
    principal: UUID | None = await q.open_child(house.db, **account)
    if principal is None:  # made in this instant by the other parent
        principal = await q.open_child(house.db, **account)
    if principal is None or principal == me:
        raise RelationUnproven
    return await _begin(house, me, principal, "child", until)


async def grown(house: House, holder: UUID | None, citizen: UUID, id_number: str) -> bool:
    """Whether the ID number of an account that was made for a child is the citizen's now: of age, they have
    an account of their own. What was done for the child stays where it is, and nobody acts for it any more.
    """
    if holder is None or rules.of_age_at(rules.born(id_number)) > house.clock.now():
        return False
    blind = house.keys.blind(id_number, "id_number")
    taken = await q.take_over(house.db, bucket=blind[0], blind=blind, holder=holder, id=citizen)
    return taken is not None


async def enterprise(house: House, caller: Caller, ask: EnterpriseAsk) -> Delegation:
    """The legal representative acts for an enterprise (Civil Code, article 61), until the business
    register names another. Raises ActorUnproven, RelationUnproven.
    """
    me = service.proven(caller)
    if not rules.valid_uscc(ask.uscc):
        raise RelationUnproven
    if not await register.of(house).represents(await _number(house, me), ask.uscc, ask.name):
        raise RelationUnproven
    keys, blind = house.keys, house.keys.blind(ask.uscc, "uscc")
    account = {
        "bucket": blind[0], "blind": blind, "id": ids.new(blind[0]),
        "name": keys.seal(ask.name, people.NAME), "uscc": keys.seal(ask.uscc, people.USCC),
    }  # fmt: skip
    principal: UUID | None = await q.open_enterprise(house.db, **account)
    if principal is None:  # registered in this instant by a second request
        principal = await q.open_enterprise(house.db, **account)
    if principal is None:
        raise RelationUnproven
    return await _begin(house, me, principal, "representative", None)


async def _number(house: House, me: UUID) -> str:
    sealed = (await people.row(house.db, me)).id_number
    if sealed is None:
        raise RelationUnproven
    return house.keys.open(sealed, people.NUMBER)


async def _begin(house: House, me: UUID, principal: UUID, kind: Kind, until: object) -> Delegation:
    """The delegation that a register proves, made if there is none."""
    bucket = ids.bucket_of(principal)
    pair = {"bucket": bucket, "principal": principal, "agent": me, "kind": kind}
    known: UUID | None = await q.pair(house.db, **pair)
    if known is None:
        made = ids.new(bucket)
        await q.hold(house.db, bucket=ids.bucket_of(me), holder=me.bytes, id=made)
        one, other = await people.row(house.db, principal), await people.row(house.db, me)
        shown = {
            **pair, "id": made, "may": list(rules.EVERYTHING), "valid_until": until,
            "principal_name": house.keys.seal(views.shown(house, one), views.PRINCIPAL),
            "agent_name": house.keys.seal(views.shown(house, other), views.AGENT),
            "now": house.clock.now(),
        }  # fmt: skip
        known = await q.proved(house.db, **shown) or await q.pair(house.db, **pair)
        if known == made:
            await service.given(house, principal, me, list(rules.EVERYTHING))
    if known is None:
        raise RelationUnproven
    return views.delegation(house, await service.found(house, known), "agent")


async def watch(house: House, tokens: Tokens) -> None:
    """Note what time has ended, and ask the registers again about what they proved."""
    due: list[Due] = await q.due(house.db, now=house.clock.now(), most=AT_ONCE)
    for one in due:
        row = await service.found(house, one.id)
        if row.state == "ended":
            await service.ended(house, tokens, row, row.reason)
    asked: list[Due] = await q.to_ask(house.db, days=rules.ASKED_DAYS, most=AT_ONCE)
    for one in asked:
        row = await service.found(house, one.id)
        try:
            holds = await _holds(house, row)
        except (NotFound, RelationUnproven):  # one of the two is known by name no more
            holds = False
        except (Problem, OSError, asyncpg.PostgresError):  # it proves nothing and ends nothing
            log.warning("delegation.register_away", delegation=str(one.id), exc_info=True)
            continue
        if holds:
            await q.asked(house.db, bucket=one.bucket, id=one.id)
        else:
            await service.ended(house, tokens, row, "register")


async def _holds(house: House, row: Row) -> bool:
    """Whether the register still says so."""
    if row.state != "active" or row.principal is None or row.agent is None:
        return True
    keys, principal = house.keys, await people.row(house.db, row.principal)
    number, name = await _number(house, row.agent), keys.open(principal.name or b"", people.NAME)
    asked = register.of(house)
    if row.kind == "child":
        return await asked.is_parent(number, await _number(house, row.principal), name)
    return await asked.represents(number, keys.open(principal.uscc or b"", people.USCC), name)
