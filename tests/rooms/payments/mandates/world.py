"""Mandates at work without a server, on a clock that a test moves, in a process that may die."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from types import ModuleType
from typing import Any, Final, cast
from uuid import UUID, uuid4

import asyncpg
import httpx
from tests import workshop
from tests.rooms.gateway.steps import forgive
from tests.rooms.payments.walk_world import Door, Lifeline

from civicmall import identity, inbox, payments
from civicmall.gateway import Gateway, listen
from civicmall.identity import Caller
from civicmall.kernel import crypto, db, ids
from civicmall.kernel.clock import FixedClock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.kernel.outbox import Drain, Handlers
from civicmall.payments import Channels, ChargeRef, NewOrder, Sandbox, mandates
from civicmall.payments.mandates import Mandate, Means, NewMandate
from civicmall.shops import Registry

METERS: Final = workshop.unique("meters")
NOON: Final = datetime(2027, 3, 2, 4, tzinfo=UTC)
"""Tuesday, 2 March 2027, noon in the city."""
TODAY: Final = date(2027, 3, 2)


class World:
    """The room, the shop of the meters, the sandbox's bank."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.stack = AsyncExitStack()
        self.clock = FixedClock(NOON)

    async def open(self) -> World:
        """Connections, shops, listeners."""
        pool = await db.open_pool(self.settings.database_url, size_max=6)
        self.stack.push_async_callback(pool.close)
        self.owner: Any = await asyncpg.connect(self.settings.database_url)
        self.stack.push_async_callback(self.owner.close)
        self.life = Lifeline(pool)
        keys = crypto.load(self.settings.data_dir)
        self.house = House(self.settings, self.clock, keys, cast("Any", self.life))
        gateway = Gateway(House(self.settings, self.clock, keys, pool), self.registry)
        self.stack.push_async_callback(gateway.stop)
        await gateway.start()
        self.bank = Sandbox(self.house)
        self.channels = Channels(self.bank)
        self.means = Means(self.house, gateway, self.registry, self.channels)
        door = cast("httpx.AsyncClient", Door(self.house))
        handlers = Handlers()
        listen(handlers, gateway)
        payments.listen(handlers, self.house, gateway, self.channels, door)
        mandates.listen(handlers, self.means)
        self.drain = Drain(cast("Any", self.life), handlers)
        return self

    @property
    def shop(self) -> Any:
        """The meters' own module."""
        found: ModuleType = sys.modules[METERS]
        return found

    def away(self, operation: str) -> None:
        """Let the shop not be there for one operation, or for none; and as if it had never failed."""
        self.shop.away.clear()
        if operation:
            self.shop.away.add(operation)
        for way in self.means.gateway.gates.all():
            forgive(way.gate)

    async def citizen(self) -> Citizen:
        """Somebody of level 2 who lets the meters know their phone."""
        citizen_id = await identity.account(self.house, f"176{uuid4().int % 10**8:08d}")
        await self.owner.execute(
            "update identity.citizen set level = 2, name = phone, id_number = phone,"
            " verified_at = now() where bucket = $1 and id = $2",
            *(ids.bucket_of(citizen_id), citizen_id),
        )
        who = Citizen(self, Caller(citizen_id, uuid4(), 2))
        await who.consent()
        return who

    async def run(self) -> None:
        """The job, once."""
        await mandates.run(self.means)

    async def deliver(self) -> None:
        """Every event, and the events that come of it."""
        while await self.drain.once():
            pass

    async def turn(self) -> None:
        """As much as happens within some minutes: the job, the news, the job again."""
        for _ in range(3):
            await self.run()
            await self.deliver()

    async def until(self, day: date, hour: int = 20) -> None:
        """Turn by turn to an hour of a day; 20: when all of the day's debits had their turn."""
        while self.clock.today() < day:
            await self.at(self.clock.today() + timedelta(days=1), 14)
        await self.at(day, min(hour, 19))

    async def at(self, day: date, hour: int) -> None:
        """Put the clock to an hour of the city, if that is later, and let things happen."""
        then = datetime(day.year, day.month, day.day, hour, 59, tzinfo=UTC) - timedelta(hours=8)
        self.clock.at = max(self.clock.at, then)
        await self.turn()

    async def revive(self) -> None:
        """Another process takes over, after the leases of the dead one have run out."""
        self.life.revive()
        await self.owner.execute(
            "update kernel.idempotency set locked_until = now() - interval '1 second'"
            " where answer is null"
        )
        await self.owner.execute("update kernel.outbox set next_at = now() where next_at > now()")


