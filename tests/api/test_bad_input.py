"""Wrong requests get a named problem each, lose nothing, and the rest keeps working."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.city import City

JSON = {"content-type": "application/json"}
TEN_MB = b'{"phone": "' + b"1" * 10_000_000 + b'"}'
DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("method", "path", "rest", "status", "kind"),
    [
        ("GET", "/nowhere", {}, 404, "not-found"),
        ("DELETE", "/v1/shops", {}, 405, "method-not-allowed"),
        ("POST", "/v1/sign-in/codes", {"content": TEN_MB, "headers": JSON}, 413, "body-too-large"),
        ("POST", "/v1/sign-in/codes", {"content": b"{", "headers": JSON}, 400, "bad-request"),
        ("POST", "/v1/sign-in/codes", {"content": b"\xff\xfe{}", "headers": JSON}, 400, "bad-request"),
        ("POST", "/v1/sign-in/codes", {"content": b'{"phone":"\xff"}', "headers": JSON}, 400,
         "bad-request"),
        ("POST", "/v1/sign-in/codes", {"content": DEEP, "headers": JSON}, 400, "bad-request"),
        ("POST", "/v1/sign-in/codes", {"content": b"", "headers": JSON}, 400, "bad-request"),
        ("POST", "/v1/sign-in/codes", {"json": {"phone": "12345"}}, 400, "bad-request"),
        ("POST", "/v1/sign-in/codes", {"json": {"phone": 13800001234}}, 400, "bad-request"),
        ("POST", "/v1/sign-in/codes", {"json": {"phone": None}}, 400, "bad-request"),
        ("POST", "/v1/sign-in/codes", {"json": []}, 400, "bad-request"),
        ("GET", "/v1/catalogue/items?limit=0", {}, 400, "bad-request"),
        ("GET", "/v1/catalogue/items?limit=1e3", {}, 400, "bad-request"),
        ("GET", "/v1/catalogue/items?after=%F0%9F%92%A9", {}, 400, "bad-request"),
        ("GET", "/v1/shops?after=WzFd", {}, 400, "bad-request"),
        ("GET", "/v1/shops/no_such", {}, 404, "no-such-shop"),
        ("GET", "/v1/shops/%00", {}, 404, "no-such-shop"),
        ("GET", "/v1/catalogue/items/no_such", {}, 404, "no-such-item"),
        ("GET", "/v1/me", {}, 401, "sign-in-needed"),
        ("GET", "/v1/me", {"headers": {"authorization": "Basic eA=="}}, 401, "token-invalid"),
        ("GET", "/v1/me", {"headers": {"authorization": "Bearer x.y.z"}}, 401, "token-invalid"),
        ("POST", "/v1/channels/nobank/callbacks",
         {"json": {"order_id": "01a20f81-e229-7524-a421-bc16f3b52e98", "txn": "1", "amount_minor": 1,
                   "paid_at": "2026-11-24T00:00:00Z"}}, 404, "no-such-channel"),
    ],
)  # fmt: skip
async def test_anybody(
    city: City, method: str, path: str, rest: dict[str, Any], status: int, kind: str
) -> None:
    nobody = await city.anonymous()
    answer = await nobody.request(method, path, **rest)
    _is_problem(answer, status, kind)
    assert (await nobody.get("/healthz")).status_code == 200


def _is_problem(answer: httpx.Response, status: int, kind: str) -> None:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert body["type"] == f"/problems/{kind}"
    assert body["status"] == status
    assert len(body["trace_id"]) == 32
    assert "Traceback" not in answer.text


async def test_a_wrong_field_is_named(city: City) -> None:
    nobody = await city.anonymous()
    answer = await nobody.post("/v1/sign-in/codes", json={"phone": "12345"})
    assert [error["field"] for error in answer.json()["errors"]] == ["phone"]
    answer = await nobody.get("/v1/catalogue/items?limit=1000")
    assert [error["field"] for error in answer.json()["errors"]] == ["limit"]


async def test_an_amount_from_the_client_is_refused_by_name(city: City) -> None:
    citizen = await city.citizen("graduate")
    charge = {"shop": "utility_bills", "app": "water", "charge_id": "x", "amount_minor": 1}
    answer = await citizen.post(
        "/v1/orders", json={"charges": [charge]}, headers={"idempotency-key": "k"}
    )
    _is_problem(answer, 400, "bad-request")
    assert "amount_minor" in answer.text


async def test_a_problem_speaks_the_callers_language(city: City) -> None:
    zh = await (await city.client(lang="zh-CN")).get("/nowhere")
    en = await (await city.client(lang="en")).get("/nowhere")
    assert zh.json()["title"] == "这里没有您要找的内容。"
    assert en.json()["title"] == "There is nothing here."


async def test_the_trace_id_of_the_caller_is_kept(city: City) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = await (await city.anonymous()).get(
        "/nowhere", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    )
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"] == trace


async def test_answers_carry_the_security_headers(city: City) -> None:
    answer = await (await city.anonymous()).get("/healthz")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
async def test_an_unusable_idempotency_key_is_named(city: City, key: str) -> None:
    citizen = await city.citizen("graduate")
    charge = {"shop": "utility_bills", "app": "water", "charge_id": "x"}
    answer = await citizen.post(
        "/v1/orders", json={"charges": [charge]}, headers={"idempotency-key": key}
    )
    assert answer.status_code == 400
    assert "dempotency" in answer.text
