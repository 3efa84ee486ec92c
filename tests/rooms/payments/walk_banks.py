"""Banks of the walk: each keeps its own record, takes money, gives it back, and is moody.

They stand outside what is tested, as a real channel would; what they were asked for wrongly they
remember.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from msgspec import Struct

from civicmall.payments import Cashier, Paid
from civicmall.payments.errors import ChannelAway
from civicmall.payments.models import OrderRow, RefundAsk, RefundSaid, Tender

Mood = Literal["done", "pending", "failed", "away"]
"""How a bank takes the next refund that it is asked for or after."""
Way = Literal["waiting", "paid", "declined", "cancelled"]
At = Literal["none", "pending", "done", "failed"]
"""Where a refund is at its bank."""


class Account(Struct):
    """One order's payment at one bank."""

    state: Way | None = None
    right: bool = False
    """Whether the bank took the right amount."""
    paid: Paid | None = None

    def open(self) -> None:
        """The citizen comes to the cashier; what failed may be tried again."""
        if self.state in {None, "declined"} or (self.state == "paid" and not self.right):
            self.state, self.paid = "waiting", None

    def take(self, paid: Paid, *, right: bool) -> None:
        """The citizen pays."""
        self.state, self.right, self.paid = "paid", right, paid

    def cancel(self) -> bool:
        """No more paying here; False where the right amount is paid already."""
        if self.state in {"waiting", "declined"}:
            self.state = "cancelled"
        return not (self.state == "paid" and self.right)


def divided(amount: int, purses: tuple[str, ...], cut: int) -> tuple[Tender, ...]:
    """An amount over two or three of the purses, each with something; over none where it is small."""
    if not purses or amount < len(purses):
        return ()
    rest, parts = amount, list[Tender]()
    names = purses[cut % 2 :]
    for n, name in enumerate(names[:-1], 2):
        part = 1 + cut % (rest - (len(names) - n) - 1)
        parts.append(Tender(name, part))
        rest -= part
    return (*parts, Tender(names[-1], rest))


class Bank:
    """A channel with a record of its own; `purses` are what a split payment comes from."""

    def __init__(self, name: str, beat: Callable[[], None], *purses: str) -> None:
        self.name = name
        self.purses = purses
        self.mood: Mood = "done"
        self.accounts: dict[UUID, Account] = {}
        self.post: list[Paid] = []
        """Callbacks on their way."""
        self.refunds: dict[UUID, At] = {}
        self.asks: dict[UUID, RefundAsk] = {}
        self.took: dict[str, Counter[str]] = {}
        self.gave: dict[str, Counter[str]] = {}
        self.wrong: list[str] = []
        self._beat = beat

    def receive(self, order_id: UUID, amount: int, cut: int) -> Paid:
        """Money comes in; the callback that tells of it."""
        tenders = divided(amount, self.purses, cut)
        paid = Paid(order_id, uuid4().hex, amount, datetime.now(UTC), tenders=tenders)
        parts = tenders or (Tender(self.name, amount),)
        self.took[paid.txn] = Counter({part.name: part.amount_minor for part in parts})
        self.gave[paid.txn] = Counter()
        return paid

    def account(self, order_id: UUID) -> Account:
        """Of an order; opened when first looked at."""
        return self.accounts.setdefault(order_id, Account())

    async def prepare(self, order: OrderRow, agent: str) -> Cashier:
        """Open the payment."""
        del agent  # one page for all
        self._beat()
        self.account(order.id).open()
        self._beat()
        return Cashier(order.id, self.name, order.amount_minor, "", "", order.expires_at)

    async def query(self, order: OrderRow) -> Paid | None:
        """Whether it was paid."""
        self._beat()
        return self.account(order.id).paid

    async def cancel(self, order: OrderRow) -> bool:
        """Close the payment."""
        self._beat()
        done = self.account(order.id).cancel()
        self._beat()
        return done

    async def refund(self, ask: RefundAsk) -> RefundSaid:
        """Send money back, once for each refund's id; what failed may be asked for again."""
        self._beat()
        known = self.asks.setdefault(ask.refund_id, ask)
        if (known.parts, known.txn) != (ask.parts, ask.txn):
            self.wrong.append(f"the same refund with other parts: {known} {ask}")
        if self.refunds.get(ask.refund_id, "failed") == "failed":
            self._turn(ask.refund_id)
        return self._said(ask.refund_id)

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        """How it stands."""
        self._beat()
        if self.refunds.get(ask.refund_id) == "pending":
            self._turn(ask.refund_id)
        return self._said(ask.refund_id)

    def say(self, refund_id: UUID, verdict: Literal["done", "failed"]) -> RefundSaid:
        """The bank ends a refund by itself, or says once more how it ended."""
        state = self.refunds[refund_id]
        if state == "pending" or (state == "failed" and verdict == "done"):
            self._end(refund_id, verdict)
        return self._said(refund_id)

    def balance(self, told: Callable[[str], bool]) -> Counter[str]:
        """What is here by purse, of the payments that were told of."""
        found = Counter[str]()
        for txn, took in self.took.items():
            if told(txn):
                found.update(took)
                found.subtract(self.gave[txn])
        return found

    def _turn(self, refund_id: UUID) -> None:
        if self.mood == "away":
            raise ChannelAway(channel=self.name)
        self._end(refund_id, self.mood)

    def _end(self, refund_id: UUID, state: Literal["pending", "done", "failed"]) -> None:
        self.refunds[refund_id] = state
        if state == "done":
            self._give(self.asks[refund_id])

    def _give(self, ask: RefundAsk) -> None:
        took, gave = self.took.get(ask.txn, Counter()), self.gave.setdefault(ask.txn, Counter())
        for part in ask.parts:
            gave[part.name] += part.amount_minor
        if sum(part.amount_minor for part in ask.parts) != ask.amount_minor:
            self.wrong.append(f"parts are not the whole: {ask}")
        if any(gave[name] > took[name] for name in gave):
            self.wrong.append(f"more back than came: {ask}")

    def _said(self, refund_id: UUID) -> RefundSaid:
        state: Any = self.refunds.get(refund_id, "pending")
        self._beat()
        return RefundSaid(refund_id, state, f"B{refund_id.hex}", "no" * (state == "failed"))
