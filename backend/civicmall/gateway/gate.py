"""The gate of one shop: how many may be inside, how many may wait, and when it is shut."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any, Final, Literal

import shopkit
from civicmall.kernel import logs
from civicmall.kernel.clock import Clock
from shopkit.call import Call
from shopkit.shop import Operation

from .breaker import Breaker
from .errors import ShopUnavailable, TooManyCalls
from .host import Host

log = logs.get("gateway")
SHARE: Final = 4
"""One citizen's calls fill a quarter of a shop's places at most; the rest is for the others."""
SHARE_MIN: Final = 8
"""As many as a home's tiles ask at once."""
BreakerState = Literal["closed", "open", "half-open"]


class Gate:
    """A bulkhead with a short queue and a breaker, before the host that runs the shop."""

    def __init__(
        self, shop: shopkit.Shop, database_url: str, clock: Clock, password: str = ""
    ) -> None:
        limits = shop.manifest.limits
        self.shop_id = shop.manifest.id
        self.timeout_s = limits.timeout_ms / 1000
        self.running = 0
        self.fault = ""
        """Why the shop could not start; empty where it did."""
        self._inside = asyncio.Semaphore(limits.concurrency)
        self._places = limits.concurrency + limits.queue
        self._share = max(SHARE_MIN, self._places // SHARE)
        self._callers: Counter[object] = Counter()
        self._shop = shop
        self._host = Host(shop, database_url, password)
        self._breaker = Breaker()
        self._clock = clock

    async def start(self, secret: bytes, seed_for: date | None) -> None:
        """Open the shop. A fault is kept and shuts this shop alone."""
        try:
            async with asyncio.timeout(30):
                await self._host.start(secret, seed_for)
        except Exception as error:
            self.fault = f"{type(error).__name__} at start: {error}"
            log.exception("shop.start_failed", shop=self.shop_id)

    async def stop(self) -> None:
        """Leave the shop."""
        await self._host.stop()

    def serves(self, app: str, operation: Operation) -> bool:
        """Whether there is code for it."""
        return (app, operation) in self._shop.handlers

    def breaker_state(self) -> BreakerState:
        """For the health board."""
        return self._breaker.state(self._clock.monotonic())

    def check(self) -> None:
        """Whether a call could go in now: asked before a citizen's facts are. Raises
        ShopUnavailable.
        """
        if self.fault:
            raise ShopUnavailable(shop=self.shop_id)
        if self.running >= self._places:
            raise ShopUnavailable("too many are waiting", shop=self.shop_id, retry_after_s=2)
        if self.breaker_state() == "open":
            raise ShopUnavailable(shop=self.shop_id, retry_after_s=5)

    async def call(
        self,
        app: str,
        operation: Operation,
        call: Callable[[Any], Call],
        asked: Any,
        caller: object = None,
    ) -> Any:
        """One call, in `caller`'s name: nobody may fill more than a share of the places.

        Raises TooManyCalls, ShopUnavailable when full or shut, and whatever the shop raises.
        """
        self.check()
        if caller is not None and self._callers[caller] >= self._share:
            raise TooManyCalls(shop=self.shop_id, retry_after_s=1)
        went_in = self._breaker.admit(self._clock.monotonic())
        if went_in is None:
            raise ShopUnavailable(shop=self.shop_id, retry_after_s=5)
        self.running += 1
        self._callers[caller] += 1
        settled = False
        try:
            async with asyncio.timeout(self.timeout_s), self._inside:
                answer = await self._host.call(app, operation, call, asked)
        except (shopkit.NotFound, shopkit.Refused):
            settled = True
            self._breaker.succeeded()  # a refusal is an answer
            raise
        except Exception:
            settled = True
            self._breaker.failed(self._clock.monotonic(), went_in)
            raise
        else:
            settled = True
            self._breaker.succeeded()
            return answer
        finally:
            self.running -= 1
            self._callers[caller] -= 1
            if not self._callers[caller]:
                del self._callers[caller]
            if not settled:
                self._breaker.abandoned(went_in)
