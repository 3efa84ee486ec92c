"""What the tests of this room do again and again."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any

import httpx
from tests.city import City
from tests.rooms.ratings.steps import rated

PASSWORD = "sandbox-only"
HOSTILE = '</blockquote><script>alert("1")</script><img src=x onerror=alert(2)>\'"&'


def stranger(city: City, lang: str = "zh-CN") -> httpx.AsyncClient:
    """A browser that nobody has signed in with; it is closed by `async with`."""
    return httpx.AsyncClient(
        base_url=city.url,
        headers={"accept-language": lang, "origin": city.url, "sec-fetch-site": "same-origin"},
        timeout=20,
        trust_env=False,
    )


@asynccontextmanager
async def signed_in(
    city: City, username: str, lang: str = "zh-CN"
) -> AsyncGenerator[httpx.AsyncClient]:
    """A browser with a member of staff at it."""
    async with stranger(city, lang) as browser:
        answer = await sign_in(browser, username)
        assert answer.status_code == 303, answer.text
        yield browser


async def sign_in(
    browser: httpx.AsyncClient, username: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    """Send the sign-in page's form."""
    form = {"username": username, "password": password, **more}
    return await browser.post("/console/login", data=form)


async def shown(browser: httpx.AsyncClient, path: str, status: int = 200, **params: Any) -> str:
    """A page's HTML."""
    answer = await browser.get(path, params=params or None)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:500]}"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


def words(html: str) -> str:
    """What a reader sees: no tags, entities resolved, one space between words."""
    text = re.sub(r"<(script|style|head)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


async def ticket(city: City, shop: str, persona: str = "graduate", comment: str = "等了三个月") -> str:  # fmt: skip
    """The id of a new ticket, known at its desk."""
    client = await city.citizen(persona)
    found = await rated(city, client, 1, shop, comment=comment, tags=["too_slow"])
    await city.settled()
    return found["id"]
