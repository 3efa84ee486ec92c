"""Automatic debits: what is allowed, made from a bill's page, paused, revoked; the bank's own page."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Meta, Struct

from civicmall import identity, payments
from civicmall.gateway import Gateway
from civicmall.identity import Caller
from civicmall.kernel import money
from civicmall.kernel.errors import BadRequest, NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import decode_cursor, page
from civicmall.payments import (
    AgreementClosed,
    BadMandate,
    Channels,
    MandateExists,
    MandateMovedOn,
    Sandbox,
)
from civicmall.shops import Registry

from . import forms, rules, views
from .reader import Reader, Web
from .refuse import router as pages_router

CHANNEL = "sandbox"
SHOWN = 20
ROOM_IN_CAP = 2
"""A new mandate's cap is proposed as so many times the bill: seasons differ."""
CHANGES: Final[dict[str, Literal["pause", "resume", "revoke"]]] = {
    "pause": "pause",
    "resume": "resume",
    "revoke": "revoke",
}
"""What a page's buttons do to a mandate, by the last part of their address."""
After = Annotated[str | None, QueryParameter(max_length=400, required=False)]
Name = Annotated[str, QueryParameter(max_length=80)]
Token = Annotated[str, QueryParameter(max_length=64, required=False)]
Yuan = Annotated[str, Meta(pattern=r"^\d{1,6}(\.\d{1,2})?$")]


class Allowed(Struct, frozen=True):
    """What may be debited, in yuan, and the nonce of the page."""

    key: forms.Nonce
    shop: Annotated[str, Meta(max_length=40)]
    app: Annotated[str, Meta(max_length=40)]
    bill: Annotated[str, Meta(max_length=80)]
    cap: Yuan
    month_cap: Yuan
    whom: Annotated[str, Meta(max_length=400)] = ""
    """Empty: every bill of the app."""
    ends_on: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""


class AtBank(Struct, frozen=True):
    """What was chosen on the sandbox bank's page."""

    token: Annotated[str, Meta(max_length=64)]
    choice: Literal["sign", "refuse", "end", "works", "no_funds", "callback_only"]


@get("/mandates")
async def mandates(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    after: After = None,
) -> Response[bytes]:
    (last,) = decode_cursor(after, UUID) or (None,)
    rows = await payments.mandates.mandates(house, caller.citizen_id, last, SHOWN)
    names = views.app_names(registry, reader.lang)
    return await reader.page(
        "mandates.html", mandates=page(rows, SHOWN, lambda m: (m.id,)), names=names
    )


@get("/mandates/new")
async def new(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
    shop: Name,
    app: Name,
    bill: Name,
) -> Response[bytes]:
    detail = await gateway.bill(caller, shop, app, bill, reader.lang)
    cap = -(-detail.bill.amount_minor * ROOM_IN_CAP // 10_00) * 10  # whole tens of yuan
    return await reader.page(
        "mandate_new.html",
        shop=registry.view(shop, reader.lang),
        app=registry.app(shop, app),
        bill=detail.bill,
        cap=max(cap, 10),
    )


@post("/mandates", opt=identity.acting.PAY)
async def make(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    said = await forms.read(request, Allowed)
    ask = forms.valid(
        {
            "shop": said.shop,
            "app": said.app,
            "cap_minor": money.minor(said.cap),
            "month_cap_minor": money.minor(said.month_cap),
            "beneficiary": said.whom or None,
            "channel": CHANNEL,
            "ends_on": _day(said.ends_on),
        },
        payments.mandates.NewMandate,
    )
    key = f"web.{said.key}.{ask.cap_minor}.{ask.month_cap_minor}.{ask.ends_on}"
    key += "" if ask.beneficiary else ".all"
    try:
        made = await payments.mandates.make(house, gateway, channels, caller, key, ask, reader.lang)
    except MandateExists as refusal:
        return reader.go(f"/mandates/{refusal.extra['mandate_id']}", "mandate_exists")
    except BadMandate as refusal:
        wrong = refusal.extra["errors"][0]["field"]
        at = f"/mandates/new?shop={said.shop}&app={said.app}&bill={said.bill}"
        return reader.go(at, "mandate_caps" if wrong == "month_cap_minor" else "mandate_soon")
    if made.confirm_url:
        return reader.go(rules.after(made.confirm_url, house.settings.public_url))
    return reader.go(f"/mandates/{made.id}", "mandate_on" if made.state == "active" else None)


def _day(said: str) -> date | None:
    """A day of a form; none where the field was left empty. Raises BadRequest."""
    try:
        return date.fromisoformat(said) if said else None
    except ValueError as error:
        raise BadRequest(field="ends_on") from error


@get("/mandates/{mandate_id:uuid}")
async def mandate(
    mandate_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
    registry: NamedDependency[Registry],
    after: After = None,
) -> Response[bytes]:
    (last,) = decode_cursor(after, UUID) or (None,)
    found = await payments.mandates.mandate(
        house, channels, caller.citizen_id, mandate_id, reader.lang, last, SHOWN
    )
    url = found.mandate.confirm_url
    return await reader.page(
        "mandate.html",
        mandate=found.mandate,
        debits=found.debits,
        following=found.next,
        confirm=rules.after(url, house.settings.public_url) if url else "",
        names=views.app_names(registry, reader.lang),
    )


@post("/mandates/{mandate_id:uuid}/{event:str}", opt=identity.acting.PAY)
async def change(
    mandate_id: FromPath[UUID],
    event: FromPath[str],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
) -> Response[bytes]:
    at = f"/mandates/{mandate_id}"
    wanted = CHANGES.get(event)
    if wanted is None:
        raise NotFound
    try:
        await payments.mandates.change(house, channels, caller.citizen_id, mandate_id, wanted)
    except MandateMovedOn:
        return reader.go(at)
    return reader.go(at, f"mandate_{event}d")


@get("/sandbox/agreements/{mandate_id:uuid}")
async def agreement(
    mandate_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    token: Token = "",
) -> Response[bytes]:
    if not house.settings.sandbox:
        raise NotFound
    at = await Sandbox(house).at_agreement(mandate_id, token)
    return await reader.page("agreement.html", at=at, token=token)


@post("/sandbox/agreements/{mandate_id:uuid}")
async def choose(
    mandate_id: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
) -> Response[bytes]:
    if not house.settings.sandbox:
        raise NotFound
    said = await forms.read(request, AtBank)
    try:
        await Sandbox(house).choose_agreement(mandate_id, said.token, said.choice)
    except AgreementClosed as refusal:
        if "state" not in refusal.extra:  # a wrong link, not an agreement that is over
            raise
    if said.choice in {"sign", "refuse"}:
        return reader.go(f"/mandates/{mandate_id}")
    return reader.go(f"/sandbox/agreements/{mandate_id}?token={said.token}")


router = pages_router(mandates, new, make, mandate, change, agreement, choose)
