"""The sandbox's insurer: keeps its own record, signs what it says, and fails on request.

It knows citizens by a pseudonym only. A new holder has some money in the account, so that every
order can be tried out; how the pooled fund pays is `rules.share`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from civicmall.kernel import ids, outbox
from civicmall.kernel.clock import CITY
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.outbox import Handlers
from civicmall.payments.channels import statements
from civicmall.payments.errors import ChannelAway
from civicmall.payments.events import InsurerTold

from . import rules
from .insurer import NAME, holder
from .letters import (
    SIGNATURE,
    TIMESTAMP,
    Ask,
    Deduct,
    Deduction,
    GiveBack,
    GivenBack,
    Letter,
    Look,
    LookBack,
    Quote,
    Quoted,
    Reverse,
    Said,
    sign,
)
from .models import InsurerMood, InsurerState
from .queries import q

OPENING_MINOR: Final = 300_00
"""What stands in the account of somebody whom the insurer has never seen."""
CALLBACK_S: Final = 10.0


class SandboxInsurer:
    """The wire to it; it lives in this process, as a real one doesn't."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._db = house.db
        self._key = Ed25519PrivateKey.from_private_bytes(house.keys.derive("sandbox-insurer"))
        self.public_key = self._key.public_key()

    async def send(self, ask: bytes) -> Letter:
        """One letter there, one back. Raises ChannelAway, before or after it did what was asked."""
        read: Ask = msgspec.json.decode(ask, type=Ask)
        await self._unless(read.order_id, "away")
        match read:
            case Quote():
                said: Said = await self._quote(read)
            case Deduct():
                said = await self._deduct(read)
            case Look():
                said = await self.deduction(read.number)
            case Reverse():
                said = await self._reverse(read)
            case GiveBack():
                said = await self._give_back(read)
            case LookBack():
                said = await self.given_back(read.number, read.refund_number)
        return self.letter(said)

    def letter(self, said: Said) -> Letter:
        """Anything that it says, signed."""
        return sign(self._key, msgspec.json.encode(said), self._house.clock.now())

    async def statement(self, day: date) -> AsyncGenerator[bytes]:
        """What it took that day and still stands, and what it gave back. Raises ChannelAway while the
        day isn't over.
        """
        now = self._house.clock.now()
        if now < datetime.combine(day + timedelta(days=1), time(), CITY):
            raise ChannelAway(channel=NAME)
        since = datetime.combine(day, time(), CITY).astimezone(UTC)
        rows = await q.statement(self._db, since=since, until=since + timedelta(days=1))
        yield statements.HEAD
        for kind, number, of_number, txn, amount, at in rows:
            of = "" if of_number is None else of_number.hex
            yield statements.line(statements.Row(kind, txn, number.hex, of, amount, 0, at))

    async def mood(self, order_id: UUID, citizen_id: UUID, ask: InsurerMood) -> InsurerState:
        """What somebody who tries it out wants of it for one order, and what an account shall have."""
        bucket, whose = ids.bucket_of(order_id), holder(self._house, citizen_id)
        if ask.fault is not None:
            await q.plan_fault(
                self._db, bucket=bucket, order_id=order_id, fault=ask.fault, times=ask.times
            )
        if ask.account_minor is not None:
            await q.set_account(
                self._db, bucket=bucket, holder=whose, balance_minor=ask.account_minor
            )
        return InsurerState(order_id, await self._balance(bucket, whose))

    async def deduction(self, number: UUID) -> Deduction:
        """A deduction as its record has it."""
        row = await q.deduction(self._db, bucket=ids.bucket_of(number), number=number)
        if row is None:
            return Deduction(number, "unknown")
        return Deduction(
            number, row["state"], row["pool_minor"], row["account_minor"], row["txn"], row["at"]
        )

    async def given_back(self, number: UUID, refund_number: UUID) -> GivenBack:
        """A refund as its record has it."""
        row = await q.given_back(
            self._db, bucket=ids.bucket_of(refund_number), refund_number=refund_number
        )
        if row is None:
            return GivenBack(number, refund_number, "unknown")
        return GivenBack(row["number"], refund_number, "done", row["txn"])

    async def _quote(self, ask: Quote) -> Quoted:
        balance = await self._balance(ids.bucket_of(ask.order_id), ask.holder)
        return Quoted(*rules.share([(i.fee, i.amount_minor) for i in ask.items], balance))

    async def _deduct(self, ask: Deduct) -> Deduction:
        bucket, now = ids.bucket_of(ask.number), self._house.clock.now()
        record = {
            "bucket": bucket, "number": ask.number, "order_id": ask.order_id, "holder": ask.holder,
            "txn": f"MI{ask.number.hex}", "at": now,
        }  # fmt: skip
        known = await self.deduction(ask.number)
        if known.state == "unknown":
            declined = await self._fault(ask.order_id, "declined")
            with suppress(asyncpg.UniqueViolationError):  # the same letter at the same time
                if declined or not await q.deduct(
                    self._db, pool_minor=ask.pool_minor, account_minor=ask.account_minor, **record
                ):
                    await q.decline(self._db, **record)
            await self._unless(ask.order_id, "lost")
            if await self._fault(ask.order_id, "later"):
                await self._tell(InsurerTold(ask.order_id, ask.number, None))
                return Deduction(ask.number, "pending")
            known = await self.deduction(ask.number)
        trouble = "not-enough-money" if known.state == "declined" else ""
        return msgspec.structs.replace(known, trouble=trouble)

    async def _reverse(self, ask: Reverse) -> Deduction:
        await self._unless(ask.order_id, "reverse_away")
        await q.reverse(
            self._db, bucket=ids.bucket_of(ask.number), number=ask.number,
            txn=f"MI{ask.number.hex}", at=self._house.clock.now(),
        )  # fmt: skip
        return await self.deduction(ask.number)

    async def _give_back(self, ask: GiveBack) -> GivenBack:
        known = await self.given_back(ask.number, ask.refund_number)
        if known.state != "unknown":
            return known
        failed = GivenBack(ask.number, ask.refund_number, "failed", trouble="not-refundable")
        if await self._fault(ask.order_id, "refund_failed"):
            return failed
        try:
            await q.give_back(
                self._db, bucket=ids.bucket_of(ask.number), number=ask.number,
                refund_number=ask.refund_number, txn=f"MIR{ask.refund_number.hex}",
                pool_minor=ask.pool_minor, account_minor=ask.account_minor,
                at=self._house.clock.now(),
            )  # fmt: skip
        except asyncpg.CheckViolationError:
            return failed  # more than was taken
        except asyncpg.UniqueViolationError:
            pass  # the same letter at the same time
        if await self._fault(ask.order_id, "refund_later"):
            await self._tell(InsurerTold(ask.order_id, ask.number, ask.refund_number))
            return GivenBack(ask.number, ask.refund_number, "pending")
        known = await self.given_back(ask.number, ask.refund_number)
        return failed if known.state == "unknown" else known

    async def _balance(self, bucket: int, whose: str) -> int:
        await q.open_account(self._db, bucket=bucket, holder=whose, balance_minor=OPENING_MINOR)
        found: int = await q.account(self._db, bucket=bucket, holder=whose)
        return found

    async def _fault(self, order_id: UUID, *faults: rules.Fault) -> bool:
        wanted: Sequence[str] = faults
        found: str | None = await q.fault_now(
            self._db, bucket=ids.bucket_of(order_id), order_id=order_id, faults=list(wanted)
        )
        return found is not None

    async def _unless(self, order_id: UUID, fault: rules.Fault) -> None:
        if await self._fault(order_id, fault):
            raise ChannelAway(channel=NAME)

    async def _tell(self, event: InsurerTold) -> None:
        await outbox.publish(self._db, ids.bucket_of(event.order_id), event)
        self._house.hint()


def listen(handlers: Handlers, house: House, client: httpx.AsyncClient) -> None:
    """Deliver its news to our own door, as an insurer far away would."""
    insurer = SandboxInsurer(house)

    async def call_back(_: Pool, event: InsurerTold, __: Any) -> None:
        if event.refund_number is None:
            letter = insurer.letter(await insurer.deduction(event.number))
        else:
            letter = insurer.letter(await insurer.given_back(event.number, event.refund_number))
        answer = await client.post(
            f"{house.settings.public_url}/v1/channels/{NAME}/callbacks",
            content=letter.body,
            headers={
                "content-type": "application/json",
                TIMESTAMP: letter.timestamp,
                SIGNATURE: letter.signature,
            },
            timeout=CALLBACK_S,
        )
        answer.raise_for_status()

    handlers.on(InsurerTold, call_back)
