"""Where a second factor is required, a passkey can be it; taking the factors off takes it away too."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from tests.city import City, running_city
from tests.rooms.console.steps import shown, stranger, words
from tests.rooms.identity.passkeys.authenticator import Authenticator
from tests.rooms.identity.passkeys.steps import device
from tests.rooms.identity.passkeys.test_pages import asked
from tests.rooms.identity.staff.steps import PASSWORD, account, set_up
from tests.rooms.identity.staff.steps import Authenticator as Phone

from civicmall import identity
from civicmall.kernel.config import Settings

PAGE = "/console/passkeys"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, registry: Any) -> AsyncGenerator[City]:
    strict = msgspec.structs.replace(settings, staff_second_factor=True)
    async with running_city(strict, registry) as found:
        yield found


async def enter(browser: httpx.AsyncClient, username: str) -> httpx.Response:
    """The password alone."""
    form = {"username": username, "password": PASSWORD}
    return await browser.post("/console/login", data=form)


async def add(browser: httpx.AsyncClient, key: Authenticator) -> httpx.Response:
    """Ask the page and bring what the device made."""
    ceremony, options = asked(await shown(browser, PAGE))
    said = {"ceremony": ceremony, "credential": json.dumps(key.make(options)), "name": "笔记本"}
    return await browser.post(PAGE, data=said)


async def by_key(browser: httpx.AsyncClient, key: Authenticator) -> httpx.Response:
    """Sign in with it."""
    ceremony, options = asked(await shown(browser, "/console/login/passkey"))
    said = {"ceremony": ceremony, "credential": json.dumps(key.sign(options))}
    return await browser.post("/console/login/passkey", data=said)


async def test_a_passkey_is_the_factor_and_ends_what_the_password_opened(city: City) -> None:
    username, key = await account(city, "operator"), device(city)
    async with stranger(city) as browser, stranger(city) as other:
        for one in (browser, other):
            assert (await enter(one, username)).status_code == 303
            await shown(one, PAGE)
        assert PAGE in await shown(browser, "/console/account")
        late, options = asked(await shown(other, PAGE))
        begun = await other.post("/console/account/totp")
        assert begun.status_code == 200
        for closed in (f"{PAGE}/x/name", f"{PAGE}/x/remove"):
            answer = await browser.post(closed, data={"name": "x"})
            assert answer.headers["location"] == "/console/account"
        done = await add(browser, key)
        assert done.headers["location"] == f"{PAGE}?done=add"
        assert "总账" in words(await shown(browser, "/console/ledger"))

        said = {"ceremony": late, "credential": json.dumps(device(city).make(options))}
        for path, form in ((PAGE, said), ("/console/account/totp/confirm", {"code": "123456"})):
            answer = await other.post(path, data=form)
            assert answer.headers["location"].startswith("/console/login"), "it is over"
        factor = await enter(other, username)
        assert factor.status_code == 200
        assert 'href="/console/login/passkey?next=' in factor.text
        assert 'name="code"' not in factor.text, "there is no code to type"
        assert (await by_key(other, key)).headers["location"] == "/console/"
        await shown(other, "/console/ledger")


async def test_a_token_of_before_sets_no_further_factor_up(city: City) -> None:
    """As in another process that has not heard yet that the session ended."""
    username, key = await account(city, "operator"), device(city)
    async with stranger(city) as browser, stranger(city) as other:
        await enter(browser, username)
        await enter(other, username)
        token = other.cookies["cm_staff_access"]
        staff = city.parts.tokens.check(token)
        assert isinstance(staff, identity.Staff)
        assert staff.enrolling
        await identity.work.totp.begin(city.house, staff, None)
        await add(browser, key)
        with pytest.raises(identity.SignInAgain):
            await identity.passkeys.add_options(city.house, staff)
        with pytest.raises(identity.SignInAgain):
            await identity.work.totp.begin(city.house, staff, None)
        secret = (await identity.work.totp.again(city.house, staff)).secret
        code = Phone(city, secret).code()
        with pytest.raises(identity.HasFactor):
            await identity.work.totp.confirm(city.house, city.parts.tokens, staff, code)


async def test_taking_the_factors_off_takes_the_passkey_and_its_sessions(city: City) -> None:
    username, key = await account(city, "operator"), device(city)
    async with stranger(city) as browser, stranger(city) as other:
        await enter(browser, username)
        await add(browser, key)
        await shown(browser, "/console/ledger")
        before = await city.house.db.fetchval("select count(*) from identity.passkey_id")
        assert await identity.work.resets.drop(city.house, username)
        assert (
            await city.house.db.fetchval("select count(*) from identity.passkey_id") == before - 1
        )
        assert (await by_key(other, key)).status_code != 303
        assert (await enter(other, username)).headers["location"] == "/console/"
        assert (await other.get("/console/")).headers["location"] == "/console/account"
        await set_up(city, other)
        done = await add(other, key)
        assert done.status_code == 303, "the same device may be registered anew"

        staff_id = await city.house.db.fetchval(
            "select id from identity.staff where username = $1", username
        )
        left = await city.house.db.fetchval(
            "select count(*) from identity.session where owner = $1 and revoked_at is null",
            staff_id,
        )
        assert left == 1


async def test_a_reset_by_two_operators_ends_what_the_passkey_opened(city: City) -> None:
    one, two, whose = [await account(city, "operator") for _ in range(3)]
    async with stranger(city) as first, stranger(city) as second, stranger(city) as third:
        for browser, username in ((first, one), (second, two), (third, whose)):
            await enter(browser, username)
            assert (await add(browser, device(city))).status_code == 303
        asked_for = {"username": whose, "reason": "钥匙丢了"}
        assert (await first.post("/console/staff/reset", data=asked_for)).status_code == 303
        reset = await city.house.db.fetchval(
            "select id from identity.factor_reset where state = 'asked' order by asked_at desc limit 1"
        )
        answer = await second.post(f"/console/staff/resets/{reset}/approve")
        assert answer.headers["location"].endswith("done=approve")
        assert (await third.get("/console/ledger")).headers["location"].startswith("/console/login")
