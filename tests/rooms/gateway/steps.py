"""What the tests of this room do again and again."""

from __future__ import annotations

import itertools
import time
from typing import Any
from uuid import UUID

import httpx
from tests.city import City

from civicmall.gateway.breaker import Breaker
from civicmall.kernel.clock import Clock

_phones = itertools.count(1)


class Later(Clock):
    """A clock that a test may put forward."""

    forward_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.forward_s


async def someone(city: City, level: int = 1) -> tuple[httpx.AsyncClient, UUID]:
    """Somebody new, signed in the short way."""
    return await city.short(f"1660{next(_phones):07d}", level)


async def known(city: City, persona: str) -> httpx.AsyncClient:
    """A persona at level 2 who has agreed to nothing."""
    person = (await city.people())[persona]
    client = await city.newcomer(persona)
    answer = await client.post(
        "/v1/me/verification", json={"name": person["name"], "id_number": person["id_number"]}
    )
    return await city.client(answer.json()["access_token"])


def forgive(gate: Any) -> None:
    """As if the shop had never failed."""
    gate._breaker = Breaker()


async def timed(work: Any) -> tuple[httpx.Response, float]:
    """An answer and how many seconds it took."""
    began = time.perf_counter()
    answer = await work
    return answer, time.perf_counter() - began


def bills(shop: str, app: str = "plain") -> str:
    """The path of an app's bills."""
    return f"/v1/shops/{shop}/apps/{app}/bills"
