"""Verbs: out to the upstream, back from it, and the connection between the two accounts."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from civicmall.identity import audit, levels, limits, people
from civicmall.identity.devices import open_session, place, signed_in_recently
from civicmall.identity.events import UpstreamLinked
from civicmall.identity.limits import Origin
from civicmall.identity.models import Caller, CitizenRow
from civicmall.identity.people import NUMBER
from civicmall.identity.rules import valid_id_number
from civicmall.identity.service import account
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, outbox, sql
from civicmall.kernel.crypto import SealBroken
from civicmall.kernel.db import Db
from civicmall.kernel.errors import NotFound, Problem
from civicmall.kernel.house import House

from . import rules
from .errors import (
    FlowBroken,
    LinkNeeded,
    LinkTaken,
    OtherPerson,
    TooManyLinks,
    UpstreamRefused,
    UpstreamWrong,
)
from .models import Back, Claims, Finished, Flow, Person, Ticket, UpstreamLink, Way
from .upstream import Upstream

q = sql.load(__file__, UpstreamLink)
FLOW: Final = "identity.federation.flow"
TICKET: Final = "identity.federation.ticket"
SUBJECT: Final = "upstream_subject"
CALLBACK: Final = "/login/federation/callback"


def redirect_uri(house: House, upstream: Upstream, way: Way) -> str:
    """Where the upstream sends people back to; registered there, letter by letter. Raises NotFound."""
    if way == "web":
        return house.settings.public_url + CALLBACK
    if not upstream.settings.app_redirect:
        raise NotFound
    return upstream.settings.app_redirect


async def start(
    house: House,
    upstream: Upstream,
    way: Way,
    lang: str,
    *,
    next_path: str = "/",
    link: bool = False,
) -> tuple[str, str]:
    """The address to go to, and the sealed flow to bring back. Raises UpstreamAway, UpstreamWrong."""
    back_to = redirect_uri(house, upstream, way)
    metadata = await upstream.metadata()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    flow = Flow(way, state, nonce, verifier, upstream.issuer, house.clock.now(), next_path, link)
    url = rules.authorize_url(
        metadata.authorization_endpoint,
        response_type="code", client_id=upstream.settings.client_id, redirect_uri=back_to,
        scope=upstream.settings.scope, state=state, nonce=nonce, ui_locales=lang,
        code_challenge=rules.challenge(verifier), code_challenge_method="S256",
    )  # fmt: skip
    return url, _sealed(house, flow, FLOW)


def opened(house: House, sealed: str, way: Way) -> Flow:
    """A flow as it was begun. Raises FlowBroken."""
    try:
        raw = base64.b64decode(sealed, altchars=b"-_", validate=True)
        flow = msgspec.json.decode(house.keys.open(raw, FLOW), type=Flow)
    except (ValueError, SealBroken, msgspec.MsgspecError) as error:
        raise FlowBroken(reason="missing") from error
    if flow.way != way:
        raise FlowBroken(reason="missing")
    return flow


async def finish(
    house: House,
    tokens: Tokens,
    upstream: Upstream,
    flow: Flow,
    back: Back,
    device: str,
    origin: Origin | None = None,
) -> Finished:
    """Back from the upstream: signed in, or a problem that says why not.

    Raises TooManyTries, FlowBroken, UpstreamRefused, UpstreamAway, UpstreamWrong, LinkNeeded,
    LinkTaken, OtherPerson.
    """
    if origin is not None:
        await limits.count(house, origin, "try")
    person = await _vouched(house, upstream, flow, back)
    citizen_id = None if flow.link else await _citizen(house, person)
    if citizen_id is None:
        ticket = Ticket(secrets.token_urlsafe(16), person, house.clock.now())
        raise LinkNeeded(link_ticket=_sealed(house, ticket, TICKET), account=person.shown)
    trouble = await _take_name(house, citizen_id, person)
    found: CitizenRow = await people.row(house.db, citizen_id)
    at = origin and place(house, citizen_id, device, origin.address, origin.device)
    session = await open_session(house.db, citizen_id, "citizen", device, amr=["federated"], at=at)
    return Finished(tokens.issue(Caller(citizen_id, session, found.level), 0), citizen_id, trouble)


async def _vouched(house: House, upstream: Upstream, flow: Flow, back: Back) -> Person:
    """Whom the upstream names, once everything about its answer holds."""
    metadata = await upstream.metadata()
    rules.check_back(
        flow, back, age_s=(house.clock.now() - flow.at).total_seconds(), issuer=upstream.issuer,
        iss_announced=metadata.authorization_response_iss_parameter_supported,
    )  # fmt: skip
    if not await _spend(house, flow.state, rules.FLOW_S):
        raise FlowBroken(reason="used")
    if back.error:
        raise UpstreamRefused(error=rules.error_code(back.error))
    if not back.code:
        raise UpstreamWrong(check="code")
    claims, access_token = await upstream.exchange(
        back.code, flow, redirect_uri(house, upstream, flow.way)
    )
    sub: str = claims["sub"]
    sources = [claims]
    if upstream.settings.trusted and _lacks(upstream, claims):
        sources.append(await upstream.userinfo(access_token, sub))
    return _person(upstream, sources, sub)


def _lacks(upstream: Upstream, claims: Claims) -> bool:
    """Whether something that it is trusted for isn't in the ID token."""
    settings = upstream.settings
    wanted = {"phone_number"} if "phone" in settings.trusted else set[str]()
    if "name" in settings.trusted:
        wanted |= {settings.name_claim, settings.number_claim}
    return not wanted <= claims.keys()


