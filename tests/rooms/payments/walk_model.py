"""What must come of everything that a payer, a bank, a desk and time can do: a page of Python.

Nothing here knows the tables. Each method changes the model as the centre should change, and
answers the problem that the centre should name, or nothing where there is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from msgspec import Struct, field
from tests.rooms.payments.steps import KIOSK
from tests.rooms.payments.walk_banks import Account, At, Mood

from civicmall.payments import Paid
from civicmall.payments.models import Tender
from civicmall.payments.rules import (
    REFUND_ALONE_MINOR,
    WISHES_MAX,
    LineState,
    OrderState,
    RefundState,
)

PAYABLE = f"payable:{KIOSK}.account"
OPEN: tuple[OrderState, ...] = ("created", "paying")
WISH = "changed_mind"
"""The reason of a citizen's own."""
OWED = {"refused", "late", "double"}
"""Reasons of refunds that nobody may decline."""


class Line(Struct):
    """One charge in an order."""

    charge: str
    amount: int
    state: LineState = "waiting"
    refunding: int = 0
    refunded: int = 0

    @property
    def rest(self) -> int:
        """What may still be asked back."""
        return self.amount - self.refunding - self.refunded


class Order(Struct, eq=False):
    """An order."""

    id: UUID
    lines: list[Line]
    state: OrderState = "created"
    channel: str | None = None
    tenders: tuple[Tender, ...] = ()
    back: list[int] = []
    refunding: int = 0
    refunded: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)

    @property
    def amount(self) -> int:
        """Of all lines."""
        return sum(line.amount for line in self.lines)

    def account(self, channel: str) -> Account:
        """Its payment at a bank."""
        return self.accounts.setdefault(channel, Account())

    def take_back(self, amount: int) -> list[int]:
        """Each purse's share of what is now on its way back: the last purse first."""
        parts = [0] * len(self.tenders)
        left = amount
        for n in reversed(range(len(parts))):
            parts[n] = min(left, self.tenders[n].amount_minor - self.back[n])
            self.back[n] += parts[n]
            left -= parts[n]
        assert not left
        self.state = "refunding"
        self.refunding += amount
        return parts


class Money(Struct, eq=False):
    """A payment that a bank told of."""

    order: Order
    channel: str
    txn: str
    tenders: tuple[Tender, ...]
    amount: int
    outcome: Literal["posted", "amount_differs", "late", "double"]
    heard: bool = False
    """Whether our own news of it was handled."""
    refund: Refund | None = None


class Refund(Struct, eq=False):
    """A refund of a line or of money that fits no order."""

    order: Order
    line: Line | None
    money: Money | None
    amount: int
    reason: str
    channel: str
    state: RefundState
    id: UUID | None = None
    """None while only the centre knows it."""
    asked_by: UUID | None = None
    parts: list[int] | None = None
    at_bank: At = "none"
    to_send: bool = False
    """Whether news of its approval are still to be handled."""

    @property
    def alone(self) -> bool:
        """Whether one of the staff is enough: the limit is of all that goes back of an order."""
        before = self.order.refunded + self.order.refunding if self.line else 0
        return before + self.amount <= REFUND_ALONE_MINOR


class Desk(Struct, frozen=True):
    """Somebody of the staff, as far as it matters here."""

    id: UUID
    operator: bool
    kiosk: bool
    """Whether they are of the kiosk's department."""

    def sees(self, refund: Refund) -> bool:
        """Whether this refund is theirs to decide: money without a line is the operators'."""
        return self.operator or (self.kiosk and refund.line is not None)


