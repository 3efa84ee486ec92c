"""What the tests of passkeys do again and again."""

from __future__ import annotations

from typing import Any

import httpx
from tests.city import City
from tests.rooms.identity.passkeys.authenticator import Authenticator
from tests.rooms.identity.steps import pair_for

from civicmall.kernel import ids


def origin(city: City) -> str:
    """Where this city's passkeys are used."""
    return city.url.replace("127.0.0.1", "localhost")


def device(city: City, **rest: Any) -> Authenticator:
    """A new authenticator."""
    return Authenticator(origin(city), **rest)


async def somebody(city: City, phone: str = "") -> httpx.AsyncClient:
    """A citizen who has just signed in."""
    return await city.client((await pair_for(city, phone))["access_token"])


async def asked(client: httpx.AsyncClient, path: str = "/v1/me/passkeys/options") -> dict[str, Any]:
    """Ask for a ceremony."""
    answer = await client.post(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def add(
    client: httpx.AsyncClient, key: Authenticator, name: str = "", /, **spoil: Any
) -> httpx.Response:
    """Make a passkey and bring it."""
    found = await asked(client)
    credential = key.make(found["public_key"], **spoil)
    said = {"ceremony": found["ceremony"], "credential": credential, "name": name}
    return await client.post("/v1/me/passkeys", json=said)


async def added(city: City, client: httpx.AsyncClient, **rest: Any) -> Authenticator:
    """A passkey of theirs that works."""
    key = device(city, **rest)
    answer = await add(client, key)
    assert answer.status_code == 200, answer.text
    return key


async def sign_in(client: httpx.AsyncClient, key: Authenticator, /, **spoil: Any) -> httpx.Response:
    """Ask and answer."""
    found = await asked(client, "/v1/sign-in/passkeys/options")
    said = {"ceremony": found["ceremony"], "credential": key.sign(found["public_key"], **spoil)}
    return await client.post("/v1/sign-in/passkeys", json=said)


async def signed_in(city: City, key: Authenticator) -> httpx.AsyncClient:
    """Whoever has this passkey, signed in by it."""
    answer = await sign_in(await city.anonymous(), key)
    assert answer.status_code == 200, answer.text
    return await city.client(answer.json()["access_token"])


async def long_ago(city: City, client: httpx.AsyncClient) -> None:
    """Let the last sign-in be twelve minutes ago."""
    token = client.headers["authorization"].partition(" ")[2]
    session = city.parts.tokens.check(token).session_id
    await city.house.db.execute(
        "update identity.session set created_at = now() - interval '12 minutes'"
        " where bucket = $1 and id = $2",
        *(ids.bucket_of(session), session),
    )


async def news(city: City, client: httpx.AsyncClient) -> list[str]:
    """Of what the citizen was told, newest first."""
    await city.settled()
    items = (await client.get("/v1/inbox")).json()["items"]
    return [one["kind"].removeprefix("identity.") for one in items]
