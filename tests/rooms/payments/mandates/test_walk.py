"""Whatever bills, caps, pauses, revocations, banks, clocks and crashes do, what was promised holds.

A walk is a list of steps of one citizen with up to two mandates. Any step may die at any of its
statements; then another process goes on. After each step the tables are looked at.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as how
from hypothesis import strategies as st
from tests.rooms.payments.mandates.world import Citizen, World
from tests.rooms.payments.walk_world import Died

from civicmall.kernel import logs
from civicmall.kernel.config import Settings
from civicmall.kernel.errors import Problem
from civicmall.shops import Registry

CAP: Final = 100_00
MONTH_CAP: Final = 180_00
WALKS: Final = 16
MET: Counter[str] = Counter()
"""What the walks came to see; a walk that never saw a debit would prove nothing of it."""
STEPS: Final[list[tuple[Any, ...]]] = [
    *[("days", 1)] * 30, *[("days", 0)] * 6, *[("days", 4)],
    *[("bill", amount, due) for amount in (1_00, 60_00, 90_00, CAP, CAP + 1) for due in (3, 4, 8)],
    *[("change", "resume")] * 4, *[("change", "pause")] * 2, *[("change", "revoke")] * 2,
    *[("mood", "works")] * 4, *[("mood", "no_funds")] * 4, *[("mood", "callback_only")] * 3,
    ("mood", "end"), ("amount", 0), ("amount", 1), ("order", 0), ("order", 1), ("order", 2),
    ("away", True), *[("away", False)] * 3, *[("allow",)] * 5,
]  # fmt: skip
"""Likely ones stand there more often."""
STEP = st.sampled_from(STEPS)
DIES = st.sampled_from([0] * 60 + list(range(1, 60, 2)))
WALK = st.lists(st.tuples(STEP, DIES), min_size=12, max_size=30)
"""Steps, each with the beat at which the process dies; 0: it lives on."""


KNOWN: Final[list[tuple[tuple[Any, ...], int]]] = [
    (step, 0)
    for step in (
        ("bill", 60_00, 4), ("days", 1), ("order", 1), *[("days", 1)] * 3, ("mood", "no_funds"),
        ("bill", 1_00, 3), *[("days", 1)] * 7, ("mood", "works"), ("bill", CAP + 1, 3),
        ("bill", 1_00, 3), ("days", 1), ("change", "pause"), ("days", 1), ("change", "resume"),
        *[("days", 1)] * 5,
    )
]  # fmt: skip
"""A way on which every end of a debit is met."""


class Walk:
    """One citizen on their way."""

    def __init__(self, world: World, who: Citizen) -> None:
        self.world = world
        self.who = who
        self.mandates: list[UUID] = []
        self.bills: list[dict[str, Any]] = []
        self.revoked: dict[UUID, Counter[str]] = {}
        """What was being or had been debited when each mandate was revoked."""

    async def step(self, step: tuple[Any, ...], dies: int) -> None:
        """One step, and what must hold after it."""
        self.world.life.fuse(dies)
        try:
            await self._step(*step)
        except (Died, Problem) as error:
            MET[type(error).__name__] += 1
        await self.world.revive()
        await self.holds()
        if dies and step[0] == "days":
            await self.step(("days", 0), 0)  # another process goes on, once the leases are over

    async def _step(self, what: str, *args: Any) -> None:
        world, who = self.world, self.who
        at: int = args[0] if what in {"order", "amount"} else 0
        match what:
            case "days":
                quarter = timedelta(minutes=0 if args[0] else 15)
                world.clock.at += timedelta(days=args[0]) + quarter
                if args[0]:  # every bucket's turn has come by three in the afternoon
                    world.clock.at = world.clock.at.replace(hour=7, minute=0)
                await asyncio.gather(world.run(), world.run())
                await world.deliver()
                await world.run()
                await world.deliver()
            case "bill":
                self.bills.append(who.owes(args[0], world.clock.today() + timedelta(days=args[1])))
            case "change" if self.mandates:
                mandate_id = self.mandates[-1]
                await who.change(mandate_id, args[0])
            case "mood" if self.mandates:
                await who.at_bank(self.mandates[-1], args[0])
            case "amount" if self.bills:
                self.bills[at % len(self.bills)]["amount_minor"] += 1
            case "order" if self.bills:
                await who.pay(self.bills[at % len(self.bills)])
            case "away":
                world.away("quote" if args[0] else "")
            case "allow":
                made = await who.allow(CAP, MONTH_CAP)
                self.mandates.append(made.id)
            case _:
                pass

    async def holds(self) -> None:
        """One payment a bill, reminded before, within the caps, never after revoking."""
        owner, who = self.world.owner, self.who
        paid = await owner.fetch(
            "select l.charge_id, s.paid_minor, s.paid_at, d.id, d.state, d.amount_minor, d.reminder_id,"
            " d.announced_on, d.debit_on, d.try_on, d.mandate_id"
            " from payments.sandbox_payment s"
            " join payments.orders o on o.bucket = s.bucket and o.id = s.order_id"
            " join payments.line l on l.bucket = o.bucket and l.order_id = o.id"
            " left join payments.mandate_debit d on d.bucket = s.bucket and d.order_id = o.id"
            " where s.bucket = $1 and o.citizen_id = $2 and s.state = 'paid'",
            *(who.bucket, who.id),
        )
        times = Counter(row["charge_id"] for row in paid)
        assert not times or max(times.values()) == 1, times
        debited = [row for row in paid if row["id"] is not None]
        reminders = {
            row[0]
            for row in await owner.fetch(
                "select id from inbox.message where bucket = $1 and citizen_id = $2"
                " and kind = 'payments.debit_announced'",
                *(who.bucket, who.id),
            )
        }
        months: Counter[tuple[UUID, date]] = Counter()
        for row in debited:
            assert row["state"] in {"debiting", "paid", "failed"}, row
            assert row["paid_minor"] == row["amount_minor"] <= CAP
            assert row["reminder_id"] in reminders
            assert (row["debit_on"] - row["announced_on"]).days >= 3
            on = (row["paid_at"] + timedelta(hours=8)).date()
            assert row["try_on"] == on
            assert 0 <= (on - row["debit_on"]).days <= 2
            months[row["mandate_id"], on.replace(day=1)] += row["paid_minor"]
            MET["debited"] += 1
        assert not months or max(months.values()) <= MONTH_CAP
        await self._reserved()
        await self._after_revoking()

    async def _reserved(self) -> None:
        """What is reserved of a month's cap is what is being debited or was, to the fen."""
        rows = await self.world.owner.fetch(
            "select m.month_minor, coalesce(sum(d.amount_minor), 0)::bigint as taken, m.state"
            " from payments.mandate m left join payments.mandate_debit d"
            " on d.bucket = m.bucket and d.mandate_id = m.id and d.month_on = m.month_on"
            " where m.bucket = $1 and m.citizen_id = $2 group by m.bucket, m.id, m.month_minor, m.state",
            *(self.who.bucket, self.who.id),
        )
        for reserved, taken, state in rows:
            assert reserved == taken
            MET[state] += 1
        for (state,) in await self.world.owner.fetch(
            "select state from payments.mandate_debit where bucket = $1 and citizen_id = $2",
            *(self.who.bucket, self.who.id),
        ):
            MET[f"debit {state}"] += 1

    async def _after_revoking(self) -> None:
        """A mandate that is over debits nothing that had not begun; nothing of it waits."""
        for mandate_id in self.mandates:
            row = await self.world.owner.fetchrow(
                "select state, (select array_agg(id) from payments.mandate_debit d"
                "  where d.bucket = m.bucket and d.mandate_id = m.id and d.state in ('debiting', 'paid'))"
                " from payments.mandate m where m.bucket = $1 and m.id = $2",
                *(self.who.bucket, mandate_id),
            )
            begun = set(row[1] or ())
            if row[0] in {"revoked", "ended"}:
                known = self.revoked.setdefault(mandate_id, Counter(map(str, begun)))
                assert {str(one) for one in begun} <= set(known), "begun after it was over"
                MET["over"] += 1


