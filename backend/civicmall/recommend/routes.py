"""Doors of the home."""

from __future__ import annotations

from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from civicmall.catalogue import Catalogue, NoSuchItem
from civicmall.gateway import Gateway
from civicmall.identity import Caller, citizen_only
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import problems
from civicmall.shops import Registry

from . import service
from .errors import WrongSnooze
from .models import Feedback, FeedbackAsk, Home, Settings


@get("/", responses=problems(NotFound), summary="What my life calls for now, and what I owe")
async def home(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    lang: NamedDependency[str],
    catalogue: NamedDependency[Catalogue],
    registry: NamedDependency[Registry],
    gateway: NamedDependency[Gateway],
) -> Home:
    return await service.home(house, catalogue, registry, gateway, caller, lang)


@post(
    "/cards/{item:str}/feedback",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchItem, WrongSnooze),
    summary="Dismiss or snooze a card, or say that it isn't for me",
)
async def give_feedback(
    item: FromPath[str],
    data: JSONBody[FeedbackAsk],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    catalogue: NamedDependency[Catalogue],
) -> Feedback:
    return await service.give_feedback(house, catalogue, caller.citizen_id, item, data)


@delete("/cards/{item:str}/feedback", responses=problems(), summary="Take back what I said")
async def take_back_feedback(
    item: FromPath[str], caller: NamedDependency[Caller], db: NamedDependency[Pool]
) -> None:
    await service.take_back_feedback(db, caller.citizen_id, item)


@get("/settings", responses=problems(), summary="Whether I get recommendations")
async def settings(caller: NamedDependency[Caller], db: NamedDependency[Pool]) -> Settings:
    return await service.settings(db, caller.citizen_id)


@put("/settings", responses=problems(), summary="Switch recommendations on or off")
async def change_settings(
    data: JSONBody[Settings], caller: NamedDependency[Caller], db: NamedDependency[Pool]
) -> Settings:
    return await service.change_settings(db, caller.citizen_id, data)


router = Router(
    "/v1/home",
    route_handlers=[home, give_feedback, take_back_feedback, settings, change_settings],
    guards=[citizen_only],
    tags=["home"],
)
