"""Whatever else comes to these doors: named, and nothing is changed by it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from tests.city import City
from tests.rooms.identity.steps import new_phone, problem

BAD, UNFIT = (400, "bad-request"), (422, "bad-declaration")
KEY = {"idempotency-key": "k"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def someone(city: City) -> httpx.AsyncClient:
    """A citizen with one fact."""
    client, _ = await city.short(new_phone())
    await client.put("/v1/me/facts", json={"facts": {"housing": "tenant"}})
    return client


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("PUT", "/facts", None, BAD),
        ("PUT", "/facts", [], BAD),
        ("PUT", "/facts", {}, BAD),
        ("PUT", "/facts", {"facts": {}}, BAD),
        ("PUT", "/facts", {"facts": None}, BAD),
        ("PUT", "/facts", {"Facts": {"housing": "owner"}}, BAD),
        ("PUT", "/facts", {"facts": {"housing": "owner"}, "more": 1}, BAD),
        ("PUT", "/facts", {"facts": {f"a{n}": 1 for n in range(21)}}, BAD),
        ("PUT", "/facts", {"facts": {"Housing": "owner"}}, UNFIT),
        ("PUT", "/facts", {"facts": {"housing": "OWNER"}}, UNFIT),
        ("PUT", "/facts", {"facts": {"housing": ["owner"]}}, UNFIT),
        ("PUT", "/facts", {"facts": {"student": 1}}, UNFIT),
        ("PUT", "/facts", {"facts": {"birth_date": "2000-01-01"}}, UNFIT),
        ("PUT", "/facts", {"facts": {"moved_on": "0001-01-01"}}, UNFIT),
        ("PUT", "/facts/housing/recommendation", None, BAD),
        ("PUT", "/facts/housing/recommendation", {}, BAD),
        ("PUT", "/facts/housing/recommendation", {"recommend": "no"}, BAD),
        ("PUT", "/facts/housing/recommendation", {"recommend": True, "x": 1}, BAD),
        ("PUT", "/facts/HOUSING/recommendation", {"recommend": False}, (404, "no-such-attribute")),
        ("PUT", "/facts/age/recommendation", {"recommend": False}, (404, "no-such-attribute")),
        ("PUT", f"/facts/{'a' * 300}/recommendation", {"recommend": False}, (404, "no-such-attribute")),
        ("PUT", "/facts/%00/recommendation", {"recommend": False}, (404, "no-such-attribute")),
        ("PUT", "/facts/housing/objection", {}, BAD),
        ("PUT", "/facts/housing/objection", {"source": "A"}, BAD),
        ("PUT", "/facts/housing/objection", {"source": "x" * 41}, BAD),
        ("PUT", "/facts/housing/objection", {"source": "register\n"}, BAD),
        ("PUT", "/facts/housing/objection", {"source": "register", "words": "x" * 501}, BAD),
        ("PUT", "/facts/housing/objection", {"source": "register", "words": "\x00"}, BAD),
        ("PUT", "/facts/housing/objection", {"source": "register", "words": 1}, BAD),
        ("PUT", "/facts/age/objection", {"source": "register"}, (404, "no-such-attribute")),
        ("DELETE", "/facts/housing/objection", None, BAD),
        ("DELETE", "/facts/housing/objection?source=", None, BAD),
        ("DELETE", "/facts/housing/objection?source=A", None, BAD),
        ("DELETE", "/facts/age/objection?source=register", None, (404, "no-such-attribute")),
        ("POST", "/events", None, BAD),
        ("POST", "/events", {"kind": "married"}, BAD),
        ("POST", "/events", {"on": "2026-01-01"}, BAD),
        ("POST", "/events", {"kind": "Married", "on": "2026-01-01"}, BAD),
        ("POST", "/events", {"kind": "abducted", "on": "2026-01-01"}, BAD),
        ("POST", "/events", {"kind": "married", "on": "2026-02-30"}, BAD),
        ("POST", "/events", {"kind": "married", "on": 20260101}, BAD),
        ("POST", "/events", {"kind": "married", "on": "2026-01-01", "id": 1}, BAD),
        ("POST", "/events", {"kind": "married", "on": "9999-01-01"}, (422, "bad-event")),
        ("POST", "/events", {"kind": "married", "on": "1899-12-31"}, (422, "bad-event")),
        ("PUT", "/events/none", {"kind": "married", "on": "2026-01-01"}, (404, "not-found")),
        ("PUT", f"/events/{UUID(int=1)}", {"kind": "married", "on": "2026-01-01"}, (404, "no-such-event")),
        ("PUT", f"/events/{UUID(int=1)}", {"kind": "married"}, BAD),
        ("DELETE", "/events/none", None, (404, "not-found")),
        ("DELETE", f"/events/{UUID(int=1)}", None, (404, "no-such-event")),
        ("POST", "/deletion", None, BAD),
        ("POST", "/deletion", {}, BAD),
        ("POST", "/deletion", {"code": 123456}, BAD),
        ("POST", "/deletion", {"code": "12345"}, BAD),
        ("POST", "/deletion", {"code": "123456\n"}, BAD),
        ("POST", "/deletion", {"code": "１２３４５６"}, BAD),
        ("POST", "/deletion", {"code": "123456", "phone": "19800000000"}, BAD),
        ("POST", "/export", None, (405, "method-not-allowed")),
        ("DELETE", "/deletion", None, (405, "method-not-allowed")),
    ],
    ids=str,
)  # fmt: skip
async def test_bad_input_is_named_and_changes_nothing(
    someone: httpx.AsyncClient, method: str, path: str, body: Any, said: tuple[int, str]
) -> None:
    answer = await someone.request(method, f"/v1/me{path}", json=body, headers=KEY)
    assert problem(answer) == said
    (fact,) = (await someone.get("/v1/me/facts")).json()["items"]
    assert (fact["value"], fact["recommend"], fact["disputed_at"]) == ("tenant", True, None)
    assert (await someone.get("/v1/me/events")).json()["items"] == []


@pytest.mark.parametrize("key", [None, "", "x" * 256, "schlüssel"])
async def test_an_event_wants_a_key(someone: httpx.AsyncClient, key: str | None) -> None:
    headers: Any = {} if key is None else {"idempotency-key": key.encode()}
    told = {"kind": "married", "on": "2026-01-01"}
    answer = await someone.post("/v1/me/events", json=told, headers=headers)
    assert answer.status_code == 400
    assert (await someone.get("/v1/me/events")).json()["items"] == []


DOORS = [
    ("GET", "/v1/me/facts"), ("PUT", "/v1/me/facts"), ("PUT", "/v1/me/facts/housing/recommendation"),
    ("PUT", "/v1/me/facts/housing/objection"), ("DELETE", "/v1/me/facts/housing/objection?source=register"),
    ("GET", "/v1/me/events"), ("POST", "/v1/me/events"), ("PUT", "/v1/me/events/00000000-0000-7000-8000-000000000007"),
    ("DELETE", "/v1/me/events/00000000-0000-7000-8000-000000000007"), ("GET", "/v1/me/export"), ("GET", "/v1/me/deletion"),
    ("POST", "/v1/me/deletion/code"), ("POST", "/v1/me/deletion"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_nobody_and_staff_pass_none_of_these_doors(
    city: City, method: str, path: str
) -> None:
    nobody, staff = await city.anonymous(), await city.operator()
    assert problem(await nobody.request(method, path)) == (401, "sign-in-needed")
    assert (await staff.request(method, path)).status_code == 403


async def test_objections_are_for_those_who_work_here(
    city: City, someone: httpx.AsyncClient
) -> None:
    assert (await someone.get("/v1/desk/disputes")).status_code == 403
    assert problem(await (await city.anonymous()).get("/v1/desk/disputes")) == (
        401,
        "sign-in-needed",
    )
    operator = await city.operator()
    for query in ("limit=0", "limit=x", "after=x", "after=" + "A" * 500):
        assert problem(await operator.get(f"/v1/desk/disputes?{query}")) == BAD
