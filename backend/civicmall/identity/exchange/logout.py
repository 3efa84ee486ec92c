"""Back-channel logout: who is to hear that a session ended, and the token that says so.

It is told through the outbox, so at least once, client by client; each try has a token of its own,
since a client may refuse one that it saw before. What posts it is the gateway (ADR-0032).
"""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID, uuid4

from msgspec import Struct

from civicmall.identity.events import LogoutDue, SessionEnded
from civicmall.identity.provider import clients
from civicmall.identity.provider.subjects import sid, subject
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers, row

from .queries import q

TYPE: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFE_S: Final = 120
"""The recommended two minutes (section 4): clocks differ, and a token is posted as it is made."""


class Notice(Struct, frozen=True):
    """A logout token, and where to post it."""

    url: str
    token: str


def listen(handlers: Handlers) -> None:
    """Make one event for each client of a session that ended."""

    async def on_ended(db: Pool, event: SessionEnded, _: Delivery) -> None:
        due = [LogoutDue(event.citizen_id, event.session_id, client) for client in event.clients]
        await q.tell(
            db,
            bucket=ids.bucket_of(event.citizen_id),
            ids=[_once(event.session_id, one.client_id) for one in due],
            type=row(due[0])[0],
            bodies=[row(one)[1] for one in due],
        )

    handlers.on(SessionEnded, on_ended)


def _once(session: UUID, client_id: str) -> UUID:
    """The event's id: the same, however often the session's end is heard of."""
    digest = hashlib.sha256(session.bytes + client_id.encode()).digest()
    return UUID(bytes=digest[:15] + session.bytes[15:])


async def notice(house: House, tokens: Tokens, event: LogoutDue) -> Notice | None:
    """What to post for one client; None for one that has left or doesn't want to hear."""
    client = await clients.find(house.db, event.client_id)
    if client is None or client.backchannel_logout_uri is None:
        return None
    now = int(house.clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": house.settings.public_url, "aud": client.client_id, "iat": now, "exp": now + LIFE_S,
        "jti": str(uuid4()), "events": {EVENT: {}},
        "sub": subject(house, client, event.citizen_id),
        "sid": sid(house, client, event.session_id),
    }  # fmt: skip
    return Notice(client.backchannel_logout_uri, tokens.signing.sign(TYPE, claims))