class Model:
    """One citizen's orders and their money."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.refunds: list[Refund] = []
        self.money: dict[tuple[str, str], Money] = {}
        self.held: dict[str, Order] = {}
        self.balance = Counter[str]()

    def may_create(self, charges: Iterable[str]) -> str:
        """A charge that is in another order is refused."""
        return "/problems/charge-in-order" if any(c in self.held for c in charges) else ""

    def create(self, order_id: UUID, charges: list[str]) -> Order:
        """One order of all of them, its lines in the order of their ids."""
        made = Order(order_id, [Line(c, int(c.rpartition("-")[2])) for c in sorted(charges)])
        self.orders.append(made)
        self.held |= dict.fromkeys(charges, made)
        return made

    def pay(self, order: Order, channel: str) -> str:
        """To one cashier, and away from the one before."""
        if order.state not in OPEN:
            return "/problems/order-not-payable"
        before = order.channel
        if before not in {None, channel} and not order.account(before or "").cancel():
            return "/problems/order-not-payable"
        order.state, order.channel = "paying", channel
        order.account(channel).open()
        return ""

    def cancel(self, order: Order) -> str:
        """Given up, unless it was paid."""
        if order.state == "closed":
            return ""
        if order.state not in OPEN or (
            order.channel is not None and not order.account(order.channel).cancel()
        ):
            return "/problems/order-not-cancellable"
        self._close(order)
        return ""

    def look(self, order: Order, *, expired: bool) -> None:
        """Its channel is asked; if its time is over, it is closed unless it was paid."""
        if order.state not in OPEN:
            return
        if order.channel is not None:
            at = order.account(order.channel)
            if at.paid is not None:
                self.comes(order, order.channel, at.paid)
                if at.right:
                    return
            if expired:
                at.cancel()
        if expired:
            self._close(order)

    def comes(self, order: Order, channel: str, paid: Paid) -> None:
        """A bank tells of money."""
        key = (channel, paid.txn)
        if key in self.money:
            return
        tenders = paid.tenders or (Tender(channel, paid.amount_minor),)
        if paid.amount_minor != order.amount:
            outcome = "amount_differs"
        elif order.state == "closed":
            outcome = "late"
        else:
            outcome = "posted" if order.state in OPEN else "double"
        self.money[key] = Money(order, channel, paid.txn, tenders, paid.amount_minor, outcome)
        if outcome == "posted":
            order.state, order.channel = "paid", channel
            order.tenders, order.back = tenders, [0] * len(tenders)
        other = PAYABLE if outcome == "posted" else "suspense"
        self._post(other, -paid.amount_minor, tenders, [t.amount_minor for t in tenders])

    def ask(
        self, order: Order, no: int, amount: int | None, state: RefundState, reason: str
    ) -> Refund | str:
        """Hold what is wanted back of a line."""
        if not 1 <= no <= len(order.lines):
            return "/problems/no-such-order"
        line = order.lines[no - 1]
        wanted = line.rest if amount is None else amount
        wishes = [r for r in self.refunds if r.line is line and r.reason == WISH and not r.asked_by]
        many = len(wishes) >= WISHES_MAX or any(wish.state == "wanted" for wish in wishes)
        if (
            line.state != "fulfilled"
            or not 1 <= wanted <= line.rest
            or (state == "wanted" and many)
        ):
            return "/problems/not-refundable"
        line.refunding += wanted
        made = Refund(order, line, None, wanted, reason, order.channel or "", state)
        self.refunds.append(made)
        return made

    def give_back(self, money: Money, state: RefundState, reason: str) -> Refund | str:
        """Money that fits no order goes back, once."""
        if money.outcome == "posted" or money.refund is not None:
            return "/problems/not-refundable"
        parts = [tender.amount_minor for tender in money.tenders]
        made = Refund(
            money.order, None, money, money.amount, reason, money.channel, state, parts=parts,
            to_send=state == "approved",
        )  # fmt: skip
        money.refund = made
        self.refunds.append(made)
        return made

    def approve(self, refund: Refund, desk: Desk) -> str:
        """Let it go; over the limit it takes two, the second of them an operator."""
        if not desk.sees(refund):
            return "/problems/no-such-refund"
        if refund.state == "wanted":
            refund.state, refund.asked_by = "asked", desk.id
            if refund.alone:
                self.release(refund)
        elif refund.state == "asked":
            if not (refund.alone or (desk.operator and refund.asked_by != desk.id)):
                return "/problems/second-person-needed"
            self.release(refund)
        elif refund.state == "failed":
            refund.state, refund.to_send = "approved", True
        else:
            return "/problems/refund-decided"
        return ""

    def release(self, refund: Refund) -> None:
        """It is approved: its share of each purse is taken."""
        refund.state, refund.to_send = "approved", True
        if refund.line is not None:
            refund.parts = refund.order.take_back(refund.amount)

    def decline(self, refund: Refund, desk: Desk) -> str:
        """No; what was held is free again."""
        if not desk.sees(refund):
            return "/problems/no-such-refund"
        if refund.state not in {"wanted", "asked", "failed"} or refund.reason in OWED:
            return "/problems/refund-decided"
        if refund.line is not None:
            refund.line.refunding -= refund.amount
            if refund.state == "failed":
                order, parts = refund.order, refund.parts or []
                order.refunding -= refund.amount
                order.back = [b - p for b, p in zip(order.back, parts, strict=True)]
        elif refund.money is not None:
            refund.money.refund = None
        refund.state = "declined"
        return ""

    def send(self, refund: Refund, mood: Mood) -> None:
        """The bank is asked for it, or after it."""
        if refund.state not in {"approved", "sent"} or mood == "away":
            return
        if refund.channel != "sandbox":
            refund.at_bank = mood
        self.told(refund, mood)

    def told(self, refund: Refund, state: Literal["pending", "done", "failed"]) -> None:
        """What the bank says of it."""
        if state == "done" and refund.state in {"approved", "sent", "failed"}:
            self._done(refund)
        elif refund.state in {"approved", "sent"} and state != "done":
            refund.state = "sent" if state == "pending" else "failed"

    def deliver(self, moods: dict[str, Mood], *, doors_open: bool) -> None:
        """All our own news are handled: shops take or refuse, money goes where it belongs."""
        for order in self.orders:
            if order.state in {"paid", "refunding"}:
                for line in order.lines:
                    self._tell_shop(order, line, doors_open=doors_open)
        for money in self.money.values():
            if money.outcome in {"late", "double"} and not money.heard:
                self.give_back(money, "approved", money.outcome)
            money.heard = True
        for refund in self.refunds:
            mood = moods.get(refund.channel, "done")
            if refund.to_send:
                refund.to_send = mood == "away" and refund.state in {"approved", "sent"}
                self.send(refund, mood)
        for order in self.orders:
            self._finish(order)

    def _tell_shop(self, order: Order, line: Line, *, doors_open: bool) -> None:
        if line.state != "waiting" or (line.charge.startswith("shut") and not doors_open):
            return
        if not line.charge.startswith("refuse"):
            line.state = "fulfilled"
            return
        line.state, line.refunding = "refused", line.amount
        parts = order.take_back(line.amount)
        self.refunds.append(
            Refund(
                order, line, None, line.amount, "refused", order.channel or "", "approved",
                parts=parts, to_send=True,
            )
        )  # fmt: skip

    def _finish(self, order: Order) -> None:
        open_ = any(line.state in {"waiting", "refused"} for line in order.lines)
        if order.state not in {"paid", "refunding"} or order.refunding or open_:
            return
        if not order.refunded:
            order.state = "fulfilled"
        else:
            order.state = "refunded" if order.refunded == order.amount else "part_refunded"

    def _close(self, order: Order) -> None:
        order.state = "closed"
        self._free(order, order.lines)

    def _free(self, order: Order, lines: Iterable[Line]) -> None:
        for line in lines:
            if self.held.get(line.charge) is order:
                del self.held[line.charge]

    def _done(self, refund: Refund) -> None:
        refund.state = "done"
        order, line = refund.order, refund.line
        parts = [-part for part in refund.parts or []]
        if line is None:
            assert refund.money is not None
            self._post("suspense", refund.amount, refund.money.tenders, parts)
            return
        self._post(PAYABLE, refund.amount, order.tenders, parts)
        for one in (line, order):
            one.refunding -= refund.amount
            one.refunded += refund.amount
        if line.refunded == line.amount:
            line.state = "refunded"
            self._free(order, [line])

    def _post(self, other: str, amount: int, tenders: Iterable[Tender], parts: list[int]) -> None:
        self.balance[other] += amount
        for tender, part in zip(tenders, parts, strict=True):
            self.balance[f"channel:{tender.name}"] += part
