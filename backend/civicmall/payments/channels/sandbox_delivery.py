"""How the sandbox's bank tells: to our own door over HTTP, as a bank far away would."""

from __future__ import annotations

from typing import Final

import httpx
import msgspec
from msgspec import Struct

from civicmall.kernel import ids
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Handlers
from civicmall.payments.events import SandboxPaid, SandboxReturned
from civicmall.payments.models import Paid
from civicmall.payments.queries import q

from .sandbox import Sandbox, returned

CALLBACK_S: Final = 10.0
AT_ONCE: Final = 100


def listen(handlers: Handlers, house: House, client: httpx.AsyncClient) -> None:
    """Deliver the bank's callbacks."""
    sandbox = Sandbox(house)

    async def call_back(told: Struct) -> None:
        body = msgspec.json.encode(told)
        answer = await client.post(
            f"{house.settings.public_url}/v1/channels/sandbox/callbacks",
            content=body,
            headers={"content-type": "application/json", **sandbox.sign(body)},
            timeout=CALLBACK_S,
        )
        answer.raise_for_status()

    async def on_paid(_: Pool, event: SandboxPaid, __: Delivery) -> None:
        await call_back(Paid(event.order_id, event.txn, event.amount_minor, event.paid_at))

    async def on_returned(db: Pool, event: SandboxReturned, _: Delivery) -> None:
        await q.sandbox_return_end(
            db,
            bucket=ids.bucket_of(event.order_id),
            order_id=event.order_id,
            return_id=str(event.refund_id),
            state=event.state,
            at=house.clock.now(),
        )
        await call_back(returned(event.refund_id, event.state))
        paid = await sandbox.record(event.order_id)
        if paid is not None:  # also where it was told before: news come in any order, and twice
            await call_back(paid)

    handlers.on(SandboxPaid, on_paid)
    handlers.on(SandboxReturned, on_returned)


async def tell_late(house: House) -> None:
    """Take and tell the payments that were held back until their order was closed."""
    sandbox = Sandbox(house)
    for _, order_id, amount_minor in await q.sandbox_late(house.db, most=AT_ONCE):
        await sandbox.take(order_id, amount_minor, tell=True)
    house.hint()
