"""Somebody with a browser but no scripts: a cookie jar, forms filled in by hand, pages read."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
from tests.city import City

KEY = re.compile(r'name="key" value="([\w-]+)"')


class Visitor:
    """One visitor of one running city."""

    def __init__(self, city: City, client: httpx.AsyncClient) -> None:
        self.city = city
        self.client = client

    async def get(self, path: str, status: int = 200) -> str:
        """A page."""
        answer = await self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        assert answer.headers["content-type"].startswith("text/html")
        return answer.text

    async def post(self, path: str, status: int = 303, **form: Any) -> httpx.Response:
        """A form, as a browser sends it from a page of ours."""
        answer = await self.client.post(path, data=form, headers={"origin": self.city.url})
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer

    async def to(self, path: str, **form: Any) -> str:
        """Where a form leads to."""
        return (await self.post(path, **form)).headers["location"]

    async def sign_in(self, phone: str, next_path: str = "/") -> str:
        """Through the login page, with the code that the sandbox's sender sent."""
        await self.post("/login/code", phone=phone, next=next_path)
        nobody = await self.city.anonymous()
        sent = (await nobody.get("/v1/sandbox/messages")).json()["items"]
        code = next(re.findall(r"\d{6}", m["text"])[0] for m in sent if m["to"] == phone)
        return await self.to("/login", code=code, next=next_path)

    async def verify(self, persona: str) -> None:
        """Become level 2."""
        person = (await self.city.people())[persona]
        location = await self.to("/verify", name=person["name"], id_number=person["id_number"])
        assert location == "/"

    async def agree(self, *apps: str) -> None:
        """Consent to what these apps ask for; to what all do where none is named."""
        shops = (await (await self.city.anonymous()).get("/v1/shops")).json()["items"]
        asked = {f"{s['id']}/{a['id']}": list(a["claims"]) for s in shops for a in s["apps"]}
        for app in apps or [name for name, claims in asked.items() if claims]:
            await self.post(f"/shops/{app}/consent", claim=asked[app], next=f"/shops/{app}")

    async def key(self, path: str) -> str:
        """The nonce in a page's form."""
        found = KEY.search(await self.get(path))
        assert found, path
        return found[1]

    async def bills(self, app: str) -> list[str]:
        """What can be ticked at one app."""
        return re.findall(r'name="charge" value="([^"]+)"', await self.get(f"/shops/{app}"))

    async def order(self, *charges: str) -> str:
        """Tick these bills and go to the cashier; answers the order's path."""
        location = await self.to("/orders", key=await self.key("/bills"), charge=list(charges))
        assert location.startswith("/sandbox/cashier/"), location
        return "/orders/" + location.removeprefix("/sandbox/cashier/").partition("?")[0]

    async def pay(self, order: str, choice: str = "paid") -> str:
        """Do something at the cashier; answers where the bank sends the browser."""
        cashier = await self.to(f"{order}/pay")
        await self.get(cashier)
        token = cashier.partition("token=")[2]
        return await self.to(cashier.partition("?")[0], token=token, choice=choice)

    async def until(self, path: str, words: str) -> str:
        """Look at a page again until it says something."""
        async with asyncio.timeout(15):
            while words not in (page := await self.get(path)):
                await asyncio.sleep(0.05)
        return page


async def visitor(city: City, lang: str = "zh-CN") -> Visitor:
    """A new browser."""
    return Visitor(city, await city.client(lang=lang))


async def citizen(city: City, persona: str, lang: str = "zh-CN") -> Visitor:
    """A persona, signed in through the pages, verified, with every consent given."""
    found = await visitor(city, lang)
    await found.sign_in((await city.people())[persona]["phone"])
    await found.verify(persona)
    await found.agree()
    return found
