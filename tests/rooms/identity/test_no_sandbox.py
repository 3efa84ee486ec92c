"""A real city: no doors of the sandbox, codes that nobody can reckon, nobody in the register."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import msgspec
import pytest_asyncio
from tests.city import City, running_city
from tests.rooms.identity.steps import another, new_phone, problem, try_code, verified

from civicmall import identity
from civicmall.identity import Caller, service
from civicmall.kernel import ids
from civicmall.kernel.config import Settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, registry: Any) -> AsyncGenerator[City]:
    """A real city. Its database forgets that it was made as a sandbox, which none can in use."""
    connection: Any = await asyncpg.connect(settings.database_url)
    await connection.execute("delete from kernel.city")
    await connection.close()
    real = msgspec.structs.replace(settings, sandbox=False)
    async with running_city(real, registry) as found:
        yield found


async def test_the_sandboxs_doors_are_not_there(city: City) -> None:
    nobody = await city.anonymous()
    for path in ("/v1/sandbox/messages", "/v1/sandbox/people"):
        assert problem(await nobody.get(path)) == (404, "not-found")


async def test_codes_are_random_and_kept_nowhere(city: City) -> None:
    person = next(p for p in identity.sandbox.people(city.house) if p.persona == "graduate")
    nobody = await city.anonymous()
    before = await city.house.db.fetchval("select count(*) from identity.sandbox_message")
    sent = await nobody.post("/v1/sign-in/codes", json={"phone": person.phone})
    assert problem(sent) == (503, "unavailable"), "no gateway: nobody waits for a code in vain"
    for guess in (person.code, another(person.code)):
        assert problem(await try_code(nobody, person.phone, guess)) == (401, "code-used-up")
    after = await city.house.db.fetchval("select count(*) from identity.sandbox_message")
    assert after == before
    assert len({service.new_code(city.house, person.phone) for _ in range(20)}) > 15


async def test_synthetic_people_are_in_no_register_and_none_is_connected(city: City) -> None:
    person = next(p for p in identity.sandbox.people(city.house) if p.persona == "graduate")
    citizen = await identity.account(city.house, new_phone())
    caller = Caller(citizen, ids.new(ids.bucket_of(citizen)), 1)
    client = await city.client(city.parts.tokens.access(caller))
    answer = await verified(client, person.name, person.id_number)
    assert problem(answer) == (503, "authority-away")
