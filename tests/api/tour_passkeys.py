"""The part of the tour in which a citizen adds a passkey, signs in by it, and signs other devices out."""

from __future__ import annotations

from typing import Any

import httpx
from tests.city import City
from tests.rooms.identity.passkeys.authenticator import Authenticator


async def passkeys(t: Any, city: City, nobody: httpx.AsyncClient) -> None:
    """From the first question to the last device."""
    own = await city.newcomer("near_retirement_man")
    key = Authenticator(city.url.replace("127.0.0.1", "localhost"))
    asked = await t.go(own, "POST", "/v1/me/passkeys/options")
    made = {"ceremony": asked["ceremony"], "credential": key.make(asked["public_key"])}
    added = await t.go(own, "POST", "/v1/me/passkeys", {**made, "name": "我的手机"})
    await t.go(own, "GET", "/v1/me/passkeys")
    this = {"passkey": added["id"]}
    await t.go(own, "PATCH", "/v1/me/passkeys/{passkey}", {"name": "旧手机"}, **this)

    asked = await t.go(nobody, "POST", "/v1/sign-in/passkeys/options")
    said = {"ceremony": asked["ceremony"], "credential": key.sign(asked["public_key"])}
    pair = await t.go(nobody, "POST", "/v1/sign-in/passkeys", {**said, "device": "phone"})
    again = await city.client(pair["access_token"])
    await t.go(again, "DELETE", "/v1/me/passkeys/{passkey}", **this)
    await t.go(again, "DELETE", "/v1/me/sessions")
