"""Where a second factor is required: without one, one may set one up and nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from tests.city import City, running_city
from tests.rooms.console.steps import shown, stranger, words
from tests.rooms.identity.staff.steps import (
    PASSWORD,
    Authenticator,
    account,
    finish,
    forget_steps,
    set_up,
    sign_in,
    signed_in,
    ticket,
)
from tests.rooms.identity.steps import problem, refreshed

from civicmall.kernel.config import Settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, registry: Any) -> AsyncGenerator[City]:
    strict = msgspec.structs.replace(settings, staff_second_factor=True)
    async with running_city(strict, registry) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/desk/ledger"), ("GET", "/v1/desk/cases"), ("GET", "/v1/desk/staff"),
        ("POST", "/v1/desk/refunds"), ("PUT", "/v1/staff/password"),
        ("POST", "/v1/staff/factors/recovery-codes"), ("POST", "/v1/desk/citizens/lookup"),
    ],
)  # fmt: skip
async def test_nothing_else_is_open(city: City, method: str, path: str) -> None:
    client = await signed_in(city, await account(city, "operator"))
    answer = await client.request(method, path, json={} if method != "GET" else None)
    assert problem(answer) == (403, "second-factor-missing")


async def test_setting_one_up_opens_the_rest_and_no_other_session(city: City) -> None:
    username = await account(city, "operator")
    nobody = await city.anonymous()
    before = (await sign_in(nobody, username)).json()
    client = await city.client(before["access_token"])
    me = (await client.get("/v1/staff/me")).json()
    assert me["enrolling"] is True
    renewed = (await refreshed(nobody, before["refresh_token"])).json()
    client = await city.client(renewed["access_token"])
    assert problem(await client.get("/v1/desk/ledger")) == (403, "second-factor-missing")

    begun = (await client.post("/v1/staff/factors/totp", json={})).json()
    phone = Authenticator(city, begun["secret"])
    late = (await sign_in(nobody, username)).json()  # somebody else, in the last moment
    done = await client.post("/v1/staff/factors/totp/confirmation", json={"code": phone.code()})
    whole = await city.client(done.json()["tokens"]["access_token"])
    assert (await whole.get("/v1/desk/ledger")).status_code == 200
    assert (await whole.get("/v1/staff/me")).json()["enrolling"] is False
    for old in (late, renewed):
        assert problem(await refreshed(nobody, old["refresh_token"])) == (401, "token-invalid")
        gone = await city.client(old["access_token"])
        assert problem(await gone.get("/v1/staff/me")) == (401, "token-invalid")

    await forget_steps(city)
    pair = await finish(nobody, await ticket(nobody, username), phone.code())
    after = await city.client(pair.json()["access_token"])
    assert (await after.get("/v1/desk/ledger")).status_code == 200


async def test_a_session_from_before_the_factor_does_not_come_back_by_renewal(city: City) -> None:
    """As if it had been opened in the instant after the others were ended."""
    username = await account(city, "operator")
    nobody = await city.anonymous()
    pair = (await sign_in(nobody, username)).json()
    client = await signed_in(city, username)
    begun = (await client.post("/v1/staff/factors/totp", json={})).json()
    code = Authenticator(city, begun["secret"]).code()
    await client.post("/v1/staff/factors/totp/confirmation", json={"code": code})
    await city.house.db.execute("update identity.session set revoked_at = null")
    assert problem(await refreshed(nobody, pair["refresh_token"])) == (401, "token-invalid")


async def test_the_console_leads_to_the_set_up_and_nowhere_else(city: City) -> None:
    username = await account(city, "operator")
    async with stranger(city, "en") as browser:
        await browser.post("/console/login", data={"username": username, "password": PASSWORD})
        for path in ("/console/", "/console/ledger", "/console/staff", "/console/citizens"):
            answer = await browser.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/console/account")
        page = await shown(browser, "/console/account")
        assert "First set up a second factor." in words(page)
        assert "/console/account/password" not in page
        for path in ("/console/refunds", "/console/account/password", "/console/staff/disable"):
            answer = await browser.post(path, data={"username": "reviewer"})
            assert (answer.status_code, answer.headers["location"]) == (303, "/console/account")
        await set_up(city, browser)
        await shown(browser, "/console/ledger")
