"""What departments attest of citizens: by which pseudonym, and that their manifest says so."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from typing import Final
from uuid import UUID

import asyncpg

from civicmall import identity
from civicmall.kernel.db import Db
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from shopkit.call import Attest, attests_nothing
from shopkit.contract import Attestation
from shopkit.errors import Unavailable

from .gates import Way
from .queries import q

KNOWN_MAX: Final = 20_000
"""Citizens and shops that this process remembers to have written down."""


def bucket_of(sub: str) -> int:
    """Where a pseudonym lies: its first byte."""
    return int(sub[:2], 16)


class Subs:
    """Who is behind a shop's pseudonyms; only for shops that attest something."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._kept: OrderedDict[tuple[str, UUID], None] = OrderedDict()

    async def keep(self, shop: str, sub: str, citizen_id: UUID) -> None:
        """A citizen uses a shop: from now on it may attest something of them."""
        if (shop, citizen_id) in self._kept:
            return
        await q.keep_sub(self._db, bucket=bucket_of(sub), shop=shop, sub=sub, citizen_id=citizen_id)
        self._kept[shop, citizen_id] = None
        if len(self._kept) > KNOWN_MAX:
            self._kept.popitem(last=False)

    async def behind(self, shop: str, sub: str) -> UUID:
        """Whom a shop means. Raises NotFound, also for whom it never met and who has left."""
        found: UUID | None = await q.behind_sub(self._db, bucket=bucket_of(sub), shop=shop, sub=sub)
        if found is None:
            raise NotFound
        return found


def named(way: Way) -> Collection[str]:
    """What a version of a shop may attest."""
    return frozenset(one.name for one in way.deployed.manifest.attests)


def attester(house: House, way: Way, citizen_id: UUID) -> Attest:
    """What a shop in this process attests with, of the citizen whom it serves just now. It works from
    another thread, too: shops have their own, and the database answers in the loop that this is made in.
    """
    attests = named(way)
    if not attests:
        return attests_nothing
    ours = asyncio.get_running_loop()

    async def kept(said: Attestation) -> None:
        try:
            await identity.attributes.service.attest(
                house, citizen_id, way.deployed.shop, said, attests
            )
        except identity.BadAttestation as refusal:  # the shop's own mistake, in its own words
            raise ValueError(f"{said.name}: {refusal.extra['errors'][0]['problem']}") from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise Unavailable("the platform can't take it now") from error

    async def attest(_: str, said: Attestation) -> None:
        writing = kept(said)
        if asyncio.get_running_loop() is ours:
            await writing
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(writing, ours))

    return attest
