"""The inbox as pages."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import inbox
from civicmall.identity import Caller
from civicmall.kernel.house import House

from . import rules
from .reader import Reader
from .refuse import router as pages_router

SHOWN = 20
After = Annotated[str | None, QueryParameter(max_length=400, required=False)]


@get("/inbox")
async def messages(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    after: After = None,
) -> Response[bytes]:
    found = await inbox.messages(house.db, caller.citizen_id, reader.lang, limit=SHOWN, after=after)
    return await reader.page("inbox.html", messages=found)


@get("/inbox/{message:uuid}")
async def opened(
    message: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    """Opening a message marks it as read, and leads to what it tells of."""
    found = await inbox.read(house, caller.citizen_id, message, reader.lang)
    return reader.go(rules.local(found.link))


@post("/inbox/read")
async def read_all(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    await inbox.read_all(house, caller.citizen_id)
    return reader.go("/inbox", "all_read")


router = pages_router(messages, opened, read_all)
