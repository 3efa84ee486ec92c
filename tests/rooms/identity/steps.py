"""What the tests of this room do again and again."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
from tests.city import City

_numbers = itertools.count()


def new_phone() -> str:
    """A phone that no test used before and no persona has."""
    return f"1980000{next(_numbers):04d}"


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and the last part of the problem's type."""
    body: dict[str, Any] = answer.json()
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"].removeprefix("/problems/")


async def code_for(city: City, phone: str) -> str:
    """Ask for a code and read it where the sandbox shows it."""
    nobody = await city.anonymous()
    sent = await nobody.post("/v1/sign-in/codes", json={"phone": phone})
    assert sent.status_code == 202, sent.text
    messages = (await nobody.get("/v1/sandbox/messages")).json()["items"]
    text = next(m["text"] for m in messages if m["to"] == phone)
    return "".join(filter(str.isdigit, text))


def another(code: str, by: int = 1) -> str:
    """A code of the same form that is not this one."""
    return f"{(int(code) + by) % 1_000_000:06d}"


async def try_code(client: httpx.AsyncClient, phone: str, code: str) -> httpx.Response:
    """Try to sign in."""
    return await client.post(
        "/v1/sign-in/tokens", json={"phone": phone, "code": code, "device": "a phone"}
    )


async def pair_for(city: City, phone: str = "") -> dict[str, Any]:
    """Tokens of somebody new, or of this phone."""
    phone = phone or new_phone()
    code = await code_for(city, phone)
    answer = await try_code(await city.anonymous(), phone, code)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refreshed(client: httpx.AsyncClient, token: str) -> httpx.Response:
    """Bring a refresh token."""
    return await client.post("/v1/sign-in/refresh", json={"refresh_token": token})


async def verified(client: httpx.AsyncClient, name: str, number: str) -> httpx.Response:
    """Ask the register."""
    return await client.post("/v1/me/verification", json={"name": name, "id_number": number})
