"""Money of a line that somebody wants back."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import payments
from civicmall.identity import Caller
from civicmall.kernel import money
from civicmall.payments import NotRefundable

from . import forms
from .reader import Reader, Web
from .refuse import router as pages_router


@post("/orders/{order_id:uuid}/lines/{no:int}/refund")
async def wish(
    request: Web,
    order_id: FromPath[UUID],
    no: FromPath[int],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
) -> Response[bytes]:
    said = await forms.read(request, forms.BackAgain)
    page = f"/orders/{order_id}"
    try:
        amount = money.minor(said.amount) if said.amount else None
        ask = forms.valid(
            {
                "no": no,
                "amount_minor": amount,
                "reason": said.reason,
                "words": forms.text(said.words),
            },
            payments.refunds.RefundWish,
        )
        await payments.refunds.wish(
            reader.house, caller.citizen_id, order_id, f"web.{said.key}", ask
        )
    except (ValueError, NotRefundable):
        return reader.go(page, "refund_amount")
    return reader.go(page, "refund_wished")


router = pages_router(wish)
