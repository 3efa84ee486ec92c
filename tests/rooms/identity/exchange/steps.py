"""Clients of the provider and what they were given, without the browser's part of it."""

from __future__ import annotations

import itertools
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec
from msgspec import Struct
from tests.city import City
from tests.rooms.gateway.wire import token_of

from civicmall import identity
from civicmall.identity import Caller, Tokens, agreements, devices, provider
from civicmall.identity.provider import clients, grants, issuing, registering
from civicmall.kernel import ids

CLAIMS: Final = ("name", "phone", "id_number", "birth_date", "sex", "level")
WORDS: Final = {"zh-CN": "预约挂号", "en": "To book a visit"}
BACK: Final = "https://clinic.example/cb"
BYE: Final = "https://clinic.example/bye"


_phones = itertools.count(1)


class App(Struct, frozen=True):
    """A client, and its secret."""

    client: provider.Client
    secret: str

    @property
    def basic(self) -> httpx.BasicAuth:
        """What it authenticates with."""
        return httpx.BasicAuth(self.client.client_id, self.secret)


class Given(Struct, frozen=True):
    """What a client was given for one signing in."""

    citizen: UUID
    session: UUID
    grant: UUID
    access: str
    refresh: str
    id_token: str


def tokens_of(city: City) -> Tokens:
    """The server's own."""
    found: Tokens = city.parts.tokens
    return found


async def someone(city: City, level: int = 1, phone: str = "") -> httpx.AsyncClient:
    """Somebody new, or of this phone, in a session of their own; no code was sent for it."""
    citizen = await identity.account(city.house, phone or f"1670{next(_phones):07d}")
    session = await devices.open_session(city.house.db, citizen, "citizen", "a phone", amr=["otp"])
    return await city.client(tokens_of(city).access(Caller(citizen, session, level)))


async def register(city: City, name: str, **more: Any) -> App:
    """A client in force: drafted by one operator, approved by another."""
    said: dict[str, Any] = {
        "client_id": name, "kind": "confidential", "auth_method": "client_secret_basic",
        "owner": "Clinic", "name": WORDS, "purpose": WORDS, "redirect_uris": [BACK],
        "post_logout_redirect_uris": [BYE], "scopes": list(provider.SCOPES),
        "claims": {claim: {"purpose": WORDS, "optional": True} for claim in CLAIMS}, **more,
    }  # fmt: skip
    house, one, two = city.house, ids.new(0), ids.new(1)
    version = await registering.draft(house, one, msgspec.convert(said, provider.Registration))
    await registering.approve(house, two, name, version)
    secret = ""
    if said["kind"] == "confidential":
        secret = (await registering.new_secret(house, one, name)).client_secret
    client = await clients.find(house.db, name)
    assert client is not None
    return App(client, secret)


async def give(
    city: City, app: App, citizen: httpx.AsyncClient, *claims: str, scope: str = "openid",
    agreed: bool = True,
) -> Given:  # fmt: skip
    """Let a signed-in citizen have signed in at a client, and agreed."""
    caller = tokens_of(city).check(token_of(citizen))
    assert isinstance(caller, Caller)
    bucket = ids.bucket_of(caller.citizen_id)
    grant_id = ids.new(bucket)
    await city.house.db.execute(
        """
        insert into identity.grant_ (bucket, id, citizen_id, session_id, client_id, scope, claims, offline,
                                     acr, amr, auth_time, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '{otp}', now(), now() + interval '1 day')
        """,
        bucket, grant_id, caller.citizen_id, caller.session_id, app.client.client_id, scope.split(),
        list(claims), "offline_access" in scope, caller.level,
    )  # fmt: skip
    if agreed:
        await agreements.agree(
            city.house, caller.citizen_id, app.client.grantee, dict.fromkeys(claims, WORDS)
        )
    grant = await grants.live(city.house, grant_id)
    assert grant is not None
    said = issuing.answer(city.house, tokens_of(city), app.client, grant)
    return Given(
        caller.citizen_id, caller.session_id, grant_id, said["access_token"], said["refresh_token"],
        said["id_token"],
    )  # fmt: skip


async def introspected(city: City, app: App, token: str, **form: str) -> dict[str, Any]:
    """What a client is told of a token."""
    nobody = await city.anonymous()
    answer = await nobody.post("/oauth/introspect", data={"token": token, **form}, auth=app.basic)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and name of a refusal (RFC 6749 section 5.2)."""
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]
