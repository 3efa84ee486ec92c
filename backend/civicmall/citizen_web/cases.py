"""One's applications: where each stands, what is missing, what came of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import cases as room
from civicmall import identity, ratings
from civicmall.cases import Case, NewSupplement, NotNow, WithdrawalRefused
from civicmall.gateway import FormRefused, Gateway
from civicmall.identity import Caller
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.shops import Registry
from shopkit.contract import ApplyForm

from . import apply, drawing, filled, views, words
from .filled import Sent
from .reader import Reader, Web
from .refuse import router as pages_router

SHOWN = 20
After = Annotated[str | None, QueryParameter(max_length=400, required=False)]


@get("/cases")
async def cases(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    registry: NamedDependency[Registry],
    after: After = None,
) -> Response[bytes]:
    shops = identity.acting.limits(caller.actor)
    found = await room.mine(
        db, caller.citizen_id, reader.lang, limit=SHOWN, after=after, shops=shops
    )
    names = views.app_names(registry, reader.lang)
    return await reader.page("cases.html", cases=found, names=names)


async def _page(
    reader: Reader,
    caller: Caller,
    gateway: Gateway,
    registry: Registry,
    found: Case,
    *,
    form: ApplyForm | None = None,
    sent: Sent | None = None,
    kept: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[bytes]:
    """A case; with the form to supplement it, if it waits for that: `form`, where it is at hand."""
    wrong, one = errors or {}, found.case
    if "supplement" not in found.may:
        form = None
    elif form is None:
        form = await _form(reader, caller, gateway, found)
    more: dict[str, Any] = {"fields": [], "papers": [], "others": []}
    if form is not None:
        more = apply.drawn(
            form, reader.lang, sent=sent, kept=kept or {}, errors=wrong, optional=True
        )
    subject = ratings.Subject("case", one.id)
    return await reader.page(
        "case.html",
        status=422 if wrong else 200,
        found=found,
        one=one,
        state=words.CASES[one.state],
        name=views.app_names(registry, reader.lang).get(f"{one.shop}/{one.app}"),
        rating=await ratings.rating_of(reader.house.db, caller, subject, reader.lang),
        form=form,
        actors=await identity.delegation.names(
            reader.house, {line.acted_by for line in found.timeline if line.acted_by}
        ),
        **more,
    )


async def _form(reader: Reader, caller: Caller, gateway: Gateway, found: Case) -> ApplyForm | None:
    """The form that a supplement is filled in by; None while the department doesn't answer."""
    try:
        return await room.form_of(gateway, caller, found, reader.lang)
    except Problem:
        return None


@get("/cases/{case:uuid}")
async def case(
    case: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    found = await room.look(house, gateway, caller, case, reader.lang)
    return await _page(reader, caller, gateway, registry, found)


@post("/cases/{case:uuid}/supplement", request_max_body_size=apply.BODY_MAX)
async def supplement(
    case: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    with room.uploading(caller.citizen_id):
        sent = await filled.read(request)
    filled.nonce(sent)
    found = await room.look(house, gateway, caller, case, reader.lang)
    if "supplement" not in found.may:
        return reader.go(f"/cases/{case}", "case_moved_on")
    form = await room.form_of(gateway, caller, found, reader.lang)
    kept, wrong = await apply.keep(
        house, caller, reader, sent, [one.code for one in form.materials]
    )
    values = drawing.values(form.schema, sent.typed, optional=True)
    wrong |= filled.faults(reader, msgspec.structs.replace(form.schema, required=[]), values)
    if not values and not kept and not wrong:
        wrong = {"$": reader.t("Fill in a field or choose a file.")}
    if not wrong:
        ask = NewSupplement(values, apply.refs(kept))
        try:
            await room.supplement(
                house, gateway, caller, filled.key(sent, case, ask), case, ask, reader.lang
            )
        except FormRefused as problem:
            wrong = filled.refused(reader, problem)
            found = await room.look(house, gateway, caller, case, reader.lang)
        except NotNow:
            return reader.go(f"/cases/{case}", "case_moved_on")
        else:
            return reader.go(f"/cases/{case}", "supplemented")
    return await _page(
        reader, caller, gateway, registry, found, form=form, sent=sent, kept=kept, errors=wrong
    )


@post("/cases/{case:uuid}/withdraw")
async def withdraw(
    case: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
) -> Response[bytes]:
    try:
        await room.withdraw(house, gateway, caller, case, reader.lang)
    except NotNow:
        return reader.go(f"/cases/{case}", "case_moved_on")
    except WithdrawalRefused:
        return reader.go(f"/cases/{case}", "not_withdrawn")
    return reader.go(f"/cases/{case}", "withdrawn")


router = pages_router(cases, case, supplement, withdraw)
