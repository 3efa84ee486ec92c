"""Clients hear that a citizen's session ended (OpenID Connect Back-Channel Logout 1.0).

Their addresses are somebody else's word, as a shop's is. So what calls them lies here, behind the
guard that keeps the city's own machines out of reach, and not in the identity centre.
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlencode, urlsplit

from civicmall import identity
from civicmall.kernel import logs
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers

from .addresses import Networks, OddAddress, parse_base
from .errors import ShopUnavailable
from .http1 import Client
from .http1_errors import RemoteFault, Unsendable
from .platform import Platform
from .telling import EVENT_S, Telling

log = logs.get("gateway")
ANSWER_MAX: Final = 16 * 1024
"""Bytes of an answer that are read; an error of section 2.8 has two short members."""
HEADERS: Final = [(b"content-type", b"application/x-www-form-urlencoded")]
DONE: Final = frozenset({200, 204})
"""Section 2.8; some frameworks make a 204 of it."""


class Logouts:
    """Tells clients, one by one. A client that hangs holds up no other's news."""

    def __init__(self, house: House, networks: Networks, *, https_only: bool) -> None:
        self._house = house
        self._networks = networks
        self._https_only = https_only
        self._turns: dict[str, Telling] = {}

    async def tell(self, client_id: str, url: str, token: str) -> None:
        """Post a logout token. Raises ShopUnavailable: it is told again, later each time."""
        turns = self._turns.setdefault(client_id, Telling(client_id, self._house.clock))
        async with turns.turn():
            try:
                status = await self._post(url, urlencode({"logout_token": token}).encode())
            except (RemoteFault, OddAddress, Unsendable, TimeoutError) as error:
                log.warning("logout.not_told", client=client_id, error=f"{error}"[:200])
                raise ShopUnavailable(shop=client_id) from error
            if status not in DONE:
                log.warning("logout.refused", client=client_id, status=status)
                raise ShopUnavailable(shop=client_id)

    async def _post(self, url: str, body: bytes) -> int:
        """The answer's status. No redirect is followed, and no connection kept: it is rare."""
        parts = urlsplit(url)
        base = parse_base(f"{parts.scheme}://{parts.netloc}", https_only=self._https_only)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        client = Client(base, self._networks, connections_max=1)
        until = asyncio.get_running_loop().time() + EVENT_S
        try:
            reply = await client.request(
                "POST", target, HEADERS, body, deadline=until, body_max=ANSWER_MAX, repeatable=True
            )
        finally:
            await client.close()
        return reply.status


def tell_logouts(
    handlers: Handlers, house: House, tokens: identity.Tokens, platform: Platform
) -> None:
    """Have clients told when they are due to hear of a logout."""
    logouts = Logouts(house, platform.networks, https_only=platform.https_only)

    async def on_due(_: Pool, event: identity.LogoutDue, __: Delivery) -> None:
        notice = await identity.exchange.logout.notice(house, tokens, event)
        if notice is not None:
            await logouts.tell(event.client_id, notice.url, notice.token)

    handlers.on(identity.LogoutDue, on_due)
