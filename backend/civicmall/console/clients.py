"""The page of the clients that sign citizens in here: drafted by one operator, approved by another."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from civicmall import identity
from civicmall.identity import SecondOperatorNeeded
from civicmall.kernel.errors import BadRequest

from .desk import UNTOUCHED, Desk, acted, go
from .forms import Web, read
from .refuse import Html

HOME: Final = "/console/clients"
DONE: Final = {
    "draft": "Drafted; another operator approves it.",
    "approve": "The client is in force.",
    "retire": "The client has ended.",
}
TOLD: Final = (
    identity.provider.errors.UnfitClient, identity.provider.errors.NoSuchClient, SecondOperatorNeeded,
)  # fmt: skip


class Drafting(Struct, frozen=True):
    """A registration as docs/partner-app.md shows one, in JSON."""

    registration: Annotated[str, Meta(max_length=60_000)]


class Approving(Struct, frozen=True):
    """The version that was looked at."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]


@get("/clients")
async def client_list(request: Web, operator: NamedDependency[Desk]) -> Html:
    return await _list(operator, done=DONE.get(request.query_params.get("done", "")))


@post("/clients/draft")
async def draft(request: Web, operator: NamedDependency[Desk]) -> Html:
    async def act() -> None:
        said = await read(request, Drafting)
        try:
            ask = msgspec.json.decode(said.registration, type=identity.provider.Registration)
        except msgspec.MsgspecError as error:
            raise BadRequest(field="registration") from error
        await identity.provider.registering.draft(operator.house, operator.staff.staff_id, ask)

    return await acted(request, HOME, "draft", act(), partial(_list, operator), told=TOLD)


@post("/clients/{client_id:str}/approve")
async def approve(request: Web, client_id: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    async def act() -> None:
        version = (await read(request, Approving)).version
        by = operator.staff.staff_id
        await identity.provider.registering.approve(operator.house, by, client_id, version)

    return await acted(request, HOME, "approve", act(), partial(_list, operator), told=TOLD)


@post("/clients/{client_id:str}/retire")
async def retire(request: Web, client_id: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    act = identity.provider.registering.retire(operator.house, operator.staff.staff_id, client_id)
    return await acted(request, HOME, "retire", act, partial(_list, operator), told=TOLD)


@post("/clients/{client_id:str}/secret")
async def secret(client_id: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    """The one page that shows it; nobody keeps it."""
    by = operator.staff.staff_id
    made = await identity.provider.registering.new_secret(operator.house, by, client_id)
    return await _list(operator, made=made)


@get(["/clients/draft", "/clients/{client_id:str}/approve", "/clients/{client_id:str}/retire",
      "/clients/{client_id:str}/secret"])  # fmt: skip
async def form_left(request: Web) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, HOME)


async def _list(desk: Desk, *, status: int = 200, **values: Any) -> Html:
    found = await identity.provider.registering.listed(desk.house.db)
    return desk.page(
        "clients.html", status=status, found=found, **{"made": None, **UNTOUCHED, **values}
    )


handlers = [client_list, draft, approve, retire, secret, form_left]
