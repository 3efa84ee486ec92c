"""Doors of the inbox."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK

from civicmall.identity import Caller, citizen_only
from civicmall.kernel.db import Pool
from civicmall.kernel.house import House
from civicmall.kernel.http import After, Limit, Page, problems

from . import service
from .errors import NoSuchMessage
from .models import Message, ReadAll, Unread

UnreadOnly = Annotated[bool, QueryParameter(description="Only what hasn't been read.")]


@get("/", responses=problems(), summary="My messages, newest first")
async def messages(
    caller: NamedDependency[Caller],
    db: NamedDependency[Pool],
    lang: NamedDependency[str],
    unread: UnreadOnly = False,  # noqa: FBT002 (a query parameter has a name)
    limit: Limit = 20,
    after: After = None,
) -> Page[Message]:
    return await service.messages(
        db, caller.citizen_id, lang, unread_only=unread, limit=limit, after=after
    )


@get("/unread", responses=problems(), summary="How many messages wait to be read")
async def unread(caller: NamedDependency[Caller], db: NamedDependency[Pool]) -> Unread:
    return await service.unread(db, caller.citizen_id)


@post(
    "/{message:uuid}/read",
    status_code=HTTP_200_OK,
    responses=problems(NoSuchMessage),
    summary="Mark a message as read",
)
async def read(
    message: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    lang: NamedDependency[str],
) -> Message:
    return await service.read(house, caller.citizen_id, message, lang)


@post("/read", status_code=HTTP_200_OK, responses=problems(), summary="Mark everything as read")
async def read_all(caller: NamedDependency[Caller], house: NamedDependency[House]) -> ReadAll:
    return await service.read_all(house, caller.citizen_id)


routers = [
    Router(
        "/v1/inbox",
        route_handlers=[messages, unread, read, read_all],
        guards=[citizen_only],
        tags=["inbox"],
    )
]
