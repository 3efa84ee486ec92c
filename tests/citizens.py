"""Citizens signed in by the verbs, where no code is to be sent and no page to be opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

from civicmall import identity
from civicmall.identity import Caller, Verification
from civicmall.kernel import crypto, db, ids
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.shops import Registry
from shopkit.sandbox import Person


@asynccontextmanager
async def own_house(settings: Settings, size_max: int = 8) -> AsyncGenerator[House]:
    """A house without a server: for verbs that are called directly."""
    pool = await db.open_pool(settings.database_url, size_max=size_max)
    try:
        yield House(settings, Clock(), crypto.load(settings.data_dir), pool)
    finally:
        await pool.close()


def caller(citizen: UUID, level: int = 1) -> Caller:
    """A citizen as the verbs know them, in a session of their own."""
    return Caller(citizen, ids.new(ids.bucket_of(citizen)), level)


async def verified(
    house: House, registry: Registry, person: Person, shop: str, apps: Iterable[str]
) -> UUID:
    """A person of the sandbox who has proved who they are and lets these apps know their number."""
    citizen = await identity.account(house, person.phone)
    await identity.verify(house, citizen, Verification(person.name, person.id_number))
    for app in apps:
        asked = registry.purposes_asked(shop, app, citizen)
        await identity.give_consent(house, citizen, shop, app, ["id_number"], asked)
    return citizen
