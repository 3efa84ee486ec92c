"""A random walk through everything a payer, a bank, a desk and time can do, beside the model.

After each step the tables must agree with the model, and the ledger must sum to zero. Any step may
die at any of its statements, is then taken up again as another process would, with the same key,
and must come to the same. The clock may jump a day at any time.

`WALK_STEPS=100000 pytest tests/rooms/payments/test_walk.py` walks as far, on a way of its own;
`WALK_SEED` names the way.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test
from tests.rooms.payments.steps import KIOSK
from tests.rooms.payments.walk_model import Desk, Model, Order, Refund
from tests.rooms.payments.walk_seen import agrees, books_balance, same
from tests.rooms.payments.walk_world import Died, World

from civicmall.identity import Caller, Staff
from civicmall.kernel import ids, logs
from civicmall.kernel.config import Settings
from civicmall.kernel.errors import Problem
from civicmall.shops import Registry

STEPS: Final = 50
"""Of one citizen; then comes the next, with new charges."""
KINDS: Final = ("ok-101", "ok-250000", "ok-103", "refuse-104", "refuse-120000", "shut-106")
ANY = st.tuples(*[st.integers(0, 49)] * 3).map(lambda no: (no[0] * 50 + no[1]) * 50 + no[2])
"""Any number, in digits below a hundred: of greater ones Hypothesis mixes in those that stand in
whatever modules are loaded, and a walk's way would hang on which tests ran before it.
"""
DIES = st.sampled_from([0] * 10 + list(range(1, 11)))
"""At which beat a step dies; at most steps nothing does."""

MEETS: Final = {
    *(f"order {state}" for state in ("closed", "fulfilled", "refunded", "part_refunded")),
    *(f"money {outcome}" for outcome in ("posted", "amount_differs", "late", "double")),
    *(f"{reason} done" for reason in ("refused", "late", "double", "unmatched")),
    *("changed_mind wanted", "changed_mind declined", "changed_mind done", "wrong_charge asked"),
    *("wrong_charge done", "unmatched asked", "by purses"),
    *(
        f"/problems/{name}"
        for name in (
            *("charge-in-order", "order-not-payable", "order-not-cancellable", "cashier-closed"),
            *("idempotency-key-reused", "no-such-order", "not-refundable", "no-such-refund"),
            *("second-person-needed", "refund-decided"),
        )
    ),
}
"""What a walk must have come by."""
DECIDED: Final = {
    name for name in MEETS
    if name.startswith(("changed_mind", "wrong_charge"))
    or name in {"unmatched asked", "/problems/second-person-needed", "/problems/refund-decided"}
}  # fmt: skip
"""Of it, what people decide about money that came; a walk that begins with orders meets it seldom."""


class Walker(RuleBasedStateMachine):
    """One citizen, six charges, three banks, four of the staff; how a step is made and looked at.

    What happens is in walk_rules.py; what is empty here is said there.
    """

    world: ClassVar[World]
    run: ClassVar[Any]
    taken: ClassVar[int] = 0
    """Steps so far."""
    died: ClassVar[int] = 0
    met: ClassVar[Counter[str]] = Counter()
    """Problems that were named, and how orders, payments and refunds ended."""

    def __init__(self) -> None:
        super().__init__()
        self.mark = uuid4().hex[:8]
        phone = f"177{uuid4().int % 10**8:08d}"
        self.caller = Caller(self.run(self.world.citizen(phone)), uuid4(), 1)
        self.charges = [
            f"{kind}-{self.mark}{n}-{amount}"
            for n, (kind, amount) in enumerate(known.split("-") for known in KINDS)
        ]
        bucket = ids.bucket_of(self.caller.citizen_id)
        self.staff = [
            Staff(ids.new(bucket), uuid4(), "甲", "operator", None),
            Staff(ids.new((bucket + 1) % ids.BUCKETS), uuid4(), "乙", "operator", None),
            Staff(ids.new((bucket + 2) % ids.BUCKETS), uuid4(), "丙", "manager", KIOSK),
            Staff(ids.new(bucket), uuid4(), "丁", "manager", "utility_bills"),
        ]
        self.desks = [
            Desk(one.staff_id, one.role == "operator", one.shop == KIOSK) for one in self.staff
        ]
        self.model = Model()
        self.answers: dict[str, tuple[str, Callable[[], Any], Callable[[], Any]]] = {}
        """By key: the id that was answered, the same request again, and another with its key."""
        self.news: list[tuple[Order, Any]] = []
        """The sandbox's callbacks on their way."""
        self.run(self.world.begin())

    def pick(self, number: int) -> Order:
        """Every second time one that is still open, where there is one; else any."""
        open_ = [order for order in self.model.orders if order.state in {"created", "paying"}]
        from_ = open_ if open_ and number % 2 else self.model.orders
        return from_[number // 2 % len(from_)]

    def pick_line(self, number: int) -> tuple[Order, int]:
        """Mostly one of which something can go back; sometimes any, or one that isn't there."""
        good = [
            (order, no)
            for order in self.model.orders
            for no, line in enumerate(order.lines, 1)
            if line.state == "fulfilled" and line.rest
        ]
        if good and number % 6:
            return good[number // 6 % len(good)]
        return self.pick(number), 1 + number // 6 % 4

    def pick_refund(self, number: int) -> Refund | None:
        """Mostly one that waits for somebody, where there is one; sometimes any."""
        waits = [r for r in self.model.refunds if r.state in {"wanted", "asked", "failed"}]
        from_ = waits if waits and number % 5 else self.model.refunds
        return from_[number // 5 % len(from_)] if from_ else None

    def do(self, work: Callable[[], Awaitable[Any]], dies: int = 0) -> tuple[Any, str, bool]:
        """What came of it, or the problem's type; whether it died once before."""
        self.world.life.fuse(dies)
        dead = False
        try:
            found = self.run(self._once(work))
        except Died:
            dead = True
            Walker.died += 1
            self.run(self.world.revive())
            found = self.run(self._once(work))
        finally:
            self.world.life.revive()
        self.met[found[1]] += 1
        return found[0], found[1], dead

    @staticmethod
    async def _once(work: Callable[[], Awaitable[Any]]) -> tuple[Any, str]:
        try:
            return await work(), ""
        except Problem as problem:
            return None, problem.type

    def keep(self, key: str, answer: UUID, again: Any, other: Any) -> None:
        """An answer was given: the same key must have it for ever."""
        self.answers[key] = (str(answer), again, other)

    @invariant()
    def the_tables_agree(self) -> None:
        Walker.taken += 1
        staff = [one.staff_id for one in self.staff]
        seen = self.run(self.world.seen(self.caller.citizen_id, staff))
        agrees(self.model, seen)
        books_balance(self.model, seen)
        kept: dict[str, str] = seen["keys"] or {}
        same(
            {key: kept.get(key) for key in self.answers},
            {key: answer for key, (answer, *_) in self.answers.items()},
        )
        for bank in self.world.banks.values():
            assert not bank.wrong
            for order in self.model.orders:
                mine = order.accounts.get(bank.name)
                assert mine is None or mine == bank.account(order.id)

    def teardown(self) -> None:
        """All comes to an end: nothing is stuck, and the banks have what our books say."""
        if not self.model.orders:
            return
        self.world.life.revive()
        self.world.doors_open = True
        for bank in self.world.banks.values():
            bank.mood = "done"
        for order in self.model.orders:
            self.run(self.world.due(order.id, expired=True))
        self.deliver_all()
        self.look()
        self.deliver_all()
        self.look_after_refunds()
        for refund in self.model.refunds:
            if refund.state == "failed":
                self.retry(refund)
        self.deliver_all()
        self.the_tables_agree()
        for order in self.model.orders:
            assert order.state in {"closed", "fulfilled", "refunded", "part_refunded"}
            if any(
                r.order is order and r.line and r.state == "approved" for r in self.model.refunds
            ):
                raise AssertionError(f"a refund is open in {order}")
            self.met[f"order {order.state}"] += 1
        for refund in self.model.refunds:
            self.met[f"{refund.reason} {refund.state}"] += 1
            self.met["by purses"] += sum(map(bool, refund.parts or [])) > 1
        self.met.update(f"money {money.outcome}" for money in self.model.money.values())
        self._banks_have_it()

    def _banks_have_it(self) -> None:
        """A callback may be lost and its order paid elsewhere: the bank's statement tells of that."""
        for name, bank in self.world.banks.items():
            theirs = bank.balance(lambda txn, name=name: (name, txn) in self.model.money)
            ours = {
                account.removeprefix("channel:"): amount
                for account, amount in self.model.balance.items()
                if account.startswith(f"channel:{name}") and amount
            }
            same(ours, {purse: amount for purse, amount in theirs.items() if amount})

    def deliver_all(self) -> None:
        """Every callback arrives, every event is handled."""

    def look(self) -> None:
        """The job that looks after orders whose time is over."""
        for order in self.model.orders:
            self.model.look(order, expired=True)
        self.run(self.world.look_after_orders())

    def look_after_refunds(self) -> None:
        """The job that asks after refunds."""

    def retry(self, refund: Refund) -> None:
        """One of the staff tries it again."""

    @staticmethod
    def jump(days: int) -> None:
        """Somebody sets the clock."""
        Walker.world.clock.off = timedelta(days=days)


def walk(
    machine: type[Walker], settings: Settings, registry: Registry, steps: int, way: int,
    *, meets: set[str] = MEETS,
) -> None:  # fmt: skip
    """So many steps on one way, or as the environment says.

    What the walk never met it would prove nothing of, so it has to have met everything.
    """
    wanted = int(os.environ.get("WALK_STEPS", "0"))
    if wanted:
        steps, way = wanted, int(os.environ.get("WALK_SEED", random.randrange(2**32)))
        print(f"WALK_SEED={way}")
    with asyncio.Runner() as runner:
        world = World(settings, registry)
        runner.run(world.open())
        Walker.world, Walker.run = world, staticmethod(runner.run)
        Walker.taken = Walker.died = 0
        Walker.met.clear()
        logs.configure(as_json=False, level=logging.CRITICAL)  # each step has its refusals
        try:
            run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]
                seed(way)(machine),
                settings=how(
                    max_examples=steps // STEPS * 9 // 8 + 1,  # some are shorter
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate, Phase.shrink],
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                ),
            )
        finally:
            logs.configure(as_json=False, level=logging.WARNING)
            runner.run(world.stack.aclose())
    print(f"{Walker.taken} steps, {Walker.died} of them died once; {dict(Walker.met)}")
    assert Walker.taken >= steps
    assert Walker.died >= steps / 20
    missed = meets - {name for name, count in Walker.met.items() if count}
    assert not missed, f"the walk never met {missed}"
