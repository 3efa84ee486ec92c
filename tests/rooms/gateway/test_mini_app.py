"""A mini-app's own token: good at its app's doors, in both ways past and through the framework, and
nowhere else."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from litestar.handlers import HTTPRouteHandler
from tests.rooms.gateway.remote_shop import KEY, OTHER_KEY, Remote
from tests.rooms.gateway.steps import known, someone
from tests.rooms.gateway.wire import ask, token_of

from civicmall import app, identity
from civicmall.identity import Caller, Tokens
from civicmall.kernel.config import Settings
from civicmall.shops import Registry
from shopkit.keys import Key
from shopkit.signatures import CALLBACK_TAG, Signer

ALL: Final = frozenset({"bills", "progress", "appointments", "calculate", "enquire", "raw"})
VALUES: Final = {"values": {"end": "ok"}}
OWN: Final = {
    "bills": ("GET", "bills", None),
    "bill": ("GET", "bills/b1", None),
    "receipt": ("GET", "bills/b1/receipt", None),
    "progress": ("GET", "progress", None),
    "matter": ("GET", "progress/m1", None),
    "slots": ("GET", "slots", None),
    "bookings": ("GET", "bookings", None),
    "calculate": ("POST", "calculation", VALUES),
    "enquire": ("POST", "enquiry", VALUES),
}
CAPABILITY: Final = {
    "bill": "bills", "receipt": "bills", "matter": "progress", "slots": "appointments",
    "bookings": "appointments",
}  # fmt: skip


def narrow(remote: Remote, client: httpx.AsyncClient, app_: str, *scope: str) -> str:
    """The citizen's token, exchanged for an app's."""
    tokens: Tokens = remote.city.parts.tokens
    caller = tokens.check(token_of(client))
    assert isinstance(caller, Caller)
    return tokens.narrow(caller, app_, frozenset(scope) or ALL)


async def both(
    remote: Remote, token: str, method: str, path: str, body: Any
) -> tuple[int, dict[str, Any]]:
    """Past the framework, and through it for a header that came twice: one answer."""
    whole = b"" if body is None else msgspec.json.encode(body)
    found: list[tuple[int, Any]] = []
    for twice in ("", "x-odd: 1\r\nx-odd: 1\r\n"):
        said = (
            f"{method} {path} HTTP/1.1\r\nhost: city\r\nauthorization: Bearer {token}\r\n{twice}"
            f"content-type: application/json\r\ncontent-length: {len(whole)}\r\n\r\n"
        )
        answer = await ask(remote.city, said.encode() + whole, method=method)
        told = json.loads(answer.body)
        for own in ("trace_id", "as_of", "call_id"):
            told.pop(own, None)
        found.append((answer.status, told))
        remote.gateway._cache = type(remote.gateway._cache)()
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("door", OWN)
async def test_an_app_has_its_own_doors_as_far_as_its_scope_goes(remote: Remote, door: str) -> None:
    client, _ = await someone(remote.city)
    method, rest, body = OWN[door]
    path = f"/v1/shops/{remote.away}/apps/all/{rest}"
    capability = CAPABILITY.get(door, door)
    good = narrow(remote, client, f"{remote.away}/all", capability)
    citizens = await both(remote, token_of(client), method, path, body)
    assert citizens[0] == 200
    assert await both(remote, good, method, path, body) == citizens

    less = narrow(remote, client, f"{remote.away}/all", *(ALL - {capability}))
    status, said = await both(remote, less, method, path, body)
    assert (status, said["type"], said["scope"]) == (403, "/problems/not-allowed", capability)
    for other in (f"{remote.away}/guarded", f"{remote.here}/all", f"{remote.away}/all2"):
        status, said = await both(remote, narrow(remote, client, other), method, path, body)
        assert (status, said["type"], said["reason"]) == (
            401, "/problems/token-invalid", "audience",
        )  # fmt: skip


async def test_booking_and_giving_back(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    path = f"/v1/shops/{remote.away}/apps/all/bookings"
    mine = await remote.city.client(narrow(remote, client, f"{remote.away}/all", "appointments"))
    made = await mine.post(path, json={"slot": "s1"}, headers={"idempotency-key": "mini"})
    assert made.status_code == 201, made.text
    assert (await mine.delete(f"{path}/{made.json()['id']}")).status_code == 200
    less = await remote.city.client(narrow(remote, client, f"{remote.away}/all", "bills"))
    again = await less.post(path, json={"slot": "s1"}, headers={"idempotency-key": "mini-2"})
    assert again.status_code == 403


async def test_raw_calls_are_the_apps_own_too(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    for where in (remote.here, remote.away):
        path = f"/v1/shops/{where}/raw/files/a"
        good = await remote.city.client(narrow(remote, client, f"{where}/all", "raw"))
        assert (await good.get(path)).status_code == 201
        less = await remote.city.client(narrow(remote, client, f"{where}/all", "bills"))
        assert (await less.get(path)).json()["type"] == "/problems/not-allowed"
        other = await remote.city.client(narrow(remote, client, f"{where}/guarded", "raw"))
        answer = await other.get(path)
        assert (answer.status_code, answer.json()["reason"]) == (401, "audience")


async def test_consent_and_level_are_asked_for_as_ever(remote: Remote) -> None:
    client = await known(remote.city, "graduate")
    mine = await remote.city.client(narrow(remote, client, f"{remote.away}/guarded", "bills"))
    path = f"/v1/shops/{remote.away}/apps/guarded/bills"
    assert (await mine.get(path)).json()["type"] == "/problems/consent-needed"
    given = await client.put(
        f"/v1/me/consents/{remote.away}/guarded", json={"claims": ["id_number"]}
    )
    assert given.status_code == 200
    assert (await mine.get(path)).status_code == 200


def doors(registry: Registry) -> list[tuple[str, str]]:
    """Method and an address of every door of the API that asks who is there, but an app's own."""
    settings = Settings.from_env({}, database_url="postgresql:///unused")
    routes: Any = app.create_app(settings, registry).app.routes
    found: list[tuple[str, str]] = []
    for route in routes:
        for handler in getattr(route, "route_handlers", []):
            untyped: Any = handler
            if not isinstance(handler, HTTPRouteHandler) or identity.MINI_APP in handler.opt:
                continue
            names = {getattr(guard, "__name__", "") for guard in untyped.resolve_guards()}
            if names & {"public", "sandbox_only"}:
                continue
            path = re.sub(r"\{\w+:uuid\}", str(UUID(int=7)), route.path)
            path = re.sub(r"\{\w+:int\}", "7", path)
            path = re.sub(r"\{\w+:date\}", "2026-01-01", path)
            found += [(m, re.sub(r"\{[^}]+\}", "all", path)) for m in sorted(handler.http_methods)]
    return sorted(set(found))


