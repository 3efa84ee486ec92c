"""Pages of the refunds: what citizens and departments want back, and who lets it go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal, cast
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from civicmall import payments
from civicmall.kernel import money
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.http import decode_cursor
from civicmall.kernel.http import page as page_of
from civicmall.payments import NoSuchRefund, SecondPersonNeeded

from . import words
from .desk import UNTOUCHED, Desk, acted, go
from .forms import PAGE, Cursor, Web, id_of, query, read
from .refuse import Html

HOME: Final = "/console/refunds"
Decision = Literal["approve", "decline"]


class RefundFilter(Struct, frozen=True):
    """Which refunds to list: those that have not ended, or all."""

    state: Literal["open", "all"] = "open"
    after: Cursor | None = None


class GivenBack(Struct, frozen=True):
    """Money of a paid line that the desk sends back. No amount: all that is left."""

    order: UUID
    no: Annotated[int, Meta(ge=1, le=20)]
    key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    amount: Annotated[str, Meta(max_length=20)] = ""
    reason: payments.refunds.Reason = "other"
    words: Annotated[str, Meta(max_length=500)] = ""


@get("/refunds")
async def refund_list(request: Web, desk: NamedDependency[Desk]) -> Html:
    return await _list(desk, done=words.REFUNDED.get(request.query_params.get("done", "")))


async def _list(desk: Desk, *, status: int = 200, **values: Any) -> Html:
    asked = query(desk.request, RefundFilter)
    key: Any = decode_cursor(asked.after, datetime, UUID)
    rows = await payments.refunds.desk_refunds(
        desk.house.db, desk.staff, key, PAGE, only_open=asked.state == "open"
    )
    found = page_of(rows, PAGE, lambda r: (r.asked_at, r.refund_id))
    values = {**UNTOUCHED, **values}
    return desk.page("refunds.html", status=status, asked=asked, found=found, **values)


@post("/refunds")
async def give(request: Web, desk: NamedDependency[Desk]) -> Html:
    async def act() -> None:
        said = await read(request, GivenBack)
        try:
            amount = money.minor(said.amount) if said.amount else None
        except ValueError as error:
            raise BadRequest(field="amount") from error
        ask = payments.refunds.RefundOrder(
            said.order, said.no, amount or None, said.reason, said.words
        )
        await payments.refunds.order_refund(desk.house, desk.staff, f"console.{said.key}", ask)

    async def show(**values: Any) -> Html:
        return await _list(desk, **values)

    return await acted(request, HOME, "give", act(), show)


def _deciding(decision: Decision) -> Callable[..., Any]:
    """The address that a decision's form is sent to."""

    @post(f"/refunds/{{refund:str}}/{decision}", name=f"console-refund-{decision}")
    async def decide(request: Web, refund: FromPath[str], desk: NamedDependency[Desk]) -> Html:
        verb = getattr(payments.refunds, decision)
        act = verb(desk.house, desk.staff, id_of(refund, NoSuchRefund))

        async def show(**values: Any) -> Html:
            return await _list(desk, **values)

        return await acted(request, HOME, decision, act, show, told=(SecondPersonNeeded,))

    return cast("Callable[..., Any]", decide)


@get(["/refunds/{refund:str}/approve", "/refunds/{refund:str}/decline"])
async def decision_left(request: Web, refund: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    id_of(refund, NoSuchRefund)
    return go(request, HOME)


handlers = [refund_list, give, _deciding("approve"), _deciding("decline"), decision_left]
