"""Accounts: passwords, closing one, and taking a factor off with two operators."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from tests.city import City, running_city
from tests.patience import STALL_S
from tests.rooms.identity.staff.steps import (
    PASSWORD,
    account,
    enrolled,
    finish,
    sign_in,
    signed_in,
    ticket,
)
from tests.rooms.identity.steps import problem, refreshed

from civicmall.identity.rules import STAFF_FREE_TRIES
from civicmall.kernel.config import Settings

NEW = "seven ripe pears tonight"


async def change(client: Any, current: str = PASSWORD, new: str = NEW) -> Any:
    return await client.put("/v1/staff/password", json={"current": current, "new": new})


async def test_a_password_is_changed_by_whoever_knows_it(city: City) -> None:
    username = await account(city, "manager", "utility_bills")
    nobody = await city.anonymous()
    other = (await sign_in(nobody, username)).json()
    client = await signed_in(city, username)
    assert problem(await change(client, "wrong")) == (401, "wrong-password")
    assert (await change(client)).status_code == 204
    assert (await client.get("/v1/staff/me")).status_code == 200  # this session goes on
    assert problem(await refreshed(nobody, other["refresh_token"])) == (401, "token-invalid")
    assert problem(await sign_in(nobody, username)) == (401, "wrong-password")
    assert (await sign_in(nobody, username, NEW)).status_code == 200


async def test_a_password_is_taken_as_it_was_typed(city: City) -> None:
    """All of it: spaces at its ends, capitals, and what comes after the sixty-fourth character."""
    username = await account(city, "manager", "utility_bills")
    new = "  七个熟梨 And a Long Walk by the river, twice around the old town wall, then home  "
    assert len(new) > 72
    client = await signed_in(city, username)
    assert (await change(client, PASSWORD, new)).status_code == 204
    nobody = await city.anonymous()
    for other in (new.strip(), new.lower(), new[:72], new + " "):
        assert problem(await sign_in(nobody, username, other)) == (401, "wrong-password")
    assert (await sign_in(nobody, username, new)).status_code == 200


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("short", "short"), ("elevenchars", "short"), ("abcabcabcabc", "repeated"),
        ("qwertyuiop12", "sequence"), ("passwordadmin", "common"), ("P4ssw0rd!!!!!!!", "common"),
        ("my许岚secret and more", None), (PASSWORD, "same"),
    ],
)  # fmt: skip
async def test_a_password_that_is_guessed_first_is_refused(
    city: City, new: str, reason: str | None
) -> None:
    client = await signed_in(city, await account(city, "agent", "utility_bills"))
    answer = await change(client, new=new)
    if reason is None:
        assert answer.status_code == 204
    else:
        assert problem(answer) == (422, "password-unfit")
        assert answer.json()["reason"] == reason


async def test_guessing_the_present_password_in_a_session_makes_it_wait(city: City) -> None:
    username = await account(city, "agent", "utility_bills")
    client = await signed_in(city, username)
    for _ in range(STAFF_FREE_TRIES):
        assert problem(await change(client, "wrong")) == (401, "wrong-password")
    assert problem(await change(client)) == (401, "wrong-password")
    assert problem(await sign_in(await city.anonymous(), username)) == (401, "wrong-password")


async def test_a_closed_account_is_out_everywhere_within_seconds(
    city: City, settings: Settings, registry: Any
) -> None:
    username = await account(city, "agent", "utility_bills")
    nobody = await city.anonymous()
    pair = (await sign_in(nobody, username)).json()
    operator = await city.operator()
    async with running_city(settings, registry) as second:
        elsewhere = await second.client(pair["access_token"])
        here = await city.client(pair["access_token"])
        # Tokens name their issuer: the second process serves the same address.
        second.parts.tokens._issuer = city.parts.tokens._issuer
        assert (await elsewhere.get("/v1/staff/me")).status_code == 200
        closed = await operator.post(f"/v1/desk/staff/{username}/disable")
        assert closed.status_code == 204, closed.text
        assert problem(await here.get("/v1/staff/me")) == (401, "token-invalid")
        began = time.monotonic()
        while (await elsewhere.get("/v1/staff/me")).status_code == 200:
            assert time.monotonic() - began < 5 + STALL_S
            await asyncio.sleep(0.1)
    assert problem(await refreshed(nobody, pair["refresh_token"])) == (401, "token-invalid")
    assert problem(await sign_in(nobody, username)) == (401, "wrong-password")


async def test_nobody_closes_their_own_account(city: City) -> None:
    username = await account(city, "operator")
    client = await signed_in(city, username)
    own = await client.post(f"/v1/desk/staff/{username}/disable")
    assert problem(own) == (403, "second-operator-needed")
    assert (await client.get("/v1/staff/me")).status_code == 200
    nobody = await client.post("/v1/desk/staff/nobody-at-all/disable")
    assert problem(nobody) == (404, "no-such-staff")


async def test_a_factor_is_taken_off_by_two(city: City) -> None:
    username = await account(city, "operator", name="遗失者")
    phone, _, tokens = await enrolled(city, username)
    first, second = await city.operator(), await city.reviewer()
    path = f"/v1/desk/staff/{username}/factor-reset"
    asked = await first.post(path, json={"reason": "手机遗失"})
    assert asked.status_code == 202, asked.text
    reset = asked.json()
    assert reset["mine"] is True
    assert problem(await second.post(path, json={"reason": "也要"})) == (409, "factor-reset-waits")
    approve = f"/v1/desk/factor-resets/{reset['id']}/approve"
    assert problem(await first.post(approve)) == (403, "second-operator-needed")
    own = await city.client(tokens["access_token"])
    assert problem(await own.post(approve)) == (403, "second-operator-needed")
    listed = (await second.get("/v1/desk/factor-resets")).json()["items"]
    assert [(one["username"], one["mine"]) for one in listed] == [(username, False)]

    nobody = await city.anonymous()
    waiting = await ticket(nobody, username)
    assert (await second.post(approve)).status_code == 204
    assert problem(await second.post(approve)) == (409, "request-over")
    assert problem(await own.get("/v1/staff/me")) == (401, "token-invalid")
    assert problem(await finish(nobody, waiting, phone.code())) == (401, "ticket-over")
    assert (
        await sign_in(nobody, username)
    ).status_code == 200  # a sandbox: the factor is one's own


async def test_a_reset_is_declined_or_runs_out(city: City) -> None:
    username = await account(city, "operator")
    await enrolled(city, username)
    first, second = await city.operator(), await city.reviewer()
    path = f"/v1/desk/staff/{username}/factor-reset"
    one = (await first.post(path, json={"reason": "a"})).json()
    home = f"/v1/desk/factor-resets/{one['id']}"
    assert (await first.post(f"{home}/decline")).status_code == 204  # taken back
    assert problem(await second.post(f"{home}/approve")) == (409, "request-over")
    two = (await first.post(path, json={"reason": "b"})).json()
    await city.house.db.execute("update identity.factor_reset set expires_at = now()")
    late = await second.post(f"/v1/desk/factor-resets/{two['id']}/approve")
    assert problem(late) == (409, "request-over")
    assert (await second.post(path, json={"reason": "c"})).status_code == 202
    assert problem(await sign_in(await city.anonymous(), username)) == (401, "second-factor-needed")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "a" * 501}, {"reason": 1}])  # fmt: skip
async def test_a_reset_has_a_reason(city: City, body: Any) -> None:
    operator = await city.operator()
    answer = await operator.post("/v1/desk/staff/reviewer/factor-reset", json=body)
    assert problem(answer) == (400, "bad-request")


async def test_unknown_ids_and_names(city: City) -> None:
    operator = await city.operator()
    missing = "/v1/desk/factor-resets/01890000-0000-7000-8000-000000000000/approve"
    assert problem(await operator.post(missing)) == (404, "not-found")
    who = await operator.post("/v1/desk/staff/nobody/factor-reset", json={"reason": "a"})
    assert problem(who) == (404, "no-such-staff")
    long = await operator.post(f"/v1/desk/staff/{'a' * 81}/disable")
    assert long.status_code in {400, 404}


async def test_accounts_are_listed_without_secrets(city: City) -> None:
    auditor = await city.department("auditor")
    seen: list[str] = []
    after = None
    while True:
        found = await auditor.get("/v1/desk/staff", params={"limit": 3, **({"after": after} if after else {})})  # fmt: skip
        page = found.json()
        assert "argon2" not in found.text
        seen += [one["username"] for one in page["items"]]
        if not (after := page["next"]):
            break
    assert seen == sorted(set(seen))
    assert {"operator", "reviewer", "auditor", "utility_bills"} <= set(seen)
