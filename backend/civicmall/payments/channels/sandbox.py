"""The sandbox channel: a small bank with a cashier page and signed asynchronous callbacks.

It behaves as a real channel does: it keeps its own record, signs what it tells (Ed25519 over
`timestamp.body`), tells it later and over HTTP, and on request does it wrongly: see `FAULTS`.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from civicmall.kernel import ids, outbox
from civicmall.kernel.clock import CITY
from civicmall.kernel.house import House
from civicmall.payments.errors import CashierClosed, ChannelAway, ForgedCallback
from civicmall.payments.events import SandboxPaid, SandboxReturned
from civicmall.payments.models import Agent, Cashier, OrderRow, Paid, RefundAsk, RefundSaid
from civicmall.payments.queries import q
from civicmall.payments.rules import CALLBACK_SKEW_S

from . import statements
from .outward import MALFORMED
from .sandbox_mandates import SandboxMandates

TIMESTAMP: Final = "sandbox-timestamp"
SIGNATURE: Final = "sandbox-signature"
Choice = Literal[
    "paid", "declined", "twice", "wrong_amount", "no_callback", "late", "away", "out_of_order",
    "refund_pending", "refund_fails", "refund_fails_later",
]  # fmt: skip
"""What can be done at the cashier. Paid, and then:

- `twice`: told two times;
- `wrong_amount`: a 分 more than was asked for;
- `no_callback`: never told, but said when asked;
- `late`: not told before the order is closed, and denied until then;
- `away`: never told, and the next three questions about it stay without an answer;
- `out_of_order`: told only after its first refund is;
- `refund_pending`: refunds are told later; `refund_fails_later`: and didn't work;
- `refund_fails`: refunds don't work at the first try.
"""
UNTOLD: Final = {"no_callback", "away", "out_of_order"}
SLOW: Final[dict[str, Literal["done", "failed"]]] = {
    "refund_pending": "done",
    "out_of_order": "done",
    "refund_fails_later": "failed",
}
SILENT: Final = 3
FEE_PER_MILLE: Final = 6
"""What the bank keeps of a payment, as its statement has it; refunds give nothing of it back."""
PAGE: Final = 500


class SandboxState(Struct, frozen=True):
    """A payment as the sandbox's bank has it."""

    order_id: UUID
    amount_minor: int
    state: Literal["waiting", "paid", "declined", "cancelled"]


