"""The part of the tour in which a client is registered, and a citizen signs in there."""

from __future__ import annotations

import re
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
from tests.city import City

BACK: Final = "https://partner.example/back"
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CLIENT: Final[dict[str, Any]] = {
    "client_id": "tour-library", "kind": "confidential", "owner": "Library of the city",
    "name": {"zh-CN": "市图书馆", "en": "City Library"},
    "purpose": {"zh-CN": "办理借书证", "en": "To issue library cards"},
    "redirect_uris": [BACK], "auth_method": "client_secret_basic", "scopes": ["openid", "profile"],
    "claims": {"name": {"purpose": {"zh-CN": "打印在借书证上", "en": "To print on the card"}}},
    "min_level": 1, "post_logout_redirect_uris": ["https://partner.example/"],
}  # fmt: skip
ASKED: Final = {
    "client_id": "tour-library", "redirect_uri": BACK, "response_type": "code", "scope": "openid profile",
    "state": "af0ifjsldkj", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}  # fmt: skip


async def provider(t: Any, city: City, phone: str) -> None:
    """From the draft to the tokens, and the end of the client."""
    operator, reviewer, nobody = (
        await city.operator(),
        await city.reviewer(),
        await city.anonymous(),
    )
    await t.go(nobody, "GET", "/.well-known/openid-configuration")
    await t.go(nobody, "GET", "/.well-known/oauth-authorization-server")
    named = {"client_id": "tour-library"}
    asked = CLIENT | {"claims": {"name": CLIENT["claims"]["name"] | {"optional": True}}}
    draft = await t.go(operator, "PUT", "/v1/desk/clients/{client_id}/draft", asked, **named)
    said = {"version": draft["version"]}
    await t.go(reviewer, "POST", "/v1/desk/clients/{client_id}/approval", said, **named)
    made = await t.go(operator, "POST", "/v1/desk/clients/{client_id}/secrets", **named)
    await t.go(operator, "GET", "/v1/desk/clients")
    auth = ("tour-library", made["client_secret"])
    pushed = (await nobody.post("/oauth/par", data=ASKED, auth=auth)).json()
    t.seen["POST /oauth/par"] = {"response": pushed}
    code = await _agreed(city, phone, pushed["request_uri"])
    tokens = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }  # fmt: skip
    got = await nobody.post("/oauth/token", data=tokens, auth=auth)
    assert got.status_code == 200, got.text
    await t.go(operator, "DELETE", "/v1/desk/clients/{client_id}", **named)


async def _agreed(city: City, phone: str, request_uri: str) -> str:
    """A citizen signs in and agrees; the code."""
    browser: httpx.AsyncClient = await city.client()
    ours = {"origin": city.url}
    query = {"client_id": "tour-library", "request_uri": request_uri}
    path = (await browser.get("/oauth/authorize", params=query)).headers["location"]
    await browser.post("/login/code", data={"phone": phone, "next": path}, headers=ours)
    sent = (await browser.get("/v1/sandbox/messages")).json()["items"]
    said = next(re.findall(r"\d{6}", m["text"])[0] for m in sent if m["to"] == phone)
    await browser.post("/login", data={"code": said, "next": path}, headers=ours)
    seal = re.findall(r'name="seal" value="(\w+)"', (await browser.get(path)).text)[0]
    done = await browser.post(path, data={"seal": seal, "answer": "allow"}, headers=ours)
    back = unescape(re.findall(r'content="0; url=([^"]+)"', done.text)[0])
    return parse_qs(urlsplit(back).query)["code"][0]
