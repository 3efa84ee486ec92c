"""What the tests of the OpenID Provider do again and again: register a client, be a browser, be a
client that is written by hand.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from weakref import WeakKeyDictionary

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey
from msgspec import Struct
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, visitor

VERIFIER: Final = "a-verifier-that-is-long-enough-for-rfc-7636-0123"
BACK: Final = "https://partner.example/back"
REFRESH: Final = re.compile(r'<meta http-equiv="refresh" content="0; url=([^"]+)">')
SEAL: Final = re.compile(r'name="seal" value="([0-9a-f]+)"')
CLIENT: Final = "client_credentials"
_numbers = itertools.count()


def s256(verifier: str) -> str:
    """The challenge of a verifier."""
    return b64(hashlib.sha256(verifier.encode()).digest())


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def new_id() -> str:
    """A client_id that no test used before."""
    return f"client-{next(_numbers)}"


def words(zh: str, en: str) -> dict[str, str]:
    return {"zh-CN": zh, "en": en}


def registration(**changes: Any) -> dict[str, Any]:
    """A client as an operator hands it in: confidential, by Basic, for name and, if one likes, phone."""
    return {
        "client_id": new_id(), "kind": "confidential", "owner": "Library of the city",
        "name": words("市图书馆", "City Library"),
        "purpose": words("办理借书证", "To issue library cards"),
        "redirect_uris": [BACK], "auth_method": "client_secret_basic",
        "scopes": ["openid", "profile", "phone", "offline_access"],
        "claims": {
            "name": {"purpose": words("打印在借书证上", "To print on the card")},
            "phone": {"purpose": words("到期提醒", "To remind you of due dates"), "optional": True},
        },
        "min_level": 2,
    } | changes  # fmt: skip


class Partner(Struct):
    """A client that is written by hand, and what it keeps."""

    city: City
    client_id: str
    secret: str = ""
    key: ECKey | None = None
    redirect_uri: str = BACK

    async def http(self) -> httpx.AsyncClient:
        return await self.city.anonymous()

    def url(self, **changes: Any) -> str:
        """An authorization request; None leaves a parameter out."""
        return "/oauth/authorize?" + urlencode(self.parameters(**changes), quote_via=quote)

    def parameters(self, **changes: Any) -> dict[str, str]:
        said = {
            "client_id": self.client_id, "redirect_uri": self.redirect_uri, "response_type": "code",
            "scope": "openid profile", "state": "the-state", "nonce": "the-nonce",
            "code_challenge": s256(VERIFIER), "code_challenge_method": "S256",
        } | changes  # fmt: skip
        return {name: str(value) for name, value in said.items() if value is not None}

    async def token(self, **form: Any) -> httpx.Response:
        """To the token endpoint, authenticated as registered."""
        return await self.post("/oauth/token", **form)

    async def post(self, path: str, **form: Any) -> httpx.Response:
        said = {name: value for name, value in form.items() if value is not None}
        client = await self.http()
        if self.key is not None:
            said = {
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self.assertion(),
            } | said  # fmt: skip
        elif not self.secret:
            said = {"client_id": self.client_id} | said
        basic = (self.client_id, self.secret) if self.secret else None
        return await client.post(path, data=said, auth=basic or httpx.USE_CLIENT_DEFAULT)

    def assertion(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Signed by the registered key; None leaves a claim out."""
        assert self.key is not None
        now = int(self.city.house.clock.now().timestamp())
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": self.city.url,
            "exp": now + 60, "iat": now, "jti": f"jti-{next(_numbers)}",
        } | changes  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": self.key.kid} | (header or {}), kept, self.key)

    async def redeem(self, back: str, **changes: Any) -> httpx.Response:
        """Bring the code of an answer."""
        return await self.token(
            **{
                "grant_type": "authorization_code", "code": answer(back)["code"],
                "redirect_uri": self.redirect_uri, "code_verifier": VERIFIER,
            } | changes
        )  # fmt: skip

    async def signed_in(self, who: Visitor, **asked: Any) -> dict[str, Any]:
        """Tokens of a citizen who agrees."""
        got = await self.redeem(await agree(who, self.url(**asked)))
        assert got.status_code == 200, got.text
        found: dict[str, Any] = got.json()
        return found


def answer(back: str) -> dict[str, str]:
    """What an answer at a client's address says."""
    found = parse_qs(urlsplit(back).query, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in found.values()), back
    return {name: values[0] for name, values in found.items()}


