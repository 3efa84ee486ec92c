"""From a request to its answer: who is there, what is missing, what they agreed to, and the code.

The pages are the web room's; they show what this says, and never decide.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from uuid import UUID

import msgspec
from msgspec import Struct

from civicmall.identity import agreements, audit, devices, people
from civicmall.identity.models import Caller, SignedIn
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids
from civicmall.kernel.house import House

from . import handles, requests, rules
from .errors import OAuthError, Unredirectable
from .models import AuthRequest, Client, Ticket
from .queries import q
from .rules import Signed, Step
from .subjects import subject

OWN: Final = frozenset({rules.SIGN_IN, rules.OFFLINE})
"""What is agreed to that is no fact about a citizen."""


class Asked(Struct, frozen=True):
    """One line of the question."""

    claim: str
    purpose: dict[str, str]
    optional: bool
    agreed: bool


class Stand(Struct, frozen=True):
    """How far a request is."""

    step: Step
    level: int
    """The level that is needed."""
    signed: SignedIn | None
    agreed: frozenset[tuple[str, str]]


async def stand(
    house: House, client: Client, request: AuthRequest, made_at: datetime, caller: Caller | None
) -> Stand:
    """What comes next for whoever is there."""
    level = max(client.min_level, request.level)
    there = None if caller is None else await devices.signed_in(house.db, caller.session_id)
    if caller is None or there is None:
        return Stand("sign_in", level, None, frozenset())
    citizen = await people.row(house.db, caller.citizen_id)
    agreed = await agreements.agreed(house.db, caller.citizen_id, client.grantee)
    signed = Signed(rules.shown_at(there), citizen.level, subject(house, client, caller.citizen_id))
    counted = agreed if rules.counts_before(client, request) else None
    now = house.clock.now()
    found = rules.step(client, request, made_at, signed, counted, now)
    return Stand(found, level, there, agreed)


def question(
    client: Client, request: AuthRequest, agreed: frozenset[tuple[str, str]]
) -> list[Asked]:
    """What a citizen is asked to agree to, claim by claim. An optional one is not ticked for them."""
    return [
        Asked(
            claim, {**ask.purpose}, ask.optional, (claim, ask.purpose["zh-CN"]) in agreed
        )
        for claim, ask in rules.asked(client, request).items()
        if claim != rules.SIGN_IN
    ]  # fmt: skip


def seal(house: House, ticket: Ticket, session_id: UUID) -> str:
    """What a form of ours carries: this ticket, shown to this session, asking exactly this. A form
    from another page, or one of another client's, doesn't have it.
    """
    asked = msgspec.json.encode([
        str(ticket.id), str(session_id), ticket.client.client_id, ticket.client.version,
        {claim: ask.purpose for claim, ask in rules.asked(ticket.client, ticket.request).items()},
    ])  # fmt: skip
    key = house.keys.derive("provider-consent")
    return hmac.new(key, asked, hashlib.sha256).hexdigest()


def check_seal(house: House, ticket: Ticket, session_id: UUID, sealed: str) -> None:
    """Raises Unredirectable for a form that isn't this question's."""
    if not hmac.compare_digest(sealed.encode(), seal(house, ticket, session_id).encode()):
        raise Unredirectable("invalid_request", "not the form of this question")


async def agree(
    house: House,
    tokens: Tokens,
    ticket: Ticket,
    browser: str,
    caller: Caller,
    ticked: Iterable[str],
) -> str:
    """The citizen agreed to what must be, and to what they ticked; answers where to go with the code.
    What they agreed to once and didn't tick now is taken back.

    Raises Unredirectable where the question has changed meanwhile.
    """
    found = await stand(house, ticket.client, ticket.request, ticket.made_at, caller)
    if found.signed is None or found.step not in {"consent", "go"}:
        raise Unredirectable("invalid_request", "not the form of this question")
    await requests.use(house, ticket, browser, caller.session_id)
    wanted, chosen = rules.asked(ticket.client, ticket.request), {*ticked}
    agreed: dict[str, Mapping[Any, str]] = {
        claim: ask.purpose for claim, ask in wanted.items() if not ask.optional or claim in chosen
    }
    citizen_id, grantee = caller.citizen_id, ticket.client.grantee
    if left_out := {claim for claim, _ in found.agreed} & (wanted.keys() - agreed.keys()):
        for ended in await agreements.take_back(house, citizen_id, grantee, left_out):
            tokens.end(ended)
    await agreements.agree(house, citizen_id, grantee, agreed)
    return await _code(house, ticket.client, ticket.request, caller, found.signed, agreed)


async def go(
    house: House, client: Client, request: AuthRequest, caller: Caller, found: Stand
) -> str:
    """Where to go with the code, by what was agreed before."""
    if found.signed is None or found.step != "go":
        raise rules.refused_silently(found.step)
    known = rules.asked(client, request)
    given = [claim for claim, ask in known.items() if (claim, ask.purpose["zh-CN"]) in found.agreed]
    return await _code(house, client, request, caller, found.signed, given)


async def _code(
    house: House, client: Client, request: AuthRequest, caller: Caller, signed: SignedIn,
    given: Iterable[str],
) -> str:  # fmt: skip
    bucket = ids.bucket_of(caller.citizen_id)
    grant = ids.new(bucket)
    citizen = await people.row(house.db, caller.citizen_id)
    await q.add_code(
        house.db,
        bucket=bucket,
        id=grant,
        citizen_id=caller.citizen_id,
        session_id=caller.session_id,
        client_id=client.client_id,
        redirect_uri=request.redirect_uri,
        challenge=request.challenge,
        scope=request.scope,
        claims=sorted(set(given) - OWN),
        nonce=request.nonce,
        acr=citizen.level,
        amr=signed.amr,
        auth_time=signed.at,
        valid_s=float(rules.CODE_S),
    )
    # A page may renew its sign-in every few minutes: an hour's leave one line.
    await audit.note(
        house, caller.citizen_id, "client_sign_in", reader=client.grantee, what=sorted(set(given)),
        purpose="client.sign_in", fold=True,
    )  # fmt: skip
    code = handles.make(house.keys, "code", grant.bytes)
    return back(house, request.redirect_uri, request.state, code=code)


def back(house: House, address: str, state: str | None, **said: str) -> str:
    """An answer at a client's address, with who says it (RFC 9207)."""
    said |= {"state": state} if state is not None else {}
    said["iss"] = house.settings.public_url
    parts = urlsplit(address)
    query = urlencode(said, quote_via=quote)
    if not parts.netloc and not address.startswith(("http:", "https:")):  # com.example.app:/back
        return address + ("&" if parts.query else "?") + query
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))


def refuse(house: House, address: str, state: str | None, error: OAuthError) -> str:
    """A refusal at a client's address (RFC 6749 section 4.1.2.1)."""
    said = {"error": error.error}
    if error.description:
        said["error_description"] = error.description
    return back(house, address, state, **said)


def denied(house: House, ticket: Ticket) -> str:
    """Where to go when the citizen would rather not."""
    request = ticket.request
    refusal = OAuthError("access_denied", "the citizen did not agree")
    return refuse(house, request.redirect_uri, request.state, refusal)


def other(house: House, ticket: Ticket) -> str:
    """Where to go when somebody else is signed in than was asked for."""
    request = ticket.request
    refusal = OAuthError("login_required", "somebody else is signed in")
    return refuse(house, request.redirect_uri, request.state, refusal)


def silent(step: Step) -> OAuthError:
    """What a request gets that nobody may be shown a page for."""
    return rules.refused_silently(step)
