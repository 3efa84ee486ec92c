"""A random walk through everything a payer, a bank and time can do, beside a model of a page.

The model knows orders, the bank and the ledger as plain Python; after each step the database must
agree with it, and the ledger must sum to zero.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID, uuid4

import asyncpg
from hypothesis import HealthCheck
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec import Struct
from tests.rooms.payments.steps import KIOSK

from civicmall import payments
from civicmall.gateway import Gateway
from civicmall.identity import Caller, account
from civicmall.kernel import crypto, db, ids, outbox
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.kernel.outbox import Drain, Handlers
from civicmall.payments import ChargeRef, NewOrder, Paid, Sandbox
from civicmall.payments.rules import OrderState
from civicmall.shops import Registry

CHANNEL, PAYABLE = "channel:sandbox", f"payable:{KIOSK}.account"
Kind = Literal["ok", "refuse"]
Choice = Literal["paid", "declined", "twice", "wrong_amount", "no_callback"]
Bank = Literal["none", "waiting", "paid", "declined", "cancelled"]
ANY = st.integers(0, 10_000)
WHICH = st.sampled_from([(0,), (1,), (2,), (3,), (0, 1), (1, 2), (2, 3), (3, 4), (0, 1, 4)])
"""Which of the charges an order is for; the kiosk refuses the fourth and the fifth."""


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
        told = Sandbox(self.house).parse_callback(headers, content)
        await payments.settle(self.house, "sandbox", told)
        return Answered()


class World:
    """The room at work, without a server."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.stack = AsyncExitStack()

    async def open(self) -> None:
        """Connections, the kiosk, the listeners."""
        pool = await db.open_pool(self.settings.database_url, size_max=4)
        self.stack.push_async_callback(pool.close)
        keys = crypto.load(self.settings.data_dir)
        self.house = House(self.settings, Clock(), keys, pool)
        self.gateway = Gateway(self.house, self.registry)
        self.stack.push_async_callback(self.gateway.stop)
        await self.gateway.start()
        self.channels = payments.open_channels(self.house)
        door: Any = Door(self.house)
        handlers = Handlers()
        payments.listen(handlers, self.house, self.gateway, self.channels, door)
        self.drain = Drain(pool, handlers)

    async def create(self, caller: Caller, charge_ids: list[str]) -> payments.Order:
        """An order."""
        charges = [ChargeRef(KIOSK, "stall", charge_id) for charge_id in charge_ids]
        return await payments.create_order(
            self.house, self.gateway, self.registry, caller, uuid4().hex, NewOrder(charges), "en"
        )

    async def expire(self, order_id: UUID) -> None:
        """Its half hour is over, and the job comes by."""
        connection: Any = await asyncpg.connect(self.settings.database_url)
        await connection.execute(
            "update payments.orders set expires_at = now() where bucket = $1 and id = $2"
            " and state in ('created', 'paying')",
            *(ids.bucket_of(order_id), order_id),
        )
        await connection.close()
        await payments.look_after(self.house, self.channels)

    async def deliver(self) -> None:
        """Every event, and the events that come of it."""
        while await self.drain.once():
            pass

    async def seen(self, bucket: int) -> tuple[dict[UUID, str], dict[str, int], set[str]]:
        """States by order, balances by account, charges that are held."""
        states = await self.house.db.fetch(
            "select id, state from payments.orders where bucket = $1", bucket
        )
        balances = await self.house.db.fetch(
            "select account, sum(amount)::bigint from payments.posting,"
            " unnest(accounts, amounts) as e (account, amount) where bucket = $1 group by account",
            bucket,
        )
        held = await self.house.db.fetch(
            "select charge_id from payments.charge where bucket = $1", bucket
        )
        return (
            {row[0]: row[1] for row in states},
            {row[0]: row[1] for row in balances if row[1]},
            {row[0] for row in held},
        )


