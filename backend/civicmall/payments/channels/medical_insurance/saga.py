"""A split payment from its quote to its end, in steps that each are written down before they are taken.

First the intent, then the insurer's part, then the citizen's own at another channel's cashier, and
when both are in, one payment for settlement. Until then any way out leads to `reversing`, which is
tried until the insurer says that it holds nothing any more. Whoever is cut off anywhere leaves a row
that says how far it came; `look_after` and the payment centre's own look at the order go on from it.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg
from msgspec import structs

from civicmall.kernel import ids, logs, outbox
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.payments import service, settlement
from civicmall.payments.channels import Channel, Channels, parts
from civicmall.payments.errors import ChannelAway, NoSuchChannel, NotPayable
from civicmall.payments.events import MoneyUnmatched
from civicmall.payments.models import Agent, OrderRow, Paid, Tender
from civicmall.payments.rules import ASK_AFTER_S, PAYABLE

from . import rules
from .errors import InsurerDeclined, NoSuchSplit, NotInsured
from .insurer import NAME, Insurer, holder
from .letters import Deduct, Deduction, Item
from .models import Split, SplitRow
from .queries import q

log = logs.get("payments")
AT_ONCE: Final = 200
OPEN: Final = frozenset({"quoted", "deducting", "deducted"})
RACES_MAX: Final = 4
"""How often somebody else can move an attempt on before it is out of the open states."""


class Saga:
    """The steps; what they have to do with the channel's face is in `__init__`."""

    def __init__(self, house: House, insurer: Insurer, channels: Channels) -> None:
        self._house = house
        self._db = house.db
        self._insurer = insurer
        self._channels = channels

    async def newest(self, order_id: UUID) -> SplitRow | None:
        """The attempt that stands, or else the last one."""
        found: SplitRow | None = await q.newest(
            self._db, bucket=ids.bucket_of(order_id), order_id=order_id
        )
        return found

    async def row(self, split_id: UUID) -> SplitRow | None:
        """An attempt by its id."""
        found: SplitRow | None = await q.split(
            self._db, bucket=ids.bucket_of(split_id), id=split_id
        )
        return found

    async def quote(self, order: OrderRow) -> SplitRow:
        """The open attempt, or a new one at what the insurer says. Raises NotInsured, ChannelAway."""
        lines = await service.lines(self._db, order.id)
        fees = rules.allowed(self._house.settings.medical_fees)
        if bad := rules.foreign([(one.no, one.shop, one.fee_code) for one in lines], fees):
            raise NotInsured(lines=bad)
        known = await self.newest(order.id)
        if known is not None and known.state in OPEN:
            return known
        items = [Item(f"{one.shop}/{one.fee_code}", one.amount_minor) for one in lines]
        said = await self._insurer.quote(order.id, holder(self._house, order.citizen_id), items)
        insured = said.pool_minor + said.account_minor
        if insured > order.amount_minor:
            log.warning("insurer.strange", order=str(order.id), insured=insured)
            raise ChannelAway(channel=NAME)
        if insured == 0:
            raise NotInsured(lines=[])
        bucket = ids.bucket_of(order.id)
        await q.start(
            self._db, bucket=bucket, id=ids.new(bucket), order_id=order.id,
            pool_minor=said.pool_minor, account_minor=said.account_minor,
            self_minor=order.amount_minor - insured,
        )  # fmt: skip
        return await self._must(order.id)

    async def confirm(self, order: OrderRow, channel: str, agent: Agent) -> Split:
        """The citizen agrees: the insurer pays, and the rest is paid where `cashier` says.

        The same again goes on from where it was. Raises NoSuchSplit, NoSuchChannel, NotPayable,
        InsurerDeclined, ChannelAway.
        """
        row = await self.newest(order.id)
        if row is None or (row.state not in OPEN and row.state != "paid"):
            raise NoSuchSplit
        through = self._channels.get(channel)
        if row.self_minor and (through is None or channel == NAME):
            raise NoSuchChannel(channel=channel)
        if row.state == "quoted":
            await q.confirm(
                self._db, bucket=ids.bucket_of(row.id), id=row.id, self_channel=channel,
                ask_after_s=ASK_AFTER_S,
            )  # fmt: skip
            row = await self._must(order.id)
        if row.state == "deducting":
            row = await self._deduct(row, order)
        if row.state == "refused":
            raise InsurerDeclined(reason=row.trouble)
        if row.state == "paid":
            await self.settle(row)
            return shown(row)
        if row.state == "deducting":  # the insurer's news follow
            return shown(row)
        if row.state != "deducted" or through is None:
            raise NotPayable(state=await self._why_not(order.id))
        return await self._to_cashier(row, order, through, agent)

    async def _to_cashier(
        self, row: SplitRow, order: OrderRow, through: Channel, agent: Agent
    ) -> Split:
        if through.name != row.self_channel:
            row = await self._turn_to(row, order, through.name)
        part = part_order(order, row)
        cashier = await through.prepare(part, agent)
        now = await self.row(row.id)
        if now is None or now.state != "deducted":
            # Given up while the cashier was opened: what is paid there would only have to go back.
            await through.cancel(part)
            raise NotPayable(state=await self._why_not(order.id))
        return structs.replace(shown(row), cashier=cashier)

    async def _turn_to(self, row: SplitRow, order: OrderRow, channel: str) -> SplitRow:
        """Pay the rest elsewhere, once it can't be paid at the first channel any more."""
        left = self._channels.get(row.self_channel)
        if left is not None and not await left.cancel(part_order(order, row)):
            raise NotPayable(state="paid")
        await q.turn_to(
            self._db, bucket=ids.bucket_of(row.id), id=row.id, was=row.self_channel,
            self_channel=channel,
        )  # fmt: skip
        now = await self.row(row.id)
        if now is None or now.self_channel != channel:
            raise NotPayable(state=await self._why_not(order.id))
        return now

    async def _deduct(self, row: SplitRow, order: OrderRow) -> SplitRow:
        whose = holder(self._house, order.citizen_id)
        ask = Deduct(row.id, row.order_id, whose, row.pool_minor, row.account_minor)
        return await self.heard(row, await self._insurer.deduct(ask))

    async def heard(self, row: SplitRow, said: Deduction) -> SplitRow:
        """What the insurer says of its part, in its answer or unasked; the attempt as it is then."""
        key = {"bucket": ids.bucket_of(row.id), "id": row.id}
        if said.state == "deducted":
            right = (said.pool_minor, said.account_minor) == (row.pool_minor, row.account_minor)
            if not right or said.txn is None or said.at is None:
                log.warning("insurer.strange", split=str(row.id), state=said.state)
                await q.give_up(self._db, states=["deducting"], **key)
            else:
                await q.deducted(self._db, txn=said.txn, at=said.at, ask_after_s=ASK_AFTER_S, **key)
        elif said.state in {"declined", "reversed"}:
            await q.declined(self._db, trouble=said.trouble or said.state, **key)
        return await self.row(row.id) or row

    async def take_rest(self, channel: str, paid: Paid) -> SplitRow | None:
        """The citizen's own part as its channel tells of it, any number of times; the attempt as it
        is then, None where there is none.
        """
        bucket, split_id = ids.bucket_of(paid.order_id), parts.whole(paid.order_id)
        kind, body = outbox.row(
            MoneyUnmatched(channel, paid.txn, paid.order_id, paid.amount_minor, "")
        )
        outcome: str | None = await q.take_rest(
            self._db, bucket=bucket, id=split_id, part_id=paid.order_id, channel=channel,
            txn=paid.txn, amount_minor=paid.amount_minor, paid_at=paid.paid_at,
            ask_after_s=ASK_AFTER_S, posting_id=ids.new(bucket), event_id=ids.new(bucket),
            type=kind, body=body,
        )  # fmt: skip
        self._house.hint()
        if outcome not in {None, "part"}:
            log.warning("money.unmatched", channel=channel, outcome=outcome, split=str(split_id))
        return await self.row(split_id)

    async def catch_up(self, row: SplitRow, order: OrderRow) -> SplitRow:
        """Ask whoever may have news that didn't come."""
        if row.state == "deducting":
            try:
                said = await self._insurer.look(row.id, row.order_id)
            except ChannelAway:
                return row  # while it is so, the order is not paid, and giving up needs no answer
            return await self.heard(row, said)
        through = self._channels.get(row.self_channel)
        if row.state == "deducted" and through is not None:
            paid = await through.query(part_order(order, row))
            if paid is not None:
                return await self.take_rest(through.name, paid) or row
        return row

    async def give_up(self, row: SplitRow, order: OrderRow) -> bool:
        """Let nothing more be paid of it, and have the insurer's part undone; False where both parts
        were paid already. Raises ChannelAway where the other channel can't be asked.
        """
        for _ in range(RACES_MAX):
            if row.state == "paid":
                return False
            if row.state not in OPEN:
                return True
            through = self._channels.get(row.self_channel)
            if (
                row.state == "deducted"
                and through is not None
                and not await through.cancel(part_order(order, row))
            ):
                await self.catch_up(row, order)
                return False
            await q.give_up(self._db, bucket=ids.bucket_of(row.id), id=row.id, states=[row.state])
            row = await self.row(row.id) or row
            if row.state == "reversing":
                await self._reverse_now(row)
        return row.state not in OPEN and row.state != "paid"

    async def _reverse_now(self, row: SplitRow) -> None:
        """At once if the insurer is there; if not, whoever gives up needn't wait for it."""
        try:
            await self.reverse(row)
        except ChannelAway:
            log.warning("split.reverse_later", split=str(row.id))

    async def reverse(self, row: SplitRow) -> None:
        """Have the insurer's part undone. Raises ChannelAway."""
        said = await self._insurer.reverse(row.id, row.order_id)
        if said.state in {"reversed", "declined"}:
            await q.undone(self._db, bucket=ids.bucket_of(row.id), id=row.id)
        else:
            log.warning("split.not_reversed", split=str(row.id), state=said.state, asked=row.asked)

    async def settle(self, row: SplitRow) -> None:
        """Both parts are in: one payment for the payment centre, however often it is told."""
        await settlement.settle(self._house, NAME, combined(row))
        await q.settled(self._db, bucket=ids.bucket_of(row.id), id=row.id)

    async def look_after(self) -> None:
        """Whatever was left half done goes on; what goes wrong with one keeps no other waiting."""
        for bucket, split_id, payable in await q.due(self._db, most=AT_ONCE):
            try:
                await self._look_at(split_id, payable=payable)
            except (Problem, asyncpg.PostgresError, OSError):
                log.warning("split.look_failed", split=str(split_id), exc_info=True)
            await q.ask_later(self._db, bucket=bucket, id=split_id, ask_after_s=ASK_AFTER_S)

    async def _look_at(self, split_id: UUID, *, payable: bool) -> None:
        row = await self.row(split_id)
        if row is None:
            return
        if row.state == "reversing":
            await self.reverse(row)
            return
        if row.state in OPEN:
            order = await service.any_order(self._db, row.order_id)
            row = await self.catch_up(row, order)
            if row.state in OPEN and not payable:
                await self.give_up(row, order)
                row = await self.row(split_id) or row
        if row.state == "paid":
            await self.settle(row)

    async def _must(self, order_id: UUID) -> SplitRow:
        found = await self.newest(order_id)
        if found is None:
            raise NoSuchSplit
        return found

    async def _why_not(self, order_id: UUID) -> str:
        state = (await service.any_order(self._db, order_id)).state
        return "expired" if state in PAYABLE else state


def part_order(order: OrderRow, row: SplitRow) -> OrderRow:
    """The citizen's own part, as the other channel knows it: an order of its own."""
    return structs.replace(
        order, id=parts.of(row.id), amount_minor=row.self_minor, channel=row.self_channel
    )


def combined(row: SplitRow) -> Paid:
    """Both parts as one payment; the citizen's own purse stands last, so it is refunded first."""
    purses = [
        (f"{NAME}.pool", row.pool_minor),
        (f"{NAME}.account", row.account_minor),
        (row.self_channel or NAME, row.self_minor),
    ]
    at = [moment for moment in (row.insurer_at, row.self_at) if moment is not None]
    return Paid(
        order_id=row.order_id,
        txn=row.insurer_txn or "",
        amount_minor=row.insured_minor + row.self_minor,
        paid_at=max(at),
        tenders=tuple(Tender(name, amount) for name, amount in purses if amount > 0),
    )


def shown(row: SplitRow) -> Split:
    """As its citizen sees it."""
    return Split(
        row.order_id, row.state, row.insured_minor + row.self_minor, row.pool_minor,
        row.account_minor, row.self_minor, row.self_channel,
    )  # fmt: skip
