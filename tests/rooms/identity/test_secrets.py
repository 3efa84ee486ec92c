"""Personal data is nowhere in the clear: not in the database, not in a log, not without sandbox."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from structlog.testing import capture_logs
from tests.city import City, running_city
from tests.rooms.identity.steps import (
    another,
    code_for,
    problem,
    refreshed,
    try_code,
    verified,
)

from civicmall.kernel.config import Settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real_city(settings: Settings, registry: Any) -> AsyncGenerator[City]:
    """The same city where nothing is a sandbox."""
    real = msgspec.structs.replace(settings, sandbox=False)
    async with running_city(real, registry) as found:
        yield found


async def _columns(city: City) -> list[tuple[str, str]]:
    rows = await city.house.db.fetch(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'identity' and data_type in ('text', 'bytea', 'ARRAY', 'jsonb')"
        " order by 1, 2"
    )
    return [(row[0], row[1]) for row in rows]


async def _seen(city: City, needle: str) -> list[tuple[str, str]]:
    """The columns of this room that hold the text, in whatever encoding PostgreSQL shows."""
    found: list[tuple[str, str]] = []
    for table, column in await _columns(city):
        hit = await city.house.db.fetchval(
            f'select exists (select from identity."{table}" where'  # noqa: S608 (own columns)
            f' position($1 in "{column}"::text) > 0 or position($2 in "{column}"::text) > 0)',
            needle,
            needle.encode().hex(),
        )
        if hit:
            found.append((table, column))
    return found


async def test_nothing_personal_is_kept_or_logged_in_the_clear(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    person = (await city.people())["graduate"]
    phone, name, number = person["phone"], person["name"], person["id_number"]
    with capture_logs() as entries, caplog.at_level(logging.DEBUG):
        code = await code_for(city, phone)
        nobody = await city.anonymous()
        await try_code(nobody, phone, another(code))
        pair = (await try_code(nobody, phone, code)).json()
        client = await city.client(pair["access_token"])
        await verified(client, name, number[:-1] + "0")
        raised = (await verified(client, name, number)).json()
        client = await city.client(raised["access_token"])
        await client.put("/v1/me/facts", json={"facts": {"housing": "tenant"}})
        await client.put("/v1/me/consents/public_security/id_card", json={"claims": ["id_number"]})
        await client.get("/v1/shops/public_security/apps/id_card/progress")
        await refreshed(nobody, pair["refresh_token"])
        await refreshed(nobody, pair["refresh_token"][:-4] + "AAAA")
        await client.delete("/v1/me/session")
    assert entries

    secrets = (phone, name, number, code, pair["access_token"], pair["refresh_token"])
    logged = "\n".join(map(str, entries)) + caplog.text
    for secret in secrets:
        assert secret not in logged
        assert await _seen(city, secret) == []
    for fact in ("birth_date", "tenant", "1990"):
        assert all(column not in {"attested", "declared"} for _, column in await _seen(city, fact))

    # The search does find what is there: the reader's name in the list of who looked.
    assert ("access", "reader") in await _seen(city, "public_security/id_card")


async def test_what_is_sealed_is_never_the_same_twice(city: City) -> None:
    rows = await city.house.db.fetch("select phone from identity.sandbox_message")
    assert len({row[0] for row in rows}) == len(rows)


async def test_without_sandbox_its_doors_are_not_there(real_city: City) -> None:
    nobody = await real_city.anonymous()
    for path in ("/v1/sandbox/messages", "/v1/sandbox/people"):
        assert problem(await nobody.get(path)) == (404, "not-found")


async def test_without_sandbox_codes_are_random_and_nobody_is_in_the_register(
    real_city: City, city: City
) -> None:
    person = (await city.people())["newborn_mother"]
    nobody = await real_city.anonymous()
    sent = await nobody.post("/v1/sign-in/codes", json={"phone": person["phone"]})
    assert sent.status_code == 202
    guess = await try_code(nobody, person["phone"], person["code"])
    assert problem(guess) == (401, "wrong-code")

    client = await city.newcomer("newborn_mother")
    token = client.headers["authorization"].removeprefix("Bearer ")
    who = city.parts.tokens.check(token)
    there = await real_city.client(real_city.parts.tokens.access(who))
    answer = await verified(there, person["name"], person["id_number"])
    assert problem(answer) == (422, "not-in-register")
