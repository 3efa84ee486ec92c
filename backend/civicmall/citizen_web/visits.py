"""Appointments: a day, a place, a time; what is booked, and giving it back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import gateway as gate
from civicmall.gateway import Gateway
from civicmall.identity import Caller
from civicmall.kernel.clock import CITY
from civicmall.kernel.house import House
from civicmall.shops import Registry
from shopkit.contract import BookingsQuery, Slot

from . import filled, forms
from .reader import Reader, Web
from .refuse import router as pages_router

SLOTS_MAX = 100
"""Times that a shop tells at once."""
EARLIEST = 12
"""Times shown of a day before a place is chosen: a page of all places' times is a roll of paper."""
Chosen = Annotated[str, QueryParameter(max_length=80, required=False)]


def _day(said: str) -> date | None:
    """A day from an address; None for what is none."""
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        return None


def _days(slots: list[Slot], today: date) -> dict[date, int | None]:
    """Free places by day of the next two weeks; None where more times follow than were told."""
    days = [_on(slot) for slot in slots]
    told_until = days[-1] if len(slots) == SLOTS_MAX else date.max
    found: dict[date, int | None] = {}
    for n in range(gate.filling.AHEAD_DAYS):
        day = today + timedelta(days=n)
        if day >= told_until:
            found[day] = None
        elif day in days:
            found[day] = sum(slot.left for slot, on in zip(slots, days, strict=True) if on == day)
    return found


def _on(slot: Slot) -> date:
    """The day of a time, in the city."""
    return slot.begins_at.astimezone(CITY).date()


@get("/shops/{shop:str}/{app:str}/appointments")
async def appointments(  # noqa: PLR0913, PLR0917 (each choice of the page is one)
    shop: FromPath[str],
    app: FromPath[str],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
    day: Chosen = "",
    place: Chosen = "",
    matter: Chosen = "",
) -> Response[bytes]:
    lang = reader.lang
    wide = forms.valid({"place": place or None, "matter": matter or None}, gate.filling.When)
    found = await gate.filling.slots(house, gateway, caller, shop, app, wide, lang)
    days, on = _days(found.slots, house.clock.today()), _day(day)
    on = on or next((_on(slot) for slot in found.slots if slot.left), None)
    slots = [slot for slot in found.slots if _on(slot) == on]
    if on is not None and days.get(on) is None:
        narrow = gate.filling.When(on, on, wide.place, wide.matter)
        slots = (await gate.filling.slots(house, gateway, caller, shop, app, narrow, lang)).slots
    short = not place and len(found.places) > 1 and len(slots) > EARLIEST
    mine = await gate.filling.bookings(gateway, caller, shop, app, BookingsQuery(), lang)
    return await reader.page(
        "appointments.html",
        shop=registry.view(shop, lang),
        app=registry.app(shop, app),
        found=found,
        days=days,
        day=on,
        slots=[slot for slot in slots if slot.left][:EARLIEST] if short else slots,
        short=short,
        place=place,
        matter=matter,
        mine=[one for one in mine if one.state == "booked"],
        now=house.clock.now(),
    )


@post("/shops/{shop:str}/{app:str}/appointments")
async def book(
    shop: FromPath[str],
    app: FromPath[str],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
) -> Response[bytes]:
    sent = await filled.read(request)
    ask = forms.valid(
        {"slot": sent.texts.get("slot", ""), "matter": sent.texts.get("matter") or None},
        gate.filling.NewBooking,
    )
    await gate.filling.book(
        house, gateway, caller, filled.key(sent, shop, app, ask), shop, app, ask, reader.lang
    )
    return reader.go(f"/shops/{shop}/{app}/appointments", "booked")


@post("/shops/{shop:str}/{app:str}/appointments/{booking:str}/cancel")
async def cancel(
    shop: FromPath[str],
    app: FromPath[str],
    booking: FromPath[str],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
) -> Response[bytes]:
    await gate.filling.cancel(gateway, caller, shop, app, booking, reader.lang)
    return reader.go(f"/shops/{shop}/{app}/appointments", "booking_cancelled")


router = pages_router(appointments, book, cancel)