_staff: WeakKeyDictionary[City, tuple[httpx.AsyncClient, httpx.AsyncClient]] = WeakKeyDictionary()


async def two(city: City) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    """Two operators; their passwords are hashed slowly, so they sign in once."""
    if city not in _staff:
        _staff[city] = await city.operator(), await city.reviewer()
    return _staff[city]


async def register(city: City, **changes: Any) -> Partner:
    """Drafted by one operator, approved by another; with its secret or its key."""
    key = None
    if changes.get("auth_method") == "private_key_jwt" and "jwks" not in changes:
        key = ECKey.generate_key("P-256", {"kid": f"key-{next(_numbers)}"})
        changes["jwks"] = {"keys": [key.as_dict(private=False)]}
    asked = registration(**changes)
    client_id = asked["client_id"]
    operator, reviewer = await two(city)
    drafted = await operator.put(f"/v1/desk/clients/{client_id}/draft", json=asked)
    assert drafted.status_code == 200, drafted.text
    approved = await reviewer.post(
        f"/v1/desk/clients/{client_id}/approval", json={"version": drafted.json()["version"]}
    )
    assert approved.status_code == 200, approved.text
    found = Partner(city, client_id, key=key, redirect_uri=asked["redirect_uris"][0])
    if asked["auth_method"].startswith("client_secret"):
        secret = await operator.post(f"/v1/desk/clients/{client_id}/secrets")
        assert secret.status_code == 200, secret.text
        found.secret = secret.json()["client_secret"]
    return found


async def citizen(city: City, persona: str = "school_mother", *, level: int = 2) -> Visitor:
    """A browser in which a persona is signed in."""
    who = await visitor(city)
    person = (await city.people())[persona]
    await who.sign_in(person["phone"])
    if level > 1:
        api = await own_app(city, persona)
        told = {name: person[name] for name in ("name", "id_number")}
        assert (await api.post("/v1/me/verification", json=told)).status_code == 200
    return who


async def own_app(city: City, persona: str = "school_mother") -> httpx.AsyncClient:
    """The city's own app, in which a persona is signed in, without a code for it."""
    found, _ = await city.short((await city.people())[persona]["phone"])
    return found


def path_of(url: str) -> str:
    """What a browser asks us for."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


async def waiting(who: Visitor, url: str) -> tuple[str, str]:
    """Open a request that is not answered at once: the page's path, and the page."""
    first = await who.client.get(path_of(url))
    assert first.status_code == 303, first.text
    path = first.headers["location"]
    assert path.startswith("/oauth/authorize/"), path
    return path, await who.get(path)


def onward(page: str) -> str:
    """Where a page goes on to by itself."""
    found = REFRESH.search(page)
    assert found, page
    return unescape(found[1])


def seal(page: str) -> str:
    found = SEAL.search(page)
    assert found, page
    return found[1]


async def agree(who: Visitor, url: str, *claims: str, say: str = "allow") -> str:
    """Answer the question of a request; where the browser goes then."""
    path, page = await waiting(who, url)
    done = await who.post(path, 200, answer=say, seal=seal(page), claim=list(claims))
    return onward(done.text)


async def straight(who: Visitor, url: str) -> str:
    """Where a request leads that is answered at once."""
    first = await who.client.get(path_of(url))
    assert first.status_code == 303, first.text
    location: str = first.headers["location"]
    return location


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT, unchecked."""
    head, body, _ = token.split(".")
    return tuple(  # pyright: ignore[reportReturnType]
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, body)
    )


def refused(got: httpx.Response, status: int = 400) -> str:
    """The registered name of a refusal (RFC 6749 section 5.2)."""
    assert got.status_code == status, (got.status_code, got.text)
    assert got.headers["content-type"].startswith("application/json")
    assert got.headers["cache-control"] == "no-store"
    error: str = got.json()["error"]
    return error


async def code(who: Visitor, partner: Partner, **asked: Any) -> str:
    """An answer with a code, asked for anew."""
    return await agree(who, partner.url(prompt="consent", **asked))


async def info(city: City, token: str) -> int:
    """What userinfo answers to a token."""
    return (await (await city.client(token)).get("/oauth/userinfo")).status_code


async def refresh(partner: Partner, token: str, **form: Any) -> httpx.Response:
    return await partner.token(grant_type="refresh_token", refresh_token=token, **form)
