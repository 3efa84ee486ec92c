"""Verbs of the capabilities that a citizen fills something in for: times, sums, look-ups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from civicmall.identity import Caller
from civicmall.kernel import idempotency
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.shops import NoSuchApp
from shopkit.contract import (
    BookAsk,
    Booking,
    BookingsQuery,
    Calculation,
    Enquiry,
    Filled,
    Id,
    Progress,
    Receipt,
    Slots,
    SlotsQuery,
    Values,
)
from shopkit.forms import Form, wrong

from . import rules
from .errors import FormRefused
from .service import Gateway

AHEAD_DAYS: Final = 14
"""Days of times that are shown where nobody says which."""
SPAN_DAYS_MAX: Final = 92
"""A quarter: nobody books further ahead, and a shop need not reckon more."""


class ValuesAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """A filled form of the manifest."""

    values: Values


class NewBooking(Struct, frozen=True, forbid_unknown_fields=True):
    """A time to book, and what for."""

    slot: Id
    matter: Id | None = None


class When(Struct, frozen=True):
    """Which times to show: days, both included, and where and what for if that matters."""

    from_on: date | None = None
    until_on: date | None = None
    place: Id | None = None
    matter: Id | None = None


class BookingOf(Struct, frozen=True):
    """The same with its app: what an Idempotency-Key stands for."""

    shop: str
    app: str
    ask: NewBooking


def check(form: Form, values: Mapping[str, Any], shop: str) -> None:
    """That values fit a form. Raises FormRefused, which names each field."""
    if found := wrong(form, values):
        errors = [{"field": one.field, "problem": one.problem} for one in found]
        raise FormRefused(shop=shop, errors=errors)


async def calculate(
    gateway: Gateway, caller: Caller, shop: str, app: str, values: Values, lang: str
) -> Calculation:
    """Figures, formula, legal basis. Raises FormRefused and the gateway's problems."""
    _, declared = gateway.calls.way(shop, app, caller.citizen_id)
    asked = _filled(declared.forms.calculate, values, shop, app)
    found: Calculation = await gateway.ask(caller, shop, app, "calculate.run", asked, lang)
    return found


async def enquire(
    gateway: Gateway, caller: Caller, shop: str, app: str, values: Values, lang: str
) -> Enquiry:
    """What the records say. Raises FormRefused and the gateway's problems."""
    _, declared = gateway.calls.way(shop, app, caller.citizen_id)
    asked = _filled(declared.forms.enquire, values, shop, app)
    found: Enquiry = await gateway.ask(caller, shop, app, "enquire.run", asked, lang)
    return found


def _filled(form: Form | None, values: Values, shop: str, app: str) -> Filled:
    if form is None:
        raise NoSuchApp(shop=shop, app=app)
    check(form, values, shop)
    return Filled(values)


async def slots(
    house: House,
    gateway: Gateway,
    caller: Caller,
    shop: str,
    app: str,
    when: When,
    lang: str,
) -> Slots:
    """Free times; of the next two weeks where no days are named. Raises BadRequest."""
    first = when.from_on or house.clock.today()
    try:
        last = when.until_on or first + timedelta(days=AHEAD_DAYS - 1)
    except OverflowError as error:
        raise BadRequest("no such days", field="from_on") from error
    if not 0 <= (last - first).days <= SPAN_DAYS_MAX:
        raise BadRequest(f"0 to {SPAN_DAYS_MAX} days after from_on", field="until_on")
    asked = msgspec.convert(
        {"from_on": first, "until_on": last, "place": when.place, "matter": when.matter},
        SlotsQuery,
    )
    found: Slots = await gateway.ask(caller, shop, app, "appointments.slots", asked, lang)
    return found


async def book(
    house: House,
    gateway: Gateway,
    caller: Caller,
    key: str | None,
    shop: str,
    app: str,
    ask: NewBooking,
    lang: str,
) -> Booking:
    """One booking for one key: the shop knows it by the request's id, however often it is told."""

    async def work(request_id: UUID) -> Booking:
        asked = BookAsk(str(request_id), ask.slot, ask.matter)
        made: Booking = await gateway.ask(caller, shop, app, "appointments.book", asked, lang)
        return made

    of = BookingOf(shop, app, ask)
    return await idempotency.once(
        house.db, caller.citizen_id, "gateway.bookings", key, of, Booking, work
    )


async def bookings(
    gateway: Gateway, caller: Caller, shop: str, app: str, query: BookingsQuery, lang: str
) -> list[Booking]:
    """The citizen's bookings, the next one first."""
    found: list[Booking] = await gateway.ask(caller, shop, app, "appointments.list", query, lang)
    return found


async def cancel(
    gateway: Gateway, caller: Caller, shop: str, app: str, booking: str, lang: str
) -> Booking:
    """Give a booking back; again, the same answer."""
    asked = rules.identifier(booking, shop)
    found: Booking = await gateway.ask(caller, shop, app, "appointments.cancel", asked, lang)
    return found


async def matter(
    gateway: Gateway, caller: Caller, shop: str, app: str, known: str, lang: str
) -> Progress:
    """One matter by its id."""
    asked = rules.identifier(known, shop)
    found: Progress = await gateway.ask(caller, shop, app, "progress.get", asked, lang)
    return found


async def receipt(
    gateway: Gateway, caller: Caller, shop: str, app: str, bill: str, lang: str
) -> Receipt:
    """The receipt of a paid bill."""
    asked = rules.identifier(bill, shop)
    found: Receipt = await gateway.ask(caller, shop, app, "bills.receipt", asked, lang)
    return found