async def test_no_other_door_takes_such_a_token(remote: Remote) -> None:
    """Also none that is added tomorrow: whoever wants it taken must say so."""
    client, _ = await someone(remote.city)
    mine = await remote.city.client(narrow(remote, client, f"{remote.away}/all"))
    asked = [one for one in doors(remote.town) if one[0] not in {"HEAD", "OPTIONS"}]
    assert len(asked) > 60
    assert ("GET", "/v1/me") in asked
    for method, path in asked:
        answer = await mine.request(method, path)
        assert (answer.status_code, answer.json().get("reason")) == (401, "audience"), path
    cookie = {"cookie": f"cm_access={token_of(mine)}; cm_staff_access={token_of(mine)}"}
    nobody = await remote.city.anonymous()
    for page in ("/me", "/console"):
        shown = await nobody.get(page, headers=cookie)
        assert shown.status_code == 303
        assert "/login" in shown.headers["location"]


async def test_what_stands_in_it_is_for_the_shop(remote: Remote) -> None:
    """RFC 9068; and nothing by which two shops could find out that they serve the same citizen."""
    client, citizen = await someone(remote.city, 2)
    tokens: Tokens = remote.city.parts.tokens
    caller = tokens.check(token_of(client))
    nobody = await remote.city.anonymous()
    jwks = (await nobody.get("/.well-known/jwks.json")).json()
    keys = KeySet.import_key_set({"keys": [k for k in jwks["keys"] if k["kty"] == "EC"]})
    seen: list[dict[str, Any]] = []
    for shop in (remote.here, remote.away):
        token = narrow(remote, client, f"{shop}/all", "bills")
        read = jwt.decode(token, keys, algorithms=["ES256"])
        said = read.claims
        seen.append(said)
        assert read.header["typ"] == "at+jwt"
        assert (said["aud"], said["client_id"], said["acr"], said["scope"]) == (
            f"{shop}/all", f"{shop}/all", "L2", "bills",
        )  # fmt: skip
        assert said["iss"] == remote.city.url
        assert 240 <= said["exp"] - time.time() <= 301
        assert "act" not in said
        assert "sid" not in said
        whole = base64.urlsafe_b64decode(token.split(".")[1] + "==") + token.encode()
        for own in (citizen, caller.session_id):
            for form in (str(own).encode(), own.hex.encode(), own.bytes):
                assert form not in whole
                assert base64.urlsafe_b64encode(form).rstrip(b"=") not in whole
    one, two = seen
    assert one["sub"] != two["sub"]
    assert not {one["jti"], one["who"], one["sub"]} & {two["jti"], two["who"], two["sub"]}
    # The pseudonym is the one by which the shop knows the citizen in every call.
    assert two["sub"] == remote.gateway.gates.keys_of(remote.away).sub(citizen)