def _person(upstream: Upstream, sources: list[Claims], sub: str) -> Person:
    """What belongs together is taken from one place: a number from here is not verified there."""
    trusted, settings = upstream.settings.trusted, upstream.settings
    phone = name = number = None
    for claims in sources:
        if "phone" in trusted:
            phone = phone or rules.phone_of(claims)
        if "name" in trusted and number is None:
            said = rules.text_of(claims, settings.number_claim)
            number = said.upper() if said and valid_id_number(said.upper()) else None
            name = rules.text_of(claims, settings.name_claim) if number else None
    return Person(upstream.issuer, sub, phone, name, number, rules.shown(sources, sub))


async def _citizen(house: House, person: Person) -> UUID | None:
    """Who this is here, connected or reachable by a phone that the upstream answers for."""
    blind = _blind(house, person)
    holder: UUID | None = await q.subject(house.db, bucket=blind[0], blind=blind)
    if holder is not None:
        bucket = ids.bucket_of(holder)
        await _same_person(house, holder, person)
        if await q.use_link(house.db, bucket=bucket, citizen_id=holder, blind=blind):
            return holder
        # Let go half-way, or taken and not yet connected: nothing is decided by this row alone.
        await q.let_subject_go(house.db, bucket=blind[0], blind=blind, citizen_id=holder)
    if person.phone is None:
        return None
    citizen_id = await account(house, person.phone)
    if not await _same_person(house, citizen_id, person):
        return (
            None  # somebody's whose name is proven: a number that was theirs once is no key to it
        )
    bucket = ids.bucket_of(citizen_id)
    if await q.was_ended(house.db, bucket=bucket, citizen_id=citizen_id, blind=blind):
        return None
    await _connect(house, citizen_id, person, agreed=False)
    return citizen_id


async def _same_person(house: House, citizen_id: UUID, person: Person) -> bool:
    """Phones get other owners, and upstreams make mistakes. False where the account is of somebody known
    by name and number, and the upstream says neither. Raises OtherPerson.
    """
    found = await people.row(house.db, citizen_id)
    if found.id_number is None:
        return True
    if person.id_number is None:
        return False
    if house.keys.open(found.id_number, NUMBER) != person.id_number:
        raise OtherPerson
    return True


