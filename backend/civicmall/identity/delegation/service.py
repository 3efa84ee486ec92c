"""The verbs of acting for others: prove, invite, accept, end, and act.

A delegation lies in the bucket of whom it is about. What is written about it elsewhere is only its id,
and before it: so nothing needs two buckets at once.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from civicmall.identity import audit, limits, people
from civicmall.identity.devices import signed_in_recently
from civicmall.identity.errors import ActingNotAllowed
from civicmall.identity.models import Caller, CitizenRow, May
from civicmall.identity.rules import ACCESS_S
from civicmall.identity.service import deliver
from civicmall.identity.tokens import Tokens
from civicmall.kernel import idempotency, ids
from civicmall.kernel.house import House
from civicmall.kernel.i18n import translate

from . import rules, views
from .errors import (
    ActorUnproven,
    BadDelegation,
    DelegationEnded,
    DelegationWaits,
    NoSuchDelegation,
    NotEndable,
    TooManyDelegations,
)
from .models import Delegation, Delegations, Fingerprint, Invitation, Reason, Row, Side
from .queries import q

SHOWN_MAX: Final = 100
"""Of each of a citizen's two lists, the newest; with ten invitations a day nobody has more in force."""
SCOPE: Final = "identity.delegations"
DAY_S: Final = 86_400


def itself(caller: Caller) -> UUID:
    """The citizen, where nobody acts for them. Raises ActingNotAllowed."""
    if caller.actor is not None or caller.acting or caller.app:
        raise ActingNotAllowed(missing="self")
    return caller.citizen_id


def proven(caller: Caller) -> UUID:
    """The same, known by their real name. Raises ActorUnproven."""
    me = itself(caller)
    if caller.level < rules.ACTOR_LEVEL:
        raise ActorUnproven(needed=rules.ACTOR_LEVEL)
    return me


def phone_of(house: House, citizen: CitizenRow) -> bytes | None:
    """The keyed hash of a citizen's phone, by which others invite them."""
    if citizen.phone is None:
        return None
    return house.keys.blind(house.keys.open(citizen.phone, people.PHONE), "phone")


async def found(house: House, delegation_id: UUID) -> Row:
    """A delegation as it is now. Raises NoSuchDelegation."""
    row: Row | None = await q.delegation(
        house.db, bucket=ids.bucket_of(delegation_id), id=delegation_id
    )
    if row is None:
        raise NoSuchDelegation
    return rules.standing(row, house.clock.now())


async def own(house: House, me: UUID, delegation_id: UUID) -> tuple[Row, Side]:
    """A delegation and the side that the citizen is on: an enterprise's legal representative speaks for
    it. Raises NoSuchDelegation, to strangers too.
    """
    row = await found(house, delegation_id)
    mine = rules.side(row, me, phone_of(house, await people.row(house.db, me)))
    if mine is None and row.principal is not None and await represents(house, me, row.principal):
        mine = "principal"
    if mine is None:
        raise NoSuchDelegation
    return row, mine


async def represents(house: House, me: UUID, enterprise: UUID) -> bool:
    """Whether the citizen is an enterprise's legal representative."""
    bucket = ids.bucket_of(enterprise)
    return await q.pair(
        house.db, bucket=bucket, principal=enterprise, agent=me, kind="representative"
    ) is not None  # fmt: skip


async def mine(house: House, caller: Caller) -> Delegations:
    """For whom the citizen may act, and who may act for them."""
    me = itself(caller)
    phone = phone_of(house, await people.row(house.db, me))
    bucket = ids.bucket_of(me)
    holders = [me.bytes, *([phone] if phone else [])]
    granted: list[Row] = await q.granted(
        house.db, bucket=bucket, principal=me, invited=phone, most=SHOWN_MAX
    )
    known = await q.held(house.db, bucket=bucket, holders=holders, most=SHOWN_MAX)
    rows: list[Row | None] = await asyncio.gather(
        *(q.delegation(house.db, bucket=ids.bucket_of(one), id=one) for (one,) in known)
    )
    held = [row for row in rows if row is not None and rules.side(row, me, phone) == "agent"]
    return Delegations(
        held=[views.delegation(house, row, "agent") for row in held],
        granted=[views.delegation(house, row, "principal") for row in granted],
    )


async def agents(house: House, caller: Caller, delegation_id: UUID) -> list[Delegation]:
    """Who may act for the enterprise that the citizen represents by a delegation. Raises
    NoSuchDelegation, DelegationEnded.
    """
    row = await _representing(house, itself(caller), delegation_id)
    rows: list[Row] = await q.granted(
        house.db, bucket=ids.bucket_of(row.id), principal=row.principal, invited=None, most=SHOWN_MAX
    )  # fmt: skip
    return [views.delegation(house, one, "principal") for one in rows]


