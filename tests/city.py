"""A running city, and the people in it, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import msgspec
from pyreqwest.client import ClientBuilder
from pyreqwest.compatibility.httpx import HttpxTransport

from civicmall import app
from civicmall.identity import account
from civicmall.kernel import outbox
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.kernel.serving import Protocol
from civicmall.shops import Registry
from tests.citizens import caller
from tests.serving import listener, served

SETTLE_S = 20.0


class City:
    """Clients of one running server; they are closed with it."""

    def __init__(self, settings: Settings, parts: Any, stack: AsyncExitStack) -> None:
        self.settings = settings
        self.url = settings.public_url
        self.parts = parts
        self._stack = stack
        self._citizens: dict[str, httpx.AsyncClient] = {}

    @property
    def house(self) -> House:
        """The server's own house."""
        found: House = self.parts.house
        return found

    async def client(self, token: str | None = None, lang: str = "zh-CN") -> httpx.AsyncClient:
        """A client, signed in where a token is given."""
        headers = {"accept-language": lang}
        if token:
            headers["authorization"] = f"Bearer {token}"
        return await self._stack.enter_async_context(
            httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, trust_env=False)
        )

    async def crowd(self, token: str | None = None) -> httpx.AsyncClient:
        """A client for hundreds of requests at once; httpx's own transport is slow at that."""
        transport = HttpxTransport(
            ClientBuilder().no_proxy().follow_redirects(enable=False).build()
        )
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self._stack.enter_async_context(
            httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, transport=transport)
        )

    async def anonymous(self) -> httpx.AsyncClient:
        """Nobody in particular."""
        return await self.client()

    async def people(self) -> dict[str, dict[str, str]]:
        """The sandbox's personas by name."""
        nobody = await self.anonymous()
        found = (await nobody.get("/v1/sandbox/people")).json()["items"]
        return {person["persona"]: person for person in found}

    async def newcomer(self, persona: str) -> httpx.AsyncClient:
        """A persona who has just signed in with a code: level 1, nothing agreed to."""
        person = (await self.people())[persona]
        return await self.by_phone(person["phone"])

    async def by_phone(self, phone: str) -> httpx.AsyncClient:
        """Whoever has this phone, signed in."""
        nobody = await self.anonymous()
        sent = await nobody.post("/v1/sign-in/codes", json={"phone": phone})
        assert sent.status_code == 202, sent.text
        messages = (await nobody.get("/v1/sandbox/messages")).json()["items"]
        text = next(m["text"] for m in messages if m["to"] == phone)
        code = "".join(filter(str.isdigit, text))
        pair = await nobody.post("/v1/sign-in/tokens", json={"phone": phone, "code": code})
        assert pair.status_code == 200, pair.text
        return await self.client(pair.json()["access_token"])

    async def short(self, phone: str, level: int = 1) -> tuple[httpx.AsyncClient, UUID]:
        """Whoever has this phone, signed in without a code, with a client for hundreds at once."""
        found = await account(self.house, phone)
        return await self.crowd(self.parts.tokens.access(caller(found, level))), found

    async def citizen(self, persona: str) -> httpx.AsyncClient:
        """A persona at level 2 who agreed to everything; the same client each time."""
        if persona not in self._citizens:
            person = (await self.people())[persona]
            client = await self.newcomer(persona)
            self._citizens[persona] = await self.verified(client, person)
        return self._citizens[persona]

    async def verified(
        self, client: httpx.AsyncClient, person: dict[str, str]
    ) -> httpx.AsyncClient:
        """The same citizen after verification and with every consent given."""
        answer = await client.post(
            "/v1/me/verification", json={"name": person["name"], "id_number": person["id_number"]}
        )
        assert answer.status_code == 200, answer.text
        raised = await self.client(answer.json()["access_token"])
        for shop in (await raised.get("/v1/shops")).json()["items"]:
            for one in shop["apps"]:
                if one["claims"]:
                    path = f"/v1/me/consents/{shop['id']}/{one['id']}"
                    given = await raised.put(path, json={"claims": list(one["claims"])})
                    assert given.status_code == 200, given.text
        return raised

    async def operator(self) -> httpx.AsyncClient:
        """An operator of the platform."""
        return await self._staff("operator")

    async def reviewer(self) -> httpx.AsyncClient:
        """Another operator: the second pair of eyes."""
        return await self._staff("reviewer")

    async def department(self, shop: str) -> httpx.AsyncClient:
        """Somebody of a department."""
        return await self._staff(shop)

    async def _staff(self, username: str) -> httpx.AsyncClient:
        nobody = await self.anonymous()
        answer = await nobody.post(
            "/v1/staff/tokens", json={"username": username, "password": "sandbox-only"}
        )
        assert answer.status_code == 200, answer.text
        return await self.client(answer.json()["access_token"])

    async def settled(self) -> None:
        """Until every event is handled."""
        async with asyncio.timeout(SETTLE_S):
            while (await outbox.counts(self.house.db)).waiting:
                self.parts.drain.hint()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running_city(
    settings: Settings, registry: Registry, clock: Clock | None = None
) -> AsyncGenerator[City]:
    """Serve on a free port of the loopback interface until left."""
    with listener() as bound:
        port = bound.getsockname()[1]
        here = msgspec.structs.replace(settings, port=port, public_url=f"http://127.0.0.1:{port}")
        outermost = app.create_app(here, registry, clock)
        async with served(outermost, bound, http=Protocol), AsyncExitStack() as stack:
            yield City(here, outermost.app.state, stack)
