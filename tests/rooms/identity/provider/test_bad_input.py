"""Every parameter missing, doubled, too long, of the wrong type, in the wrong case: answered as RFC
6749, RFC 7636, RFC 9126 and OpenID Connect Core say, and nothing is changed by it.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
import pytest_asyncio
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, visitor
from tests.rooms.identity.provider.steps import (
    BACK,
    VERIFIER,
    Partner,
    agree,
    answer,
    citizen,
    refused,
    register,
    straight,
)

FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
LONG: Final = "x" * 20_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def who(city: City) -> Visitor:
    return await visitor(city)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def partner(city: City) -> Partner:
    return await register(city)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def public(city: City) -> Partner:
    return await register(city, kind="public", auth_method="none")


WRONG: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("no response_type", {"response_type": None}, "invalid_request"),
    ("empty response_type", {"response_type": ""}, "invalid_request"),
    ("implicit", {"response_type": "token"}, "unsupported_response_type"),
    ("hybrid", {"response_type": "code id_token"}, "unsupported_response_type"),
    ("case of response_type", {"response_type": "Code"}, "unsupported_response_type"),
    ("no scope", {"scope": None}, "invalid_scope"),
    ("no openid", {"scope": "profile"}, "invalid_scope"),
    ("case of scope", {"scope": "OpenID"}, "invalid_scope"),
    ("unknown scope", {"scope": "openid everything"}, "invalid_scope"),
    ("scope that isn't this client's", {"scope": "openid real_name"}, "invalid_scope"),
    ("two spaces", {"scope": "openid  profile"}, "invalid_scope"),
    ("a quote in scope", {"scope": 'openid "'}, "invalid_scope"),
    ("long scope", {"scope": LONG}, "invalid_request"),
    ("long state", {"state": "x" * 1001}, "invalid_request"),
    ("a line break in state", {"state": "a\r\nset-cookie: x=y"}, "invalid_request"),
    ("Chinese state", {"state": "状态"}, "invalid_request"),
    ("long nonce", {"nonce": "x" * 1001}, "invalid_request"),
    ("NUL in nonce", {"nonce": "a\x00b"}, "invalid_request"),
    ("form_post", {"response_mode": "form_post"}, "invalid_request"),
    ("fragment", {"response_mode": "fragment"}, "invalid_request"),
    ("case of response_mode", {"response_mode": "Query"}, "invalid_request"),
    ("unknown prompt", {"prompt": "create"}, "invalid_request"),
    ("case of prompt", {"prompt": "Login"}, "invalid_request"),
    ("none and login", {"prompt": "none login"}, "invalid_request"),
    ("negative max_age", {"max_age": "-1"}, "invalid_request"),
    ("max_age in words", {"max_age": "soon"}, "invalid_request"),
    ("fraction of max_age", {"max_age": "1.5"}, "invalid_request"),
    ("endless max_age", {"max_age": "9" * 400}, "invalid_request"),
    ("other digits", {"max_age": "１２"}, "invalid_request"),
    ("claims no JSON", {"claims": "{"}, "invalid_request"),
    ("claims a list", {"claims": "[]"}, "invalid_request"),
    ("claims of a number", {"claims": '{"userinfo": 7}'}, "invalid_request"),
    ("claims deep", {"claims": '{"userinfo":' + "[" * 3000 + "]" * 900}, "invalid_request"),
    ("acr of a number", {"claims": '{"id_token": {"acr": {"value": 7}}}'}, "invalid_request"),
    ("long claims", {"claims": "x" * 4001}, "invalid_request"),
    ("request", {"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ("foreign request_uri", {"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
    ("registration", {"registration": "{}"}, "registration_not_supported"),
    ("hint of nothing", {"id_token_hint": "x"}, "invalid_request"),
]


@pytest.mark.parametrize(("changes", "error"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
async def test_a_request_that_the_client_is_told_of(
    who: Visitor, partner: Partner, changes: dict[str, Any], error: str
) -> None:
    if any(len(str(value)) > 15_000 for value in changes.values()):
        assert (await who.client.get(partner.url(**changes))).status_code in {400, 414}
        return
    back = await straight(who, partner.url(**changes))
    assert back.startswith(BACK + "?")
    said = answer(back)
    assert said["error"] == error
    assert said["iss"] == partner.city.url
    state = changes.get("state", "the-state")
    assert said.get("state") == (state if len(state) <= 1000 else None)


@pytest.mark.parametrize(
    "name", ["response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"]
)
async def test_a_parameter_of_a_request_that_comes_twice(
    who: Visitor, partner: Partner, name: str
) -> None:
    back = await straight(who, partner.url() + f"&{name}={partner.parameters()[name]}")
    said = answer(back)
    assert said["error"] == "invalid_request"
    assert ("state" in said) == (name != "state"), "of two states neither is surely the client's"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None}, {"client_id": ""}, {"client_id": "nobody-knows"}, {"client_id": LONG[:300]},
        {"client_id": "' or 1=1 --"}, {"client_id": "\x00"}, {"redirect_uri": None},
        {"redirect_uri": "x" * 3000}, {"request_uri": "urn:ietf:params:oauth:request_uri:nothing"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:" + "A" * 80},
    ],
    ids=lambda changes: str(changes)[:60],
)  # fmt: skip
async def test_a_request_of_which_only_the_citizen_is_told(
    who: Visitor, partner: Partner, changes: dict[str, Any]
) -> None:
    got = await who.client.get(partner.url(**changes))
    assert got.status_code == 400
    assert got.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "query", ["", "client_id", "%zz=%", "&&&", "a=%FF", "=", "a=1&" * 100, "é"]
)
async def test_a_query_that_is_none(who: Visitor, query: str) -> None:
    assert (await who.client.get(f"/oauth/authorize?{query}")).status_code == 400


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
async def test_whose_and_where_are_never_said_twice(
    who: Visitor, partner: Partner, name: str
) -> None:
    url = partner.url() + f"&{name}={partner.parameters()[name]}"
    assert (await who.client.get(url)).status_code == 400
    assert (await who.client.get(partner.url().replace(name, name.upper()))).status_code == 400


async def test_a_request_in_a_form_comes_again_by_itself(who: Visitor, partner: Partner) -> None:
    elsewhere = {"origin": "https://partner.example", "sec-fetch-site": "cross-site"}
    said = partner.parameters(state="of a form")
    got = await who.client.post("/oauth/authorize", data=said, headers=elsewhere)
    assert got.status_code == 303
    assert got.headers["location"].startswith("/oauth/authorize?client_id=")
    there = await who.client.get(got.headers["location"])
    assert there.headers["location"].startswith("/oauth/authorize/")
    for content, kind in ((b"{}", "application/json"), (b"\xff", FORM["content-type"])):
        got = await who.client.post(
            "/oauth/authorize", content=content, headers={**elsewhere, "content-type": kind}
        )
        assert got.status_code == 400
    large = await who.client.post("/oauth/authorize", content=b"a" * 70_000, headers=FORM)
    assert large.status_code == 413
    query = await who.client.get("/oauth/authorize?a=" + "a" * 17_000)
    assert query.status_code in {400, 414}


@pytest.mark.parametrize("ticket", ["x", "A" * 80, "..%2f..", "%00", "A" * 5000])
async def test_a_ticket_that_nobody_gave_out(who: Visitor, ticket: str) -> None:
    assert (await who.client.get(f"/oauth/authorize/{ticket}")).status_code in {400, 404}


# The token endpoint


def grant(**changes: Any) -> dict[str, str]:
    said = {
        "grant_type": "authorization_code", "code": "x" * 80, "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    } | changes  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        (grant(grant_type=None), "invalid_request"),
        (grant(grant_type=""), "invalid_request"),
        (grant(grant_type="Authorization_Code"), "unsupported_grant_type"),
        (grant(grant_type="password"), "unsupported_grant_type"),
        (grant(grant_type="client_credentials"), "unsupported_grant_type"),
        (grant(grant_type="implicit"), "unsupported_grant_type"),
        (grant(code=None), "invalid_request"),
        (grant(code=""), "invalid_request"),
        (grant(code="nothing"), "invalid_grant"),
        (grant(code="A" * 1001), "invalid_request"),
        (grant(redirect_uri=None), "invalid_request"),
        (grant(redirect_uri="x" * 2001), "invalid_request"),
        (grant(code_verifier=None), "invalid_request"),
        (grant(code_verifier="a" * 42), "invalid_request"),
        (grant(code_verifier="a" * 129), "invalid_request"),
        (grant(code_verifier="ä" * 50), "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "A" * 1001}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "A" * 83}, "invalid_grant"),
        (grant(code="a\x00b"), "invalid_request"),
        ({"n" * 101: "x"}, "invalid_request"),
    ],
    ids=lambda said: str(said)[:70],
)
async def test_a_token_request(partner: Partner, form: dict[str, str], error: str) -> None:
    assert refused(await partner.post("/oauth/token", **form)) == error


@pytest.mark.parametrize(
    "name", ["grant_type", "code", "redirect_uri", "code_verifier", "client_id"]
)
async def test_a_parameter_of_a_token_request_that_comes_twice(public: Partner, name: str) -> None:
    said = [*grant(client_id=public.client_id).items(), (name, "again")]
    body = "&".join(f"{key}={value}" for key, value in said)
    got = await (await public.http()).post("/oauth/token", content=body, headers=FORM)
    assert refused(got) == "invalid_request"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/par"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "application/json"), (b"grant_type=x", "text/plain"), (b"grant_type=x", ""),
        (b"\xff\xfe", FORM["content-type"]), (b"a=%ff", FORM["content-type"]),
        (b"&".join(b"a%d=1" % n for n in range(70)), FORM["content-type"]),
        (b"grant_type=\x00", FORM["content-type"]),
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_no_form(city: City, path: str, content: bytes, kind: str) -> None:
    client = await city.anonymous()
    got = await client.post(path, content=content, headers={"content-type": kind} if kind else {})
    assert refused(got) == "invalid_request"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/par"])
async def test_what_is_too_much(city: City, path: str) -> None:
    got = await (await city.anonymous()).post(path, content=b"a=" + b"a" * 70_000, headers=FORM)
    assert refused(got, 413) == "invalid_request"
    assert (await (await city.anonymous()).get(path)).status_code == 405


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Basic OnNlY3JldA==", "Bearer x",
     "Basic AGE6Yg==", "basic eDp5", "Basic /////w==", "Basic JWZmOiVmZg=="],
)  # fmt: skip
async def test_a_client_that_says_nothing_of_use(city: City, authorization: str) -> None:
    got = await (await city.anonymous()).post(
        "/oauth/token", data=grant(), headers={"authorization": authorization}
    )
    assert refused(got, 401) == "invalid_client"
    assert got.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_assertion": "a.b.c"}, 400, "invalid_request"),
        ({"client_assertion_type": "jwt", "client_assertion": "a.b.c"}, 400, "invalid_request"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, 400,
         "invalid_request"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          "client_assertion": "a.W10.c"}, 401, "invalid_client"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          "client_assertion": "a.eyJzdWIiOjd9.c"}, 401, "invalid_client"),
        ({"client_id": "nobody-knows"}, 401, "invalid_client"),
        ({"client_id": "a\tb"}, 401, "invalid_client"),
        ({"client_secret": "x"}, 401, "invalid_client"),
    ],
    ids=lambda said: str(said)[:60],
)  # fmt: skip
async def test_a_client_that_can_not_be_told(
    city: City, form: dict[str, str], status: int, error: str
) -> None:
    got = await (await city.anonymous()).post("/oauth/token", data=grant() | form)
    assert refused(got, status) == error


# Pushed requests: what the citizen's browser would be sent back with is said at once


@pytest.mark.parametrize(("changes", "error"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
async def test_a_request_that_is_pushed(
    partner: Partner, changes: dict[str, Any], error: str
) -> None:
    got = await partner.post("/oauth/par", **partner.parameters(**changes))
    expected = "invalid_request" if "request_uri" in changes else error
    assert refused(got) == expected


@pytest.mark.parametrize("address", [None, "", "https://evil.example/back", BACK + "/"])
async def test_a_pushed_request_to_somewhere_else(partner: Partner, address: str | None) -> None:
    got = await partner.post("/oauth/par", **partner.parameters(redirect_uri=address))
    assert refused(got) == "invalid_request"


async def test_who_pushes_is_who_asks(city: City, partner: Partner) -> None:
    other = await register(city)
    got = await partner.post("/oauth/par", **other.parameters())
    assert refused(got) == "invalid_request"


async def test_what_we_do_not_know_is_ignored(city: City, partner: Partner) -> None:
    """RFC 6749 section 3.1; a phone as login_hint is not even kept."""
    somebody = await citizen(city)
    back = await agree(
        somebody,
        partner.url(login_hint="13800000000", display="popup", acr_values="urn:gold", ui_locales="de",
                    resource="x", made_up="1", claims_locales="zh"),
    )  # fmt: skip
    assert (await partner.redeem(back, made_up="1")).status_code == 200
    async with city.house.db.acquire() as db:
        kept = await db.fetchval("select string_agg(request::text, '') from identity.par")
    assert "13800000000" not in kept
