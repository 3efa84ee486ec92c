"""Revocation (RFC 7009): a client gives back what it was given.

Whichever token it brings, the whole grant ends: its access tokens are read without a look at the
database, so there is nothing smaller that could be ended, and nobody who signs out wants less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from civicmall.identity.provider import clients, grants, issuing
from civicmall.identity.provider.errors import OAuthError
from civicmall.identity.provider.forms import Form, need
from civicmall.identity.provider.models import Client
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House

PATH: Final = "/oauth/revoke"
WHY: Final = "by_client"


async def revoke(house: House, tokens: Tokens, headers: Mapping[str, str], form: Form) -> None:
    """End the grant of a token. No harm if there is none: what the client wants is so.

    Raises OAuthError, also where the token is another client's (section 2.1).
    """
    client = await clients.authenticate(house, headers, form, PATH)
    grant_id = await _grant(house, tokens, client, need(form, "token"))
    if grant_id is not None:
        await grants.revoke(house, tokens, grant_id, WHY)


async def _grant(house: House, tokens: Tokens, client: Client, token: str) -> UUID | None:
    """The grant of a token of this client's; None where there is nothing left to end."""
    try:
        access = issuing.read_access(house, tokens, token)
        grant_id, owner = access.grant_id, access.client_id
    except OAuthError:
        try:
            grant_id, _ = issuing.read_refresh(house, token)
        except ValueError:
            return None
        grant = await grants.live(house, grant_id)
        if grant is None:
            return None
        owner = grant.client_id
    if owner != client.client_id:
        raise OAuthError("unauthorized_client", "the token was issued to another client")
    return grant_id
