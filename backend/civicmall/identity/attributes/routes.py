"""Doors to what is known of a citizen, and out of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from civicmall.identity.acting import SELF, by
from civicmall.identity.errors import (
    BadDeclaration,
    CodeUsedUp,
    NotAllowed,
    ReasonNeeded,
    SignInAgain,
    TooManyCodes,
    WrongCode,
)
from civicmall.identity.guards import citizen_only, staff_only, working_only
from civicmall.identity.known import AttributeView, LifeEvent, NewEvent
from civicmall.identity.models import Caller, CodeSent, Declaration, Profile, Staff
from civicmall.identity.reading import OpenAsk, Opened
from civicmall.identity.tokens import Tokens
from civicmall.kernel.db import Pool
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
from civicmall.kernel.personal import Personal

from . import disputes, leaving, life, service, takeout, words
from .errors import (
    BadEvent,
    DeletionUnderWay,
    DisputeAnswered,
    NoSuchAttribute,
    NoSuchDispute,
    NoSuchEvent,
    NothingToDispute,
    NotYetFree,
    RegisterStands,
    TooManyEvents,
)
from .models import (
    AnsweredDispute,
    DeskDispute,
    DisputeAnswer,
    LeaveAsk,
    Leaving,
    Objection,
    OpenDispute,
    Shown,
)

Waiting = Annotated[bool, QueryParameter(description="Only those that nobody has answered.")]
Source = Annotated[
    str, QueryParameter(min_length=2, max_length=40, pattern=r"^[a-z][a-z0-9_]{1,39}$")
]


@get("/facts", responses=problems(NotFound), summary="What is known of me, by whom, since when")
async def facts(
    caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Page[AttributeView]:
    return Page(await service.attributes(house, caller.citizen_id), None)


@put(
    "/facts",
    responses=problems(BadDeclaration, NotFound),
    summary="Tell facts about myself",
)
async def declare(
    data: JSONBody[Declaration], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Profile:
    return await service.declare(house, caller.citizen_id, data.facts, by=by(caller))


@put(
    "/facts/{name:str}/recommendation",
    responses=problems(NoSuchAttribute),
    status_code=HTTP_204_NO_CONTENT,
    summary="Whether recommendations may look at a fact",
)
async def switch(
    name: FromPath[str],
    data: JSONBody[Shown],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> None:
    await service.switch(house, caller.citizen_id, name, recommend=data.recommend, by=by(caller))


@put(
    "/facts/{name:str}/objection",
    responses=problems(NoSuchAttribute, NothingToDispute, NotFound),
    status_code=HTTP_204_NO_CONTENT,
    summary="Say that what somebody attests of me is wrong",
)
async def dispute(
    name: FromPath[str],
    data: JSONBody[Objection],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> None:
    await service.dispute(house, caller.citizen_id, name, data, by=by(caller))


@delete(
    "/facts/{name:str}/objection",
    responses=problems(NoSuchAttribute),
    summary="Take an objection back",
)
async def take_back_dispute(
    name: FromPath[str],
    source: Source,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> None:
    await service.take_back_dispute(house, caller.citizen_id, name, source, by=by(caller))


@get("/facts/objections", responses=problems(), summary="What became of my objections")
async def answered_disputes(
    caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Page[AnsweredDispute]:
    return Page(await disputes.answers(house, caller.citizen_id), None)


@get("/events", responses=problems(NotFound), summary="What happened in my life")
async def events(caller: NamedDependency[Caller], house: NamedDependency[House]) -> Page[LifeEvent]:
    return Page(await life.events(house, caller.citizen_id), None)


@post(
    "/events",
    responses=problems(BadEvent, TooManyEvents, KeyMissing, KeyReused, KeyRunning),
    summary="Tell what happened in my life",
)
async def add_event(
    data: JSONBody[NewEvent],
    key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> LifeEvent:
    return await life.add(house, caller.citizen_id, key, data, by=by(caller))


@put(
    "/events/{event:uuid}",
    responses=problems(BadEvent, NoSuchEvent),
    summary="Correct what I told",
)
async def change_event(
    event: FromPath[UUID],
    data: JSONBody[NewEvent],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> LifeEvent:
    return await life.change(house, caller.citizen_id, event, data, by=by(caller))


@delete(
    "/events/{event:uuid}",
    responses=problems(NoSuchEvent),
    summary="Remove what I told, and what followed from it",
)
async def remove_event(
    event: FromPath[UUID], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> None:
    await life.remove(house, caller.citizen_id, event, by=by(caller))


@get(
    "/export",
    responses=problems(SignInAgain),
    opt=SELF,
    media_type="application/zip",
    summary="Everything about me in one file",
)
async def export(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    personal: NamedDependency[tuple[Personal, ...]],
) -> Stream:
    return Stream(
        await takeout.begin(house, personal, caller),
        media_type="application/zip",
        headers=takeout.HEADERS,
    )


@get(
    "/deletion",
    responses=problems(),
    opt=SELF,
    summary="What is in the way of leaving, and what would be kept",
)
async def before_leaving(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    personal: NamedDependency[tuple[Personal, ...]],
    lang: NamedDependency[str],
) -> Leaving:
    found = await leaving.in_the_way(house, personal, caller.citizen_id)
    return Leaving(found, words.kept(lang))


@post(
    "/deletion/code",
    responses=problems(TooManyCodes, NotAllowed, NotFound),
    opt=SELF,
    status_code=HTTP_202_ACCEPTED,
    summary="Send the code that deleting my account asks for",
)
async def deletion_code(
    caller: NamedDependency[Caller], house: NamedDependency[House], lang: NamedDependency[str]
) -> CodeSent:
    return await leaving.ask_code(house, caller, lang)


@post(
    "/deletion",
    responses=problems(NotYetFree, WrongCode, CodeUsedUp, DeletionUnderWay, NotAllowed, NotFound),
    opt=SELF,
    status_code=HTTP_202_ACCEPTED,
    summary="Delete my account and what is known of me",
)
async def leave(
    data: JSONBody[LeaveAsk],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    personal: NamedDependency[tuple[Personal, ...]],
) -> None:
    await leaving.leave(house, tokens, personal, caller, data.code)


@get("/disputes", responses=problems(NotAllowed), summary="Objections to what a department attests")
async def desk_disputes(
    staff: NamedDependency[Staff],
    db: NamedDependency[Pool],
    waiting: Waiting = False,  # noqa: FBT002 (a query parameter has a name)
    limit: Limit = 50,
    after: After = None,
) -> Page[DeskDispute]:
    key: Any = decode_cursor(after, UUID)
    rows = await disputes.some(db, staff.shop, key and key[0], limit, waiting=waiting)
    return page(rows, limit, lambda one: (one.id,))


@post(
    "/disputes/{dispute:uuid}/opening",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchDispute, NotAllowed),
    summary="Open an objection, and say why; the citizen sees it",
)
async def open_dispute(
    dispute: FromPath[UUID],
    data: JSONBody[OpenAsk],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> Opened:
    return await disputes.open_one(house, staff, dispute, data)


@get(
    "/disputes/{dispute:uuid}",
    responses=problems(NoSuchDispute, ReasonNeeded, NotAllowed),
    summary="An objection that I opened",
)
async def desk_dispute(
    dispute: FromPath[UUID], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> OpenDispute:
    return await disputes.one(house, staff, dispute)


@post(
    "/disputes/{dispute:uuid}/answer",
    status_code=HTTP_204_NO_CONTENT,
    responses=problems(NoSuchDispute, ReasonNeeded, RegisterStands, DisputeAnswered, NotAllowed),
    summary="Answer an objection that I opened: keep what was attested, or withdraw it",
)
async def answer_dispute(
    dispute: FromPath[UUID],
    data: JSONBody[DisputeAnswer],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> None:
    await disputes.answer(house, staff, dispute, data)


routers = [
    Router(
        "/v1/me",
        route_handlers=[
            facts, declare, switch, dispute, take_back_dispute, answered_disputes, events, add_event, change_event, remove_event,
            export, before_leaving, deletion_code, leave,
        ],
        guards=[citizen_only],
        tags=["me"],
    ),
    Router("/v1/desk", route_handlers=[desk_disputes], guards=[staff_only], tags=["desk"]),
    Router(
        "/v1/desk",
        route_handlers=[open_dispute, desk_dispute, answer_dispute],
        guards=[working_only],
        tags=["desk"],
    ),
]  # fmt: skip