class Sandbox(SandboxMandates):
    """The sandbox as a channel of the payment centre."""

    name = "sandbox"
    title: Mapping[str, str] = MappingProxyType({"zh-CN": "沙箱银行", "en": "Sandbox bank"})

    def __init__(self, house: House) -> None:
        self._house = house
        self._key = Ed25519PrivateKey.from_private_bytes(house.keys.derive("sandbox-channel"))
        self._link = house.keys.derive("sandbox-cashier")

    def token(self, order_id: object) -> str:
        """What opens this order's cashier page, and only this one."""
        return hmac.new(self._link, str(order_id).encode(), "sha256").hexdigest()[:32]

    async def prepare(self, order: OrderRow, agent: Agent) -> Cashier:
        """Open the payment; one that was declined or of another amount may be tried again."""
        del agent  # one page for all
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

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Paid | RefundSaid:
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
        try:
            told = msgspec.json.decode(body, type=dict[str, Any])
            return msgspec.convert(told, RefundSaid if "refund_id" in told else Paid)
        except MALFORMED as error:
            raise ForgedCallback(reason="body") from error

    async def query(self, order: OrderRow) -> Paid | None:
        """Look into the bank's own record. Raises ChannelAway."""
        await self._answer(order.id)
        return await self.record(order.id)

    async def record(self, order_id: UUID) -> Paid | None:
        """A payment as the bank has it, whether it would say so or not."""
        row = await q.sandbox_payment(
            self._house.db, bucket=ids.bucket_of(order_id), order_id=order_id
        )
        if row is None or row["state"] != "paid":
            return None
        return Paid(order_id, row["txn"], row["paid_minor"], row["paid_at"])

    async def _answer(self, order_id: UUID) -> None:
        """Raises ChannelAway while the bank is to be silent about it."""
        bucket = ids.bucket_of(order_id)
        if await q.sandbox_keep_silent(self._house.db, bucket=bucket, order_id=order_id):
            raise ChannelAway(channel=self.name)

    async def cancel(self, order: OrderRow) -> bool:
        """Close the payment unless its amount was paid. Raises ChannelAway."""
        await self._answer(order.id)
        turned = await q.sandbox_turn(
            self._house.db, bucket=ids.bucket_of(order.id), order_id=order.id, state="cancelled"
        )
        paid = None if turned else await self.record(order.id)
        return paid is None or paid.amount_minor != order.amount_minor

    def acknowledge(self, outcome: str) -> tuple[bytes, str]:
        """The bank only looks at the status; what became of it is for whoever tries it out."""
        return msgspec.json.encode({"outcome": outcome}), "application/json"

    async def refund(self, ask: RefundAsk) -> RefundSaid:
        """Note the money's way back in the bank's record. Raises ChannelAway."""
        await self._answer(ask.order_id)
        bucket = ids.bucket_of(ask.order_id)
        row = await q.sandbox_payment(self._house.db, bucket=bucket, order_id=ask.order_id)
        manner = row["manner"] if row is not None else "paid"
        end = SLOW.get(manner)
        first = "pending" if end else "failed" if manner == "refund_fails" else "done"
        kind, body = outbox.row(SandboxReturned(ask.order_id, ask.refund_id, end or "done"))
        state = await q.sandbox_return(
            self._house.db,
            bucket=bucket,
            order_id=ask.order_id,
            txn=ask.txn,
            return_id=str(ask.refund_id),
            amount_minor=ask.amount_minor,
            state=first,
            at=self._house.clock.now(),
            event_id=ids.new(bucket),
            type=kind,
            body=body,
        )
        self._house.hint()
        return returned(ask.refund_id, state or "pending")

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        """Asking after one is asking for it: the bank knows it by its number."""
        return await self.refund(ask)

    async def at_cashier(self, order_id: UUID, token: str) -> SandboxState:
        """What the cashier page shows. Raises CashierClosed."""
        if not hmac.compare_digest(token.encode(), self.token(order_id).encode()):
            raise CashierClosed(reason="token")
        row = await q.sandbox_payment(
            self._house.db, bucket=ids.bucket_of(order_id), order_id=order_id
        )
        if row is None:
            raise CashierClosed(reason="no-payment")
        state = "paid" if row["state"] == "late" else row["state"]
        return SandboxState(order_id, row["amount_minor"], state)

    async def choose(self, order_id: UUID, token: str, choice: Choice) -> SandboxState:
        """What the citizen, or whoever plays one, does at the cashier. Raises CashierClosed."""
        shown = await self.at_cashier(order_id, token)
        if not await self._chosen(order_id, choice, shown.amount_minor):
            raise CashierClosed(state=shown.state)
        self._house.hint()
        state = "declined" if choice == "declined" else "paid"
        return SandboxState(order_id, shown.amount_minor, state)

    async def _chosen(self, order_id: UUID, choice: Choice, amount_minor: int) -> bool:
        """False where the payment is over."""
        payment: dict[str, Any] = {"bucket": ids.bucket_of(order_id), "order_id": order_id}
        if choice in {"declined", "late"}:
            return bool(await q.sandbox_turn(self._house.db, **payment, state=choice))
        silent = SILENT if choice == "away" else 0
        may = await q.sandbox_behave(self._house.db, **payment, manner=choice, silent=silent)
        amount_minor += choice == "wrong_amount"
        told = await self.take(order_id, amount_minor, tell=choice not in UNTOLD) if may else None
        if told is not None and choice == "twice":
            await outbox.publish(self._house.db, payment["bucket"], told)
        return told is not None

    async def take(self, order_id: UUID, amount_minor: int, *, tell: bool) -> SandboxPaid | None:
        """Take the money, and tell it; None where the payment is over."""
        bucket = ids.bucket_of(order_id)
        told = SandboxPaid(
            order_id, f"SBX{ids.new(bucket).hex}", amount_minor, self._house.clock.now()
        )
        kind, body = outbox.row(told)
        paid = await q.sandbox_pay(
            self._house.db,
            bucket=bucket,
            order_id=order_id,
            txn=told.txn,
            paid_minor=amount_minor,
            paid_at=told.paid_at,
            event_id=ids.new(bucket) if tell else None,
            type=kind,
            body=body,
        )
        return None if paid is None else told

    async def fetch_statement(self, day: date) -> AsyncIterator[bytes]:
        """The bank's own record of a day: payments, then refunds, with fees of `FEE_PER_MILLE`.

        Raises ChannelAway before the day is over.
        """
        if day >= self._house.clock.today():
            raise ChannelAway(channel=self.name)
        begin = datetime.combine(day, time(), CITY)
        span = {"from_at": begin, "to_at": begin + timedelta(days=1), "most": PAGE}
        yield statements.HEAD
        last: Any = (None, None)
        while rows := await q.sandbox_payments(
            self._house.db, **span, after_at=last[0], after_id=last[1]
        ):
            yield b"".join(statements.line(_payment(*row)) for row in rows)
            last = (rows[-1]["paid_at"], rows[-1]["order_id"])
        last = (None, None)
        while rows := await q.sandbox_returns(
            self._house.db, **span, after_at=last[0], after_id=last[1]
        ):
            yield b"".join(statements.line(_refund(*row)) for row in rows)
            last = (rows[-1]["at"], rows[-1]["return_id"])


def returned(refund_id: UUID, state: Literal["pending", "done", "failed"]) -> RefundSaid:
    """What the bank says of a refund."""
    trouble = "refused by the payer's bank" if state == "failed" else ""
    return RefundSaid(refund_id, state, f"SBR{refund_id.hex}", trouble)


def _payment(order_id: UUID, txn: str, amount_minor: int, at: datetime) -> statements.Row:
    fee = (amount_minor * FEE_PER_MILLE + 500) // 1000
    return statements.Row("payment", txn, order_id.hex, "", amount_minor, fee, at)


def _refund(return_id: str, order_id: UUID, amount_minor: int, at: datetime) -> statements.Row:
    number = UUID(return_id).hex
    return statements.Row("refund", f"SBR{number}", number, order_id.hex, amount_minor, 0, at)
