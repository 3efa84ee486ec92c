"""The doors of consents over HTTP: what is right, and everything that isn't."""

from __future__ import annotations

from typing import Any, Final

import httpx
import pytest
from tests.city import City
from tests.rooms.identity.steps import pair_for, problem

SHOP, APP = "public_security", "id_card"
CONSENT: Final = f"/v1/me/consents/{SHOP}/{APP}"
CALL: Final = f"/v1/shops/{SHOP}/apps/{APP}/progress"


async def someone(city: City) -> httpx.AsyncClient:
    """A verified persona who has agreed to nothing."""
    client = await city.citizen("graduate")
    for one in (await client.get("/v1/me/consents")).json()["items"]:
        assert (await client.delete(f"/v1/me/consents/{one['grantee']}")).status_code == 204
    return client


async def test_what_the_refusal_says_can_be_agreed_to(city: City) -> None:
    client = await someone(city)
    asked = (await client.get(CALL)).json()["claims"]
    seen = {claim: purpose["zh-CN"] for claim, purpose in asked.items()}
    given = await client.put(CONSENT, json={"claims": [*asked], "purposes": seen})
    assert given.status_code == 200, given.text
    assert [dict(one["purpose"]) for one in given.json()["given"]] == [*asked.values()]
    assert (await client.get(CALL)).status_code == 200
    (item,) = (await client.get("/v1/me/consents")).json()["items"]
    assert (item["grantee"], item["client"]) == (f"{SHOP}/{APP}", None)
    assert item["last_used_at"] is not None
    assert (await client.delete(f"{CONSENT}/id_number")).status_code == 204
    assert problem(await client.get(CALL)) == (403, "consent-needed")
    (past,) = [
        one
        for one in (await client.get("/v1/me/consents/past")).json()["items"]
        if one["taken_back_at"] > item["given_at"]
    ]
    assert (past["claim"], past["grantee"]) == ("id_number", f"{SHOP}/{APP}")


async def test_another_purpose_than_shown_is_not_agreed_to(city: City) -> None:
    client = await someone(city)
    for seen in ({"id_number": "另一用途"}, {}, {"phone": "x"}):
        answer = await client.put(CONSENT, json={"claims": ["id_number"], "purposes": seen})
        assert problem(answer) == (409, "purpose-changed")
        assert answer.json()["claims"]["id_number"]["zh-CN"]
    assert (await client.get("/v1/me/consents")).json()["items"] == []


async def test_one_claim_of_many_ends_the_calls_that_need_it(city: City) -> None:
    client = await someone(city)
    await client.put(CONSENT, json={"claims": ["id_number"]})
    assert (await client.delete(f"{CONSENT}/name")).status_code == 204
    assert (await client.get(CALL)).status_code == 200
    assert (await client.delete(f"{CONSENT}/id_number")).status_code == 204
    assert problem(await client.get(CALL)) == (403, "consent-needed")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"claims": []}, {"claims": "id_number"}, {"claims": [1]}, {"claims": ["x" * 41]},
        {"claims": ["id_number"] * 9}, {"claims": ["id_number"], "more": 1},
        {"claims": ["id_number"], "purposes": []}, {"claims": ["id_number"], "purposes": {"id_number": 1}},
        {"claims": ["id_number"], "purposes": {"id_number": "x" * 401}},
        {"claims": ["id_number"], "purposes": {str(n): "x" for n in range(9)}},
        {"Claims": ["id_number"]}, {"claims": None}, [], "id_number", 1, None,
    ],
)  # fmt: skip
async def test_a_bad_body_changes_nothing(city: City, body: Any) -> None:
    client = await someone(city)
    assert problem(await client.put(CONSENT, json=body)) == (400, "bad-request")
    assert (await client.get("/v1/me/consents")).json()["items"] == []


@pytest.mark.parametrize("claim", ["ID_NUMBER", "i" * 41, "id-number", "id%00", "%E8%BA%AB", "1a"])
async def test_what_can_be_no_claim_is_a_bad_request(city: City, claim: str) -> None:
    client = await someone(city)
    answer = await client.delete(f"{CONSENT}/{claim}")
    assert problem(answer) == (400, "bad-request")
    answer = await client.delete(f"/v1/me/client-consents/bank/{claim}")
    assert problem(answer) == (400, "bad-request")


@pytest.mark.parametrize("client_id", ["Bank", "ba", "b" * 41, "ba%00nk", "1ank", "ba_nk"])
async def test_what_can_be_no_client_is_a_bad_request(city: City, client_id: str) -> None:
    client = await someone(city)
    for path in (client_id, f"{client_id}/phone"):
        answer = await client.delete(f"/v1/me/client-consents/{path}")
        assert problem(answer) == (400, "bad-request")


async def test_what_was_never_given_can_be_taken_back(city: City) -> None:
    client = await someone(city)
    for path in (
        "client-consents/bank",
        "client-consents/bank/phone",
        "consents/nobody/none/phone",
    ):
        assert (await client.delete(f"/v1/me/{path}")).status_code == 204
    lines = (await client.get("/v1/me/audit")).json()["items"]
    assert all("bank" not in line["reader"] for line in lines)


@pytest.mark.parametrize(
    "params",
    [
        {"after": "x"}, {"after": ""}, {"after": "bnVsbA"}, {"after": "WzFd"}, {"limit": 0}, {"limit": 101},
        {"limit": "x"}, {"after": "x" * 401}, [("limit", 1), ("limit", "x")],
    ],
)  # fmt: skip
async def test_past_pages_only_by_what_it_gave(city: City, params: Any) -> None:
    client = await someone(city)
    answer = await client.get("/v1/me/consents/past", params=params)
    assert problem(answer) == (400, "bad-request")


async def test_past_is_paged_and_ones_own(city: City) -> None:
    client = await someone(city)
    for _ in range(3):
        await client.put(CONSENT, json={"claims": ["id_number"]})
        await client.delete(CONSENT)
    every = (await client.get("/v1/me/consents/past", params={"limit": 100})).json()["items"]
    assert len(every) >= 3
    seen: list[Any] = []
    after = None
    while True:
        params = {"limit": 2, **({"after": after} if after else {})}
        found = (await client.get("/v1/me/consents/past", params=params)).json()
        seen += found["items"]
        if (after := found["next"]) is None:
            break
    assert seen == every
    stranger = await city.client((await pair_for(city))["access_token"])
    assert (await stranger.get("/v1/me/consents/past")).json()["items"] == []


@pytest.mark.parametrize("path", ["/v1/me/consents", "/v1/me/consents/past", "/v1/me/audit"])
async def test_nobody_in_particular_gets_in(city: City, path: str) -> None:
    nobody = await city.anonymous()
    assert problem(await nobody.get(path)) == (401, "sign-in-needed")
    operator = await city.operator()
    assert problem(await operator.get(path)) == (403, "not-allowed")
