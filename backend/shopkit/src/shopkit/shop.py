"""A shop object: the functions that a department wrote, by app and operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from .call import Call, ShopDb
from .contract import (
    ApplyForm,
    Bill,
    BillDetail,
    BillsQuery,
    BookAsk,
    Booking,
    BookingsQuery,
    Calculation,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Enquiry,
    Event,
    EventType,
    Filled,
    FormQuery,
    Outcome,
    Progress,
    ProgressQuery,
    RawAnswer,
    RawAsk,
    Receipt,
    RefundNoted,
    Slots,
    SlotsQuery,
    Submission,
    Supplement,
    Withdrawal,
)
from .errors import BadManifest
from .manifest import FILE, Method, locate, read_manifest
from .routing import Answering, derive

Operation = Literal[
    "progress.list", "progress.get",
    "bills.list", "bills.get", "bills.receipt", "charge.quote", "charge.paid", "charge.refunded",
    "apply.form", "apply.submit", "apply.supplement", "apply.withdraw",
    "appointments.slots", "appointments.book", "appointments.cancel", "appointments.list",
    "calculate.run", "enquire.run", "raw", "event",
]  # fmt: skip
Seeder = Callable[[ShopDb, bytes, date], Awaitable[None]]
"""Schema, secret and the city's date."""
F = TypeVar("F")

NEEDS: Final[dict[str, tuple[Operation, ...]]] = {
    "progress": ("progress.list", "progress.get"),
    "bills": (
        "bills.list", "bills.get", "bills.receipt", "charge.quote", "charge.paid", "charge.refunded",
    ),
    "apply": ("apply.form", "apply.submit", "apply.supplement", "apply.withdraw", "progress.get"),
    "appointments": (
        "appointments.slots", "appointments.book", "appointments.cancel", "appointments.list",
    ),
    "calculate": ("calculate.run",),
    "enquire": ("enquire.run",),
    "raw": ("raw",),
}  # fmt: skip
"""Which operations a declared capability obliges to, in the newest contract."""
SINCE_2: Final = frozenset({"charge.refunded", "bills.receipt", "progress.get"})
"""Operations that a capability of contract 1 got with contract 2."""

ListProgress = Callable[[Call, ProgressQuery], Awaitable[list[Progress]]]
GetProgress = Callable[[Call, str], Awaitable[Progress]]
ListBills = Callable[[Call, BillsQuery], Awaitable[list[Bill]]]
GetBill = Callable[[Call, str], Awaitable[BillDetail]]
GetReceipt = Callable[[Call, str], Awaitable[Receipt]]
Quote = Callable[[Call, str], Awaitable[Charge]]
Paid = Callable[[Call, ChargePaid], Awaitable[Receipt]]
Refunded = Callable[[Call, ChargeRefunded], Awaitable[RefundNoted]]
GetForm = Callable[[Call, FormQuery], Awaitable[ApplyForm]]
Submit = Callable[[Call, Submission], Awaitable[Outcome]]
Supply = Callable[[Call, Supplement], Awaitable[Outcome]]
Withdraw = Callable[[Call, Withdrawal], Awaitable[Outcome]]
ListSlots = Callable[[Call, SlotsQuery], Awaitable[Slots]]
Book = Callable[[Call, BookAsk], Awaitable[Booking]]
Cancel = Callable[[Call, str], Awaitable[Booking]]
ListBookings = Callable[[Call, BookingsQuery], Awaitable[list[Booking]]]
Calculate = Callable[[Call, Filled], Awaitable[Calculation]]
Enquire = Callable[[Call, Filled], Awaitable[Enquiry]]
AnswerRaw = Callable[[Call, RawAsk], Awaitable[RawAnswer]]
Hear = Callable[[Call, Event], Awaitable[None]]


