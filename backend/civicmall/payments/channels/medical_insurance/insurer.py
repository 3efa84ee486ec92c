"""A medical insurer as the payment centre asks it: verbs over a wire, every answer checked."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from datetime import date
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from civicmall.kernel import logs
from civicmall.kernel.house import House
from civicmall.payments.errors import ChannelAway, ForgedCallback

from .letters import (
    Ask,
    Deduct,
    Deduction,
    GiveBack,
    GivenBack,
    Item,
    Letter,
    Look,
    LookBack,
    Quote,
    Quoted,
    Reverse,
    Said,
    Wire,
    read,
)

NAME: Final = "medical_insurance"
log = logs.get("payments")
S = TypeVar("S", Quoted, Deduction, GivenBack)


def holder(house: House, citizen_id: UUID) -> str:
    """What insurers know a citizen by."""
    key = house.keys.derive("insurer-holder")
    return hmac.new(key, citizen_id.bytes, "sha256").hexdigest()[:32]


class Insurer:
    """Whatever can't be asked now, or answers what wasn't asked, raises ChannelAway."""

    def __init__(self, house: House, wire: Wire) -> None:
        self._house = house
        self._wire = wire

    async def quote(self, order_id: UUID, holder: str, items: list[Item]) -> Quoted:
        """What it would pay of these; changes nothing there."""
        return await self._ask(Quote(order_id, holder, items), Quoted)

    async def deduct(self, ask: Deduct) -> Deduction:
        """Have it pay, at most once for each number."""
        return self._same(ask.number, await self._ask(ask, Deduction))

    async def look(self, number: UUID, order_id: UUID) -> Deduction:
        """How a deduction stands."""
        return self._same(number, await self._ask(Look(number, order_id), Deduction))

    async def reverse(self, number: UUID, order_id: UUID) -> Deduction:
        """Undo a deduction, made or not."""
        return self._same(number, await self._ask(Reverse(number, order_id), Deduction))

    async def give_back(self, ask: GiveBack) -> GivenBack:
        """Send parts back to its purses, at most once for each refund number."""
        return self._same(ask.refund_number, await self._ask(ask, GivenBack))

    async def look_back(self, ask: LookBack) -> GivenBack:
        """How a refund stands."""
        return self._same(ask.refund_number, await self._ask(ask, GivenBack))

    def statement(self, day: date) -> AsyncIterator[bytes]:
        """Its statement of one day."""
        return self._wire.statement(day)

    def read(self, letter: Letter) -> Said:
        """What it says unasked. Raises ForgedCallback."""
        return read(self._wire.public_key, letter, self._house.clock.now())

    async def _ask(self, ask: Ask, kind: type[S]) -> S:
        letter = await self._wire.send(msgspec.json.encode(ask))
        try:
            said = self.read(letter)
        except ForgedCallback as error:
            log.warning("insurer.forged", reason=error.extra.get("reason"))
            raise ChannelAway(channel=NAME) from error
        if not isinstance(said, kind):
            log.warning("insurer.strange", kind=type(said).__name__)
            raise ChannelAway(channel=NAME)
        return said

    def _same(self, number: UUID, said: S) -> S:
        """An answer to another letter, however well signed, is none to this one."""
        about = said.refund_number if isinstance(said, GivenBack) else None
        about = said.number if isinstance(said, Deduction) else about
        if about != number:
            log.warning("insurer.strange", asked=str(number), answered=str(about))
            raise ChannelAway(channel=NAME)
        return said
