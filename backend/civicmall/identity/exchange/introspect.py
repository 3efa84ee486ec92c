"""Introspection (RFC 7662): whether a token still holds, for those whom it is meant for.

Of a token that isn't the asker's nothing is said but `active: false`, as of one that never was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from civicmall.identity import narrow
from civicmall.identity.models import Caller
from civicmall.identity.provider import grants, issuing
from civicmall.identity.provider.errors import OAuthError, invalid_client
from civicmall.identity.provider.forms import Form, need
from civicmall.identity.provider.models import Access, Client
from civicmall.identity.provider.subjects import subject
from civicmall.identity.tokens import TYPE, Tokens
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House

from . import proven

PATH: Final = "/oauth/introspect"
MEDIA: Final = "application/token-introspection+jwt"
JWT_TYPE: Final = "token-introspection+jwt"


class Introspected(Struct, frozen=True, omit_defaults=True):
    """What a token says, if it holds (RFC 7662 section 2.2); times are Unix seconds."""

    active: bool
    iss: str = ""
    aud: str = ""
    client_id: str = ""
    sub: str = ""
    """The name that this client, or this shop, knows the citizen by."""
    scope: str = ""
    token_type: str = ""
    exp: int = 0
    iat: int = 0
    jti: str = ""
    acr: str = ""
    """The citizen's real-name level: L1, L2, L3."""
    auth_time: int = 0
    act: dict[str, str] | None = None
    """Who acts for the citizen (RFC 8693 section 4.1)."""


NO: Final = Introspected(active=False)


async def introspect(
    house: House, tokens: Tokens, headers: Mapping[str, str], form: Form
) -> tuple[Client, Introspected]:
    """Who asks, and what there is to say to them. Raises OAuthError."""
    client = await proven.client(house, tokens, headers, form, PATH)
    if client.kind == "public":
        raise invalid_client("introspection is for clients that prove who they are")
    token = need(form, "token")
    try:
        access = issuing.read_access(house, tokens, token)
    except OAuthError:
        return client, await _refresh(house, client, token)
    return client, _access(house, access) if access.client_id == client.client_id else NO


def _access(house: House, said: Access) -> Introspected:
    issuer = house.settings.public_url
    return Introspected(
        active=True, iss=issuer, aud=issuer + issuing.USERINFO_PATH, client_id=said.client_id,
        sub=said.sub, scope=" ".join(said.scope), token_type="Bearer", exp=said.exp, iat=said.iat,  # noqa: S106 (the word itself)
        jti=said.jti, acr=said.acr, auth_time=said.auth_time,
    )  # fmt: skip


async def _refresh(house: House, client: Client, token: str) -> Introspected:
    """A refresh token's state is its grant's row: it holds if it is the newest."""
    try:
        grant_id, generation = issuing.read_refresh(house, token)
    except ValueError:
        return NO
    grant = await grants.live(house, grant_id)
    if grant is None or grant.client_id != client.client_id or grant.generation != generation:
        return NO
    return Introspected(
        active=True, iss=house.settings.public_url, client_id=client.client_id,
        sub=subject(house, client, grant.citizen_id), scope=" ".join(grant.scope),
        acr=f"L{grant.acr}", auth_time=int(grant.auth_time.timestamp()),
    )  # fmt: skip


def for_shop(tokens: Tokens, shop: str, token: str) -> Introspected:
    """The same about a mini-app's token, for the shop whose app it is. Never asks the database."""
    try:
        caller = tokens.check_any(token)
    except Problem:
        return NO
    if not isinstance(caller, Caller) or caller.app.partition("/")[0] != shop:
        return NO
    said: dict[str, Any] = tokens.signing.read(token, TYPE)
    said.pop(narrow.SEALED)
    return Introspected(active=True, token_type="Bearer", **said)  # noqa: S106 (the word itself)


def signed(house: House, tokens: Tokens, client: Client, said: Introspected) -> str:
    """The answer as a JWT for the asker (RFC 9701)."""
    claims: dict[str, Any] = {
        "iss": house.settings.public_url, "aud": client.client_id,
        "iat": int(house.clock.now().timestamp()), "token_introspection": msgspec.to_builtins(said),
    }  # fmt: skip
    return tokens.signing.sign(JWT_TYPE, claims)
