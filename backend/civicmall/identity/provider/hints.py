"""ID tokens that come back to us as a hint (OpenID Connect Core section 3.1.2.1)."""

from __future__ import annotations

from joserfc.errors import JoseError

from civicmall.identity.signing import ALGORITHMS, OtherType
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House

from .errors import OAuthError
from .models import Client


def hinted(house: House, tokens: Tokens, client: Client, hint: str) -> str:
    """The `sub` of an ID token that this client once got; it may be over. Raises OAuthError."""
    refused = OAuthError("invalid_request", "id_token_hint is no ID token of this client")
    try:
        claims = tokens.signing.read(hint, "JWT", ALGORITHMS)
    except (JoseError, OtherType, TypeError, ValueError) as error:
        raise refused from error
    if claims.get("iss") != house.settings.public_url or claims.get("aud") != client.client_id:
        raise refused
    return str(claims["sub"])
