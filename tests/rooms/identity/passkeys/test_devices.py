"""Devices: where somebody is signed in, what they are told, and how soon an end is one everywhere."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec
import pytest
from tests.city import City
from tests.patience import STALL_S
from tests.rooms.identity.passkeys.authenticator import Authenticator
from tests.rooms.identity.passkeys.steps import added, news, sign_in, somebody
from tests.rooms.identity.steps import new_phone, pair_for, problem, refreshed
from tests.serving import served

from civicmall import app, identity
from civicmall.identity import passkeys
from civicmall.identity.limits import Origin
from civicmall.kernel import ids
from civicmall.kernel.serving import Protocol
from civicmall.shops import Registry

SOON_S: Final = 5.0
"""How soon an ended session stops in every process."""


async def from_device(
    city: City, key: Authenticator, device: str, address: str, known: bytes | None = None
) -> httpx.AsyncClient:
    """Signed in from a device at an address."""
    asks = passkeys.options(city.house, "citizen")
    answer = msgspec.convert(key.sign(msgspec.to_builtins(asks.public_key)), passkeys.Assertion)
    said = passkeys.PasskeySignIn(asks.ceremony, answer, device)
    origin = Origin(address, address, known)
    pair = await passkeys.finish(city.house, city.parts.tokens, "citizen", said, origin=origin)
    return await city.client(pair.access_token)


async def listed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The devices."""
    found: list[dict[str, Any]] = (await client.get("/v1/me/sessions")).json()["items"]
    return found


async def test_the_list_says_what_its_owner_recognises(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    again = await from_device(city, key, "Chrome · Android", "203.0.113.77")
    newest, first = await listed(again)
    assert (newest["device"], newest["network"], newest["here"], newest["amr"]) == (
        "Chrome · Android", "203.0.113.0/24", True, ["hwk", "mfa"],
    )  # fmt: skip
    assert first["here"] is False
    assert first["amr"] == ["otp", "sms"]
    assert newest["created_at"] == newest["last_used_at"]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:77:1234::1", "2001:db8:77::/48"), ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("", None), ("not an address", None),
    ],
)  # fmt: skip
async def test_of_an_address_only_the_network_is_kept(
    city: City, address: str, network: str | None
) -> None:
    key = await added(city, await somebody(city))
    again = await from_device(city, key, "Firefox · Linux", address)
    (here,) = [one for one in await listed(again) if one["here"]]
    assert here["network"] == network
    kept: Any = await city.house.db.fetchrow(
        "select place, seen from identity.session where bucket = $1 and id = $2",
        *(ids.bucket_of(UUID(here["id"])), UUID(here["id"])),
    )
    assert (kept["place"] is None) == (network is None)
    for part in (kept["place"], kept["seen"]):
        assert part is None or b"203.0.113" not in part
    assert (await again.delete("/v1/me/session")).status_code == 204
    left = await city.house.db.fetchval(
        "select place from identity.session where bucket = $1 and id = $2",
        *(ids.bucket_of(UUID(here["id"])), UUID(here["id"])),
    )
    assert left is None, "and forgotten with the session"


