"""The gate of one shop: how many may be inside, how many may wait, how often, and when it is shut."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from datetime import date
from typing import Any, Final, Literal

import shopkit
from civicmall.kernel import logs
from civicmall.kernel.clock import Clock
from civicmall.kernel.errors import Problem
from shopkit.manifest import Limits

from .breaker import Breaker, Pass
from .errors import ShopUnavailable, TooManyCalls
from .facts import Facts, Host
from .rates import Rates
from .window import Window

log = logs.get("gateway")
SHARE: Final = 4
"""One citizen's calls fill a quarter of a shop's places at most; the rest is for the others. Not
less: several orders at once, of four questions each, are answered and not turned away.
"""
SHARE_MIN: Final = 8
"""As many as a home's tiles ask at once."""
START_S: Final = 30.0
"""Seconds that a shop may take to open, its sandbox data included."""
ANSWERS: Final = (shopkit.NotFound, shopkit.Refused, shopkit.BadForm)
"""A refusal is an answer: it says nothing against the shop."""
BreakerState = Literal["closed", "open", "half-open"]


class Gate:
    """A bulkhead with a short queue, limits and a breaker, before the host that runs the shop."""

    def __init__(self, shop_id: str, limits: Limits, host: Host, clock: Clock) -> None:
        self.shop_id = shop_id
        self.host = host
        self.timeout_s = limits.timeout_ms / 1000
        self.running = 0
        self.fault = ""
        """Why the shop could not start; empty where it did."""
        self.window = Window()
        self._inside = asyncio.Semaphore(limits.concurrency)
        self._places = limits.concurrency + limits.queue
        self._share = max(SHARE_MIN, self._places // SHARE)
        self._callers: dict[object, int] = {}
        self._rates = Rates(limits, clock.monotonic())
        self._breaker = Breaker()
        self._clock = clock
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self, secret: bytes, seed_for: date | None) -> None:
        """Open the shop. A fault is kept and shuts this shop alone."""
        try:
            async with asyncio.timeout(START_S):
                await self.host.start(secret, seed_for)
            self.fault = ""
        except Exception as error:
            self.fault = f"{type(error).__name__} at start: {error}"
            log.exception("shop.start_failed", shop=self.shop_id)

    async def stop(self) -> None:
        """Leave the shop."""
        await self.host.stop()

    async def idle(self) -> None:
        """Until nobody is inside."""
        await self._idle.wait()

    @property
    def away(self) -> str:
        """Why the shop wasn't there when it was last asked; empty for one in our process."""
        return str(getattr(self.host, "away", ""))

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
        if not self._breaker.closed and self.breaker_state() == "open":
            raise ShopUnavailable(shop=self.shop_id, retry_after_s=5)

    async def call(self, operation: str, facts: Facts, asked: Any, caller: object = None) -> Any:
        """One call, in `caller`'s name: nobody may fill more than a share of the places.

        Raises TooManyCalls, ShopUnavailable when full or shut, and whatever the host raises.
        """
        went_in, asking = self.enter(caller), False
        # A host that keeps the time itself needs no second timer, where nobody waits for a place.
        alone = self.host.keeps_time and not self._inside.locked()
        try:
            async with nullcontext() if alone else asyncio.timeout(self.timeout_s), self._inside:
                asking = operation != "event"  # whoever only waited says nothing of the shop
                answer = await self.host.call(operation, facts, asked)
        except BaseException as error:
            self.leave(caller, went_in, error, counts=asking)
            raise
        self.leave(caller, went_in, None)
        return answer

    def enter(self, caller: object) -> Pass:
        """Take a place. Raises TooManyCalls, ShopUnavailable."""
        self.check()
        now = self._clock.monotonic()
        mine = self._callers.get(caller, 0)
        if caller is not None:
            if mine >= self._share:
                raise TooManyCalls(shop=self.shop_id, retry_after_s=1)
            if wait_s := self._rates.citizen_waits_s(caller, now):
                raise TooManyCalls(shop=self.shop_id, retry_after_s=wait_s)
        if wait_s := self._rates.all_wait_s(now):
            raise ShopUnavailable(
                "too many calls a second", shop=self.shop_id, retry_after_s=wait_s
            )
        went_in = self._breaker.admit(now)
        if went_in is None:
            raise ShopUnavailable(shop=self.shop_id, retry_after_s=5)
        self.running += 1
        self._idle.clear()
        self._callers[caller] = mine + 1
        return went_in

    def leave(
        self, caller: object, went_in: Pass, error: BaseException | None, *, counts: bool = True
    ) -> None:
        """Give the place back; what ended the call says how the shop does, if it `counts`: an event
        that isn't heard is told again, and must not keep citizens out.
        """
        self.running -= 1
        if not self.running:
            self._idle.set()
        if (left := self._callers.pop(caller) - 1) > 0:
            self._callers[caller] = left
        if error is None or isinstance(error, ANSWERS):
            self._breaker.succeeded()
        elif counts and isinstance(error, Exception) and not isinstance(error, Problem):
            self._breaker.failed(self._clock.monotonic(), went_in)
        else:
            self._breaker.abandoned(went_in)

    @property
    def places(self) -> asyncio.Semaphore:
        """Who holds one is inside: for raw calls, which stream past `call`."""
        return self._inside
