"""Rating what was done, and following up on what a bad rating opened."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from civicmall import cases, gateway, payments, ratings
from civicmall.identity import Caller
from civicmall.kernel.errors import BadRequest, NotFound
from civicmall.kernel.house import House
from civicmall.ratings import Again, AlreadyRated, Confirmation, NewRating, Reopening, Subject
from civicmall.shops import Registry

from . import forms, views
from .reader import Reader, Web
from .refuse import router as pages_router

After = Annotated[str | None, QueryParameter(max_length=400, required=False)]


async def _show(
    reader: Reader, caller: Caller, registry: Registry, subject: Subject, error: str = ""
) -> Response[bytes]:
    """The form for one order, call or case, or the rating that there is."""
    db = reader.house.db
    if subject.kind == "order":
        order = await payments.finished_order(db, caller.citizen_id, subject.id)
        key, done = (f"{order.shop}/{order.app}", order.finished) if order else ("", False)
    elif subject.kind == "case":
        case = await cases.finished_case(db, caller.citizen_id, subject.id)
        key, done = (f"{case.shop}/{case.app}", case.finished) if case else ("", False)
    else:
        call = await gateway.finished_call(db, caller.citizen_id, subject.id)
        key, done = (f"{call.shop}/{call.app}", True) if call else ("", False)
    if not key:
        raise NotFound
    return await reader.page(
        "rate.html",
        status=422 if error else 200,
        error=error,
        subject=subject,
        name=views.app_names(registry, reader.lang).get(key),
        done=done,
        rating=await ratings.rating_of(db, caller, subject, reader.lang),
        levels=ratings.rating_levels(reader.lang).levels,
    )


async def _take(
    request: Web, reader: Reader, caller: Caller, registry: Registry, subject: Subject
) -> Response[bytes]:
    try:
        said = await forms.read(request, forms.Rated)
        words = {"stars": said.stars, "tags": said.tags(), "comment": forms.text(said.comment)}
        ask = forms.valid({"subject": msgspec.to_builtins(subject), **words}, NewRating)
    except BadRequest:
        error = reader.t("Choose how satisfied you are, and write at most 500 characters.")
        return await _show(reader, caller, registry, subject, error)
    try:
        given = await ratings.rate(
            reader.house, registry, caller, ask, f"web.{said.key}", reader.lang
        )
    except AlreadyRated:
        return await _show(reader, caller, registry, subject)
    if given.rectification is not None:
        return reader.go(f"/rectifications/{given.rectification.id}", "followed_up")
    page = "/" if subject.kind == "call" else f"/{subject.kind}s/{subject.id}"
    return reader.go(page, "thanks")


def _pages(kind: Literal["order", "call", "case"]) -> tuple[HTTPRouteHandler, HTTPRouteHandler]:
    """The form for orders, calls or cases, and where it is sent."""
    path = f"/{kind}s/{{of:uuid}}/rate"

    @get(path)
    async def empty(
        of: FromPath[UUID],
        reader: NamedDependency[Reader],
        caller: NamedDependency[Caller],
        registry: NamedDependency[Registry],
    ) -> Response[bytes]:
        return await _show(reader, caller, registry, Subject(kind, of))

    @post(path)
    async def rated(
        of: FromPath[UUID],
        request: Web,
        reader: NamedDependency[Reader],
        caller: NamedDependency[Caller],
        registry: NamedDependency[Registry],
    ) -> Response[bytes]:
        return await _take(request, reader, caller, registry, Subject(kind, of))

    return empty, rated


@get("/rectifications")
async def rectifications(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    after: After = None,
) -> Response[bytes]:
    found = await ratings.my_rectifications(house, caller, reader.lang, after=after)
    names = views.app_names(registry, reader.lang)
    return await reader.page("rectifications.html", tickets=found, names=names)


@get("/rectifications/{ticket:uuid}")
async def rectification(
    ticket: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    return await reader.page(
        "rectification.html",
        ticket=await ratings.my_rectification(house, caller, ticket, reader.lang),
        levels=ratings.rating_levels(reader.lang).levels,
        names=views.app_names(registry, reader.lang),
    )


@post("/rectifications/{ticket:uuid}/confirm")
async def confirm(
    ticket: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    said = await forms.read(request, forms.Confirmed)
    words = {"stars": int(said.stars or 0), "comment": forms.text(said.comment)}
    again = forms.valid(words, Again) if said.stars else None
    await ratings.confirm(house, caller, ticket, Confirmation(again), reader.lang)
    return reader.go(f"/rectifications/{ticket}", "confirmed")


@post("/rectifications/{ticket:uuid}/reopen")
async def reopen(
    ticket: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    said = await forms.read(request, forms.Reason)
    ask = forms.valid({"reason": forms.text(said.reason)}, Reopening)
    await ratings.reopen(house, caller, ticket, ask, reader.lang)
    return reader.go(f"/rectifications/{ticket}", "reopened")


router = pages_router(
    *_pages("order"),
    *_pages("call"),
    *_pages("case"),
    rectifications,
    rectification,
    confirm,
    reopen,
)
