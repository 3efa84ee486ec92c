"""The home of signed-in, verified citizens against an answer of the same size."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.bench.load import Plan, Seen, raw
from tests.bench.place import Place, Process
from tests.citizens import caller, own_house, verified

from civicmall import app
from civicmall.identity import Tokens
from civicmall.kernel.config import Settings
from shopkit.sandbox import people

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
    async with own_house(settings, size_max=4) as house:
        made = Tokens(house.keys, settings.public_url, house.clock)
        wanted = people(house.clock.today())[:CITIZENS]
        found = Settings.from_env({}, database_url="unused")  # with the checkout's shops
        registry = await asyncio.to_thread(app.open_registry, found)
        known = (verified(house, registry, person, "utility_bills", APPS) for person in wanted)
        return [made.access(caller(citizen, 2)) for citizen in await asyncio.gather(*known)]


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
