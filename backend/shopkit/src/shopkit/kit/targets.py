"""What the kit looks at: a Python shop in this process, or one at an address (`remote`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from ..call import Citizen, ShopDb  # noqa: TID252 (the package is one thing)
from ..contract import Handed  # noqa: TID252 (the same)
from ..manifest import Manifest  # noqa: TID252 (the same)
from ..testing import TestShop  # noqa: TID252 (the same)


class Target(Protocol):
    """A shop to ask. `call` answers what fits the contract; raises ShopError, WrongAnswer, Failed."""

    @property
    def manifest(self) -> Manifest: ...
    @property
    def now(self) -> datetime: ...
    async def call(
        self, app: str, operation: str, asked: Any, citizen: Citizen, lang: str
    ) -> Any: ...
    def hand_in(self, case_id: str, code: str, body: bytes, media: Any) -> Handed: ...


class InProcess:
    """A Python shop, as the gateway calls it in its own process."""

    def __init__(self, test: TestShop) -> None:
        self.test = test

    @property
    def manifest(self) -> Manifest:
        """As the shop object has it."""
        return self.test.shop.manifest

    @property
    def now(self) -> datetime:
        """The time that calls are made at; it stands still."""
        return self.test.now

    @property
    def db(self) -> ShopDb:
        """The shop's own schema."""
        return self.test.db

    async def call(self, app: str, operation: Any, asked: Any, citizen: Citizen, lang: str) -> Any:
        """One checked answer."""
        return await self.test.call(app, operation, asked, citizen=citizen, lang=lang)

    def hand_in(self, case_id: str, code: str, body: bytes, media: Any) -> Handed:
        """A material, as the platform would keep it."""
        return self.test.hand_in(case_id, code, body, media)
