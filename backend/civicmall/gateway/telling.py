"""News on its way to one shop: few at a time, and for a while none where none is taken.

News goes out by itself, in whatever numbers citizens make it, and is told again until it is heard.
So a shop that hangs would soon have hundreds under way, and each would hold up something of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from civicmall.kernel.clock import Clock

from .breaker import Breaker
from .errors import SHOP_FAULTS, ShopUnavailable

AT_ONCE: Final = 8
"""On their way to one shop; one that takes 100 ms gets eighty a second so."""
TURN_S: Final = 1.0
"""How long one waits for its turn; then it is told later, as if the shop were away."""
EVENT_S: Final = 5.0
"""Seconds for taking an event: it is written down and thanked for, and worked on afterwards."""


class Telling:
    """The turns of one shop's news of one kind, so that events that nobody takes delay no payment."""

    def __init__(self, shop: str, clock: Clock) -> None:
        self._shop = shop
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)
        self._breaker = Breaker()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Around telling one thing. Raises ShopUnavailable: tell it later."""
        went_in = self._breaker.admit(self._clock.monotonic())
        if went_in is None:
            raise ShopUnavailable("its news waits", shop=self._shop, retry_after_s=5)
        try:
            async with asyncio.timeout(TURN_S):
                await self._places.acquire()
        except BaseException as error:
            self._breaker.abandoned(went_in)
            if isinstance(error, TimeoutError):
                raise ShopUnavailable("its news waits", shop=self._shop, retry_after_s=1) from None
            raise
        try:
            yield
        except SHOP_FAULTS:
            self._breaker.failed(self._clock.monotonic(), went_in)
            raise
        except asyncio.CancelledError:
            self._breaker.abandoned(went_in)
            raise
        except BaseException:
            self._breaker.succeeded()  # a refusal is an answer
            raise
        else:
            self._breaker.succeeded()
        finally:
            self._places.release()