async def test_a_new_device_is_told_and_a_known_one_is_not(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    assert await news(city, mine) == ["passkey_added"], "the first device is no news"
    at = "203.0.113.7"
    await from_device(city, key, "Chrome · Android", at)
    assert await news(city, mine) == ["new_device", "passkey_added"]
    await from_device(city, key, "Chrome · Android", "203.0.113.200")
    assert (await news(city, mine)).count("new_device") == 1, "the same network"
    await from_device(city, key, "Chrome · Android", "198.51.100.1")
    assert (await news(city, mine)).count("new_device") == 2, "another network"
    await from_device(city, key, "Edge · Windows", at)
    assert (await news(city, mine)).count("new_device") == 3, "another browser"
    await from_device(city, key, "Edge · Windows", at, known=b"i" * 16)
    assert (await news(city, mine)).count("new_device") == 4, "with an id that nobody saw yet"
    await from_device(city, key, "Edge · Windows", "192.0.2.1", known=b"i" * 16)
    assert (await news(city, mine)).count("new_device") == 4, "known by its id wherever it is"
    message = (await mine.get("/v1/inbox")).json()["items"][0]
    assert message["link"] == "/me/devices"
    assert "Edge · Windows" in message["body"]


async def test_another_citizen_on_the_same_device_is_news_only_to_who_is_new_there(
    city: City,
) -> None:
    mine, theirs = await somebody(city), await somebody(city)
    one, other = await added(city, mine), await added(city, theirs)
    for key in (one, other):
        await from_device(city, key, "Safari · iPhone", "203.0.113.7", known=b"k" * 16)
    for client in (mine, theirs):
        assert await news(city, client) == ["new_device", "passkey_added"]


async def test_all_others_are_signed_out_at_once(city: City) -> None:
    phone = new_phone()
    clients = [await somebody(city, phone) for _ in range(3)]
    stranger = await somebody(city)
    answer = await clients[1].delete("/v1/me/sessions")
    assert answer.status_code == 204
    for client, status in zip(clients, (401, 200, 401), strict=True):
        assert (await client.get("/v1/me")).status_code == status
    (left,) = await listed(clients[1])
    assert left["here"] is True
    assert (await stranger.get("/v1/me")).status_code == 200
    assert (await clients[1].delete("/v1/me/sessions")).status_code == 204


async def test_a_copied_refresh_token_is_told(city: City) -> None:
    phone = new_phone()
    pair = await pair_for(city, phone)
    nobody = await city.anonymous()
    second = (await refreshed(nobody, pair["refresh_token"])).json()
    third = (await refreshed(nobody, second["refresh_token"])).json()
    assert problem(await refreshed(nobody, pair["refresh_token"])) == (401, "refresh-reused")
    for gone in (pair, second, third):
        assert problem(await refreshed(nobody, gone["refresh_token"])) == (401, "token-invalid")
    again = await somebody(city, phone)
    assert (await news(city, again)).count("copied") == 1, "once, however often it came"
    (message,) = [
        one for one in (await again.get("/v1/inbox")).json()["items"]
        if one["kind"] == "identity.copied"
    ]  # fmt: skip
    assert message["link"] == "/me/devices"


async def test_a_session_that_ends_here_stops_at_every_process(
    city: City, registry: Registry
) -> None:
    """A second server on the same database, with its own memory of tokens."""
    second = app.create_app(city.settings, Registry(registry.all()))
    async with served(second, http=Protocol) as url:
        mine = await somebody(city)
        key = await added(city, mine)
        answer = await sign_in(await city.anonymous(), key)
        token = answer.json()["access_token"]
        async with httpx.AsyncClient(
            base_url=url, headers={"authorization": f"Bearer {token}"}, trust_env=False
        ) as there:
            assert (await there.get("/v1/me")).status_code == 200
            assert (await mine.delete("/v1/me/sessions")).status_code == 204
            async with asyncio.timeout(SOON_S + STALL_S):
                while (found := await there.get("/v1/me")).status_code == 200:
                    await asyncio.sleep(0.05)
            assert found.json()["reason"] == "session-ended"
            assert (await there.get("/v1/me/passkeys")).status_code == 401


async def test_how_somebody_signed_in_is_known_to_who_asks(city: City) -> None:
    mine = await somebody(city)
    token = mine.headers["authorization"].partition(" ")[2]
    session = city.parts.tokens.check(token).session_id
    found = await identity.signed_in(city.house.db, session)
    assert found is not None
    assert (found.kind, found.amr, found.recent) == ("citizen", ["otp", "sms"], True)
    await mine.delete("/v1/me/session")
    assert await identity.signed_in(city.house.db, session) is None
    assert await identity.recently(city.house.db, session) is False