class Shop:
    """What a shop's package makes once: `shop = Shop(__package__)`. Raises BadManifest."""

    def __init__(self, package: str | None) -> None:
        if not package:
            raise BadManifest("shop", "$", "call Shop(__package__) in the package's __init__.py")
        path = locate(package)
        self.manifest = read_manifest(path)
        self.answering = Answering()
        self.seeder: Seeder | None = None
        migrations = path.parent / "migrations"
        self.migrations: Path | None = migrations if migrations.is_dir() else None
        self.file = path

    def progress(self, app: str) -> Callable[[ListProgress], ListProgress]:
        """The citizen's matters, newest first; with `query.id` only that one."""
        return self._on(app, "progress.list")

    def matter(self, app: str) -> Callable[[GetProgress], GetProgress]:
        """One matter or case by its id. Apps with `progress` need none: their list is asked."""
        return self._on(app, "progress.get")

    def bills(self, app: str) -> Callable[[ListBills], ListBills]:
        """What the citizen owes, oldest due first; then, with `query.paid`, what was paid."""
        return self._on(app, "bills.list")

    def bill(self, app: str) -> Callable[[GetBill], GetBill]:
        """One bill with all that explains it. Raise NotFound for an unknown or foreign one."""
        return self._on(app, "bills.get")

    def receipt(self, app: str) -> Callable[[GetReceipt], GetReceipt]:
        """The receipt of a paid bill. Apps whose bills carry it need none."""
        return self._on(app, "bills.receipt")

    def quote(self, app: str) -> Callable[[Quote], Quote]:
        """What is owed for this charge now. Raise NotFound, or Refused when it was paid."""
        return self._on(app, "charge.quote")

    def charge_paid(self, app: str) -> Callable[[Paid], Paid]:
        """Book a payment. It comes at least once, so the same `payment_id` gives the same receipt;
        and perhaps without claims, for consent may be withdrawn after paying.
        """
        return self._on(app, "charge.paid")

    def charge_refunded(self, app: str) -> Callable[[Refunded], Refunded]:
        """Book a refund: at least once, the same `refund_id` the same answer, without claims."""
        return self._on(app, "charge.refunded")

    def apply_form(self, app: str) -> Callable[[GetForm], GetForm]:
        """What is to be filled in and handed in, with what is known filled in already."""
        return self._on(app, "apply.form")

    def apply_submit(self, app: str) -> Callable[[Submit], Submit]:
        """Take an application: accepted, pending or refused; the same `case_id` the same answer."""
        return self._on(app, "apply.submit")

    def apply_supplement(self, app: str) -> Callable[[Supply], Supply]:
        """Take what was missing; the same case and `seq` the same answer."""
        return self._on(app, "apply.supplement")

    def apply_withdraw(self, app: str) -> Callable[[Withdraw], Withdraw]:
        """Take an application back; `refused` where it is too late. Again: the same answer."""
        return self._on(app, "apply.withdraw")

    def slots(self, app: str) -> Callable[[ListSlots], ListSlots]:
        """Free times of the days asked, earliest first."""
        return self._on(app, "appointments.slots")

    def book(self, app: str) -> Callable[[Book], Book]:
        """Book a slot; the same `request_id` the same booking. Raise Refused when it is full."""
        return self._on(app, "appointments.book")

    def cancel(self, app: str) -> Callable[[Cancel], Cancel]:
        """Give a booking back, twice as well as once. Raise NotFound; Refused when too late."""
        return self._on(app, "appointments.cancel")

    def bookings(self, app: str) -> Callable[[ListBookings], ListBookings]:
        """The citizen's bookings, the next one first."""
        return self._on(app, "appointments.list")

    def calculate(self, app: str) -> Callable[[Calculate], Calculate]:
        """Figures, the formula and its legal basis. Raise BadForm where values don't fit together."""
        return self._on(app, "calculate.run")

    def enquire(self, app: str) -> Callable[[Enquire], Enquire]:
        """What the records say. Raise BadForm, NotFound."""
        return self._on(app, "enquire.run")

    def raw(self, app: str, method: Method, path: str) -> Callable[[AnswerRaw], AnswerRaw]:
        """One declared raw path of an app."""
        declared = self._declared(app)
        if not any((route.method, route.path) == (method, path) for route in declared.raw):
            raise BadManifest(FILE, "$.apps", f"{app}: {method} {path} is no declared raw path")

        def keep(handler: AnswerRaw) -> AnswerRaw:
            self.answering.raw[app, method, path] = handler
            return handler

        return keep

    def event(self, kind: EventType) -> Callable[[Hear], Hear]:
        """Hear of something; at least once, by `event.id`. The manifest names it in `webhooks`."""
        if self.manifest.webhooks is None or kind not in self.manifest.webhooks.events:
            raise BadManifest(FILE, "$.webhooks", f"{kind} is not in its events")

        def keep(handler: Hear) -> Hear:
            self.answering.events[kind] = handler
            return handler

        return keep

    def seed(self, fill: Seeder) -> Seeder:
        """Fill the shop's schema with sandbox data for a date; at every start, so idempotent."""
        self.seeder = fill
        return fill

    def _declared(self, app: str) -> Any:
        declared = self.manifest.app(app)
        if declared is None:
            raise BadManifest(
                FILE, "$.apps", f"the code serves {app}, the manifest doesn't name it"
            )
        return declared

    def _on(self, app: str, operation: Operation) -> Callable[[F], F]:
        self._declared(app)

        def keep(handler: F) -> F:
            self.answering.handlers[app, operation] = handler  # pyright: ignore[reportArgumentType] (each decorator has its own type)
            derive(self.answering.handlers, app, operation)
            return handler

        return keep

    def serves(self, app: str, operation: str) -> bool:
        """Whether there is code for it."""
        return self.answering.serves(app, operation)

    async def answer(self, operation: str, call: Call, asked: Any) -> Any:
        """What the shop's code says to one call (`call.app` is asked); nothing has checked it."""
        return await self.answering.answer(operation, call, asked)

    def check(self) -> None:
        """That each declared capability is served. Raises BadManifest naming the missing one."""
        for i, app in enumerate(self.manifest.apps):
            for route in app.raw:
                if (app.id, route.method, route.path) not in self.answering.raw:
                    raise BadManifest(
                        FILE,
                        f"$.apps[{i}].raw",
                        f"{app.id}: no code for {route.method} {route.path}",
                    )
            for capability in app.capabilities:
                for operation in needs(capability, self.manifest.contract):
                    if not self.serves(app.id, operation):
                        raise BadManifest(
                            FILE, f"$.apps[{i}].capabilities", f"{app.id}: no code for {operation}"
                        )
        for kind in self.manifest.webhooks.events if self.manifest.webhooks else ():
            if kind not in self.answering.events:
                raise BadManifest(FILE, "$.webhooks.events", f"no code for {kind}")


def needs(capability: str, contract: int) -> tuple[Operation, ...]:
    """The operations that a capability obliges to in one version of the contract."""
    found = NEEDS[capability]
    return tuple(o for o in found if o not in SINCE_2) if contract == 1 else found
