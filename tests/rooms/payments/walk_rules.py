"""What may happen in the walk, one rule each."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.rooms.payments.walk_banks import Bank, Mood
from tests.rooms.payments.walk_machine import ANY, DIES, Walker
from tests.rooms.payments.walk_model import Order, Refund

from civicmall import payments
from civicmall.payments import Sandbox
from civicmall.payments.refunds import service as refunds
from civicmall.payments.refunds.models import RefundOrder, RefundWish
from civicmall.payments.settlement import hear

Choice = Literal["paid", "declined", "twice", "wrong_amount", "no_callback"]
CHOICES = st.sampled_from(["paid", "paid", "declined", "twice", "wrong_amount", "no_callback"])
CHANNELS = st.sampled_from(["sandbox", "split", "plain", "split"])
WHICH = st.sampled_from(
    [(0,), (1,), (2,), (3,), (0, 1), (1, 2, 5), (2, 3), (3, 4), (0, 1, 4), (5,)]
)
"""Which of the charges an order is for."""
MOODS = st.sampled_from(["done", "done", "pending", "failed", "away"])
STAFF = st.sampled_from([0, 1, 2, 0, 1, 2, 0, 3])
AMOUNT = st.sampled_from([None, None, 1, 40, 70, 101, 60_000, 110_000, 140_000, 260_000])
DECIDED = "/problems/refund-decided"


class Paying(Walker):
    """Orders, cashiers, banks, time."""

    def create(self, which: tuple[int, ...], dies: int = 0) -> Order | None:
        """Order some of the charges; one that is in another order is refused."""
        wanted, key = [self.charges[n] for n in which], uuid4().hex
        refused = self.model.may_create(wanted)

        def ask(charges: list[str] = wanted) -> Any:
            return self.world.create(self.caller, key, charges)

        made, problem, _ = self.do(ask, dies)
        assert problem == refused
        if refused:
            return None
        self.keep(key, made.id, ask, lambda: ask([*wanted, f"ok-{self.mark}x-7"]))
        order = self.model.create(made.id, wanted)
        assert made.amount_minor == order.amount
        return order

    @rule(which=WHICH, dies=DIES)
    def order_more(self, which: tuple[int, ...], dies: int) -> None:
        self.create(which, dies)

    @rule(number=ANY)
    def ask_again(self, number: int) -> None:
        """An old key has its answer, and no other request gets anything by it."""
        answer, again, other = list(self.answers.values())[number % len(self.answers)]
        found, problem, _ = self.do(again)
        assert not problem
        assert str(getattr(found, "id", None) or found.refund_id) == answer
        _, problem, _ = self.do(other)
        assert problem == "/problems/idempotency-key-reused"

    def pay(self, order: Order, channel: str, dies: int = 0) -> None:
        """Go to a cashier."""
        _, problem, _ = self.do(
            lambda: payments.pay(
                self.world.house, self.world.channels, self.caller.citizen_id, order.id, channel
            ),
            dies,
        )
        assert problem == self.model.pay(order, channel)

    @rule(number=ANY, channel=CHANNELS, dies=DIES)
    def go_to_pay(self, number: int, channel: str, dies: int) -> None:
        self.pay(self.pick(number), channel, dies)

    @rule(number=ANY, channel=CHANNELS, cut=ANY, dies=DIES)
    def pay_at_once(self, number: int, channel: str, cut: int, dies: int) -> None:
        """As most people do."""
        order = self.pick(number)
        self.pay(order, channel)
        self.choose_at(order, channel, "paid", cut)
        self.deliver_all(dies)

    @rule(number=ANY, channel=CHANNELS, choice=CHOICES, cut=ANY, dies=DIES)
    def choose(self, number: int, channel: str, choice: Choice, cut: int, dies: int) -> None:
        self.choose_at(self.pick(number), channel, choice, cut, dies)

    def choose_at(
        self, order: Order, channel: str, choice: Choice, cut: int, dies: int = 0
    ) -> None:
        """Do something at a cashier, mostly where the order was taken last."""
        name = order.channel or channel
        bank = self.world.banks.get(name)
        if bank is None:
            self._choose_sandbox(order, choice, dies)
        else:
            self._choose_bank(order, bank, choice, cut)

    def _choose_sandbox(self, order: Order, choice: Choice, dies: int) -> None:
        sandbox = Sandbox(self.world.house)
        token, at = sandbox.token(order.id), order.account("sandbox")
        _, problem, died = self.do(lambda: sandbox.choose(order.id, token, choice), dies)
        open_ = at.state in {"waiting", "declined"}
        if problem != "" or not open_:
            assert problem == "/problems/cashier-closed"
            assert died or not open_
        if not open_:
            return
        if choice == "declined":
            at.state = "declined"
            return
        wrong = choice == "wrong_amount"
        place: Any = order
        paid = self.run(sandbox.query(place))
        assert (paid.order_id, paid.amount_minor) == (order.id, order.amount + wrong)
        at.take(paid, right=not wrong)
        if choice != "no_callback":
            self.news.append((order, paid))

    def _choose_bank(self, order: Order, bank: Bank, choice: Choice, cut: int) -> None:
        at, theirs = order.account(bank.name), bank.account(order.id)
        if at.state not in {"waiting", "declined"}:
            return
        if choice == "declined":
            at.state = theirs.state = "declined"
            return
        wrong = choice == "wrong_amount"
        paid = bank.receive(order.id, order.amount + wrong, cut)
        for account in (at, theirs):
            account.take(paid, right=not wrong)
        bank.post += [paid] * {"no_callback": 0, "twice": 2}.get(choice, 1)

    @rule(
        number=ANY,
        right=st.booleans(),
        bank=st.sampled_from(["plain", "split"]),
        cut=ANY,
        dies=DIES,
    )
    def stray(self, number: int, right: bool, bank: str, cut: int, dies: int) -> None:  # noqa: FBT001
        """Signed money out of the blue: early, late, double, of another amount; and told twice."""
        order = self.pick(number)
        paid = self.world.banks[bank].receive(order.id, order.amount + (not right), cut)
        for _ in range(2):
            self.hear(bank, paid, dies)
        self.model.comes(order, bank, paid)

    def hear(self, bank: str, told: Any, dies: int = 0) -> None:
        """A callback arrives."""
        _, problem, _ = self.do(lambda: hear(self.world.house, bank, told), dies)
        assert not problem

    @rule(number=ANY, dies=DIES)
    def cancel(self, number: int, dies: int) -> None:
        order = self.pick(number)
        _, problem, _ = self.do(
            lambda: payments.cancel(
                self.world.house, self.world.channels, self.caller.citizen_id, order.id, "en"
            ),
            dies,
        )
        assert problem == self.model.cancel(order)

    @rule(number=ANY, expired=st.booleans(), dies=DIES)
    def time_passes(self, number: int, expired: bool, dies: int) -> None:  # noqa: FBT001 (a draw)
        """An order's half hour is over, or its callback is late; the job comes by."""
        order = self.pick(number)
        if order.state == "created" and not expired:
            return

        async def job() -> None:
            await self.world.due(order.id, expired=expired)
            await self.world.look_after_orders()

        self.do(job, dies)
        self.model.look(order, expired=expired)

    @rule(dies=DIES)
    def deliver(self, dies: int) -> None:
        self.deliver_all(dies)

    def deliver_all(self, dies: int = 0) -> None:
        for name, bank in self.world.banks.items():
            for paid in bank.post:
                self.hear(name, paid)
                self.model.comes(self._order(paid.order_id), name, paid)
            bank.post = []
        for order, paid in self.news:
            self.model.comes(order, "sandbox", paid)
        self.news = []
        self.run(self.world.hurry())
        self.do(self.world.deliver, dies)
        self.model.deliver(self._moods(), doors_open=self.world.doors_open)

    def _order(self, order_id: UUID) -> Order:
        return next(order for order in self.model.orders if order.id == order_id)

    def _moods(self) -> dict[str, Mood]:
        return {name: bank.mood for name, bank in self.world.banks.items()}

    @rule(days=st.sampled_from([-1, 0, 1]))
    def clock_jumps(self, days: int) -> None:
        self.jump(days)

    @rule(doors_open=st.booleans())
    def doors(self, doors_open: bool) -> None:  # noqa: FBT001 (a draw)
        self.world.doors_open = doors_open


