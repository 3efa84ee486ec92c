"""Codes: a citizen's answer on its way through the browser, brought once (RFC 6749 section 4.1.3)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, logs
from civicmall.kernel.house import House

from . import clients, grants, handles, issuing
from .errors import OAuthError
from .forms import Form, need
from .models import CodeRow, Grant
from .queries import q

log = logs.get("identity.provider")
VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636 section 4.1."""
GRANT_DAYS: Final = 60
"""How long a client may go on asking for new tokens; as long as a session of ours."""


def challenge(verifier: str) -> str:
    """S256 of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def redeem(
    house: House, tokens: Tokens, headers: Mapping[str, str], form: Form
) -> dict[str, Any]:
    """Tokens for a code. One that was used before ends what came of it, for it may be stolen.

    Raises OAuthError.
    """
    client = await clients.authenticate(house, headers, form, clients.TOKEN_PATH)
    code, redirect_uri = need(form, "code"), need(form, "redirect_uri")
    verifier = need(form, "code_verifier")
    if not VERIFIER.fullmatch(verifier):
        raise OAuthError("invalid_request", "code_verifier has 43 to 128 characters (RFC 7636)")
    refused = OAuthError("invalid_grant", "the code is not valid for this client and request")
    try:
        grant_id = UUID(bytes=handles.read(house.keys, "code", code))
    except ValueError as error:
        raise refused from error
    bucket = ids.bucket_of(grant_id)
    grant: Grant | None = await q.redeem(
        house.db,
        bucket=bucket,
        id=grant_id,
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        challenge=challenge(verifier),
        days=GRANT_DAYS,
    )
    if grant is None:
        spoilt: CodeRow | None = await q.burn_code(house.db, bucket=bucket, id=grant_id)
        if spoilt is not None and spoilt.used_before:
            await grants.revoke(house, tokens, grant_id, "code_replayed")
            log.warning("code.replayed", client=spoilt.client_id, by=client.client_id)
        raise refused
    return issuing.answer(house, tokens, client, grant)