class Known(Struct):
    """An order as the model has it."""

    id: UUID
    amount: int
    charges: list[str]
    state: OrderState = "created"
    bank: Bank = "none"
    right: bool = True
    """Whether the bank took the right amount."""
    news: list[tuple[str, int]] = []
    """Callbacks on their way: transaction and amount."""
    txns: set[str] = set()


class Walk(RuleBasedStateMachine):
    """One citizen, five charges, and whatever may happen to them."""

    world: ClassVar[World]
    run: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        mark = uuid4().hex[:8]
        phone = f"177{uuid4().int % 10**8:08d}"
        self.caller = Caller(self.run(account(self.world.house, phone)), uuid4(), 1)
        kinds: list[Kind] = ["ok", "ok", "ok", "refuse", "refuse"]
        self.charges = [f"{k}-{mark}{n}-{100 + n}" for n, k in enumerate(kinds)]
        self.orders: list[Known] = []
        self.held: set[str] = set()
        self.balance: dict[str, int] = {}
        # Citizens of other walks share the bucket's rows; what was there before is left out.
        self.before = self.run(self.world.seen(self.bucket))

    def teardown(self) -> None:
        """What is still on its way would come up in another walk."""
        self.run(self.world.deliver())

    @property
    def bucket(self) -> int:
        """Where everything of this citizen is."""
        return ids.bucket_of(self.caller.citizen_id)

    def _pick(self, number: int) -> Known:
        """Of all orders; those that are still open come up twice as often."""
        open_ = [order for order in self.orders if order.state in {"created", "paying"}]
        all_ = [*self.orders, *open_]
        return all_[number % len(all_)]

    def _refused(self, work: Any) -> str:
        """The problem's type, or nothing where there was none."""
        try:
            self.run(work)
        except Problem as problem:
            return problem.type
        return ""

    def create(self, which: tuple[int, ...]) -> None:
        """Order some of the charges; one that is in another order is refused."""
        wanted = [self.charges[n] for n in which]
        if self.held & set(wanted):
            refused = self._refused(self.world.create(self.caller, wanted))
            assert refused == "/problems/charge-in-order"
            return
        made = self.run(self.world.create(self.caller, wanted))
        amount = sum(int(charge.rpartition("-")[2]) for charge in wanted)
        assert made.amount_minor == amount
        self.held |= set(wanted)
        self.orders.append(Known(made.id, amount, wanted))

    @initialize()
    def begin(self) -> None:
        """One that ends well, one that does so in part, one that the kiosk refuses."""
        for which in ((0,), (1, 3), (4,)):
            self.create(which)

    @rule(which=WHICH)
    def order_more(self, which: tuple[int, ...]) -> None:
        self.create(which)

    @rule(number=ANY)
    def pay(self, number: int) -> None:
        order = self._pick(number)
        refused = self._refused(
            payments.pay(
                self.world.house, self.world.channels, self.caller.citizen_id, order.id, "sandbox"
            )
        )
        assert refused == (
            "" if order.state in {"created", "paying"} else "/problems/order-not-payable"
        )
        if not refused:
            order.state = "paying"
            if order.bank in {"none", "declined"} or (order.bank == "paid" and not order.right):
                order.bank = "waiting"

    @rule(
        number=ANY,
        choice=st.sampled_from(["paid", "declined", "twice", "wrong_amount", "no_callback"]),
    )
    def choose(self, number: int, choice: Choice) -> None:
        order = self._pick(number)
        bank = Sandbox(self.world.house)
        refused = self._refused(bank.choose(order.id, bank.token(order.id), choice))
        open_ = order.bank in {"waiting", "declined"}
        assert refused == ("" if open_ else "/problems/cashier-closed")
        if not open_:
            return
        if choice == "declined":
            order.bank = "declined"
            return
        order.bank, order.right = "paid", choice != "wrong_amount"
        times = {"paid": 1, "twice": 2, "wrong_amount": 1, "no_callback": 0}[choice]
        order.news += [(uuid4().hex, order.amount + (not order.right))] * times

    @rule(number=ANY, right=st.booleans())
    def stray(self, number: int, right: bool) -> None:  # noqa: FBT001 (a draw)
        """Signed money for an order that was never taken to the cashier."""
        order = self._pick(number)
        if order.bank != "none":
            return
        txn, amount = uuid4().hex, order.amount + (not right)
        told = Paid(order.id, txn, amount, datetime.now(UTC))
        self.run(payments.settle(self.world.house, "sandbox", told))
        self._comes(order, txn, amount)
        self.run(payments.settle(self.world.house, "sandbox", told))
        self.run(self.world.deliver())
        self._deliver()

    @rule(number=ANY)
    def cancel(self, number: int) -> None:
        order = self._pick(number)
        refused = self._refused(
            payments.cancel(
                self.world.house, self.world.channels, self.caller.citizen_id, order.id, "en"
            )
        )
        if order.state == "closed":
            assert not refused
        elif order.state not in {"created", "paying"} or (order.bank == "paid" and order.right):
            assert refused == "/problems/order-not-cancellable"
        else:
            assert not refused
            self._close(order)

    @rule(number=ANY)
    def expire(self, number: int) -> None:
        order = self._pick(number)
        self.run(self.world.expire(order.id))
        if order.state not in {"created", "paying"}:
            return
        if order.bank == "paid":
            txn = order.news[0][0] if order.news else uuid4().hex
            self._comes(order, txn, order.amount + (not order.right))
            if order.right:
                return
        self._close(order)

    @rule()
    def deliver(self) -> None:
        self.run(self.world.deliver())
        self._deliver()
        counts = self.run(outbox.counts(self.world.house.db))
        assert (counts.waiting, counts.dead) == (0, 0)

    def _close(self, order: Known) -> None:
        order.state = "closed"
        self.held -= set(order.charges)
        if order.bank in {"waiting", "declined"}:
            order.bank = "cancelled"

    def _post(self, **moved: int) -> None:
        for what, amount in moved.items():
            name = {"channel": CHANNEL, "payable": PAYABLE}.get(what, what)
            self.balance[name] = self.balance.get(name, 0) + amount

    def _comes(self, order: Known, txn: str, amount: int) -> None:
        """A callback arrives."""
        if txn in order.txns:
            return
        order.txns.add(txn)
        if amount == order.amount and order.state in {"created", "paying"}:
            order.state = "paid"
            self._post(channel=amount, payable=-amount)
        elif amount != order.amount:
            self._post(channel=amount, suspense=-amount)
        # else it is late or double: it comes and goes back, and nothing is left of it

    def _deliver(self) -> None:
        """All news arrive; shops take or refuse."""
        for order in self.orders:
            for txn, amount in order.news:
                self._comes(order, txn, amount)
            order.news = []
            if order.state != "paid":
                continue
            back = [charge for charge in order.charges if charge.startswith("refuse")]
            amount = sum(int(charge.rpartition("-")[2]) for charge in back)
            self._post(channel=-amount, payable=amount)
            self.held -= set(back)
            if not back:
                order.state = "fulfilled"
            else:
                order.state = "refunded" if len(back) == len(order.charges) else "part_refunded"

    @invariant()
    def the_database_agrees(self) -> None:
        states, balances, held = self.run(self.world.seen(self.bucket))
        assert sum(balances.values()) == 0
        for order in self.orders:
            assert states[order.id] == order.state
        assert held - self.before[2] == self.held
        if not any(order.news for order in self.orders):
            for name in {*balances, *self.before[1], *self.balance}:
                grown = balances.get(name, 0) - self.before[1].get(name, 0)
                assert grown == self.balance.get(name, 0), name


def test_the_ledger_balances_whatever_happens(settings: Settings, kiosk_registry: Registry) -> None:
    with asyncio.Runner() as runner:
        world = World(settings, kiosk_registry)
        runner.run(world.open())
        Walk.world, Walk.run = world, staticmethod(runner.run)
        try:
            run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]
                Walk,
                settings=how(
                    max_examples=30,
                    stateful_step_count=30,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    suppress_health_check=[HealthCheck.too_slow],
                ),
            )
        finally:
            runner.run(world.stack.aclose())
