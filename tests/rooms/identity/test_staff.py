"""Staff: how they sign in, and that no door opens with the wrong kind of key."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from tests.city import City
from tests.rooms.identity.steps import pair_for, problem, refreshed

from civicmall.identity import passwords
from civicmall.identity.rules import STAFF_FREE_TRIES
from civicmall.kernel import ids

PASSWORD = "sandbox-only"
CITIZENS_OWN = ("/v1/me", "/v1/me/sessions", "/v1/orders", "/v1/inbox", "/v1/home")
DESK = ("/v1/desk/payments", "/v1/desk/totals", "/v1/desk/ratings", "/v1/staff/me")
OPERATORS = ("/v1/desk/tickets", "/v1/desk/ledger", "/v1/desk/shops/health")


async def ask(client: httpx.AsyncClient, username: str, password: str) -> httpx.Response:
    """Try to sign in as staff."""
    return await client.post("/v1/staff/tokens", json={"username": username, "password": password})


async def test_who_they_are(city: City) -> None:
    operator = (await (await city.operator()).get("/v1/staff/me")).json()
    assert (operator["role"], operator["shop"]) == ("operator", None)
    agent = (await (await city.department("utility_bills")).get("/v1/staff/me")).json()
    assert (agent["role"], agent["shop"]) == ("manager", "utility_bills")


async def test_one_answer_for_a_wrong_password_and_for_nobody(city: City) -> None:
    nobody = await city.anonymous()
    wrong = await ask(nobody, "operator", "sandbox-onlz")
    unknown = await ask(nobody, "nobody", "sandbox-only")
    assert problem(wrong) == problem(unknown) == (401, "wrong-password")
    bodies = [{k: v for k, v in a.json().items() if k != "trace_id"} for a in (wrong, unknown)]
    assert bodies[0] == bodies[1]


async def test_both_answers_cost_a_hash(city: City) -> None:
    nobody = await city.anonymous()
    took: list[float] = []
    for username in ("operator", "nobody"):
        began = time.perf_counter()
        await ask(nobody, username, "wrong")
        took.append(time.perf_counter() - began)
    assert min(took) > 0.005  # argon2 alone takes longer; a look-up that fails early would not


@pytest.mark.parametrize("body", [("op\x00erator", "x"), ("", "x"), ("operator", "x" * 201)])
async def test_what_can_be_no_account_is_a_bad_request(city: City, body: tuple[str, str]) -> None:
    assert problem(await ask(await city.anonymous(), *body)) == (400, "bad-request")


async def test_who_guesses_a_password_waits_and_does_not_learn_of_it(city: City) -> None:
    nobody = await city.anonymous()
    for _ in range(STAFF_FREE_TRIES):
        wrong = await ask(nobody, "utility_bills", "guess")
        assert problem(wrong) == (401, "wrong-password")
    right = await ask(nobody, "utility_bills", PASSWORD)
    assert problem(right) == (401, "wrong-password")
    assert (await ask(nobody, "operator", PASSWORD)).status_code == 200  # others go on

    await city.house.db.execute(
        "update identity.staff set wait_until = now() - interval '1 second'"
    )
    assert (await ask(nobody, "utility_bills", PASSWORD)).status_code == 200
    left = await city.house.db.fetchrow(
        "select failures, wait_until from identity.staff where username = 'utility_bills'"
    )
    assert left is not None
    assert tuple(left) == (0, None)


async def test_a_flood_of_passwords_is_turned_away(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "WAITING_MAX", 1)
    nobody = await city.anonymous()
    answers = await asyncio.gather(*(ask(nobody, "nobody", "x") for _ in range(6)))
    told = {problem(a) for a in answers}
    assert told == {(401, "wrong-password"), (503, "unavailable")}
    refused = next(a for a in answers if a.status_code == 503)
    assert int(refused.headers["retry-after"]) > 0


async def test_a_department_is_no_operator_and_staff_are_no_citizens(city: City) -> None:
    agent, operator = await city.department("utility_bills"), await city.operator()
    citizen = await city.client((await pair_for(city))["access_token"])

    async def told(client: httpx.AsyncClient, paths: tuple[str, ...]) -> set[tuple[int, str]]:
        answers = await asyncio.gather(*(client.get(path) for path in paths))
        return {(200, "") if a.status_code == 200 else problem(a) for a in answers}

    refused, passed = {(403, "not-allowed")}, {(200, "")}
    assert await told(agent, DESK) == passed
    assert await told(agent, OPERATORS) == refused
    assert await told(agent, CITIZENS_OWN) == refused
    assert await told(operator, (*DESK, *OPERATORS)) == passed
    assert await told(operator, CITIZENS_OWN) == refused
    assert await told(citizen, CITIZENS_OWN) == passed
    assert await told(citizen, (*DESK, *OPERATORS)) == refused


async def test_staff_sessions_are_renewed_and_end_with_the_account(city: City) -> None:
    nobody = await city.anonymous()
    pair = (await ask(nobody, "public_security", "sandbox-only")).json()
    second = (await refreshed(nobody, pair["refresh_token"])).json()
    client = await city.client(second["access_token"])
    me = (await client.get("/v1/staff/me")).json()
    assert me["shop"] == "public_security"

    await city.house.db.execute(
        "update identity.staff set active = false where username = 'public_security'"
    )
    answer = await refreshed(nobody, second["refresh_token"])
    assert problem(answer) == (401, "token-invalid")
    assert problem(await ask(nobody, "public_security", "sandbox-only")) == (401, "wrong-password")


async def test_staff_have_buckets_too(city: City) -> None:
    operator = await city.operator()
    me = (await operator.get("/v1/staff/me")).json()
    assert me["staff_id"][-2:] == me["session_id"][-2:]
    rows = await city.house.db.fetch("select bucket, id from identity.session")
    assert all(row["bucket"] == ids.bucket_of(row["id"]) for row in rows)


@pytest.mark.parametrize(
    ("idle", "age", "status"),
    [("59 minutes", "0", 200), ("61 minutes", "0", 401), ("0", "11 hours 59 minutes", 200), ("0", "12 hours", 401)],
)  # fmt: skip
async def test_a_staff_session_ends_with_the_working_day_and_when_it_is_left_alone(
    city: City, idle: str, age: str, status: int
) -> None:
    nobody = await city.anonymous()
    pair = (await ask(nobody, "housing_fund", "sandbox-only")).json()
    session = city.parts.tokens.check(pair["access_token"]).session_id
    await city.house.db.execute(
        "update identity.session set rotated_at = now() - $2::text::interval,"
        " expires_at = expires_at - $3::text::interval where id = $1",
        session, idle, age,
    )  # fmt: skip
    for _ in range(2):
        answer = await refreshed(nobody, pair["refresh_token"])
        assert answer.status_code == status, answer.text
        assert status == 200 or problem(answer) == (401, "token-invalid"), "and not called a copy"


async def test_a_citizens_session_outlives_a_quiet_month(city: City) -> None:
    nobody = await city.anonymous()
    pair = await pair_for(city)
    session = city.parts.tokens.check(pair["access_token"]).session_id
    await city.house.db.execute(
        "update identity.session set rotated_at = now() - interval '30 days' where id = $1", session
    )
    assert (await refreshed(nobody, pair["refresh_token"])).status_code == 200
