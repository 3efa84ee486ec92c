"""Clients as operators keep them: drafted by one, approved by another (four eyes)."""

from __future__ import annotations

import secrets
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall.identity.errors import NoSuchStaff, SecondOperatorNeeded
from civicmall.kernel import logs
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from . import addresses, clients, keys
from .errors import ClientDraftMoved, NoSuchClient, UnfitClient
from .models import SCOPES, Client, ClientSecret, Registration
from .queries import q
from .rules import REGISTERED

log = logs.get("identity.provider")
SECRET_BYTES: Final = 32
ENDED: Final = "a client of this name has ended; another one has another name"
"""Whatever citizens agreed to, and every token that is still about, was given to that one."""
OVERLAP_S: Final = 86_400
"""How long the last secret works on beside a new one."""


async def listed(db: Db) -> list[Client]:
    """What is in force, and what waits for a second person."""
    found: list[Client] = await q.clients(db)
    return found


async def operator(db: Db, username: str) -> UUID:
    """The operator of this account. Raises NoSuchStaff."""
    found: UUID | None = await q.operator(db, username=username)
    if found is None:
        raise NoSuchStaff
    return found


async def draft(house: House, by: UUID, ask: Registration) -> int:
    """Hand in a new client, or a change of one; answers its version. One that waits is given up.

    Raises UnfitClient.
    """
    if errors := wrong(ask, sandbox=house.settings.sandbox):
        raise UnfitClient(errors=[{"field": name, "problem": why} for name, why in errors])
    said: dict[str, Any] = {
        name: getattr(ask, name)
        for name in ask.__struct_fields__
        if name not in {"claims", "sector"}
    }
    async with house.db.acquire() as db, db.transaction():
        if await q.has_ended(db, client_id=ask.client_id):
            raise UnfitClient(errors=[{"field": "client_id", "problem": ENDED}])
        await q.drop_draft(db, client_id=ask.client_id)
        version: int = await q.draft(
            db,
            **said,
            sector=ask.sector or sector(ask),
            claims=msgspec.to_builtins(ask.claims),
            by=by,
        )
    log.info("client.drafted", client=ask.client_id, version=version, by=str(by))
    return version


async def approve(house: House, by: UUID, client_id: str, version: int) -> None:
    """Put a draft in force, in place of what was. Raises SecondOperatorNeeded, ClientDraftMoved."""
    said = {"client_id": client_id, "version": version, "by": by}
    async with house.db.acquire() as db, db.transaction():
        await q.replace_active(db, **said)
        if await q.approve(db, **said) is None:
            if await q.drafted_by(db, client_id=client_id, version=version) == by:
                raise SecondOperatorNeeded
            raise ClientDraftMoved
    log.info("client.approved", client=client_id, version=version, by=str(by))


async def retire(house: House, by: UUID, client_id: str) -> None:
    """End a client: nobody signs in there any more, and its tokens get nothing. Needs no second
    person, for it must be quick. Raises NoSuchClient.
    """
    if await q.retire(house.db, client_id=client_id) is None:
        raise NoSuchClient
    log.warning("client.retired", client=client_id, by=str(by))


async def new_secret(house: House, by: UUID, client_id: str) -> ClientSecret:
    """A secret, shown this once; the last one works on for a day. Raises NoSuchClient for one that is
    not in force, or has none.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    if not await q.new_secret(
        house.db,
        client_id=client_id,
        hash=clients.secret_hash(house, client_id, secret),
        by=by,
        overlap_s=float(OVERLAP_S),
    ):
        raise NoSuchClient
    log.info("client.secret", client=client_id, by=str(by))
    return ClientSecret(client_id, secret, OVERLAP_S)


def sector(ask: Registration) -> str:
    """The hosts' one; a native app without any is a sector by itself."""
    hosts = {addresses.host(one) for one in ask.redirect_uris} - {"", "127.0.0.1", "::1"}
    return hosts.pop() if len(hosts) == 1 else ask.client_id


def wrong(ask: Registration, *, sandbox: bool) -> list[tuple[str, str]]:
    """What can't be registered so: field and why."""
    found = [
        (f"{name}[{n}]", why)
        for name in ("redirect_uris", "post_logout_redirect_uris")
        for n, one in enumerate(getattr(ask, name))
        if (why := addresses.unfit(one, native=ask.native, sandbox=sandbox))
    ]
    if (told := ask.backchannel_logout_uri) is not None and (
        why := addresses.unfit(told, native=False, sandbox=sandbox)
    ):
        found.append(("backchannel_logout_uri", why))
    if (ask.kind == "public") != (ask.auth_method == "none"):
        found.append(("auth_method", "none for public clients, and only for those"))
    if ask.native and ask.kind != "public":
        found.append(("native", "an app on a device keeps no secret: it is public"))
    if (ask.auth_method == "private_key_jwt") != (ask.jwks is not None):
        found.append(("jwks", "the keys of private_key_jwt, and only of that"))
    elif ask.jwks is not None and (why := keys.unfit(ask.jwks)):
        found.append(("jwks", why))
    return found + _wrong_claims(ask)


def _wrong_claims(ask: Registration) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    implied = {claim for scope in ask.scopes for claim in SCOPES[scope]}
    if "openid" not in ask.scopes or len(set(ask.scopes)) != len(ask.scopes):
        found.append(("scopes", "openid is one, and each stands once"))
    if implied != ask.claims.keys():
        found.append(("claims", "each that a scope asks for, with its purpose, and no other"))
    firm = {claim for claim, one in ask.claims.items() if not one.optional}
    if firm & REGISTERED and ask.min_level < 2:  # noqa: PLR2004 (the level that a register vouches for)
        found.append(
            ("min_level", "2 or more: name, number, birth date and sex come from a register")
        )
    hosts = {addresses.host(one) for one in ask.redirect_uris} - {"", "127.0.0.1", "::1"}
    if ask.sector is None and len(hosts) > 1:
        found.append(("sector", "say which: the redirects have several hosts"))
    return found
