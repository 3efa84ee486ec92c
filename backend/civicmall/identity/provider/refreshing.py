"""Refresh tokens: each works once; a copy used later ends the grant (RFC 9700 section 4.14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from civicmall.identity.rules import GRACE_S
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, logs
from civicmall.kernel.house import House

from . import clients, grants, issuing
from .errors import OAuthError
from .forms import Form, need
from .models import Grant
from .queries import q

log = logs.get("identity.provider")


async def refresh(
    house: House, tokens: Tokens, headers: Mapping[str, str], form: Form
) -> dict[str, Any]:
    """The next tokens, of the same scope or a narrower one. Raises OAuthError."""
    client = await clients.authenticate(house, headers, form, clients.TOKEN_PATH)
    token = need(form, "refresh_token")
    refused = OAuthError("invalid_grant", "the refresh token is not valid for this client")
    try:
        grant_id, generation = issuing.read_refresh(house, token)
    except ValueError as error:
        raise refused from error
    bucket = ids.bucket_of(grant_id)
    held: Grant | None = await q.grant_(house.db, bucket=bucket, id=grant_id, grace_s=GRACE_S)
    if held is None or held.client_id != client.client_id:
        raise refused
    scope = narrowed(held.scope, form.get("scope"))
    grant: Grant | None = await q.rotate_grant(
        house.db, bucket=bucket, id=grant_id, client_id=client.client_id, generation=generation
    )
    if grant is None:
        held = await q.grant_(house.db, bucket=bucket, id=grant_id, grace_s=GRACE_S)
        if held is None:
            raise refused
        if generation != held.generation - 1 or not held.just_rotated:
            await grants.revoke(house, tokens, grant_id, "refresh_reused")
            log.warning("refresh.reused", client=client.client_id)
            raise refused
        grant = held
    return issuing.answer(house, tokens, client, grant, scope)


def narrowed(granted: list[str], asked: str | None) -> list[str]:
    """The scope asked for, which may only be less (RFC 6749 section 6). Raises OAuthError."""
    if asked is None:
        return granted
    wanted = asked.split(" ")
    if not set(wanted) <= set(granted):
        raise OAuthError("invalid_scope", "the scope is more than was granted")
    return [one for one in granted if one in wanted]