async def _connect(house: House, citizen_id: UUID, person: Person, *, agreed: bool) -> UpstreamLink:
    """Raises LinkTaken, TooManyLinks."""
    blind, bucket = _blind(house, person), ids.bucket_of(citizen_id)
    taking = {"bucket": blind[0], "blind": blind, "citizen_id": citizen_id}
    holder = await q.take_subject(house.db, **taking)
    if holder is None:  # another took it in this instant, and this statement began too early to see
        holder = await q.take_subject(house.db, **taking)
    if holder != citizen_id:
        raise LinkTaken
    kind, body = outbox.row(UpstreamLinked(citizen_id, _host(person.issuer), house.clock.now()))
    link = ids.new(bucket)
    found: UpstreamLink | None = await q.add_link(
        house.db, bucket=bucket, citizen_id=citizen_id, blind=blind, id=link,
        issuer=person.issuer, agreed=agreed, most=rules.LINKS_MAX, event_id=ids.new(bucket),
        type=kind, body=body,
    )  # fmt: skip
    if found is None:
        await q.let_subject_go(house.db, **taking)
        raise TooManyLinks
    house.hint()
    if found.id == link:
        await audit.note(house, citizen_id, "linked", what=[_host(person.issuer)])
    return found


async def _take_name(house: House, citizen_id: UUID, person: Person) -> str:
    """Raise to level 2 where the upstream is trusted with real names; what stood in the way, if
    anything did: the sign-in itself is good.
    """
    if person.name is None or person.id_number is None:
        return ""
    try:
        await levels.attest(house, citizen_id, person.name, person.id_number, by="upstream")
    except Problem as problem:
        return problem.type.rpartition("/")[2]
    return ""


def read_ticket(house: House, sealed: str) -> Ticket:
    """A ticket that may still be used. Raises FlowBroken."""
    try:
        raw = base64.b64decode(sealed, altchars=b"-_", validate=True)
        ticket = msgspec.json.decode(house.keys.open(raw, TICKET), type=Ticket)
    except (ValueError, SealBroken, msgspec.MsgspecError) as error:
        raise FlowBroken(reason="missing") from error
    age_s = (house.clock.now() - ticket.at).total_seconds()
    if not -rules.LEEWAY_S <= age_s <= rules.TICKET_S:
        raise FlowBroken(reason="expired")
    return ticket


async def agree(house: House, upstream: Upstream, caller: Caller, sealed: str) -> UpstreamLink:
    """The signed-in citizen connects the account in a ticket with their own; since it will sign
    them in, it must be surely them who asks.

    Raises SignInAgain, FlowBroken, LinkTaken, TooManyLinks, OtherPerson.
    """
    citizen_id = caller.citizen_id
    await signed_in_recently(house.db, caller.session_id)
    ticket = read_ticket(house, sealed)
    if ticket.person.issuer != upstream.issuer:
        raise FlowBroken(reason="issuer")
    await _same_person(house, citizen_id, ticket.person)
    if not await _spend(house, ticket.id, rules.TICKET_S):
        raise FlowBroken(reason="used")
    found = await _connect(house, citizen_id, ticket.person, agreed=True)
    await _take_name(house, citizen_id, ticket.person)
    return found


async def links(db: Db, citizen_id: UUID) -> list[UpstreamLink]:
    """The accounts elsewhere that sign this citizen in, newest first."""
    found: list[UpstreamLink] = await q.links(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id
    )
    return found


async def unlink(house: House, citizen_id: UUID, link_id: UUID) -> None:
    """From now on that account signs nobody in. No harm if it was none of theirs."""
    bucket = ids.bucket_of(citizen_id)
    ended = await q.end_link(house.db, bucket=bucket, citizen_id=citizen_id, id=link_id)
    if ended is not None:
        blind: bytes = ended["blind"]
        await audit.note(house, citizen_id, "unlinked", what=[_host(ended["issuer"])])
        await q.let_subject_go(house.db, bucket=blind[0], blind=blind, citizen_id=citizen_id)


async def _spend(house: House, text: str, seconds: int) -> bool:
    """Whether this is the first time; remembered for longer than it would be taken."""
    digest = hashlib.sha256(text.encode()).digest()
    kept_s = float(seconds * 2)
    return bool(await q.spend(house.db, bucket=digest[0], hash=digest, seconds=kept_s))


def _blind(house: House, person: Person) -> bytes:
    return house.keys.blind(f"{person.issuer}\0{person.sub}", SUBJECT)


def _host(issuer: str) -> str:
    return urlsplit(issuer).hostname or issuer


def _sealed(house: House, said: msgspec.Struct, context: str) -> str:
    sealed = house.keys.seal(msgspec.json.encode(said).decode(), context)
    return base64.urlsafe_b64encode(sealed).decode()
