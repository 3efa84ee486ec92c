"""How often something may be tried on a day, counted before it is known what comes of it."""

from __future__ import annotations

from civicmall.kernel.house import House

from .errors import TooManyVerifications
from .queries import q

AGAIN_S = 3600
"""What a refusal says about waiting; the count ends with the day."""


async def count(house: House, what: str, most: int) -> None:
    """One try more, of or with whatever `what` names. Raises TooManyVerifications."""
    blind = house.keys.blind(what, "tries")
    if await q.try_again(house.db, bucket=blind[0], blind=blind, most=most) is None:
        raise TooManyVerifications(retry_after_s=AGAIN_S)


async def give_back(house: House, what: str) -> None:
    """The last try was none: it was right, or nobody answered."""
    blind = house.keys.blind(what, "tries")
    await q.give_back(house.db, bucket=blind[0], blind=blind)