class Walk(Paying):
    """And money back."""

    @rule(bank=st.sampled_from(["plain", "split"]), mood=MOODS)
    def mood(self, bank: str, mood: Mood) -> None:
        self.world.banks[bank].mood = mood

    @rule(number=ANY, amount=AMOUNT, dies=DIES)
    def wish(self, number: int, amount: int | None, dies: int) -> None:
        """The citizen wants money back."""
        (order, no), key = self.pick_line(number), uuid4().hex
        house, citizen = self.world.house, self.caller.citizen_id

        def ask(words: str = "") -> Any:
            wanted = RefundWish(no, amount, "changed_mind", words)
            return refunds.wish(house, citizen, order.id, key, wanted)

        made, problem, _ = self.do(ask, dies)
        expected = self.model.ask(order, no, amount, "wanted", "changed_mind")
        if isinstance(expected, str):
            assert problem == expected
            return
        assert (problem, made.amount_minor) == ("", expected.amount)
        expected.id = made.id
        self.keep(key, made.id, ask, lambda: ask("other"))

    @rule(number=ANY, amount=AMOUNT, who=STAFF, dies=DIES)
    def order_refund(self, number: int, amount: int | None, who: int, dies: int) -> None:
        """Staff send money back."""
        (order, no), key, desk = self.pick_line(number), uuid4().hex, self.desks[who]
        house, staff = self.world.house, self.staff[who]

        def ask(words: str = "") -> Any:
            wanted = RefundOrder(order.id, no, amount, "wrong_charge", words)
            return refunds.order_refund(house, staff, key, wanted)

        made, problem, _ = self.do(ask, dies)
        if not desk.operator and not desk.kiosk:
            assert problem == "/problems/no-such-order"
            return
        expected = self.model.ask(order, no, amount, "asked", "wrong_charge")
        if isinstance(expected, str):
            assert problem == expected
            return
        expected.id, expected.asked_by = made.refund_id, desk.id
        if expected.alone:
            self.model.release(expected)
        assert (problem, made.state) == ("", expected.state)
        self.keep(key, made.refund_id, ask, lambda: ask("other"))

    @rule(number=ANY, who=STAFF, dies=DIES)
    def approve(self, number: int, who: int, dies: int) -> None:
        refund = self.pick_refund(number)
        if refund is not None:
            self._approve(refund, who, dies)

    def _approve(self, refund: Refund, who: int, dies: int = 0) -> None:
        house, staff, refund_id = self.world.house, self.staff[who], refund.id
        assert refund_id is not None
        _, problem, died = self.do(lambda: refunds.approve(house, staff, refund_id), dies)
        expected = self.model.approve(refund, self.desks[who])
        # Whoever tries again after a crash may hear that it is done.
        done = died and not expected and problem in {DECIDED, "/problems/second-person-needed"}
        assert done or problem == expected

    def retry(self, refund: Refund) -> None:
        self._approve(refund, 0)

    @rule(number=ANY, who=STAFF, dies=DIES)
    def decline(self, number: int, who: int, dies: int) -> None:
        refund = self.pick_refund(number)
        if refund is None:
            return
        house, staff, refund_id = self.world.house, self.staff[who], refund.id
        assert refund_id is not None
        _, problem, died = self.do(lambda: refunds.decline(house, staff, refund_id), dies)
        expected = self.model.decline(refund, self.desks[who])
        assert problem == expected or (died and not expected and problem == DECIDED)

    @rule(number=ANY, who=st.integers(0, 1), dies=DIES)
    def return_money(self, number: int, who: int, dies: int) -> None:
        """An operator sends back what fits no order; what fits is refused."""
        if not self.model.money:
            return
        all_ = list(self.model.money.values())
        stray = [m for m in all_ if m.outcome != "posted" and m.refund is None]
        from_ = stray if stray and number % 4 else all_
        one = from_[number // 4 % len(from_)]
        self._return(one.order.id, one, who, dies)

    def _return(self, order_id: UUID, money: Any, who: int, dies: int) -> None:
        house, staff = self.world.house, self.staff[who]
        made, problem, died = self.do(
            lambda: refunds.return_money(house, staff, order_id, money.channel, money.txn), dies
        )
        expected = self.model.give_back(money, "asked", "unmatched")
        if isinstance(expected, str):
            assert problem == expected
            return
        expected.asked_by = self.desks[who].id
        if died:  # it stands on the desk, asked for; or the first try was not there yet
            assert problem in {"", "/problems/not-refundable"}
        else:
            assert problem == ""
        expected.id, state = self.run(self.world.newest_return(order_id, money.txn))
        if state == "approved" and expected.alone:
            self.model.release(expected)
        assert state == expected.state
        assert died or expected.state == ("approved" if expected.alone else "asked")
        assert made is None or (made.refund_id, made.state) == (expected.id, expected.state)

    @rule(number=ANY, verdict=st.sampled_from(["done", "failed"]), dies=DIES)
    def bank_says(self, number: int, verdict: Literal["done", "failed"], dies: int) -> None:
        """A callback about a refund: how it ended, or once more how it had ended."""
        known = [r for r in self.model.refunds if r.at_bank != "none" and r.state != "declined"]
        if not known:
            return
        refund = known[number % len(known)]
        assert refund.id is not None
        said = self.world.banks[refund.channel].say(refund.id, verdict)
        self.hear(refund.channel, said, dies)
        refund.at_bank = said.state
        self.model.told(refund, said.state)

    @rule(dies=DIES)
    def chase(self, dies: int) -> None:
        self.look_after_refunds(dies)

    def look_after_refunds(self, dies: int = 0) -> None:
        bucket = self.caller.citizen_id.bytes[15]

        async def job() -> None:
            await self.world.refunds_due(bucket, [order.id for order in self.model.orders])
            await self.world.look_after_refunds()

        self.do(job, dies)
        for refund in self.model.refunds:
            self.model.send(refund, self._moods().get(refund.channel, "done"))