class Citizen:
    """One citizen with a meter."""

    def __init__(self, world: World, caller: Caller) -> None:
        self.world = world
        self.caller = caller
        self.id = caller.citizen_id
        self.bucket = ids.bucket_of(self.id)
        self.sub = world.means.gateway.gates.keys_of(METERS).sub(self.id)

    async def consent(self) -> None:
        """Let the meters know the phone."""
        asked = self.world.registry.purposes_asked(METERS, "water", self.id)
        await identity.give_consent(self.world.house, self.id, METERS, "water", ["phone"], asked)

    def owes(self, amount_minor: int, due_on: date, whom: str = "一号表") -> dict[str, Any]:
        """A new bill."""
        kept = {
            "id": f"B{uuid4().hex[:10]}",
            "amount_minor": amount_minor,
            "due_on": due_on,
            "whom": whom,
        }
        self.world.shop.owed.setdefault(self.sub, []).append(kept)
        return kept

    async def allow(
        self, cap_minor: int = 100_00, month_cap_minor: int = 300_00, **more: Any
    ) -> Mandate:
        """A mandate that is agreed at the bank."""
        world = self.world
        ask = NewMandate(METERS, "water", cap_minor, month_cap_minor, **more)
        made = await mandates.make(
            world.house, world.means.gateway, world.channels, self.caller, uuid4().hex, ask, "en"
        )
        if made.state == "waiting":
            await self.at_bank(made.id, "sign")
        return (await self.detail(made.id)).mandate

    async def at_bank(self, mandate_id: UUID, choice: Any) -> None:
        """Do something on the bank's page."""
        bank = self.world.bank
        await bank.choose_agreement(mandate_id, bank.agreement_token(mandate_id), choice)

    async def detail(self, mandate_id: UUID) -> mandates.MandateDetail:
        """The mandate and its debits."""
        world = self.world
        return await mandates.mandate(
            world.house, world.channels, self.id, mandate_id, "en", limit=100
        )

    async def change(self, mandate_id: UUID, event: Any) -> Mandate:
        """Pause, resume, revoke."""
        world = self.world
        return await mandates.change(world.house, world.channels, self.id, mandate_id, event)

    async def states(self, mandate_id: UUID) -> list[tuple[str, str]]:
        """How the mandate's debits stand, oldest first."""
        debits = (await self.detail(mandate_id)).debits
        return [(one.state, one.why) for one in reversed(debits)]

    async def order(self, bill: dict[str, Any]) -> payments.Order:
        """Order a bill by hand."""
        world = self.world
        charge = ChargeRef(METERS, "water", bill["id"])
        return await payments.create_order(
            world.house, world.means.gateway, world.registry, self.caller, uuid4().hex,
            NewOrder([charge]), "en",
        )  # fmt: skip

    async def pay(self, bill: dict[str, Any]) -> None:
        """Pay a bill by hand."""
        world, made = self.world, await self.order(bill)
        await payments.pay(world.house, world.channels, self.id, made.id, "sandbox", "")  # pyright: ignore[reportArgumentType]
        await world.bank.choose(made.id, world.bank.token(made.id), "paid")
        await world.deliver()

    async def heard(self) -> list[str]:
        """The kinds of all messages about mandates, oldest first."""
        page = await inbox.messages(self.world.house.db, self.id, "en", limit=100)
        kinds = [m.kind.removeprefix("payments.") for m in reversed(page.items)]
        return [kind for kind in kinds if kind.startswith(("mandate", "debit"))]

    async def message(self, kind: str) -> inbox.Message:
        """The newest message of a kind."""
        page = await inbox.messages(self.world.house.db, self.id, "en", limit=100)
        return next(m for m in page.items if m.kind == f"payments.{kind}")

    async def taken(self) -> Counter[str]:
        """What the bank took, by bill: every payment of every order, in 分."""
        rows = await self.world.owner.fetch(
            "select l.charge_id, s.paid_minor from payments.sandbox_payment s"
            " join payments.orders o on o.bucket = s.bucket and o.id = s.order_id"
            " join payments.line l on l.bucket = o.bucket and l.order_id = o.id"
            " where s.bucket = $1 and o.citizen_id = $2 and s.state = 'paid'",
            *(self.bucket, self.id),
        )
        found: Counter[str] = Counter()
        for charge_id, amount in rows:
            found[charge_id] += amount
        return found
