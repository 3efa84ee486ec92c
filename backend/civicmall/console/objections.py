"""The page of citizens' objections to who read their data; an operator answers each."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Literal
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from civicmall import identity
from civicmall.kernel import i18n
from civicmall.kernel.errors import NotFound
from civicmall.kernel.http import decode_cursor
from civicmall.kernel.http import page as page_of

from . import words
from .desk import UNTOUCHED, Desk, acted, go
from .forms import PAGE, Cursor, Web, id_of, query, read
from .refuse import Html

HOME: Final = "/console/reading-objections"
TOLD: Final = (identity.SecondOperatorNeeded,)
CLIENT: Final = "client:"


class Filter(Struct, frozen=True):
    """Those that wait, or those that are answered."""

    answered: Literal["1"] | None = None
    after: Cursor | None = None


@get("/reading-objections")
async def objection_list(request: Web, operator: NamedDependency[Desk]) -> Html:
    done = words.OBJECTION_DONE.get(request.query_params.get("done", ""))
    return await _list(operator, done=done)


async def _list(desk: Desk, *, status: int = 200, at: UUID | None = None, **values: Any) -> Html:
    asked = query(desk.request, Filter)
    key: Any = decode_cursor(asked.after, UUID)
    rows = await identity.objections.waiting(
        desk.house, desk.staff, key and key[0], PAGE, answered=asked.answered is not None
    )
    found = page_of(rows, PAGE, lambda one: (one.id,))
    return desk.page(
        "reading_objections.html", status=status, found=found, asked=asked, at=at,
        whose={one.id: _who(desk, one) for one in rows}, **{**UNTOUCHED, **values},
    )  # fmt: skip


def _who(desk: Desk, one: identity.objections.DeskObjection) -> str:
    """Who did the reading: an app and its shop, a client, or a member of staff by role."""
    if one.staff is not None:
        role = i18n.translate(desk.lang, words.ROLES[one.staff.role])
        return f"{role} · {desk.shop_name(one.staff.shop)}" if one.staff.shop else role
    shop, _, app = one.reader.partition("/")
    if not app:
        return one.reader.removeprefix(CLIENT)
    return f"{desk.app_name(shop, app)} · {desk.shop_name(shop)}"


@post("/reading-objections/{objection:str}/answer")
async def answer(request: Web, objection: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    objection_id = id_of(objection, NotFound)

    async def act() -> None:
        said = await read(request, identity.objections.Answering)
        await identity.objections.answer(operator.house, operator.staff, objection_id, said.text)

    show = partial(_list, operator, at=objection_id)
    return await acted(request, HOME, "answer", act(), show, told=TOLD)


@get("/reading-objections/{objection:str}/answer")
async def objection_left(request: Web, objection: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    id_of(objection, NotFound)
    return go(request, HOME)


handlers = [objection_list, answer, objection_left]