async def test_the_seal_can_not_be_moved_nor_made(remote: Remote) -> None:
    """Whoever writes another audience or another citizen into it has no signature for that."""
    client, _ = await someone(remote.city)
    token = narrow(remote, client, f"{remote.away}/all", "bills")
    head, body, mac = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    for change in ({"aud": f"{remote.here}/all"}, {"scope": "raw bills"}, {"aud": "civicmall"}):
        other = base64.urlsafe_b64encode(json.dumps(said | change).encode()).rstrip(b"=").decode()
        bad = await remote.city.client(f"{head}.{other}.{mac}")
        answer = await bad.get(f"/v1/shops/{remote.away}/apps/all/bills")
        assert (answer.status_code, answer.json()["reason"]) == (401, "signature")
    tokens: Tokens = remote.city.parts.tokens
    for who in ("", "x", said["who"][:-4], base64.urlsafe_b64encode(b"1" * 60).decode()):
        forged = tokens.signing.sign("at+jwt", said | {"who": who})
        bad = await remote.city.client(forged)
        answer = await bad.get(f"/v1/shops/{remote.away}/apps/all/bills")
        assert (answer.status_code, answer.json()["reason"]) == (401, "claims")


async def test_it_ends_with_the_citizens_session(remote: Remote) -> None:
    pair = await remote.city.newcomer("newborn_father")
    mine = await remote.city.client(narrow(remote, pair, f"{remote.away}/all"))
    path = f"/v1/shops/{remote.away}/apps/all/bills"
    assert (await mine.get(path)).status_code == 200
    elsewhere = Tokens(remote.city.house.keys, remote.city.url, remote.city.house.clock)
    await identity.learn_keys(remote.city.house, elsewhere)
    elsewhere.check_any(token_of(mine))
    assert (await pair.delete("/v1/me/session")).status_code == 204
    answer = await mine.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (401, "session-ended")
    await identity.learn_ended(remote.city.house, elsewhere)  # the job of every two seconds
    with pytest.raises(identity.TokenInvalid):
        elsewhere.check_any(token_of(mine))


async def signed(remote: Remote, shop: str, body: bytes, key: Key = KEY) -> httpx.Response:
    """A shop's question about a token."""
    path = f"/v1/callbacks/{shop}/introspection"
    signer = Signer(key.private, shop, CALLBACK_TAG)
    headers = signer.headers("POST", path, "", body, None, now=int(time.time()))
    nobody = await remote.city.anonymous()
    more = [*headers, (b"content-type", b"application/json")]
    return await nobody.post(path, content=body, headers=more)


async def test_a_shop_learns_whether_its_apps_token_still_holds(remote: Remote) -> None:
    pair = await remote.city.newcomer("school_mother")
    token = narrow(remote, pair, f"{remote.away}/all", "bills")

    async def told(said: str) -> dict[str, Any]:
        answer = await signed(remote, remote.away, msgspec.json.encode({"token": said}))
        assert answer.status_code == 200, answer.text
        return answer.json()

    said = await told(token)
    assert (said["active"], said["aud"], said["scope"], said["acr"]) == (
        True, f"{remote.away}/all", "bills", "L1",
    )  # fmt: skip
    assert "who" not in said
    # Nothing of others' tokens, nor of the citizen's own, nor of what is none.
    for other in (narrow(remote, pair, f"{remote.here}/all"), token_of(pair), "x.y.z"):
        assert await told(other) == {"active": False}
    assert (await pair.delete("/v1/me/session")).status_code == 204
    assert await told(token) == {"active": False}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{}", 400), (b"null", 400), (b'{"token":1}', 400), (b'{"token":""}', 400),
        (b'{"token":"a","more":1}', 400), (b'{"Token":"a"}', 400), (b'{"token":"\xff"}', 400),
        (b'{"token":"' + b"a" * 5_000 + b'"}', 400), (b"[" * 60_000, 400), (b"x" * 70_000, 413),
        (b'{"token":"\\u0000"}', 200),
    ],
)  # fmt: skip
async def test_a_question_that_is_none(remote: Remote, body: bytes, status: int) -> None:
    assert (await signed(remote, remote.away, body)).status_code == status


async def test_only_the_shop_itself_may_ask(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    body = msgspec.json.encode({"token": narrow(remote, client, f"{remote.away}/all")})
    for shop, key in ((remote.away, OTHER_KEY), (remote.here, KEY), ("nobody", KEY)):
        answer = await signed(remote, shop, body, key)
        assert answer.status_code == 401
        assert answer.json()["type"] == "/problems/callback-refused"
