"""What the tests of this room do again and again."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from tests.workshop import app, manifest, text, unique

from civicmall import releases
from civicmall.identity import Staff
from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.releases import Checked, Release, ReleaseDetail, Submission
from civicmall.releases.rules import Move
from civicmall.shops import Deployed, Registry

KEY = "A" * 43
URL = "http://127.0.0.1:9/shop"
"""Nothing listens there; the tests of this room call no shop."""


def operator(name: str = "周敏") -> Staff:
    """An operator whom nobody knows yet."""
    return Staff(ids.new(3), uuid4(), name, "operator", None)


def department(shop: str) -> Staff:
    """Somebody of a department."""
    return Staff(ids.new(5), uuid4(), "许岚", "manager", shop)


def said(shop: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """A manifest as a department writes it."""
    claims = [{"name": "phone", "purpose": text("to tell you")}]
    made = manifest(shop, [app("permits", "progress", claims=claims)])
    return {**made, "version": version, "runtime": {"url": URL, "key": KEY}, **more}


def passed(*apps: str) -> list[Checked]:
    """A report without a fault."""
    return [Checked("discovery", "passed"), *(Checked("progress-steps", "passed", a) for a in apps)]


class Shop:
    """A shop of its own for each test, the people around it, and what they do."""

    def __init__(self, house: House, registry: Registry | None = None) -> None:
        self.house = house
        self.registry = registry or Registry([])
        self.id = unique("shop")
        self.author = department(self.id)
        self.reader, self.publisher = operator(), operator("沈澄")

    async def submit(self, version: str = "1.0.0", **more: Any) -> Release:
        """Hand in a version."""
        ask = Submission(said(self.id, version, **more), passed("permits"))
        return await releases.submit(self.house, self.registry, self.author, ask, f"{uuid4()}")

    async def move(
        self, who: Staff, release: UUID, step: Move, note: str = "because", **more: Any
    ) -> ReleaseDetail:
        """One step by somebody."""
        return await releases.move(self.house, self.registry, who, release, step, note=note, **more)

    async def approved(self, version: str = "1.0.0", **more: Any) -> UUID:
        """A version that was found good."""
        made = await self.submit(version, **more)
        await self.move(self.reader, made.id, "approve")
        return made.id

    async def live(self, version: str = "1.0.0", **more: Any) -> UUID:
        """A version that all citizens have."""
        made = await self.approved(version, **more)
        await self.move(self.publisher, made, "publish")
        return made

    def deployed(self) -> list[Deployed]:
        """The versions of this shop that are called."""
        return [d for d in self.registry.deployed() if d.shop == self.id]

    async def states(self) -> dict[str, str]:
        """Version → state."""
        page = await releases.some(self.house.db, self.reader, shop=self.id, limit=50)
        return {one.version: one.state for one in page.items}

    async def history(self, release: UUID) -> list[tuple[str, str, str]]:
        """Who took which step to where."""
        found = await releases.one(self.house.db, self.reader, release)
        return [(step.name, step.move, step.now) for step in found.steps]
