"""Clients that have just proved who they are: whoever asks about each token asks often.

So a token's answer costs no look at the database: the session, delegation or grant that it hangs on
is in `Tokens`, and who asks is here for a moment. An assertion works once and is never kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

import msgspec

from civicmall.identity.provider import clients
from civicmall.identity.provider.forms import Form
from civicmall.identity.provider.models import Client
from civicmall.identity.tokens import Tokens
from civicmall.kernel.house import House

KEPT_S: Final = 3.0
"""A client that was retired, or its secret, is believed as long at most."""
KEPT_MAX: Final = 1_000
SECRETS: Final = frozenset({"client_secret_basic", "client_secret_post"})
_kept: WeakKeyDictionary[Tokens, dict[bytes, tuple[float, Client]]] = WeakKeyDictionary()
"""Of each process's tokens: what was sent, hashed, when (monotonic), and who it was."""


async def client(
    house: House, tokens: Tokens, headers: Mapping[str, str], form: Form, path: str
) -> Client:
    """Who sends a form to `path`. Raises OAuthError."""
    kept, now = _kept.setdefault(tokens, {}), house.clock.monotonic()
    sent = msgspec.json.encode([
        headers.get("authorization"), form.get("client_id"), form.get("client_secret"),
        form.get("client_assertion"), form.get("client_assertion_type"),
    ])  # fmt: skip
    digest = hashlib.sha256(sent).digest()
    known = kept.get(digest)
    if known is not None and now - known[0] < KEPT_S:
        return known[1]
    found = await clients.authenticate(house, headers, form, path)
    if found.auth_method in SECRETS:
        if len(kept) >= KEPT_MAX:
            kept.clear()
        kept[digest] = (now, found)
    return found