async def _representing(house: House, me: UUID, delegation_id: UUID) -> Row:
    row = await found(house, delegation_id)
    if row.kind != "representative" or row.agent != me:
        raise NoSuchDelegation
    if row.state != "active":
        raise DelegationEnded(reason=row.reason)
    return row


async def invite(
    house: House, caller: Caller, key: str | None, ask: Invitation, shops: frozenset[str], lang: str
) -> Delegation:
    """Ask the owner of a phone; the answer and what is done for it are the same whether the phone has an
    account or not. The same key again is the same invitation.

    Whoever gives a right away signed in just now: it would outlast a stolen session.

    Raises BadDelegation, TooManyDelegations, ActorUnproven, SignInAgain, NoSuchDelegation,
    DelegationEnded, and those of idempotency.
    """
    me = itself(caller) if ask.whom == "agent" and ask.of is None else proven(caller)
    if ask.whom == "agent":
        await signed_in_recently(house.db, caller.session_id)
    citizen = await people.row(house.db, me)
    invited = house.keys.blind(ask.phone, "phone")
    wrong = rules.wrong(ask, house.clock.now(), shops)
    if invited == phone_of(house, citizen):
        wrong.append({"field": "phone", "problem": "it is your own"})
    if wrong:
        raise BadDelegation(errors=wrong)
    giver = me
    if ask.of is not None:
        giver = (await _representing(house, me, ask.of)).principal or me

    async def work(request_id: UUID) -> Delegation:
        bucket = invited[0] if ask.whom == "principal" else ids.bucket_of(giver)
        made = UUID(bytes=request_id.bytes[:15] + bytes((bucket,)))
        mine: Side = "agent" if ask.whom == "principal" else "principal"
        await _count(house, me, invited)
        await _invite(house, me, giver, made, ask, invited)
        text = translate(
            lang, "{name} asks about acting for each other in CivicMall. Sign in and look under Me.",
            name=views.shown(house, citizen),
        )  # fmt: skip
        await deliver(house, ask.phone, text)
        return views.delegation(house, await found(house, made), mine)

    said = msgspec.json.encode(ask, order="deterministic").decode()
    mark = Fingerprint(house.keys.blind(said, SCOPE))
    return await idempotency.once(house.db, me, SCOPE, key, mark, Delegation, work)


async def _count(house: House, me: UUID, invited: bytes) -> None:
    """Before anything is written: what the statements below count, many at once don't see of each other.
    Raises TooManyDelegations.
    """
    counted = (f"invites {me}", rules.INVITED_A_DAY), (f"invited {invited.hex()}", rules.TOLD_A_DAY)
    for name, most in counted:
        if await limits.one_more(house, name, limits.Limit(most, DAY_S)) is not None:
            raise TooManyDelegations


async def _invite(
    house: House, me: UUID, giver: UUID, made: UUID, ask: Invitation, invited: bytes
) -> None:
    """Write an invitation: first what its agent finds it by. Raises TooManyDelegations."""
    asks = ask.whom == "principal"
    most = rules.INVITED_A_DAY
    if asks:
        few = await q.hold_few(
            house.db, bucket=ids.bucket_of(me), holder=me.bytes, id=made, most=most
        )
        if few is None:
            raise TooManyDelegations
    else:
        await q.hold(house.db, bucket=invited[0], holder=invited, id=made)
    keys, now = house.keys, house.clock.now()
    other = views.masked_phone(ask.phone)
    own_name = views.shown(house, await people.row(house.db, giver))
    written = await q.invite(
        house.db,
        bucket=ids.bucket_of(made),
        id=made,
        kind="agent" if ask.of is not None else "relative",
        principal=None if asks else giver,
        agent=me if asks else None,
        invited=invited,
        principal_name=keys.seal(other if asks else own_name, views.PRINCIPAL),
        agent_name=keys.seal(own_name if asks else other, views.AGENT),
        may=sorted(set(ask.may)),
        shops=None if ask.shops is None else sorted(set(ask.shops)),
        valid_until=ask.valid_until,
        granted_by=me,
        answer_by=now + timedelta(days=rules.ANSWER_DAYS),
        now=now,
        most=most,
    )
    if written is None:
        raise TooManyDelegations
    await audit.note(
        house, me if asks else giver, "delegation_invited", what=sorted(set(ask.may)), by=me
    )


