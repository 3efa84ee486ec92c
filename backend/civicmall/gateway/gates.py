"""The gates of all shops: one per deployed version, opened and closed as versions come and go."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from msgspec import Struct

from civicmall.identity import shop_key
from civicmall.kernel import logs
from civicmall.kernel.house import House
from civicmall.shops import Deployed, Registry
from shopkit.keys import public_key
from shopkit.manifest import Http

from .errors import ShopUnavailable
from .facts import Host
from .gate import Gate
from .host import InProcess, role, secret_for
from .platform import Platform
from .remote import RemoteHost
from .rules import ShopKeys

log = logs.get("gateway")
LEAVE_S: Final = 35.0
"""A version that went is left when its last call has ended; none may take longer than this."""
LINGER_S: Final = 3.0
"""Who found the way to a version may still be reading a citizen's facts before going in."""


class Way(Struct, frozen=True):
    """The version that serves a citizen, and its gate."""

    deployed: Deployed
    gate: Gate


class Gates:
    """Kept in step with the registry."""

    def __init__(self, house: House, registry: Registry, platform: Platform) -> None:
        self._house = house
        self._registry = registry
        self._platform = platform
        self._open: dict[tuple[str, str], Gate] = {}
        self._keys: dict[str, ShopKeys] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open every shop that can be called; one that can't start costs only itself."""
        await self._sync()
        self._registry.on_change.append(self._sync)

    async def stop(self) -> None:
        """Close every shop's connections and threads."""
        if self._sync in self._registry.on_change:
            self._registry.on_change.remove(self._sync)
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await asyncio.gather(*(gate.stop() for gate in self._open.values()))

    def way(self, shop: str, citizen_id: UUID | None) -> Way:
        """The way to a shop for a citizen; without one to its live version, or to what is tried.

        Raises NoSuchShop, ShopClosed, ShopRetired, ShopUnavailable.
        """
        deployed = self._registry.pick(shop, citizen_id)
        gate = self._open.get(deployed.key)
        if gate is None:
            raise ShopUnavailable(shop=shop)
        return Way(deployed, gate)

    def all(self) -> list[Way]:
        """Every open gate, by shop, the live version first."""
        return [
            Way(deployed, gate)
            for deployed in self._registry.deployed()
            if (gate := self._open.get(deployed.key)) is not None
        ]

    def keys_of(self, shop: str) -> ShopKeys:
        """What is derived for a shop; the same for all its versions."""
        if shop not in self._keys:
            keys = self._house.keys
            self._keys[shop] = ShopKeys(secret_for(shop, keys), shop_key(keys, shop))
        return self._keys[shop]

    async def probe(self) -> None:
        """Ask each shop at an address of its own whether it is there, and what it speaks now."""
        hosts = [way.gate.host for way in self.all()]
        await asyncio.gather(*(host.probe() for host in hosts if isinstance(host, RemoteHost)))

    async def _sync(self) -> None:
        """Up to the first `await` without a break: nobody may meet a version that has no gate."""
        missing = [d for d in self._registry.deployed() if d.key not in self._open]
        new = [(deployed, gate) for deployed in missing if (gate := self._gate(deployed))]
        await asyncio.gather(*(self._enter(deployed, gate) for deployed, gate in new))
        wanted = {deployed.key for deployed in self._registry.deployed()}
        for key in self._open.keys() - wanted:
            task = asyncio.create_task(self._leave(self._open.pop(key)))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def _gate(self, deployed: Deployed) -> Gate | None:
        """The gate of a new version; None for one that can't be called at all."""
        try:
            host = self._host(deployed)
        except ValueError as error:  # OddAddress is one, and so is a key that is none
            self._registry.report(deployed.shop, f"its address or key: {error}", deployed.digest)
            return None
        if host is None:
            return None  # broken code: the registry says why
        gate = Gate(deployed.shop, deployed.manifest.limits, host, self._house.clock)
        if not isinstance(host, RemoteHost):
            gate.fault = "it is starting"  # its tables aren't open yet
        self._open[deployed.key] = gate
        return gate

    async def _enter(self, deployed: Deployed, gate: Gate) -> None:
        seed_for = self._house.clock.today() if self._house.settings.sandbox else None
        await gate.start(self.keys_of(deployed.shop).secret, seed_for)
        if gate.fault:
            self._registry.report(deployed.shop, gate.fault, deployed.digest)

    def _host(self, deployed: Deployed) -> Host | None:
        runtime = deployed.manifest.runtime
        if isinstance(runtime, Http):
            public_key(runtime.key)
            return RemoteHost(deployed.manifest, runtime, self._platform)
        if deployed.code is None:
            return None
        settings = self._house.settings
        return InProcess(
            deployed.code, settings.database_url, self._house.keys.password(role(deployed.shop))
        )

    async def _leave(self, gate: Gate) -> None:
        """Nothing that is in flight is lost: the version goes when its last call has ended."""
        try:
            async with asyncio.timeout(LEAVE_S):
                await asyncio.sleep(LINGER_S)
                await gate.idle()
        except TimeoutError:
            log.warning("shop.left_calls", shop=gate.shop_id, running=gate.running)
        finally:  # also when the process goes down meanwhile
            await gate.stop()
