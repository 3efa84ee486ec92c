"""What is known of a citizen, by whom and since when; what they tell, switch off and object to."""

from __future__ import annotations

import secrets
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import identity
from civicmall.catalogue import Catalogue
from civicmall.identity import Caller
from civicmall.kernel.house import House
from civicmall.kernel.i18n import pick
from civicmall.shops import Registry

from . import forms, rules, views
from .reader import Reader, Web
from .refuse import router as pages_router

FACTS = "/me/facts"
EVENTS = "/me/events"


@get(FACTS, opt=identity.acting.VIEW)
async def facts(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    catalogue: NamedDependency[Catalogue],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    known = await identity.attributes.service.attributes(house, caller.citizen_id)
    profile = identity.profile(house, await identity.row(house.db, caller.citizen_id))
    return await reader.page(
        "facts.html",
        known=views.known(catalogue, registry, known, reader.lang),
        answers=[
            (
                pick(catalogue.vocabulary[one.name].label, reader.lang),
                views.source(registry, one.source, reader.lang),
                one,
            )
            for one in await identity.attributes.disputes.answers(house, caller.citizen_id)
            if one.name in catalogue.vocabulary
        ],
        fields=views.fields(catalogue, profile, reader.lang),
    )


@post(FACTS, opt=identity.acting.APPLY)
async def tell(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    catalogue: NamedDependency[Catalogue],
) -> Response[bytes]:
    said = await forms.read(request, forms.Fact)
    attribute = catalogue.vocabulary.get(said.attribute)
    value = rules.fact(attribute.type if attribute else "choice", said.value)
    await identity.declare(
        house, caller.citizen_id, {said.attribute: value}, by=identity.acting.by(caller)
    )
    notice = "forgotten" if value is None else "saved"
    return reader.go(rules.local(said.next or FACTS), notice)


@post("/me/facts/switch", opt=identity.acting.APPLY)
async def switch(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    said = await forms.read(request, forms.FactSwitch)
    on = said.on == "1"
    await identity.attributes.service.switch(
        house, caller.citizen_id, said.attribute, recommend=on, by=identity.acting.by(caller)
    )
    return reader.go(FACTS, "fact_on" if on else "fact_off")


@post("/me/facts/objection", opt=identity.acting.APPLY)
async def dispute(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    said = await forms.read(request, forms.Objection)
    service = identity.attributes.service
    if said.back == "1":
        await service.take_back_dispute(
            house, caller.citizen_id, said.attribute, said.source, by=identity.acting.by(caller)
        )
        return reader.go(FACTS, "objection_back")
    ask = forms.valid({"source": said.source, "words": said.words}, identity.Objection)
    await service.dispute(
        house, caller.citizen_id, said.attribute, ask, by=identity.acting.by(caller)
    )
    return reader.go(FACTS, "objected")


@get(EVENTS, opt=identity.acting.VIEW)
async def events(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    found = await identity.attributes.life.events(house, caller.citizen_id)
    return await reader.page(
        "events.html",
        events=found,
        sources={
            name: views.source(registry, name, reader.lang) for name in {e.source for e in found}
        },
        today=house.clock.today(),
        key=secrets.token_urlsafe(12),
    )


@post(EVENTS, opt=identity.acting.APPLY)
async def add_event(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    said = await forms.read(request, forms.Event)
    ask = forms.valid({"kind": said.kind, "on": said.on}, identity.NewEvent)
    await identity.attributes.life.add(
        house, caller.citizen_id, f"web.{said.key}", ask, by=identity.acting.by(caller)
    )
    return reader.go(EVENTS, "saved")


@post("/me/events/{event:uuid}", opt=identity.acting.APPLY)
async def change_event(
    event: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    said = await forms.read(request, forms.EventChange)
    life = identity.attributes.life
    if said.remove == "1":
        await life.remove(house, caller.citizen_id, event, by=identity.acting.by(caller))
        return reader.go(EVENTS, "forgotten")
    ask = forms.valid({"kind": said.kind, "on": said.on}, identity.NewEvent)
    await life.change(house, caller.citizen_id, event, ask, by=identity.acting.by(caller))
    return reader.go(EVENTS, "saved")


router = pages_router(facts, tell, switch, dispute, events, add_event, change_event)
