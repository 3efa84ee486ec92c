"""Refunds of a split payment: each part to whom it came from, each at most once."""

from __future__ import annotations

import asyncio
from uuid import UUID

from civicmall.kernel import ids, logs
from civicmall.kernel.house import House
from civicmall.kernel.sql import Query
from civicmall.payments.channels import Channels, parts
from civicmall.payments.errors import ChannelAway
from civicmall.payments.models import RefundAsk, RefundSaid, Tender

from . import rules
from .insurer import NAME, Insurer
from .letters import GiveBack, LookBack
from .models import RefundParts, SplitRow
from .queries import q

log = logs.get("payments")


class Refunds:
    """The way back, by purse."""

    def __init__(self, house: House, insurer: Insurer, channels: Channels) -> None:
        self._db = house.db
        self._insurer = insurer
        self._channels = channels

    async def send(self, ask: RefundAsk, *, again: bool) -> RefundSaid:
        """Ask for each part that isn't back yet, or after it; with `again` also for those that failed.

        What one says is noted whatever becomes of the other. Raises ChannelAway.
        """
        bucket = ids.bucket_of(ask.order_id)
        row: SplitRow | None = await q.of_txn(
            self._db, bucket=bucket, order_id=ask.order_id, txn=ask.txn
        )
        wanted = {part.name: part.amount_minor for part in ask.parts}
        pool, account = wanted.pop(f"{NAME}.pool", 0), wanted.pop(f"{NAME}.account", 0)
        own = wanted.pop((row and row.self_channel) or "", 0)
        if row is None or wanted:
            return RefundSaid(ask.refund_id, "failed", trouble="unknown-payment")
        await q.want_back(
            self._db, bucket=bucket, refund_id=ask.refund_id, split_id=row.id, pool_minor=pool,
            account_minor=account, self_minor=own,
        )  # fmt: skip
        known = await self._parts(ask.refund_id)
        if known is None:
            raise ChannelAway(channel=NAME)
        results = await asyncio.gather(
            self._to_insurer(row, known, again=again),
            self._to_citizen(row, known, ask, again=again),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return await self._whole(ask.refund_id)

    async def heard(self, channel: str, said: RefundSaid) -> RefundSaid | None:
        """What a channel says of a part of a refund, as what it means for the whole."""
        whole = parts.whole(said.refund_id)
        known = await self._parts(whole)
        if known is None:
            log.warning("refund.unknown", refund=str(whole), channel=channel, state=said.state)
            return None
        note = q.insurer_said if channel == NAME else q.self_said
        await self._note(note, whole, said.state, said.txn, said.trouble)
        return await self._whole(whole)

    async def _to_insurer(self, row: SplitRow, known: RefundParts, *, again: bool) -> None:
        state = known.insurer_state
        if state == "open" or (state == "failed" and again):
            said = await self._insurer.give_back(
                GiveBack(
                    row.id, row.order_id, known.refund_id, known.pool_minor, known.account_minor
                )
            )
        elif state == "pending":
            said = await self._insurer.look_back(LookBack(row.id, row.order_id, known.refund_id))
        else:
            return
        # One that it never heard of is asked for again, at the next turn.
        now = "open" if said.state == "unknown" else said.state
        await self._note(q.insurer_said, known.refund_id, now, said.txn, said.trouble)

    async def _to_citizen(
        self, row: SplitRow, known: RefundParts, ask: RefundAsk, *, again: bool
    ) -> None:
        state, name = known.self_state, row.self_channel or ""
        if state in {None, "done"} or (state == "failed" and not again):
            return
        through = self._channels.get(name)
        if through is None:
            raise ChannelAway(channel=name)
        part = RefundAsk(
            refund_id=parts.of(known.refund_id),
            order_id=parts.of(row.id),
            txn=row.self_txn or "",
            paid_minor=row.self_minor,
            amount_minor=known.self_minor,
            parts=(Tender(name, known.self_minor),),
            reason=ask.reason,
            asked_at=ask.asked_at,
        )
        said = await (through.query_refund if state == "pending" else through.refund)(part)
        await self._note(q.self_said, known.refund_id, said.state, said.txn, said.trouble)

    async def _note(
        self, note: Query, refund_id: UUID, state: str, txn: str | None, trouble: str
    ) -> None:
        await note(
            self._db, bucket=ids.bucket_of(refund_id), refund_id=refund_id, state=state, txn=txn,
            trouble=trouble[:200],
        )  # fmt: skip

    async def _parts(self, refund_id: UUID) -> RefundParts | None:
        found: RefundParts | None = await q.refund_parts(
            self._db, bucket=ids.bucket_of(refund_id), refund_id=refund_id
        )
        return found

    async def _whole(self, refund_id: UUID) -> RefundSaid:
        known = await self._parts(refund_id)
        if known is None:
            return RefundSaid(refund_id, "pending")
        state = rules.together((known.insurer_state, known.self_state))
        trouble = known.trouble if state == "failed" else ""
        return RefundSaid(refund_id, state, known.insurer_refund or known.self_refund, trouble)
