"""Doors of what a citizen fills something in for, and of single matters and receipts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from civicmall import identity
from civicmall.identity import MINI_APP, Caller, citizen_only
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning
from civicmall.kernel.house import House
from civicmall.kernel.http import IdempotencyKey, Limit, Page, problems
from shopkit.contract import (
    Booking,
    BookingsQuery,
    Calculation,
    Enquiry,
    Progress,
    Receipt,
    Slots,
)

from . import filling
from .errors import FILLING
from .filling import NewBooking, ValuesAsk, When
from .rules import ID
from .service import Gateway
from .typed import before

MAY_FAIL: Final = problems(*FILLING)
OWN: Final = {MINI_APP: "appointments"}
"""The `opt` of what a mini-app may do with times beside looking them up."""
First = Annotated[
    date | None, QueryParameter(required=False, description="First day; today if left out.")
]
Last = Annotated[
    date | None, QueryParameter(required=False, description="Last day; two weeks if left out.")
]
Place = Annotated[
    str | None,
    QueryParameter(max_length=80, pattern=ID, required=False, description="Only at this place."),
]
For = Annotated[
    str | None,
    QueryParameter(max_length=80, pattern=ID, required=False, description="Only for this matter."),
]
Past = Annotated[bool, QueryParameter(description="Also those that are over.")]


@get(
    "/{shop:str}/apps/{app:str}/slots",
    opt=before("appointments"),
    responses=MAY_FAIL,
    summary="Times that are free",
)
async def slots(  # noqa: PLR0913, PLR0917 (each query parameter is one)
    shop: FromPath[str],
    app: FromPath[str],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
    from_on: First = None,
    until_on: Last = None,
    place: Place = None,
    matter: For = None,
) -> Slots:
    when = When(from_on, until_on, place, matter)
    return await filling.slots(house, gateway, caller, shop, app, when, lang)


@get(
    "/{shop:str}/apps/{app:str}/bookings",
    opt=before("appointments"),
    responses=MAY_FAIL,
    summary="My bookings at an app",
)
async def bookings(
    shop: FromPath[str],
    app: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
    past: Past = False,  # noqa: FBT002 (a query parameter has a name)
    limit: Limit = 20,
) -> Page[Booking]:
    query = BookingsQuery(past, limit)
    return Page(await filling.bookings(gateway, caller, shop, app, query, lang), None)


@post(
    "/{shop:str}/apps/{app:str}/bookings",
    opt=OWN,
    responses=problems(KeyMissing, KeyReused, KeyRunning, *FILLING),
    summary="Book a time",
)
async def book(
    shop: FromPath[str],
    app: FromPath[str],
    data: JSONBody[NewBooking],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> Booking:
    return await filling.book(house, gateway, caller, idempotency_key, shop, app, data, lang)


@delete(
    "/{shop:str}/apps/{app:str}/bookings/{booking:str}",
    status_code=HTTP_200_OK,
    opt=OWN,
    responses=MAY_FAIL,
    summary="Give a booking back",
)
async def cancel(
    shop: FromPath[str],
    app: FromPath[str],
    booking: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> Booking:
    return await filling.cancel(gateway, caller, shop, app, booking, lang)


@post(
    "/{shop:str}/apps/{app:str}/calculation",
    status_code=HTTP_200_OK,
    opt={**before("calculate"), **identity.acting.VIEW},
    responses=MAY_FAIL,
    summary="Calculate, with the formula and its legal basis",
)
async def calculate(
    shop: FromPath[str],
    app: FromPath[str],
    data: JSONBody[ValuesAsk],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> Calculation:
    return await filling.calculate(gateway, caller, shop, app, data.values, lang)


@post(
    "/{shop:str}/apps/{app:str}/enquiry",
    status_code=HTTP_200_OK,
    opt={**before("enquire"), **identity.acting.VIEW},
    responses=MAY_FAIL,
    summary="Look up what the records say",
)
async def enquire(
    shop: FromPath[str],
    app: FromPath[str],
    data: JSONBody[ValuesAsk],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> Enquiry:
    return await filling.enquire(gateway, caller, shop, app, data.values, lang)


@get(
    "/{shop:str}/apps/{app:str}/progress/{matter:str}",
    opt=before("progress"),
    responses=MAY_FAIL,
    summary="One matter",
)
async def progress(
    shop: FromPath[str],
    app: FromPath[str],
    matter: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> Progress:
    return await filling.matter(gateway, caller, shop, app, matter, lang)


@get(
    "/{shop:str}/apps/{app:str}/bills/{bill:str}/receipt",
    opt=before("bills"),
    responses=MAY_FAIL,
    summary="The receipt of a paid bill",
)
async def receipt(
    shop: FromPath[str],
    app: FromPath[str],
    bill: FromPath[str],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    lang: NamedDependency[str],
) -> Receipt:
    return await filling.receipt(gateway, caller, shop, app, bill, lang)


routers = [
    Router(
        "/v1/shops",
        route_handlers=[
            slots, bookings, book, cancel, calculate, enquire, progress, receipt,
        ],
        guards=[citizen_only],
        tags=["shops"],
    )
]  # fmt: skip
