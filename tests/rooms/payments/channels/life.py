"""What the tests of every channel do: order, go to pay, hear, give back."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
from tests.city import SETTLE_S, City
from tests.rooms.payments.steps import Payer, charge, owner_sql, payer

from civicmall.kernel import ids
from civicmall.payments import look_after
from civicmall.payments.refunds import sending

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1"
DESK = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


class Going:
    """One order on its way through one channel."""

    def __init__(self, city: City, channel: str, someone: Payer, order: dict[str, Any]) -> None:
        self.city = city
        self.channel = channel
        self.someone = someone
        self.order = order
        self.id = UUID(order["id"])

    @property
    def number(self) -> str:
        """What the bank knows it by."""
        return self.id.hex

    async def pay(self, agent: str = DESK) -> httpx.Response:
        """To the channel's cashier."""
        return await self.someone.http.post(
            f"/v1/orders/{self.id}/pay", json={"channel": self.channel},
            headers={"user-agent": agent},
        )  # fmt: skip

    async def url(self, agent: str = DESK) -> str:
        """The address of the cashier."""
        answer = await self.pay(agent)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    async def call_back(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """What comes to our door."""
        return await (await self.city.crowd()).post(
            f"/v1/channels/{self.channel}/callbacks", content=body, headers=headers or {}
        )

    async def state(self) -> str:
        """The order's."""
        return str((await self.someone.state(self.order))["state"])

    async def ask_now(self) -> None:
        """As if the callback had been missing for long."""
        await owner_sql(
            self.city,
            "update payments.orders set ask_at = now() where bucket = $1 and id = $2",
            *(ids.bucket_of(self.id), self.id),
        )
        await look_after(self.city.house, self.city.parts.channels)
        await self.city.settled()

    async def give_back(self, **ask: Any) -> str:
        """The desk refunds; the refund's id, as the channel gets it."""
        operator = await self.city.operator()
        answer = await operator.post(
            "/v1/desk/refunds", json={"order_id": str(self.id), "no": 1, **ask},
            headers={"idempotency-key": uuid4().hex},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        await self.tried()
        return UUID(answer.json()["refund_id"]).hex

    async def tried(self) -> None:
        """Until every event was handled, or failed at least once."""
        async with asyncio.timeout(SETTLE_S):
            while await self.city.house.db.fetchval(
                "select exists (select from kernel.outbox where error is null)"
            ):
                self.city.parts.drain.hint()
                await asyncio.sleep(0.01)

    async def ask_after_refunds(self) -> None:
        """As if their results had been missing for long."""
        await owner_sql(
            self.city,
            "update payments.refund set ask_at = now()"
            " where order_id = $1 and state in ('approved', 'sent')",
            self.id,
        )
        await sending.look_after(self.city.house, self.city.parts.channels)
        await self.tried()

    async def refund_state(self, number: str) -> str:
        """As its row has it: the desks aren't told that it was sent."""
        refund_id = UUID(number)
        return await self.city.house.db.fetchval(
            "select state from payments.refund where bucket = $1 and id = $2",
            *(ids.bucket_of(refund_id), refund_id),
        )


async def going(city: City, channel: str, amount_minor: int = 500) -> Going:
    """A new order of somebody new."""
    someone = await payer(city)
    return Going(city, channel, someone, await someone.order(charge(amount_minor)))