async def accept(house: House, caller: Caller, delegation_id: UUID) -> Delegation:
    """Take the place that an invitation left free; again: the same answer. Whoever gives a right away by
    it signed in just now.

    Raises NoSuchDelegation, DelegationEnded, ActorUnproven, SignInAgain.
    """
    me = itself(caller)
    row, side = await own(house, me, delegation_id)
    if row.state == "ended":
        raise DelegationEnded(reason=row.reason)
    if rules.can_accept(row, side):
        citizen = await people.row(house.db, me)
        if side == "agent":
            proven(caller)
            await q.hold(house.db, bucket=ids.bucket_of(me), holder=me.bytes, id=row.id)
        else:
            await signed_in_recently(house.db, caller.session_id)
        context = views.AGENT if side == "agent" else views.PRINCIPAL
        begun = await q.accept(
            house.db,
            bucket=ids.bucket_of(row.id),
            id=row.id,
            invited=phone_of(house, citizen),
            citizen_id=me,
            name=house.keys.seal(views.shown(house, citizen), context),
            now=house.clock.now(),
        )
        row, side = await own(house, me, delegation_id)
        if begun is not None and row.principal is not None:
            await given(house, row.principal, row.agent, row.may)
    if row.state != "active":
        raise DelegationEnded(reason=row.reason) if row.state == "ended" else DelegationWaits
    return views.delegation(house, row, side)


async def given(house: House, principal: UUID, agent: UUID | None, may: list[May]) -> None:
    """A line in the audit of whom it is about: somebody may act for them; and one in the other's."""
    await audit.note(house, principal, "delegation_given", what=sorted(may), by=agent)
    if agent is not None:
        await audit.note(house, agent, "delegation_received", what=sorted(may), by=agent)


async def ended(
    house: House, tokens: Tokens, row: Row, reason: Reason, by: UUID | None = None
) -> None:
    """End a delegation, once: its tokens stop, and both find a line in their audit. Lines lie in the
    bucket of whose they are, so they come after it.
    """
    bucket = ids.bucket_of(row.id)
    if not await q.end(house.db, bucket=bucket, id=row.id, reason=reason):
        return
    tokens.end(row.id)
    if row.principal is not None and row.began_at is not None:
        await audit.note(house, row.principal, "delegation_ended", what=sorted(row.may), by=by)
        if row.agent is not None:
            await audit.note(house, row.agent, "delegation_lost", what=sorted(row.may), by=by)


async def end(house: House, tokens: Tokens, caller: Caller, delegation_id: UUID) -> None:
    """End or decline one's own; no harm if it has ended. Raises NoSuchDelegation, NotEndable."""
    me = itself(caller)
    row, side = await own(house, me, delegation_id)
    if row.state == "ended":
        return
    if (reason := rules.reason(row, side)) is None:
        raise NotEndable
    await ended(house, tokens, row, reason, me)


async def acting(house: House, caller: Caller, delegation_id: UUID) -> tuple[Row, Caller]:
    """Who the citizen is while acting by a delegation: the principal, with exactly the rights given, known
    no better than either of the two.

    Raises NoSuchDelegation (also to the principal: it is the agent's), DelegationEnded, DelegationWaits,
    ActorUnproven, and ActingNotAllowed where somebody acts already: rights make no chain.
    """
    me = itself(caller)
    row = await found(house, delegation_id)
    if row.agent != me:
        raise NoSuchDelegation
    if row.state == "ended":
        raise DelegationEnded(reason=row.reason)
    if row.state == "invited" or row.principal is None:
        raise DelegationWaits
    proven(caller)
    level = min(caller.level, (await people.row(house.db, row.principal)).level)
    return row, Caller(row.principal, caller.session_id, level, actor=rules.actor(row, me))


async def act(house: House, tokens: Tokens, caller: Caller, delegation_id: UUID) -> tuple[str, int]:
    """An access token to act with, and its seconds. It hangs on the caller's own session, and nothing
    refreshes it but asking again. Raises as `acting`.
    """
    row, who = await acting(house, caller, delegation_id)
    await begun(house, row, caller.citizen_id)
    return tokens.access(who), lives_s(house, who)


async def begun(house: House, row: Row, agent: UUID) -> None:
    """A line in both audits: the agent acts. An hour's tokens leave one; whoever asks for a thousand
    would else fill another's audit.
    """
    what, purpose = sorted(row.may), str(row.id)
    if row.principal is not None:
        await audit.note(
            house, row.principal, "acting", what=what, purpose=purpose, by=agent, fold=True
        )
    await audit.note(house, agent, "acted", what=what, purpose=purpose, by=agent, fold=True)


def lives_s(house: House, who: Caller) -> int:
    """Seconds that an acting token made now lives."""
    until = who.actor.until if who.actor else None
    left = ACCESS_S if until is None else until - int(house.clock.now().timestamp())
    return min(ACCESS_S, left)
