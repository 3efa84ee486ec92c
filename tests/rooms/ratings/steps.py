"""What the tests of this room do again and again."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from tests.city import City

from civicmall.kernel import ids
from civicmall.kernel.house import House

SHOP, APP = "public_security", "id_card"
_days = itertools.count()
"""A citizen's call of one app is rateable once a day, so each made here has a day of its own."""


async def id_of(client: httpx.AsyncClient) -> UUID:
    """The citizen's id."""
    return UUID((await client.get("/v1/me")).json()["id"])


async def call_of(house: House, citizen: UUID, shop: str = SHOP, app: str = APP) -> str:
    """A finished call as the gateway keeps it."""
    bucket = ids.bucket_of(citizen)
    call = ids.new(bucket)
    await house.db.execute(
        "insert into gateway.call (bucket, citizen_id, day, shop, app, id, operation)"
        " values ($1, $2, $3, $4, $5, $6, 'progress.list')",
        *(bucket, citizen, date(2026, 1, 1) - timedelta(days=next(_days)), shop, app, call),
    )
    return str(call)


async def subject(city: City, client: httpx.AsyncClient, shop: str = SHOP) -> dict[str, str]:
    """Something of this citizen's that can be rated."""
    app = APP if shop == SHOP else "water"
    return {"kind": "call", "id": await call_of(city.house, await id_of(client), shop, app)}


async def post_rating(
    client: httpx.AsyncClient, ask: dict[str, Any], key: str = ""
) -> httpx.Response:
    """Ask to rate."""
    return await client.post(
        "/v1/ratings", json=ask, headers={"Idempotency-Key": key or f"{uuid4()}"}
    )


async def rated(
    city: City, client: httpx.AsyncClient, stars: int, shop: str = SHOP, **more: Any
) -> dict[str, Any]:
    """A rating that was given."""
    ask = {"subject": await subject(city, client, shop), "stars": stars, **more}
    answer = await post_rating(client, ask)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ticket_of(city: City, client: httpx.AsyncClient, shop: str = SHOP) -> str:
    """The id of a new ticket."""
    return (await rated(city, client, 1, shop, comment="等了三个月"))["id"]


async def answered(
    client: httpx.AsyncClient, ticket: str, kind: str = "fixed", text: str = "已处理。"
) -> httpx.Response:
    """What the department's answer came to."""
    return await client.post(
        f"/v1/desk/rectifications/{ticket}/answer", json={"kind": kind, "text": text}
    )


async def confirmed(
    client: httpx.AsyncClient, ticket: str, rating: dict[str, Any] | None = None
) -> httpx.Response:
    """What the citizen's acceptance came to."""
    return await client.post(f"/v1/rectifications/{ticket}/confirm", json={"rating": rating})


async def reopened(
    client: httpx.AsyncClient, ticket: str, reason: str = "没有解决"
) -> httpx.Response:
    """What sending an answer back came to."""
    return await client.post(f"/v1/rectifications/{ticket}/reopen", json={"reason": reason})


async def index_of(city: City, shop: str = SHOP) -> dict[str, Any]:
    """The shop's public index, once all news is through."""
    await city.settled()
    answer = await (await city.anonymous()).get(f"/v1/satisfaction/{shop}")
    assert answer.status_code == 200, answer.text
    return answer.json()["index"]


async def inbox_kinds(city: City, client: httpx.AsyncClient, ticket: str) -> list[str]:
    """What the citizen was told of a ticket, oldest first."""
    await city.settled()
    found = (await client.get("/v1/inbox", params={"limit": 100})).json()["items"]
    return [m["kind"] for m in found if m["link"] == f"/rectifications/{ticket}"][::-1]
