"""Staff as these tests need them: accounts, their authenticators, sessions."""

from __future__ import annotations

import itertools
import re
from typing import Any

import httpx
from pyotp.totp import TOTP
from tests.city import City

from civicmall import identity
from civicmall.identity import Role

PASSWORD = "correct horse battery"
_numbers = itertools.count()


async def account(city: City, role: Role, shop: str | None = None, name: str = "许岚") -> str:
    """A new account's name."""
    username = f"somebody{next(_numbers)}"
    assert await identity.add_staff(city.house, username, PASSWORD, name, role, shop)
    return username


async def sign_in(
    client: httpx.AsyncClient, username: str, password: str = PASSWORD
) -> httpx.Response:
    """The first step."""
    return await client.post("/v1/staff/tokens", json={"username": username, "password": password})


async def signed_in(city: City, username: str) -> httpx.AsyncClient:
    """A session by password alone."""
    answer = await sign_in(await city.anonymous(), username)
    assert answer.status_code == 200, answer.text
    return await city.client(answer.json()["access_token"])


class Authenticator:
    """What is on somebody's phone; `now` is the city's time."""

    def __init__(self, city: City, secret: str) -> None:
        self._city = city
        self._totp = TOTP(secret.replace(" ", ""))

    def code(self, steps: int = 0) -> str:
        """The code of now, or of so many thirty seconds later."""
        at = self._city.house.clock.now().timestamp() + 30 * steps
        return self._totp.at(int(at))

    def wrong(self) -> str:
        """A code of no step anywhere near."""
        near = {self.code(n) for n in range(-3, 4)}
        return next(f"{n:06d}" for n in range(1_000) if f"{n:06d}" not in near)


async def forget_steps(city: City) -> None:
    """As if thirty seconds and more had passed since the last code."""
    await city.house.db.execute("update identity.staff_totp set last_step = last_step - 10")


async def enrolled(city: City, username: str) -> tuple[Authenticator, list[str], dict[str, Any]]:
    """An account's new authenticator, its recovery codes, and the tokens that it goes on with."""
    client = await signed_in(city, username)
    begun = await client.post("/v1/staff/factors/totp", json={})
    assert begun.status_code == 200, begun.text
    phone = Authenticator(city, begun.json()["secret"])
    done = await client.post("/v1/staff/factors/totp/confirmation", json={"code": phone.code()})
    assert done.status_code == 200, done.text
    await forget_steps(city)
    return phone, done.json()["recovery_codes"], done.json()["tokens"]


async def ticket(client: httpx.AsyncClient, username: str) -> str:
    """What the password gets, where there is a second factor."""
    answer = await sign_in(client, username)
    assert answer.status_code == 401, answer.text
    assert answer.json()["type"] == "/problems/second-factor-needed"
    found: str = answer.json()["ticket"]
    return found


async def finish(client: httpx.AsyncClient, ticket: str, code: str) -> httpx.Response:
    """The second step."""
    return await client.post("/v1/staff/tokens/totp", json={"ticket": ticket, "code": code})


async def set_up(city: City, browser: httpx.AsyncClient) -> tuple[Authenticator, list[str]]:
    """Set an authenticator up in the console; answers it and the recovery codes."""
    page = (await browser.post("/console/account/totp")).text
    secret = re.search(r"<code>([A-Z2-7 ]{39})</code>", page)
    assert secret is not None
    assert re.search(r"<svg [^>]*>.*<path ", page, re.DOTALL)
    phone = Authenticator(city, secret[1])
    wrong = await browser.post("/console/account/totp/confirm", data={"code": phone.wrong()})
    assert wrong.status_code == 401
    assert secret[1] in wrong.text  # the same picture, once more
    done = await browser.post("/console/account/totp/confirm", data={"code": phone.code()})
    assert done.status_code == 200
    codes = re.findall(r"<li><code>([a-z0-9-]{14})</code></li>", done.text)
    assert len(codes) == 10
    return phone, codes
