"""Text messages: the sandbox's inbox, or the city's gateway over HTTP.

The gateway is a webhook (standardwebhooks.com): `webhook-id`, `webhook-timestamp` and
`webhook-signature` over the body. It sends by a template that its operator has had approved, as
China's carriers demand; what it answers with 2xx, it has taken over.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from datetime import UTC
from typing import Final

import httpx
import msgspec
from msgspec import Struct
from standardwebhooks import Webhook

from civicmall.kernel import logs
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import BadSetting, declared
from civicmall.kernel.errors import Unavailable
from civicmall.kernel.texting import Sender, Text

from .settings import Gateway

log = logs.get("identity")
TIMEOUT_S: Final = 4.0
"""Of one try, from connecting to the last byte: people wait for this answer."""
TRIES: Final = 2
PAUSE_S: Final = 0.3


class Asked(Struct, frozen=True):
    """What the gateway gets, as JSON. `text` is the whole message, for a gateway without templates."""

    phone: str
    template: str
    params: dict[str, str]
    text: str


class HttpSender:
    """The city's gateway."""

    def __init__(self, gateway: Gateway, client: httpx.AsyncClient, clock: Clock) -> None:
        self._gateway = gateway
        self._client = client
        self._clock = clock
        self._webhook = Webhook(gateway.secret)

    async def send(self, text: Text) -> None:
        """One try, and a second one with the same `webhook-id` where the first came to nothing, so
        that a gateway that had taken it sends it once. Raises Unavailable.
        """
        template = self._gateway.code_template
        if not text.code and self._gateway.notice_template:
            template = self._gateway.notice_template
        params = {"code": text.code} if text.code else {}
        body = msgspec.json.encode(Asked(text.phone, template, params, text.body))
        message = f"msg_{secrets.token_urlsafe(18)}"
        for left in reversed(range(TRIES)):
            if await self._tried(message, body):
                return
            if left:
                await asyncio.sleep(PAUSE_S)
        raise Unavailable(retry_after_s=30)

    async def _tried(self, message: str, body: bytes) -> bool:
        now = self._clock.now().astimezone(UTC)
        signed = self._webhook.sign(message, now, body.decode())
        headers = {
            "content-type": "application/json",
            "webhook-id": message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signed,
        }
        try:
            async with asyncio.timeout(TIMEOUT_S), self._client.stream(
                "POST", self._gateway.url, content=body, headers=headers
            ) as answer:  # fmt: skip
                status = answer.status_code  # what else it says is nobody's business
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("sender.failed", id=message, error=type(error).__name__)
            return False
        if answer.is_success:
            return True
        log.warning("sender.refused", id=message, status=status)
        return False


def declared_gateway(env: Mapping[str, str], *, sandbox: bool) -> Gateway | None:
    """The gateway that the environment names; None where it names none. Raises BadSetting."""
    gateway = declared(Gateway, env)
    if gateway is not None and not sandbox and not gateway.url.startswith("https://"):
        raise BadSetting("CIVICMALL_SMS_URL", "https://…: codes go there")
    return gateway


def open_sender(
    env: Mapping[str, str], client: httpx.AsyncClient, clock: Clock, *, sandbox: bool
) -> Sender | None:
    """What sends texts by that gateway; None where there is none. Raises BadSetting."""
    gateway = declared_gateway(env, sandbox=sandbox)
    return None if gateway is None else HttpSender(gateway, client, clock)
