"""The room at work without a server, with a life that a walk can end at any statement."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
from tests.rooms.payments.steps import KIOSK
from tests.rooms.payments.walk_banks import Bank

from civicmall import payments
from civicmall.gateway import Gateway, ShopUnavailable
from civicmall.identity import Caller, account
from civicmall.kernel import crypto, db, ids
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.kernel.outbox import Drain, Handlers
from civicmall.payments import Channels, ChargeRef, NewOrder, Sandbox
from civicmall.payments.refunds import sending
from civicmall.payments.settlement import hear
from civicmall.shops import Registry
from shopkit import ChargePaid

SEEN: Final = """
with mine as (
    select * from payments.orders where bucket = $1 and citizen_id = $2
), of_mine as (
    select id from mine
)
select jsonb_build_object(
    'orders', (select jsonb_agg(to_jsonb(o)) from mine o),
    'lines', (select jsonb_agg(jsonb_build_array(
                  order_id, no, charge_id, state, refunding_minor, refunded_minor))
              from payments.line where bucket = $1 and order_id in (select id from of_mine)),
    'refunds', (select jsonb_agg(jsonb_build_object('id', id, 'order', order_id, 'no', no,
                    'txn', txn, 'state', state, 'amount', amount_minor, 'parts', parts,
                    'reason', reason, 'channel', channel))
                from payments.refund where bucket = $1 and order_id in (select id from of_mine)),
    'postings', (select jsonb_agg(jsonb_build_array(order_id, kind, accounts, amounts))
                 from payments.posting where bucket = $1 and order_id in (select id from of_mine)),
    'charges', (select jsonb_agg(jsonb_build_array(charge_id, order_id))
                from payments.charge where bucket = $1 and order_id in (select id from of_mine)),
    'keys', (select jsonb_object_agg(key, coalesce(answer ->> 'id', answer ->> 'refund_id'))
             from kernel.idempotency
             join unnest($3::smallint[], $4::uuid[]) as o (bucket, owner) using (bucket, owner)),
    'trouble', (select jsonb_agg(distinct error) from kernel.outbox where error is not null),
    'dead', (select count(*) from kernel.outbox where dead)
)
"""


class Died(BaseException):
    """The process is gone: nothing behind this runs any more."""


class Lifeline:
    """Stands where the pool does. Once its fuse has burnt down, nothing is answered any more."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._left = 0
        self._dead = False

    def fuse(self, beats: int) -> None:
        """Die at the so-manieth beat from here; 0: live on."""
        self._left = beats

    def beat(self) -> None:
        """Before and after each statement, each answer of a bank, each word of a shop."""
        if self._left:
            self._left -= 1
            self._dead = not self._left
        if self._dead:
            raise Died

    def revive(self) -> None:
        """Another process takes up the work."""
        self._left, self._dead = 0, False

    async def fetch(self, *args: Any, **kwargs: Any) -> Any:
        return await self._do(self._pool.fetch, *args, **kwargs)

    async def fetchrow(self, *args: Any, **kwargs: Any) -> Any:
        return await self._do(self._pool.fetchrow, *args, **kwargs)

    async def fetchval(self, *args: Any, **kwargs: Any) -> Any:
        return await self._do(self._pool.fetchval, *args, **kwargs)

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        return await self._do(self._pool.execute, *args, **kwargs)

    async def _do(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        self.beat()
        found = await work(*args, **kwargs)
        self.beat()
        return found


class Jumpy(Clock):
    """A clock that somebody sets wrong, a day forth or back."""

    def __init__(self) -> None:
        self.off = timedelta()

    def now(self) -> datetime:
        return super().now() + self.off


class Answered:
    """What the bank gets from our door."""

    def raise_for_status(self) -> None:
        """It was taken."""


class Door:
    """Stands where the bank's HTTP client does: straight to the check and the verb."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def post(self, _: str, *, content: bytes, headers: Any, **__: Any) -> Answered:
        """Take a callback in."""
        await hear(self.house, "sandbox", Sandbox(self.house).parse_callback(headers, content))
        return Answered()


class World:
    """Everything that a walk moves."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.stack = AsyncExitStack()
        self.clock = Jumpy()
        self.doors_open = True
        """Whether the kiosk takes payments of the kind `shut`."""

    async def open(self) -> None:
        """Connections, the kiosk, the banks, the listeners."""
        pool = await db.open_pool(self.settings.database_url, size_max=4)
        self.stack.push_async_callback(pool.close)
        self.owner: Any = await asyncpg.connect(self.settings.database_url)
        self.stack.push_async_callback(self.owner.close)
        await db.prepare(self.owner)
        self.life = Lifeline(pool)
        keys = crypto.load(self.settings.data_dir)
        mortal: Any = self.life
        self.house = House(self.settings, self.clock, keys, mortal)
        self.gateway = Gateway(House(self.settings, self.clock, keys, pool), self.registry)
        self.stack.push_async_callback(self.gateway.stop)
        await self.gateway.start()
        self._tell_paid = self.gateway.tell_paid
        setattr(self.gateway, "tell_paid", self.tell_paid)  # noqa: B010 (it is one of its verbs)
        self.banks = {
            "plain": Bank("plain", self.life.beat),
            "split": Bank("split", self.life.beat, "split.fund", "split.account", "split.own"),
        }
        channels: Any = [Sandbox(self.house), *self.banks.values()]
        self.channels = Channels(*channels)
        door: Any = Door(self.house)
        handlers = Handlers()
        payments.listen(handlers, self.house, self.gateway, self.channels, door)
        self.drain = Drain(mortal, handlers)

    async def tell_paid(self, citizen_id: UUID, shop: str, app: str, news: ChargePaid) -> Any:
        """The gateway's, but some of the kiosk's windows are shut for a while."""
        self.life.beat()
        if news.charge_id.startswith("shut") and not self.doors_open:
            raise ShopUnavailable(shop=shop)
        receipt = await self._tell_paid(citizen_id, shop, app, news)
        self.life.beat()
        return receipt

    async def begin(self) -> None:
        """A new walk: the banks know nobody, and what a walk left behind that went wrong is no fault of
        this one. Else Hypothesis, which goes a wrong way again, would find it wrong from the start.
        """
        self.doors_open = True
        for bank in self.banks.values():
            bank.__init__(bank.name, self.life.beat, *bank.purses)
        await self.owner.execute("delete from kernel.outbox")

    async def citizen(self, phone: str) -> UUID:
        """Somebody new."""
        return await account(self.house, phone)

    async def create(self, caller: Caller, key: str, charge_ids: list[str]) -> payments.Order:
        """An order."""
        charges = [ChargeRef(KIOSK, "stall", charge_id) for charge_id in charge_ids]
        return await payments.create_order(
            self.house, self.gateway, self.registry, caller, key, NewOrder(charges), "en"
        )

    async def revive(self) -> None:
        """Another process takes over, after the leases of the dead one have run out."""
        self.life.revive()
        await self.owner.execute(
            "update kernel.idempotency set locked_until = now() - interval '1 second'"
            " where answer is null"
        )
        await self.hurry()

    async def hurry(self) -> None:
        """What waits to be tried again is due."""
        await self.owner.execute("update kernel.outbox set next_at = now() where next_at > now()")

    async def due(self, order_id: UUID, *, expired: bool) -> None:
        """An order's time is over, or it is time to ask its channel."""
        what = "expires_at = now(), ask_at = null" if expired else "ask_at = now()"
        await self.owner.execute(
            f"update payments.orders set {what} where bucket = $1 and id = $2"  # noqa: S608
            " and state in ('created', 'paying')",
            *(ids.bucket_of(order_id), order_id),
        )

    async def look_after_orders(self) -> None:
        """The job comes by."""
        await payments.look_after(self.house, self.channels)

    async def refunds_due(self, bucket: int, order_ids: list[UUID]) -> None:
        """It is time to ask after these orders' refunds."""
        await self.owner.execute(
            "update payments.refund set ask_at = now() where bucket = $1 and order_id = any($2)"
            " and state in ('approved', 'sent')",
            *(bucket, order_ids),
        )

    async def look_after_refunds(self) -> None:
        """The job comes by."""
        await sending.look_after(self.house, self.channels)

    async def deliver(self) -> None:
        """Every event, and the events that come of it."""
        while await self.drain.once():
            pass

    async def newest_return(self, order_id: UUID, txn: str) -> tuple[UUID, str]:
        """The newest refund of money that fits no order, and its state."""
        row: Any = await self.owner.fetchrow(
            "select id, state from payments.refund where bucket = $1 and txn = $2"
            " order by id desc limit 1",
            *(ids.bucket_of(order_id), txn),
        )
        return row[0], row[1]

    async def seen(self, citizen_id: UUID, staff: list[UUID]) -> dict[str, Any]:
        """What the tables have of this citizen, and the answers kept for these people."""
        owners = [citizen_id, *staff]
        found: dict[str, Any] = await self.owner.fetchval(
            SEEN, ids.bucket_of(citizen_id), citizen_id, list(map(ids.bucket_of, owners)), owners
        )
        return found
