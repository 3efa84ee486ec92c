"""The sandbox channel: a small bank with a cashier page and signed asynchronous callbacks.

It behaves as a real channel does: it keeps its own record, signs what it tells (Ed25519 over
`timestamp.body`), tells it later and over HTTP, and on request does it wrongly: declines, tells
twice, takes another amount, or never calls.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

import httpx
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from civicmall.kernel import ids, outbox
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.outbox import Handlers
from civicmall.payments.errors import CashierClosed, ForgedCallback
from civicmall.payments.events import SandboxPaid
from civicmall.payments.models import Cashier, OrderRow, Paid
from civicmall.payments.queries import q
from civicmall.payments.rules import CALLBACK_SKEW_S

TIMESTAMP: Final = "sandbox-timestamp"
SIGNATURE: Final = "sandbox-signature"
CALLBACK_S: Final = 10.0
Choice = Literal["paid", "declined", "twice", "wrong_amount", "no_callback"]


class SandboxState(Struct, frozen=True):
    """A payment as the sandbox's bank has it."""

    order_id: UUID
    amount_minor: int
    state: Literal["waiting", "paid", "declined", "cancelled"]


class Sandbox:
    """The sandbox as a channel of the payment centre."""

    name = "sandbox"

    def __init__(self, house: House) -> None:
        self._house = house
        self._key = Ed25519PrivateKey.from_private_bytes(house.keys.derive("sandbox-channel"))
        self._link = house.keys.derive("sandbox-cashier")

    def token(self, order_id: object) -> str:
        """What opens this order's cashier page, and only this one."""
        return hmac.new(self._link, str(order_id).encode(), "sha256").hexdigest()[:32]

    async def prepare(self, order: OrderRow) -> Cashier:
        """Open the payment; one that was declined or of another amount may be tried again."""
        await q.sandbox_open(
            self._house.db,
            bucket=ids.bucket_of(order.id),
            order_id=order.id,
            amount_minor=order.amount_minor,
        )
        token = self.token(order.id)
        url = f"{self._house.settings.public_url}/sandbox/cashier/{order.id}?token={token}"
        return Cashier(order.id, self.name, order.amount_minor, url, token, order.expires_at)

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers that go with a callback's body."""
        stamp = str(int(self._house.clock.now().timestamp()))
        signature = self._key.sign(stamp.encode() + b"." + body)
        return {TIMESTAMP: stamp, SIGNATURE: base64.b64encode(signature).decode()}

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Paid:
        """Check signature and age, then read. Raises ForgedCallback."""
        stamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
        if not stamp.isascii() or not stamp.isdecimal() or not signature:
            raise ForgedCallback(reason="headers-missing")
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.public_key().verify(raw, stamp.encode() + b"." + body)
        except (InvalidSignature, ValueError) as error:
            raise ForgedCallback(reason="signature") from error
        if abs(self._house.clock.now().timestamp() - int(stamp)) > CALLBACK_SKEW_S:
            raise ForgedCallback(reason="timestamp")
        return msgspec.json.decode(body, type=Paid)

    async def query(self, order: OrderRow) -> Paid | None:
        """Look into the bank's own record."""
        row = await q.sandbox_payment(
            self._house.db, bucket=ids.bucket_of(order.id), order_id=order.id
        )
        if row is None or row["state"] != "paid":
            return None
        return Paid(order.id, row["txn"], row["paid_minor"], row["paid_at"])

    async def cancel(self, order: OrderRow) -> bool:
        """Close the payment unless its amount was paid."""
        turned = await q.sandbox_turn(
            self._house.db, bucket=ids.bucket_of(order.id), order_id=order.id, state="cancelled"
        )
        paid = None if turned else await self.query(order)
        return paid is None or paid.amount_minor != order.amount_minor

    async def give_back(self, order_id: object, return_id: str, amount_minor: int) -> None:
        """Note the money's way back in the bank's record."""
        order = UUID(str(order_id))
        await q.sandbox_return(
            self._house.db,
            bucket=ids.bucket_of(order),
            order_id=order,
            return_id=return_id,
            amount_minor=amount_minor,
        )

    async def at_cashier(self, order_id: UUID, token: str) -> SandboxState:
        """What the cashier page shows. Raises CashierClosed."""
        if not hmac.compare_digest(token.encode(), self.token(order_id).encode()):
            raise CashierClosed(reason="token")
        row = await q.sandbox_payment(
            self._house.db, bucket=ids.bucket_of(order_id), order_id=order_id
        )
        if row is None:
            raise CashierClosed(reason="no-payment")
        return SandboxState(order_id, row["amount_minor"], row["state"])

    async def choose(self, order_id: UUID, token: str, choice: Choice) -> SandboxState:
        """What the citizen, or whoever plays one, does at the cashier. Raises CashierClosed."""
        shown = await self.at_cashier(order_id, token)
        bucket = ids.bucket_of(order_id)
        if choice == "declined":
            if not await q.sandbox_turn(
                self._house.db, bucket=bucket, order_id=order_id, state="declined"
            ):
                raise CashierClosed(state=shown.state)
            return SandboxState(order_id, shown.amount_minor, "declined")
        amount = shown.amount_minor + (choice == "wrong_amount")
        txn = f"SBX{ids.new(bucket).hex}"
        told = SandboxPaid(order_id, txn, amount, self._house.clock.now())
        kind, body = outbox.row(told)
        paid = await q.sandbox_pay(
            self._house.db,
            bucket=bucket,
            order_id=order_id,
            txn=txn,
            paid_minor=amount,
            paid_at=told.paid_at,
            event_id=None if choice == "no_callback" else ids.new(bucket),
            type=kind,
            body=body,
        )
        if paid is None:
            raise CashierClosed(state=shown.state)
        if choice == "twice":
            await outbox.publish(self._house.db, bucket, told)
        self._house.hint()
        return SandboxState(order_id, shown.amount_minor, "paid")


def listen(handlers: Handlers, house: House, client: httpx.AsyncClient) -> None:
    """Deliver the bank's callbacks to our own door, as a bank far away would."""
    sandbox = Sandbox(house)

    async def call_back(_: Pool, event: SandboxPaid, __: Any) -> None:
        paid = Paid(event.order_id, event.txn, event.amount_minor, event.paid_at)
        body = msgspec.json.encode(paid)
        answer = await client.post(
            f"{house.settings.public_url}/v1/channels/sandbox/callbacks",
            content=body,
            headers={"content-type": "application/json", **sandbox.sign(body)},
            timeout=CALLBACK_S,
        )
        answer.raise_for_status()

    handlers.on(SandboxPaid, call_back)
