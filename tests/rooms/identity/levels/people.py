"""Citizens at a level, for the tests of the steps between levels."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
from tests.city import City
from tests.rooms.identity.steps import new_phone, pair_for, verified

from shopkit.sandbox import Person, households

HOMES = households()


class Somebody:
    """A citizen with an app."""

    def __init__(
        self, client: httpx.AsyncClient, id_: UUID, pair: dict[str, Any], phone: str
    ) -> None:
        self.client = client
        self.id = id_
        self.pair = pair
        self.phone = phone

    async def level(self) -> int:
        """What the city thinks."""
        found: int = (await self.client.get("/v1/me")).json()["level"]
        return found

    async def post(self, path: str, said: Any = None) -> httpx.Response:
        """One call."""
        return await self.client.post(path, json=said)


async def somebody(city: City, person: Person | None = None) -> Somebody:
    """New; at level 2 as this person, if one is given."""
    phone = new_phone()
    pair = await pair_for(city, phone)
    client = await city.client(pair["access_token"])
    if person is not None:
        answer = await verified(client, person.name, person.id_number)
        assert answer.status_code == 200, answer.text
    me = UUID((await client.get("/v1/me")).json()["id"])
    return Somebody(client, me, pair, phone)
