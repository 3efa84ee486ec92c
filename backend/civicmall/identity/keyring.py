"""The generations of signing keys: the first, the next, and what every process learns of them."""

from __future__ import annotations

import asyncio
from typing import Final

from civicmall.kernel.crypto import Keys
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from .models import SigningKeyRow
from .queries import q
from .rules import ACCESS_S
from .signing import Generation, fresh_rsa
from .tokens import Tokens

RSA: Final = "identity.signing_key.rsa"
PUBLISH_S: Final = 900
"""Who keeps our keys for a while must have seen the new one before it signs; we ask for 300 s."""
OVERLAP_S: Final = ACCESS_S + 3600
"""How long what the last one signed still holds; ID tokens are checked within minutes."""
ROTATE_DAYS: Final = 90


async def first_signing_key(house: House) -> None:
    """Make the first generation where there is none."""
    if await q.signing_keys(house.db):
        return
    sealed = house.keys.seal_bytes(await asyncio.to_thread(fresh_rsa), RSA)
    await q.add_signing_key(house.db, generation=1, rsa=sealed, publish_s=0.0)


async def new_signing_key(db: Db, keys: Keys, *, at_once: bool) -> SigningKeyRow:
    """The next generation; `at_once` it signs now, and what others signed is void.

    Of two at once both get the one that there is then.
    """
    rows: list[SigningKeyRow] = await q.signing_keys(db)
    number = max((row.generation for row in rows), default=0) + 1
    sealed = keys.seal_bytes(await asyncio.to_thread(fresh_rsa), RSA)
    publish_s = 0.0 if at_once else float(PUBLISH_S)
    await q.add_signing_key(db, generation=number, rsa=sealed, publish_s=publish_s)
    overlap_s = 0.0 if at_once else float(OVERLAP_S)
    await q.end_signing_keys(db, before=number, overlap_s=overlap_s)
    found: list[SigningKeyRow] = await q.signing_keys(db)
    return found[-1]


async def learn_keys(house: House, tokens: Tokens) -> None:
    """What there is by now; also of the sealing keys in the file."""
    await asyncio.to_thread(house.keys.reload)
    rows: list[SigningKeyRow] = await q.signing_keys(house.db)
    if rows:
        tokens.signing.use([
            Generation(row.generation, row.signs_from, row.ends_at, house.keys.open_bytes(row.rsa, RSA))
            for row in rows
        ])  # fmt: skip


async def rotate_in_time(house: House) -> None:
    """A new generation when the newest is old enough."""
    if await q.newest_signing_key_is_older(house.db, days=ROTATE_DAYS):
        await new_signing_key(house.db, house.keys, at_once=False)
