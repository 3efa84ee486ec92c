"""Pages of the settlement: what a department is owed, its statements, and what was paid out."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta, Struct

from civicmall import payments
from civicmall.kernel import money
from civicmall.kernel.errors import BadRequest, Problem
from civicmall.kernel.http import decode_cursor
from civicmall.kernel.http import page as page_of

from . import rules
from .desk import STAYS, UNTOUCHED, Desk, go
from .forms import PAGE, Cursor, Slug, Web, query, read
from .refuse import Html

HOME: Final = "/console/settlement"
DONE: Final = "The payout is recorded."
documents = payments.documents
TOLD: Final = (
    documents.BadPeriod,
    documents.NotSettledYet,
    documents.SettlementDiffers,
    documents.StatementTooLong,
)
"""What the page itself says, with the fields to choose other days."""


class Days(Struct, frozen=True):
    """Whose statement of which days; without days, of this month so far."""

    shop: Slug | None = None
    first: date | None = None
    last: date | None = None
    after: Cursor | None = None
    done: Annotated[str, Meta(max_length=20)] = ""


class Transfer(Struct, frozen=True):
    """A payout as the form sends it; the amount in yuan."""

    shop: Slug
    first: date
    last: date
    amount: Annotated[str, Meta(min_length=1, max_length=24)]
    reference: Annotated[str, Meta(min_length=1, max_length=80)]
    key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


@get("/settlement")
async def settlement(request: Web, desk: NamedDependency[Desk]) -> Html:
    asked = query(request, Days)
    return await _shown(desk, asked, done=DONE if asked.done == "payout" else None)


async def _shown(desk: Desk, asked: Days, *, status: int = 200, **values: Any) -> Html:
    """The page. Raises NoSuchShop, BadRequest."""
    today = desk.house.clock.today()
    first, last = asked.first or today.replace(day=1), asked.last or today
    shop = asked.shop or desk.shop or next((e.id for e in desk.entries() if e.manifest), None)
    found: payments.documents.Settlement | None = None
    paid = None
    said: dict[str, Any] = {**UNTOUCHED, **values}
    if shop is not None:
        wanted = None
        try:
            wanted = await _wanted(desk, shop, first, last)
            found = await documents.statements.settlement(desk.house, wanted)
        except TOLD as problem:
            status, said["failed"] = problem.status, said["failed"] or problem.title
        if wanted is not None:
            key: Any = decode_cursor(asked.after, datetime, UUID)
            rows = await documents.payouts.some(desk.house.db, wanted.account, key, PAGE)
            paid = page_of(rows, PAGE, lambda one: (one.paid_at, one.id))
    return desk.page(
        "settlement.html", status=status, shop=shop, first=first, last=last, found=found, paid=paid,
        nonce=secrets.token_urlsafe(12), **said,
    )  # fmt: skip


async def _wanted(
    desk: Desk, shop: str, first: date, last: date
) -> payments.documents.statements.Wanted:
    return await documents.statements.wanted(
        desk.house, desk.registry, desk.staff, first, last, shop
    )


async def _asked(request: Web, desk: Desk) -> payments.documents.statements.Wanted:
    """The statement that a file is wanted of. Raises BadRequest."""
    asked = query(request, Days)
    shop = asked.shop or desk.shop
    if shop is None or asked.first is None or asked.last is None:
        raise BadRequest(field="shop" if shop is None else "first")
    return await _wanted(desk, shop, asked.first, asked.last)


@get("/settlement.csv")
async def as_csv(request: Web, desk: NamedDependency[Desk]) -> Response[Any]:
    wanted = await _asked(request, desk)
    _, kept = await documents.statement_csv.file(desk.house, wanted, desk.lang)
    return documents.views.kept_by_nobody(documents.views.csv(wanted, kept, desk.lang))


@get("/settlement.pdf")
async def as_pdf(request: Web, desk: NamedDependency[Desk]) -> Response[bytes]:
    wanted = await _asked(request, desk)
    _, body = await documents.statement_pdf.file(desk.house, desk.registry, wanted, desk.lang)
    views = documents.views
    return views.kept_by_nobody(views.pdf(body, views.name_of(wanted), desk.lang))


@post("/settlement/payout")
async def pay_out(request: Web, operator: NamedDependency[Desk]) -> Html:
    said = await read(request, Transfer)
    try:
        minor = money.minor(said.amount)
    except ValueError as error:
        raise BadRequest(field="amount") from error
    ask = {"shop": said.shop, "first_on": said.first, "last_on": said.last, "amount_minor": minor,
           "reference": said.reference}  # fmt: skip
    days = Days(said.shop, said.first, said.last)
    try:
        new = msgspec.convert(ask, documents.NewPayout)
        await documents.payouts.record(
            operator.house, operator.registry, operator.staff, f"console.{said.key}", new
        )
    except msgspec.ValidationError as error:
        raise BadRequest(field="amount") from error
    except Problem as problem:
        if problem.status not in STAYS:
            raise
        typed = {"amount": said.amount, "reference": said.reference}
        return await _shown(
            operator, days, status=problem.status, failed=problem.title, typed=typed
        )
    return go(
        request, rules.link(HOME, shop=said.shop, first=said.first, last=said.last, done="payout")
    )


@get("/settlement/payout")
async def form_left(request: Web, desk: NamedDependency[Desk]) -> Html:
    """Whoever opens the form's address gets the page that it stands on."""
    del desk
    return go(request, HOME)


handlers = [settlement, as_csv, as_pdf, pay_out, form_left]
