"""The home of signed-in, verified citizens against an answer of the same size."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.bench.load import Plan, Seen, raw
from tests.bench.place import Place, Process

from civicmall import identity
from civicmall.identity import Caller, Tokens, Verification
from civicmall.kernel import crypto, db, ids
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from shopkit.sandbox import Person, people

CONNECTIONS: Final = 16
CITIZENS: Final = 32
APPS: Final = ("water", "power", "gas", "heating")


async def tokens(place: Place, server: Process) -> list[str]:
    """Access tokens of citizens of level 2 who let the utilities find them."""
    settings = Settings(
        database_url=place.postgres.url,
        data_dir=place.folder,
        public_url=f"http://127.0.0.1:{server.port}",
    )
    pool = await db.open_pool(settings.database_url, size_max=4)
    try:
        house = House(settings, Clock(), crypto.load(place.folder), pool)
        made = Tokens(house.keys, settings.public_url, house.clock)
        wanted = people(house.clock.today())[:CITIZENS]
        return list(await asyncio.gather(*(_token(house, made, person) for person in wanted)))
    finally:
        await pool.close()


async def _token(house: House, made: Tokens, person: Person) -> str:
    citizen = await identity.account(house, person.phone)
    await identity.verify(house, citizen, Verification(person.name, person.id_number))
    for app in APPS:
        await identity.give_consent(
            house.db, citizen, "utility_bills", app, ["id_number"], frozenset({"id_number"})
        )
    return made.access(Caller(citizen, ids.new(ids.bucket_of(citizen)), 2))


def homes(place: Place, server: Process, seconds: float) -> Seen:
    """Homes, warm: each citizen's has been asked for before."""
    requests = [
        raw("GET", "/v1/home", {"authorization": f"Bearer {token}", "accept-language": "zh-CN"})
        for token in asyncio.run(tokens(place, server))
    ]
    place.load(Plan(server.port, requests * 2, CONNECTIONS))
    seen = place.load(Plan(server.port, requests, CONNECTIONS, seconds))
    if seen.refused:
        raise RuntimeError(f"{seen.refused} homes were refused")
    return seen


def nothings(place: Place, size: int, seconds: float) -> Seen:
    """As many bytes from an application that does nothing."""
    with place.bare("asgi", str(size)) as server:
        request = raw("GET", "/healthz", {"accept-language": "zh-CN"})
        place.load(Plan(server.port, [request] * 500, CONNECTIONS))
        return place.load(Plan(server.port, [request], CONNECTIONS, seconds))