def test_what_was_promised_holds(settings: Settings, meters_registry: Registry) -> None:
    with asyncio.Runner() as runner:
        world = World(settings, meters_registry)
        runner.run(world.open())
        logs.configure(as_json=False, level=logging.CRITICAL)

        @how(
            max_examples=WALKS, deadline=None, database=None, derandomize=True,
            phases=[Phase.explicit, Phase.generate, Phase.shrink], suppress_health_check=[HealthCheck.too_slow],
        )  # fmt: skip
        @given(WALK)
        @example(KNOWN)
        def walk(steps: list[tuple[tuple[Any, ...], int]]) -> None:
            async def one() -> None:
                world.away("")
                world.clock.at = world.clock.at.replace(hour=7)
                way = Walk(world, await world.citizen())
                await way.step(("bill", 60_00, 5), 0)
                await way.step(("allow",), 0)
                await way.step(("days", 0), 0)
                for step, dies in steps:
                    await way.step(step, dies)
                await way.step(("change", "revoke"), 0)  # the next walk is another citizen's

            runner.run(one())

        try:
            walk()
        finally:
            logs.configure(as_json=False, level=logging.WARNING)
            runner.run(world.stack.aclose())
    print(dict(MET))
    wanted = {
        "debited", "Died", "over", "paused", "revoked", "active", "debit paid", "debit held",
        "debit stopped", "debit announced", "debit failed", "debit skipped",
    }  # fmt: skip
    assert wanted <= set(MET), wanted - set(MET)
