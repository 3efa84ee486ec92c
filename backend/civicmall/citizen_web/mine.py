"""A citizen takes their data along, or deletes their account."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Stream

from civicmall import identity
from civicmall.identity import Caller, CodeUsedUp, Tokens, TooManyCodes, WrongCode
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.kernel.personal import Personal

from . import forms
from .reader import Reader, Web
from .refuse import router as pages_router

Rooms = tuple[Personal, ...]
DELETION = "/me/deletion"


@get("/me/data", opt=identity.acting.SELF)
async def data(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    fresh = await identity.recently(house.db, caller.session_id)
    return await reader.page("data.html", fresh=fresh)


@get("/me/data/my-data.zip", opt=identity.acting.SELF)
async def download(
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    personal: NamedDependency[Rooms],
) -> Stream:
    return Stream(
        await identity.attributes.takeout.begin(house, personal, caller),
        media_type="application/zip",
        headers=identity.attributes.takeout.HEADERS,
    )


async def _page(
    reader: Reader,
    house: House,
    personal: Rooms,
    caller: Caller,
    *,
    sent: bool = False,
    error: str = "",
    status: int = 200,
) -> Response[bytes]:
    leaving = identity.attributes.leaving
    return await reader.page(
        "deletion.html",
        status=status,
        open=await leaving.in_the_way(house, personal, caller.citizen_id),
        kept=identity.attributes.words.kept(reader.lang),
        sent=sent,
        error=error,
    )


@get(DELETION, opt=identity.acting.SELF)
async def deleting(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    personal: NamedDependency[Rooms],
) -> Response[bytes]:
    return await _page(reader, house, personal, caller)


@post("/me/deletion/code", opt=identity.acting.SELF)
async def send_code(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    personal: NamedDependency[Rooms],
) -> Response[bytes]:
    try:
        await identity.attributes.leaving.ask_code(house, caller, reader.lang)
    except TooManyCodes as refusal:
        error = reader.t(refusal.title)
        return await _page(reader, house, personal, caller, error=error, status=refusal.status)
    return await _page(reader, house, personal, caller, sent=True)


@post(DELETION, opt=identity.acting.SELF)
async def delete(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    personal: NamedDependency[Rooms],
) -> Response[bytes]:
    try:
        said = await forms.read(request, forms.Code)
        await identity.attributes.leaving.leave(house, tokens, personal, caller, said.code)
    except BadRequest:
        error = reader.t("Write the six digits of the code.")
        return await _page(reader, house, personal, caller, sent=True, error=error, status=422)
    except WrongCode as refusal:
        error = reader.t("That code is not right. Tries left: {n}", n=refusal.extra["tries_left"])
        return await _page(reader, house, personal, caller, sent=True, error=error, status=422)
    except CodeUsedUp:
        error = reader.t("Ask for a new code; the last one is over.")
        return await _page(reader, house, personal, caller, error=error, status=422)
    reader.cookie(*identity.cookies(house, "citizen", None))
    return reader.go("/", "account_deleted")


router = pages_router(data, download, deleting, send_code, delete)
