"""What the platform says with one call of a shop, wherever the shop runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from civicmall.kernel.errors import NotFound
from shopkit import Media
from shopkit.call import Attest, Call, Citizen, FetchMaterial, attests_nothing, no_materials
from shopkit.egress import NoEgress
from shopkit.local import local

GiveMaterial = Callable[[str, UUID, UUID], Awaitable[tuple[Media, bytes]]]
"""Shop, case and material → what was handed in."""


async def nothing_kept(shop: str, case_id: UUID, material: UUID) -> tuple[Media, bytes]:
    """Where no room keeps materials, there are none."""
    del shop, case_id, material
    raise NotFound


class Facts(Struct, frozen=True):
    """Everything of a `shopkit.Call` but what is the shop's own: its schema."""

    app: str
    citizen: Citizen
    lang: str
    now: datetime
    trace_id: str
    deadline_s: float
    secret: bytes
    materials: FetchMaterial = no_materials
    attests: Attest = attests_nothing

    def call(self, db: Any, http: Any = None) -> Call:
        """The call as the shop's code sees it."""
        return Call(
            self.citizen, self.lang, self.now, local(self.now), self.trace_id, self.deadline_s, db,
            self.secret, self.app, self.materials, http or NoEgress(), self.attests,
        )  # fmt: skip


class Host(Protocol):
    """Where a shop runs. `call` answers what fits the contract, or raises: `shopkit.ShopError` for a
    refusal, WrongAnswer for an answer against the contract, ShopBroken for the rest of the shop's
    own faults, TimeoutError.
    """

    keeps_time: bool
    """Whether `call` itself ends in TimeoutError after `Facts.deadline_s`."""

    async def start(self, secret: bytes, seed_for: date | None) -> None: ...
    def serves(self, app: str, operation: str) -> bool: ...
    async def call(self, operation: str, facts: Facts, asked: Any) -> Any: ...
    async def stop(self) -> None: ...


class ShopBroken(Exception):
    """The shop can't be talked to; `check` names how, `seen` says what was seen."""

    def __init__(self, check: str, seen: str) -> None:
        super().__init__(f"{check}: {seen}")
        self.check = check
        self.seen = seen
