"""A platform of which a shop needs nothing but its keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from tests.serving import served

from shopkit.keys import Key


@asynccontextmanager
async def publishing(key: Key) -> AsyncGenerator[str]:
    """The address of one that publishes this key as `shops-1`, whatever it is asked."""
    body = msgspec.json.encode({"keys": [key.jwk("shops-1")]})

    async def platform(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async with served(platform, lifespan="off") as url:
        yield url
