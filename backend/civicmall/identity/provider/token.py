"""The token endpoint: what a client gets for what it brings (RFC 6749 section 3.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from civicmall.identity.exchange import swap
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House
from civicmall.shops import Registry

from . import codes, refreshing
from .errors import OAuthError
from .forms import Form, need


class Ask(Struct, frozen=True):
    """What came to the token endpoint; each handler authenticates the client by itself."""

    house: House
    tokens: Tokens
    registry: Registry
    headers: Mapping[str, str]
    form: Form


Handler = Callable[[Ask], Awaitable[dict[str, Any]]]
GRANTS: Final[dict[str, Handler]] = {
    "authorization_code": lambda ask: codes.redeem(ask.house, ask.tokens, ask.headers, ask.form),
    "refresh_token": lambda ask: refreshing.refresh(ask.house, ask.tokens, ask.headers, ask.form),
    swap.GRANT: lambda ask: swap.swap(ask.house, ask.tokens, ask.registry, ask.form),
}
"""grant_type → who answers it with the members of RFC 6749 section 5.1."""


async def answer(ask: Ask) -> dict[str, Any]:
    """The answer to a token request. Raises OAuthError."""
    handler = GRANTS.get(need(ask.form, "grant_type"))
    if handler is None:
        raise OAuthError("unsupported_grant_type", "grant_type: " + ", ".join(sorted(GRANTS)))
    return await handler(ask)
