"""Pages of reconciliation: what came of each day, and the tickets of what doesn't fit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any, Final, Literal, cast
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from civicmall import payments
from civicmall.kernel.http import decode_cursor
from civicmall.kernel.http import page as page_of
from civicmall.payments import NoSuchRefund, NotRefundable, SecondPersonNeeded

from . import words
from .desk import UNTOUCHED, Desk, acted, go
from .forms import PAGE, Cursor, Paged, Slug, Web, id_of, query, read
from .refuse import Html

HOME: Final = "/console/tickets"
Decision = Literal["approve", "decline"]


class MoneyTicketFilter(Struct, frozen=True):
    """Which tickets to list: those that are open, those past their day, or all."""

    state: Literal["open", "overdue", "all"] = "open"
    kind: payments.tickets.TicketKind | None = None
    channel: Slug | None = None
    day: date | None = None
    after: Cursor | None = None


@get("/tickets")
async def money_ticket_list(request: Web, overseer: NamedDependency[Desk]) -> Html:
    asked = query(request, MoneyTicketFilter)
    key: Any = decode_cursor(asked.after, datetime, UUID)
    wanted = payments.tickets.Wanted(
        state="open" if asked.state == "open" else None, kind=asked.kind, channel=asked.channel,
        day=asked.day, overdue=asked.state == "overdue",
    )  # fmt: skip
    rows = await payments.tickets.some(overseer.house, wanted, key, PAGE)
    found = page_of(rows, PAGE, lambda r: (r.opened_at, r.id))
    return overseer.page("money_tickets.html", asked=asked, found=found)


@get("/tickets/{ticket:str}")
async def money_ticket(
    request: Web, ticket: FromPath[str], overseer: NamedDependency[Desk]
) -> Html:
    done = words.SETTLED.get(request.query_params.get("done", ""))
    return await _shown(overseer, id_of(ticket, payments.tickets.NoSuchTicket), done=done)


@post("/tickets/{ticket:str}/resolve")
async def settle(request: Web, ticket: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    ticket_id = id_of(ticket, payments.tickets.NoSuchTicket)

    async def act() -> None:
        ask = await read(request, payments.tickets.Resolve)
        await payments.tickets.resolve(operator.house, operator.staff, ticket_id, ask)

    return await acted(
        request, f"{HOME}/{ticket_id}", "resolve", act(), partial(_shown, operator, ticket_id)
    )


@post("/tickets/{ticket:str}/return")
async def give_back(request: Web, ticket: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    ticket_id = id_of(ticket, payments.tickets.NoSuchTicket)

    async def act() -> None:
        found = await payments.tickets.one(operator.house.db, ticket_id)
        if found.order_id is None:
            raise NotRefundable(left_minor=0)
        asked = await payments.refunds.return_money(
            operator.house, operator.staff, found.order_id, found.channel, found.reference
        )
        await payments.tickets.link(
            operator.house.db, found.channel, found.reference, asked.refund_id
        )

    return await acted(
        request, f"{HOME}/{ticket_id}", "return", act(), partial(_shown, operator, ticket_id)
    )


def _deciding(decision: Decision) -> Callable[..., Any]:
    """The address that a decision about a ticket's refund is sent to."""

    @post(f"/tickets/{{ticket:str}}/{decision}", name=f"console-ticket-{decision}")
    async def decide(request: Web, ticket: FromPath[str], operator: NamedDependency[Desk]) -> Html:
        ticket_id = id_of(ticket, payments.tickets.NoSuchTicket)

        async def act() -> None:
            found = await payments.tickets.one(operator.house.db, ticket_id)
            if found.refund_id is None:
                raise NoSuchRefund
            verb = getattr(payments.refunds, decision)
            await verb(operator.house, operator.staff, found.refund_id)

        return await acted(
            request, f"{HOME}/{ticket_id}", decision, act(), partial(_shown, operator, ticket_id),
            told=(NoSuchRefund, SecondPersonNeeded),
        )  # fmt: skip

    return cast("Callable[..., Any]", decide)


@get([f"/tickets/{{ticket:str}}/{form}" for form in words.SETTLED])
async def settle_left(request: Web, ticket: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, f"{HOME}/{id_of(ticket, payments.tickets.NoSuchTicket)}")


@get("/statements")
async def statement_list(request: Web, overseer: NamedDependency[Desk]) -> Html:
    key: Any = decode_cursor(query(request, Paged).after, date, str)
    rows = await payments.reconcile.days(overseer.house.db, key, PAGE)
    found = page_of(rows, PAGE, lambda r: (r.day, r.channel))
    return overseer.page("statements.html", found=found)


@get("/statements/{channel:str}/{day:str}")
async def statement(
    channel: FromPath[str], day: FromPath[str], overseer: NamedDependency[Desk]
) -> Html:
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise payments.reconcile.NoSuchStatement from None
    found = await payments.reconcile.of_day(overseer.house.db, channel, on)
    return overseer.page("statement.html", found=found)


async def _shown(desk: Desk, ticket_id: UUID, *, status: int = 200, **values: Any) -> Html:
    """The page of one ticket. Raises NoSuchTicket."""
    found = await payments.tickets.one(desk.house.db, ticket_id)
    going = await payments.tickets.refund_of(desk.house.db, found)
    values = {**UNTOUCHED, **values}
    return desk.page("money_ticket.html", status=status, ticket=found, going=going, **values)


handlers = [
    money_ticket_list, money_ticket, settle, give_back, _deciding("approve"), _deciding("decline"),
    settle_left, statement_list, statement,
]  # fmt: skip
