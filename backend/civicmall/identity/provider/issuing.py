"""The tokens that clients get: access tokens (RFC 9068), ID tokens (OpenID Connect Core section 2)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final
from uuid import UUID, uuid4

from joserfc.errors import JoseError

from civicmall.identity.signing import OtherType
from civicmall.identity.tokens import LEEWAY_S, TYPE, Tokens
from civicmall.kernel.house import House

from . import handles
from .errors import OAuthError
from .models import Access, Client, Grant
from .rules import covered
from .subjects import sid, subject

ACCESS_S: Final = 600
"""Life of a client's access token: what a stolen one is worth at most."""
ID_TOKEN_S: Final = 600
USERINFO_PATH: Final = "/oauth/userinfo"
GENERATION: Final = 4


def answer(
    house: House, tokens: Tokens, client: Client, grant: Grant, scope: list[str] | None = None
) -> dict[str, Any]:
    """What the token endpoint says (RFC 6749 section 5.1); `scope` narrows this access token."""
    scope = grant.scope if scope is None else scope
    token = access(house, tokens, client, grant, scope)
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": ACCESS_S,
        "scope": " ".join(scope),
        "refresh_token": _refresh(house, grant),
        "id_token": id_token(house, tokens, client, grant, token),
    }


def access(house: House, tokens: Tokens, client: Client, grant: Grant, scope: list[str]) -> str:
    """An access token for our userinfo, and for nothing else of ours."""
    now = int(house.clock.now().timestamp())
    issuer = house.settings.public_url
    return tokens.signing.sign(
        TYPE,
        {
            "iss": issuer,
            "aud": issuer + USERINFO_PATH,
            "sub": subject(house, client, grant.citizen_id),
            "client_id": client.client_id,
            "scope": " ".join(scope),
            "iat": now,
            "exp": now + ACCESS_S,
            "jti": str(uuid4()),
            "acr": f"L{grant.acr}",
            "auth_time": int(grant.auth_time.timestamp()),
            "claims": covered(grant.claims, grant.scope, scope),
            "offline": grant.offline,
            "grant": handles.make(
                house.keys, "access", grant.id.bytes + grant.session_id.bytes
            ),
        },
    )  # fmt: skip


def read_access(house: House, tokens: Tokens, token: str) -> Access:
    """What a client's access token says, if it is one, holds, and its grant hasn't ended.

    Never asks the database. Raises OAuthError (invalid_token).
    """
    refused = OAuthError("invalid_token", "no access token for this, or it is over", 401)
    issuer, now = house.settings.public_url, house.clock.now().timestamp()
    try:
        claims = tokens.signing.read(token, TYPE)
        if claims["iss"] != issuer or claims["aud"] != issuer + USERINFO_PATH:
            raise refused
        if not claims["iat"] - LEEWAY_S <= now < claims["exp"]:
            raise refused
        about = handles.read(house.keys, "access", claims["grant"])
        found = Access(
            client_id=claims["client_id"],
            grant_id=UUID(bytes=about[:16]),
            session_id=UUID(bytes=about[16:]),
            scope=claims["scope"].split(),
            claims=claims["claims"],
            offline=claims["offline"],
            sub=claims["sub"],
            exp=claims["exp"],
            iat=claims["iat"],
            jti=claims["jti"],
            acr=claims["acr"],
            auth_time=claims["auth_time"],
        )
    except (JoseError, OtherType, KeyError, TypeError, ValueError) as error:
        raise refused from error
    if tokens.ended(found.grant_id) or (not found.offline and tokens.ended(found.session_id)):
        raise refused
    return found


def id_token(
    house: House, tokens: Tokens, client: Client, grant: Grant, access_token: str = ""
) -> str:
    """Who signed in, how, and when; `at_hash` binds it to the access token beside it."""
    now = int(house.clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": house.settings.public_url,
        "aud": client.client_id,
        "azp": client.client_id,
        "sub": subject(house, client, grant.citizen_id),
        "iat": now,
        "exp": now + ID_TOKEN_S,
        "auth_time": int(grant.auth_time.timestamp()),
        "acr": f"L{grant.acr}",
        "amr": grant.amr,
        "sid": sid(house, client, grant.session_id),
    }
    if grant.nonce is not None:
        claims["nonce"] = grant.nonce
    if access_token:
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims["at_hash"] = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    return tokens.signing.sign("JWT", claims, client.id_token_alg)


def _refresh(house: House, grant: Grant) -> str:
    content = grant.id.bytes + grant.generation.to_bytes(GENERATION)
    return handles.make(house.keys, "refresh", content)


def read_refresh(house: House, token: str) -> tuple[UUID, int]:
    """Grant and generation of a refresh token. Raises handles.NoHandle."""
    content = handles.read(house.keys, "refresh", token)
    return UUID(bytes=content[:16]), int.from_bytes(content[16:])
