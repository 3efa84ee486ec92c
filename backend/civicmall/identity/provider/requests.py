"""Requests that are kept: pushed by a client (RFC 9126), or waiting for a citizen's answer.

A citizen's answer takes several pages: signing in, proving who they are, agreeing. What was asked
stays here meanwhile, under a ticket that only the browser holds which began it (a cookie beside it).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall.identity import limits
from civicmall.identity.errors import TooManyTries
from civicmall.identity.limits import Origin
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids
from civicmall.kernel.house import House

from . import addresses, clients, forms, handles, rules
from .errors import OAuthError, Unredirectable
from .forms import Form
from .hints import hinted
from .models import AuthRequest, Client, Ticket, TicketRow
from .queries import q

PAR_PATH: Final = "/oauth/par"
QUERY_MAX: Final = 16_000
"""Bytes of a query string; browsers and proxies take no more."""
BROWSER_BYTES: Final = 32


async def push(
    house: House, tokens: Tokens, headers: Mapping[str, str], form: Form, origin: Origin
) -> dict[str, Any]:
    """Keep a client's request; what it gets stands for it, once and for a short while. `origin` is whose
    limits count where a public client asks, whose name anybody can use.

    Raises OAuthError.
    """
    client = await clients.authenticate(house, headers, form, PAR_PATH)
    if client.kind == "public":
        await _count(house, origin)
    if "request_uri" in form:
        raise OAuthError("invalid_request", "a pushed request has no request_uri")
    address = forms.need(form, "redirect_uri")
    if not addresses.matches(client.redirect_uris, address, native=client.native):
        raise OAuthError("invalid_request", "redirect_uri is not registered for this client")
    request = _read(house, tokens, client, form, address)
    pushed = await _keep(house, "pushed", client, request, None, rules.PUSHED_S)
    name = handles.make(house.keys, "pushed", pushed.bytes)
    return {"request_uri": rules.PUSHED + name, "expires_in": rules.PUSHED_S}


async def _count(house: House, origin: Origin) -> None:
    """Raises OAuthError (RFC 9126 section 2.3: 429)."""
    try:
        await limits.count(house, origin, "ask")
    except TooManyTries as error:
        raise OAuthError("temporarily_unavailable", "too many requests", 429) from error


def _read(
    house: House, tokens: Tokens, client: Client, form: Form, address: str
) -> AuthRequest:  # fmt: skip
    request = rules.read(client, form, address)
    if (hint := form.get("id_token_hint")) is None:
        return request
    return msgspec.structs.replace(request, subject=hinted(house, tokens, client, hint))


class Wanted(msgspec.Struct, frozen=True):
    """An authorization request on its way: its client, where answers go, and its state."""

    client: Client
    redirect_uri: str
    state: str | None


async def wanted(house: House, query: bytes) -> tuple[Wanted, AuthRequest | None]:
    """Whose request this is, and where its answer goes; and the request itself if it was pushed, else
    it is still to be read. Raises Unredirectable: tell the citizen, nobody else.
    """
    if len(query) > QUERY_MAX:
        raise Unredirectable("invalid_request", "the request is too large", 414)
    try:
        pairs = forms.pairs(query)
    except OAuthError as error:
        raise Unredirectable(error.error, error.description) from error
    client = await clients.find(house.db, _one(pairs, "client_id"))
    if client is None:
        raise Unredirectable("invalid_request", "no client of this client_id")
    pushed = [value for name, value in pairs if name == "request_uri" and value]
    if len(pushed) == 1 and pushed[0].startswith(rules.PUSHED):
        request = await _pushed(house, client, pushed[0])
        return Wanted(client, request.redirect_uri, request.state), request
    address = _one(pairs, "redirect_uri")
    if not addresses.matches(client.redirect_uris, address, native=client.native):
        raise Unredirectable("invalid_request", "redirect_uri is not registered for this client")
    states = [value for name, value in pairs if name == "state" and value]
    state = states[0] if len(states) == 1 and len(states[0]) <= forms.VALUE_MAX else None
    return Wanted(client, address, state), None


def _one(pairs: list[tuple[str, str]], name: str) -> str:
    """What is there once. Raises Unredirectable."""
    found = [value for key, value in pairs if key == name]
    if len(found) != 1 or not found[0]:
        often = "is missing" if not any(found) else "was sent more than once"
        raise Unredirectable("invalid_request", f"{name} {often}")
    return found[0]


async def _pushed(house: House, client: Client, uri: str) -> AuthRequest:
    refused = Unredirectable("invalid_request_uri", "it is over, was used, or is another client's")
    try:
        pushed = UUID(bytes=handles.read(house.keys, "pushed", uri.removeprefix(rules.PUSHED)))
    except ValueError as error:
        raise refused from error
    found: dict[str, Any] | None = await q.take_pushed(
        house.db, bucket=ids.bucket_of(pushed), id=pushed, client_id=client.client_id
    )
    if found is None:
        raise refused
    request = msgspec.convert(found, AuthRequest)
    if not addresses.matches(client.redirect_uris, request.redirect_uri, native=client.native):
        raise Unredirectable("invalid_request", "redirect_uri is not registered any more")
    return request


def read(house: House, tokens: Tokens, client: Client, query: bytes, address: str) -> AuthRequest:
    """A request that came in an address. Raises OAuthError, to be told to the client."""
    if client.par_required:
        raise OAuthError("invalid_request", "this client pushes its requests (RFC 9126)")
    return _read(house, tokens, client, forms.strict(query), address)


async def open_ticket(house: House, client: Client, request: AuthRequest, browser: str) -> str:
    """A ticket for a request that this browser began."""
    ticket = await _keep(house, "ticket", client, request, browser_hash(browser), rules.TICKET_S)
    return handles.make(house.keys, "ticket", ticket.bytes)


async def ticket(house: House, name: str, browser: str) -> Ticket:
    """What a ticket of this browser stands for. Raises Unredirectable."""
    refused = Unredirectable("invalid_request", "answered, over, or begun in another browser")
    try:
        found_id = UUID(bytes=handles.read(house.keys, "ticket", name))
    except ValueError as error:
        raise refused from error
    row: TicketRow | None = await q.ticket(
        house.db, bucket=ids.bucket_of(found_id), id=found_id, browser=browser_hash(browser)
    )
    client = None if row is None else await clients.find(house.db, row.client_id)
    if row is None or client is None:
        raise refused
    request = msgspec.convert(row.request, AuthRequest)
    return Ticket(found_id, client, request, row.made_at)


async def bind(house: House, ticket: Ticket, session_id: UUID) -> None:
    """From now on only this session answers."""
    bucket = ids.bucket_of(ticket.id)
    await q.bind_ticket(house.db, bucket=bucket, id=ticket.id, session_id=session_id)


async def use(house: House, ticket: Ticket, browser: str, session_id: UUID | None) -> None:
    """Spend a ticket, from the session that it was shown to. Raises Unredirectable."""
    if not await q.use_ticket(
        house.db,
        bucket=ids.bucket_of(ticket.id),
        id=ticket.id,
        browser=browser_hash(browser),
        session_id=session_id,
    ):
        raise Unredirectable("invalid_request", "answered, over, or begun in another browser")


async def _keep(
    house: House, kind: str, client: Client, request: AuthRequest, browser: bytes | None,
    valid_s: int,
) -> UUID:  # fmt: skip
    kept = ids.new(secrets.randbelow(ids.BUCKETS))
    await q.keep_request(
        house.db,
        bucket=ids.bucket_of(kept),
        id=kept,
        kind=kind,
        client_id=client.client_id,
        request=msgspec.to_builtins(request),
        browser=browser,
        valid_s=float(valid_s),
    )
    return kept


def new_browser() -> str:
    """What a browser is known by while it answers; random."""
    return secrets.token_urlsafe(BROWSER_BYTES)


def browser_hash(browser: str) -> bytes:
    """What is kept of it."""
    return hashlib.sha256(browser.encode()).digest()
