"""Userinfo (OpenID Connect Core section 5.3): what the citizen agreed that this client knows.

Only what stands in the grant and is still agreed to; each answer with data in it leaves a line that
the citizen sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Request
from msgspec import Struct

from civicmall.identity import agreements, audit, people
from civicmall.identity.models import CitizenRow
from civicmall.identity.provider import clients, forms, grants, issuing
from civicmall.identity.provider.errors import OAuthError
from civicmall.identity.provider.models import OIDC, Grant
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House

PURPOSE: Final = "userinfo"
BODY_MAX: Final = 16 * 1024


class Unserved(Struct, frozen=True, omit_defaults=True):
    """Why a token was not taken (RFC 6750 section 3). Who sent none is told nothing (section 3.1)."""

    error: str = ""
    error_description: str = ""
    scope: str = ""
    """What the token would need."""


async def bearer(request: Request[Any, Any, Any]) -> str:
    """The access token: in the header, or in a form (RFC 6750 sections 2.1 and 2.2).

    Raises OAuthError; with an empty name where none came, for then nothing is said (section 3.1).
    """
    found: list[str] = []
    said = request.headers.getall("authorization", [])
    if len(said) > 1:
        raise OAuthError("invalid_request", "Authorization was sent more than once")
    if said:
        scheme, _, token = said[0].partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise OAuthError("", status=401)
        found.append(token.strip())
    if request.method == "POST" and request.headers.get("content-type", ""):
        form = await forms.read(request)
        found += [form["access_token"]] if "access_token" in form else []
    if len(found) > 1:
        raise OAuthError("invalid_request", "send the token in one way only")
    if not found:
        raise OAuthError("", status=401)
    return found[0]


async def userinfo(house: House, tokens: Tokens, token: str) -> dict[str, Any]:
    """The claims, under OpenID Connect's names. Raises OAuthError."""
    access = issuing.read_access(house, tokens, token)
    if "openid" not in access.scope:
        raise OAuthError("insufficient_scope", "the scope openid is needed", 403)
    grant = await grants.live(house, access.grant_id)
    if grant is None:
        raise OAuthError("invalid_token", "the grant has ended", 401)
    names = await _agreed(house, grant, frozenset(access.claims))
    if not names:
        return {"sub": access.sub}
    told = _opened(house, await people.row(house.db, grant.citizen_id), names)
    reader = f"client:{grant.client_id}"
    await audit.note_access(house, grant.citizen_id, reader, sorted(told), PURPOSE)
    found = {OIDC[name]: value for name, value in told.items()}
    # A code was sent there: that is what the account began with (OpenID Connect Core section 5.1).
    verified = {"phone_number_verified": True} if "phone" in told else {}
    return {"sub": access.sub, **found, **verified}


async def _agreed(house: House, grant: Grant, named: frozenset[str]) -> frozenset[str]:
    """Of what the token names, what the grant holds, the client is still registered for, and the citizen
    agrees to now, for the purpose that the client has now.
    """
    client = await clients.find(house.db, grant.client_id)
    if client is None:
        return frozenset()
    agreed = await agreements.agreed(house.db, grant.citizen_id, client.grantee)
    held = {
        claim for claim, ask in client.asks().items() if (claim, ask.purpose["zh-CN"]) in agreed
    }
    return named.intersection(grant.claims, held)


def _opened(house: House, row: CitizenRow, names: frozenset[str]) -> dict[str, Any]:
    """Claim → value, of those that are known."""
    keys = house.keys
    attested: dict[str, Any] = {}
    if row.attested and names & {"birth_date", "sex"}:
        attested = msgspec.json.decode(keys.open(row.attested, people.ATTESTED))
    value: dict[str, Callable[[], Any]] = {
        "name": lambda: row.name and keys.open(row.name, people.NAME),
        "id_number": lambda: row.id_number and keys.open(row.id_number, people.NUMBER),
        "phone": lambda: row.phone and f"+86{keys.open(row.phone, people.PHONE)}",
        "birth_date": lambda: attested.get("birth_date"),
        "sex": lambda: attested.get("sex"),
        "level": lambda: f"L{row.level}",
    }
    said = {name: value[name]() for name in sorted(names)}
    return {name: one for name, one in said.items() if one is not None}
