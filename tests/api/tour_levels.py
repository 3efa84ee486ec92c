"""The part of the tour in which a citizen proves more, and signs in with an account elsewhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
from tests.city import City
from tests.rooms.identity.federation.hostile import CLIENT, SECRET, hostile_upstream

from civicmall.identity import federation, levels


async def proofs(t: Any, city: City, c: httpx.AsyncClient, id_number: str) -> None:
    """A face, a counter: the citizen has level 2."""
    check = await t.go(c, "POST", "/v1/me/face-checks")
    token = parse_qs(urlsplit(str(check["url"])).query)["token"][0]
    faces = levels.SandboxAuthority(city.house)
    await faces.choose(UUID(check["id"]), token, "passed")
    await t.go(c, "POST", "/v1/me/face-checks/{check}/result", check=check["id"])
    shown = await t.go(c, "POST", "/v1/me/counter-codes")
    said = {
        "id_number": id_number,
        "code": shown["code"],
        "case": "2026-17",
        "reason": "换领身份证",
    }
    await t.go(await city.department("public_security"), "POST", "/v1/desk/counter-checks", said)


async def elsewhere(t: Any, city: City, c: httpx.AsyncClient) -> None:
    """Through an upstream that is opened for this part alone, as an app does; then connected."""
    before = city.parts.federation
    async with hostile_upstream() as upstream, httpx.AsyncClient(trust_env=False) as client:
        env = {
            "CIVICMALL_FEDERATION_ISSUER": upstream.url, "CIVICMALL_FEDERATION_CLIENT_ID": CLIENT,
            "CIVICMALL_FEDERATION_CLIENT_SECRET": SECRET, "CIVICMALL_FEDERATION_TRUST": "phone",
            "CIVICMALL_FEDERATION_NAME": "省统一身份认证", "CIVICMALL_FEDERATION_APP_REDIRECT": "app.city:/back",
        }  # fmt: skip
        city.parts.federation = federation.open_federation(city.house, client, env)
        upstream.info = {"phone_number": "19700000001", "phone_number_verified": True}
        nobody = await city.anonymous()
        path = "/v1/sign-in/upstream"
        await t.go(nobody, "GET", path)

        async def back(*, link: bool) -> dict[str, str]:
            begun = await t.go(nobody, "POST", path, {"link": link})
            said = parse_qs(urlsplit(str(begun["url"])).query)
            upstream.nonce = said["nonce"][0]
            return {
                "flow": begun["flow"], "state": said["state"][0], "code": "c", "iss": upstream.url,
                "device": "phone",
            }  # fmt: skip

        await t.go(nobody, "POST", path + "/tokens", await back(link=False))
        upstream.sub = "another"
        needed = await nobody.post(path + "/tokens", json=await back(link=True))
        ticket = {"ticket": needed.json()["link_ticket"]}
        made = await t.go(c, "POST", "/v1/me/links", ticket)
        await t.go(c, "GET", "/v1/me/links")
        await t.go(c, "DELETE", "/v1/me/links/{link}", link=made["id"])
    city.parts.federation = before
