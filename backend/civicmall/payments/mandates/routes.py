"""Doors of mandates."""

from __future__ import annotations

from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from civicmall import gateway as gate
from civicmall import identity
from civicmall.gateway import Gateway
from civicmall.identity import Caller, citizen_only, overseer_only, sandbox_only
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning, NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import (
    After,
    IdempotencyKey,
    Limit,
    Page,
    decode_cursor,
    page,
    problems,
)
from civicmall.payments.channels import Channels
from civicmall.payments.channels.sandbox import Sandbox
from civicmall.payments.channels.sandbox_mandates import AgreementChoice, SandboxAgreement
from civicmall.payments.errors import (
    AgreementClosed,
    BadMandate,
    ChannelCannotDebit,
    MandateExists,
    MandateMovedOn,
    NoSuchBeneficiary,
    NoSuchChannel,
    NoSuchMandate,
    TooManyMandates,
)
from civicmall.shops import NoSuchApp, NoSuchShop

from . import service
from .models import Mandate, MandateCount, MandateDetail, NewMandate


class AtAgreement(Struct, frozen=True, forbid_unknown_fields=True):
    """What to do at the sandbox's bank; `token` came with the link `confirm_url`."""

    token: str
    choice: AgreementChoice = "sign"


class MandateCounts(Struct, frozen=True):
    """App by app."""

    items: list[MandateCount]
    next: str | None = None


@post(
    "/mandates",
    opt=identity.acting.PAY,
    responses=problems(
        KeyMissing, KeyReused, KeyRunning, NoSuchChannel, ChannelCannotDebit, BadMandate,
        NoSuchBeneficiary, MandateExists, TooManyMandates, NoSuchShop, NoSuchApp, gate.ConsentNeeded,
        gate.LevelTooLow, gate.ShopRefused, gate.ShopBadAnswer, gate.ShopFailed,
        gate.ShopMaintenance, gate.ShopUnavailable, gate.ShopTimeout, gate.TooManyCalls,
    ),
    summary="Let an app's bills be debited, within caps",
)  # fmt: skip
async def make(
    data: JSONBody[NewMandate],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    channels: NamedDependency[Channels],
    lang: NamedDependency[str],
) -> Mandate:
    return await service.make(house, gateway, channels, caller, idempotency_key, data, lang)


@get("/mandates", responses=problems(), summary="My mandates, newest first")
async def mandates(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    limit: Limit = 20,
    after: After = None,
) -> Page[Mandate]:
    key = decode_cursor(after, UUID)
    before = None if key is None else key[0]
    rows = await service.mandates(house, caller.citizen_id, before, limit)
    return page(rows, limit, lambda m: (m.id,))


@get(
    "/mandates/{mandate_id:uuid}",
    responses=problems(NoSuchMandate),
    summary="One mandate and its debits, newest first",
)
async def mandate(
    mandate_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
    lang: NamedDependency[str],
    limit: Limit = 20,
    after: After = None,
) -> MandateDetail:
    key = decode_cursor(after, UUID)
    before = None if key is None else key[0]
    return await service.mandate(
        house, channels, caller.citizen_id, mandate_id, lang, before, limit
    )


@post(
    "/mandates/{mandate_id:uuid}/pause",
    opt=identity.acting.PAY,
    status_code=HTTP_200_OK,
    responses=problems(NoSuchMandate, MandateMovedOn),
    summary="Debit nothing for the time being",
)
async def pause(
    mandate_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
) -> Mandate:
    return await service.change(house, channels, caller.citizen_id, mandate_id, "pause")


@post(
    "/mandates/{mandate_id:uuid}/resume",
    opt=identity.acting.PAY,
    status_code=HTTP_200_OK,
    responses=problems(NoSuchMandate, MandateMovedOn),
    summary="Debit again; what was stopped is announced anew",
)
async def resume(
    mandate_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
) -> Mandate:
    return await service.change(house, channels, caller.citizen_id, mandate_id, "resume")


@post(
    "/mandates/{mandate_id:uuid}/revoke",
    opt=identity.acting.PAY,
    status_code=HTTP_200_OK,
    responses=problems(NoSuchMandate, MandateMovedOn),
    summary="Debit nothing any more, from this moment on",
)
async def revoke(
    mandate_id: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    channels: NamedDependency[Channels],
) -> Mandate:
    return await service.change(house, channels, caller.citizen_id, mandate_id, "revoke")


@get("/mandates", responses=problems(), summary="How many mandates there are, app by app")
async def counts(house: NamedDependency[House]) -> MandateCounts:
    return MandateCounts(await service.counts(house))


@post(
    "/sandbox/agreements/{mandate_id:uuid}",
    status_code=HTTP_200_OK,
    responses=problems(AgreementClosed, NotFound),
    summary="Do at the sandbox's bank what a payer would, or let its account behave",
)
async def agreement(
    mandate_id: FromPath[UUID], data: JSONBody[AtAgreement], house: NamedDependency[House]
) -> SandboxAgreement:
    return await Sandbox(house).choose_agreement(mandate_id, data.token, data.choice)


routers = [
    Router(
        "/v1",
        route_handlers=[make, mandates, mandate, pause, resume, revoke],
        guards=[citizen_only],
        tags=["payments"],
    ),
    Router("/v1/desk", route_handlers=[counts], guards=[overseer_only], tags=["desk"]),
    Router("/v1", route_handlers=[agreement], guards=[sandbox_only], tags=["sandbox"]),
]
