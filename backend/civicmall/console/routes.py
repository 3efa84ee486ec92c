"""Addresses of the console: decode, ask, show."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import ratings
from civicmall.gateway import Gateway
from civicmall.kernel.errors import NotFound
from civicmall.ratings import Answer, Appeal, NoSuchRectification, Review

from . import (
    account,
    cases,
    clients,
    counter,
    disputes,
    letters,
    objections,
    passkeys,
    people,
    reckoning,
    refunds,
    releases,
    service,
    settlement,
    words,
)
from .desk import UNTOUCHED, Desk, acted, assets, go
from .forms import PAGE, Paged, PaymentFilter, RatingFilter, TicketFilter, Web, id_of, query, read
from .refuse import Html, router

Act = Callable[[UUID], Awaitable[None]]


@get("/")
async def board(
    request: Web, desk: NamedDependency[Desk], gateway: NamedDependency[Gateway]
) -> Html:
    found = await service.board(desk, gateway, query(request, Paged).after)
    return desk.page("board.html", board=found)


@get("/ratings")
async def rating_list(request: Web, desk: NamedDependency[Desk]) -> Html:
    asked = query(request, RatingFilter)
    found = await ratings.desk_ratings(
        desk.house.db, desk.staff, desk.lang,
        shop=asked.shop, bad=asked.bad is not None, limit=PAGE, after=asked.after,
    )  # fmt: skip
    return desk.page("ratings.html", asked=asked, found=found)


@get("/rectifications")
async def ticket_list(request: Web, desk: NamedDependency[Desk]) -> Html:
    asked = query(request, TicketFilter)
    found = await ratings.desk_rectifications(
        desk.house, desk.staff, desk.lang,
        shop=asked.shop, state=asked.state, overdue=asked.overdue is not None,
        limit=PAGE, after=asked.after,
    )  # fmt: skip
    return desk.page("tickets.html", asked=asked, found=found)


@get("/rectifications/{ticket:str}")
async def ticket(request: Web, ticket: FromPath[str], desk: NamedDependency[Desk]) -> Html:
    done = words.DONE.get(request.query_params.get("done", ""))
    return await _ticket(desk, _id(ticket), done=done)


@post("/rectifications/{ticket:str}/answer")
async def answer(request: Web, ticket: FromPath[str], desk: NamedDependency[Desk]) -> Html:
    async def act(ticket_id: UUID) -> None:
        ask = await read(request, Answer)
        await ratings.answer(desk.house, desk.staff, ticket_id, ask, desk.lang)

    return await _acted(request, desk, ticket, "answer", act)


@post("/rectifications/{ticket:str}/appeal")
async def appeal(request: Web, ticket: FromPath[str], desk: NamedDependency[Desk]) -> Html:
    async def act(ticket_id: UUID) -> None:
        ask = await read(request, Appeal)
        await ratings.appeal(desk.house, desk.staff, ticket_id, ask, desk.lang)

    return await _acted(request, desk, ticket, "appeal", act)


@post("/rectifications/{ticket:str}/review")
async def review(request: Web, ticket: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    async def act(ticket_id: UUID) -> None:
        ask = await read(request, Review)
        await ratings.review(operator.house, operator.staff, ticket_id, ask, operator.lang)

    return await _acted(request, operator, ticket, "review", act)


@post("/rectifications/{ticket:str}/remind")
async def remind(request: Web, ticket: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    async def act(ticket_id: UUID) -> None:
        await ratings.remind(operator.house, operator.staff, ticket_id, operator.lang)

    return await _acted(request, operator, ticket, "remind", act)


@get([f"/rectifications/{{ticket:str}}/{form}" for form in words.DONE])
async def form_left(request: Web, ticket: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, f"/console/rectifications/{_id(ticket)}")


@get("/payments")
async def payment_list(request: Web, desk: NamedDependency[Desk]) -> Html:
    asked = query(request, PaymentFilter)
    found = await service.paid_lines(desk, asked.after)
    money = await service.money(desk, asked.days)
    return desk.page(
        "payments.html", asked=asked, found=found, money=money, nonce=secrets.token_urlsafe(12)
    )


@get("/ledger")
async def ledger(overseer: NamedDependency[Desk]) -> Html:
    return overseer.page("ledger.html", ledger=await service.ledger(overseer))


@get("/shops")
async def shop_list(desk: NamedDependency[Desk], gateway: NamedDependency[Gateway]) -> Html:
    return desk.page("shops.html", lines=await service.health_board(desk, gateway))


@get("/shops/{shop:str}")
async def shop(
    shop: FromPath[str], desk: NamedDependency[Desk], gateway: NamedDependency[Gateway]
) -> Html:
    entry = desk.entry(shop)
    lines = [one for one in service.health(desk, gateway) if one.id == entry.id]
    line = min(lines, key=lambda one: one.doing == "trial")
    satisfied = await service.shop_line(desk, shop) if entry.manifest else None
    known = await service.versions(desk, entry.id)
    return desk.page(
        "shop.html",
        line=line, lines=lines, manifest=entry.manifest, satisfied=satisfied, versions=known,
    )  # fmt: skip


@get(["/{rest:path}", "/shops/{shop:str}/{rest:path}", "/rectifications/{ticket:str}/{rest:path}",
      "/releases/{release:str}/{rest:path}", "/dead-letters/{letter:str}/{rest:path}",
      "/tickets/{ticket:str}/{rest:path}"])  # fmt: skip
async def nothing(desk: NamedDependency[Desk], rest: FromPath[str]) -> Html:
    del desk, rest
    raise NotFound


async def _ticket(desk: Desk, ticket_id: UUID, *, status: int = 200, **values: Any) -> Html:
    """The page of one ticket. Raises NoSuchRectification."""
    found = await ratings.desk_rectification(desk.house, desk.staff, ticket_id, desk.lang)
    return desk.page("ticket.html", status=status, ticket=found, **{**UNTOUCHED, **values})


def _id(text: str) -> UUID:
    """A ticket's id in an address. Raises NoSuchRectification."""
    return id_of(text, NoSuchRectification)


async def _acted(request: Web, desk: Desk, ticket: str, form: str, act: Act) -> Html:
    """Do what a form of a ticket's page asks."""
    ticket_id = _id(ticket)
    home = f"/console/rectifications/{ticket_id}"
    return await acted(request, home, form, act(ticket_id), partial(_ticket, desk, ticket_id))


routers = [
    assets.router(),
    router(
        board, rating_list, ticket_list, ticket, answer, appeal, review,
        remind, form_left, payment_list, ledger, shop_list, shop, *releases.handlers, *reckoning.handlers,
        *refunds.handlers, *settlement.handlers, *letters.handlers, *passkeys.handlers,
        *account.handlers, *cases.handlers, *disputes.handlers, *people.handlers, *clients.handlers, *counter.handlers,
        *objections.handlers, nothing,
    ),
]  # fmt: skip
