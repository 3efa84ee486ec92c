"""Token exchange: a mini-app gets a token of its own, as narrow as its app, and never the citizen's."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final

import httpx
import msgspec
import pytest
from tests.city import City
from tests.rooms.gateway.wire import token_of
from tests.rooms.identity.exchange.steps import refused, someone, tokens_of

from civicmall.identity import Caller
from civicmall.identity.models import Actor
from civicmall.kernel import ids

GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
SHOP, APP = "public_security", "id_card"
AT: Final = f"{SHOP}/{APP}"


async def swapped(city: City, token: str, **form: Any) -> httpx.Response:
    """Ask for an exchange; None leaves a parameter out, a list sends it twice."""
    said: dict[str, Any] = {
        "grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS, "audience": AT,
        **form,
    }  # fmt: skip
    nobody = await city.anonymous()
    data = {name: value for name, value in said.items() if value is not None}
    return await nobody.post("/oauth/token", data=data)


def read(token: str) -> dict[str, Any]:
    """The claims, as anybody sees them."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


async def agreed(city: City, persona: str) -> httpx.AsyncClient:
    """A citizen at level 2 who agreed to everything."""
    return await city.citizen(persona)


async def test_the_citizens_token_becomes_the_apps(city: City) -> None:
    client = await agreed(city, "graduate")
    answer = await swapped(city, token_of(client))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    token = said.pop("access_token")
    assert said == {
        "issued_token_type": ACCESS, "token_type": "Bearer", "expires_in": 300, "scope": "progress",
    }  # fmt: skip
    assert read(token)["aud"] == AT
    mine = await city.client(token)
    assert (await mine.get(f"/v1/shops/{SHOP}/apps/{APP}/progress")).status_code == 200
    assert (await mine.get("/v1/me")).status_code == 401


async def test_it_is_made_as_the_app_asks_and_no_wider(city: City) -> None:
    client = await agreed(city, "graduate")
    token = token_of(client)
    for kind in (ACCESS, JWT):
        assert (await swapped(city, token, requested_token_type=kind)).status_code == 200
    assert (await swapped(city, token, scope="progress")).json()["scope"] == "progress"
    for scope in ("bills", "progress bills", "progress  ", "openid", '"', "raw"):
        assert refused(await swapped(city, token, scope=scope)) == (400, "invalid_scope")


async def test_what_was_exchanged_is_not_exchanged_again(city: City) -> None:
    client = await agreed(city, "graduate")
    first = (await swapped(city, token_of(client))).json()["access_token"]
    for audience in (AT, "utility_bills/water"):
        answer = await swapped(city, first, audience=audience)
        assert refused(answer) == (400, "invalid_request")
        assert answer.json()["error_description"] == "subject_token: audience"


async def test_rights_are_looked_at_as_at_a_call(city: City) -> None:
    newcomer = await someone(city)
    answer = await swapped(city, token_of(newcomer))
    assert refused(answer) == (400, "insufficient_user_authentication")
    assert "L2" in answer.json()["error_description"]

    client = await agreed(city, "school_mother")
    gone = await client.delete(f"/v1/me/consents/{SHOP}/{APP}")
    assert gone.status_code == 204
    answer = await swapped(city, token_of(client))
    assert refused(answer) == (400, "consent_required")
    assert "id_number" in answer.json()["error_description"]
    given = await client.put(f"/v1/me/consents/{SHOP}/{APP}", json={"claims": ["id_number"]})
    assert given.status_code == 200, given.text
    assert (await swapped(city, token_of(client))).status_code == 200


@pytest.mark.parametrize(
    "audience",
    [
        "public_security", "public_security/", "/id_card", "public_security/nothing", "nobody/id_card",
        "PUBLIC_SECURITY/id_card", "public_security/id_card/", "public_security/id_card\n", "civicmall",
        "public_security/id_card utility_bills/water", "*", "https://clinic.example",
    ],
)  # fmt: skip
async def test_an_audience_that_is_no_app(city: City, audience: str) -> None:
    client = await agreed(city, "graduate")
    answer = await swapped(city, token_of(client), audience=audience)
    assert refused(answer) == (400, "invalid_target")


async def test_whose_token_it_must_be(city: City) -> None:
    staff = token_of(await city.operator())
    client = await someone(city)
    for token in (staff, "x", "a.b.c", "a" * 7_000):
        assert refused(await swapped(city, token)) == (400, "invalid_request")
    assert (await client.delete("/v1/me/session")).status_code == 204
    answer = await swapped(city, token_of(client))
    assert answer.json()["error_description"] == "subject_token: session-ended"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token": ["a", "b"]}, "invalid_request"),
        ({"subject_token": "a" * 9_000}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": JWT}, "invalid_request"),
        ({"subject_token_type": ACCESS.upper()}, "invalid_request"),
        ({"subject_token_type": [ACCESS, ACCESS]}, "invalid_request"),
        ({"audience": None}, "invalid_request"),
        ({"audience": ""}, "invalid_request"),
        ({"audience": [AT, "utility_bills/water"]}, "invalid_request"),
        ({"audience": "a" * 2_000}, "invalid_request"),
        ({"audience": "\x00"}, "invalid_request"),
        ({"resource": "https://clinic.example"}, "invalid_target"),
        ({"actor_token": "a.b.c"}, "invalid_request"),
        ({"actor_token_type": ACCESS}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"requested_token_type": [ACCESS, ACCESS]}, "invalid_request"),
        ({"scope": ["progress", "progress"]}, "invalid_request"),
        ({"scope": "a" * 2_000}, "invalid_request"),
        ({"grant_type": GRANT.upper()}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": [GRANT, GRANT]}, "invalid_request"),
    ],
)  # fmt: skip
async def test_what_is_sent_wrongly(city: City, form: dict[str, Any], error: str) -> None:
    client = await agreed(city, "graduate")
    assert refused(await swapped(city, token_of(client), **form)) == (400, error)


async def test_who_acts_stands_in_it_under_a_name_of_the_shops(city: City) -> None:
    client = await agreed(city, "graduate")
    caller = tokens_of(city).check(token_of(client))
    assert isinstance(caller, Caller)
    acting = Actor(ids.new(3), ids.new(4), frozenset({"view"}), frozenset({SHOP}))
    theirs = tokens_of(city).access(msgspec.structs.replace(caller, actor=acting))
    answer = await swapped(city, theirs)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    said = read(token)
    assert said["act"].keys() == {"sub"}
    assert said["act"]["sub"] not in {said["sub"], str(acting.id)}
    own = read((await swapped(city, token_of(client))).json()["access_token"])
    assert said["sub"] == own["sub"]
    seen = tokens_of(city).check_any(token)
    assert isinstance(seen, Caller)
    assert (seen.actor, seen.citizen_id) == (acting, caller.citizen_id)
    mine = await city.client(token)
    path = f"/v1/shops/{SHOP}/apps/{APP}/progress"
    assert (await mine.get(path)).status_code == 200

    soon = msgspec.structs.replace(acting, until=int(time.time()) + 60)
    short = tokens_of(city).access(msgspec.structs.replace(caller, actor=soon))
    answer = (await swapped(city, short)).json()
    assert 50 <= answer["expires_in"] <= 60
    assert read(answer["access_token"])["exp"] == soon.until

    elsewhere = await swapped(city, theirs, audience="utility_bills/water")
    assert refused(elsewhere) == (400, "invalid_target")
    tokens_of(city).end(acting.delegation)
    assert (await mine.get(path)).json()["reason"] == "delegation-ended"
