"""Pages of staff's accounts, and of looking citizens up: what two operators do together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal, cast
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from civicmall import identity
from civicmall.identity import Tokens
from civicmall.kernel import web
from civicmall.kernel.errors import BadRequest, NotFound
from civicmall.kernel.http import decode_cursor
from civicmall.kernel.http import page as page_of

from . import words
from .desk import UNTOUCHED, Desk, acted, go
from .forms import PAGE, Paged, Web, id_of, query, read
from .refuse import Html

STAFF: Final = "/console/staff"
CITIZENS: Final = "/console/citizens"
TOLD: Final = (identity.SecondOperatorNeeded, identity.NoSuchStaff)


@get("/staff")
async def staff_list(request: Web, overseer: NamedDependency[Desk]) -> Html:
    return await _staff(overseer, done=words.STAFF_DONE.get(request.query_params.get("done", "")))


async def _staff(desk: Desk, *, status: int = 200, **values: Any) -> Html:
    key = decode_cursor(query(desk.request, Paged).after, str)
    rows = await identity.work.accounts.some(desk.house.db, key[0] if key else None, PAGE)
    found = page_of(rows, PAGE, lambda one: (one.username,))
    waiting = await identity.work.resets.waiting(desk.house, desk.staff)
    return desk.page(
        "staff.html", status=status, found=found, waiting=waiting, **{**UNTOUCHED, **values}
    )


class Named(Struct, frozen=True):
    """Whose account a form is about."""

    username: Annotated[str, Meta(min_length=1, max_length=80)]


class NamedReset(identity.work.ResetAsk, frozen=True):
    """The same with the reason."""

    username: Annotated[str, Meta(min_length=1, max_length=80)] = ""


@post("/staff/disable")
async def disable(
    request: Web, operator: NamedDependency[Desk], tokens: NamedDependency[Tokens]
) -> Html:
    async def act() -> None:
        said = await read(request, Named)
        await identity.work.accounts.disable(operator.house, tokens, said.username, operator.staff)

    return await _acted(request, operator, "disable", act())


@post("/staff/reset")
async def ask_reset(request: Web, operator: NamedDependency[Desk]) -> Html:
    async def act() -> None:
        said = await read(request, NamedReset)
        await identity.work.resets.ask(operator.house, operator.staff, said.username, said.reason)

    return await _acted(request, operator, "reset", act())


@post("/staff/resets/{reset:str}/approve")
async def approve_reset(
    request: Web, reset: FromPath[str], operator: NamedDependency[Desk],
    tokens: NamedDependency[Tokens],
) -> Html:  # fmt: skip
    act = identity.work.resets.approve(
        operator.house, tokens, operator.staff, id_of(reset, NotFound)
    )
    return await _acted(request, operator, "approve", act)


@post("/staff/resets/{reset:str}/decline")
async def decline_reset(
    request: Web, reset: FromPath[str], operator: NamedDependency[Desk]
) -> Html:
    act = identity.work.resets.decline(operator.house, operator.staff, id_of(reset, NotFound))
    return await _acted(request, operator, "decline", act)


async def _acted(request: Web, desk: Desk, form: str, act: Any) -> Html:
    async def show(**values: Any) -> Html:
        return await _staff(desk, **values)

    return await acted(request, STAFF, form, act, show, told=TOLD)


@get(["/staff/disable", "/staff/reset", "/staff/resets/{reset:str}/approve",
      "/staff/resets/{reset:str}/decline"])  # fmt: skip
async def staff_left(request: Web) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, STAFF)


@get("/citizens")
async def lookup_list(request: Web, operator: NamedDependency[Desk]) -> Html:
    return await _lookups(
        operator, done=words.LOOKUP_DONE.get(request.query_params.get("done", ""))
    )


async def _lookups(desk: Desk, *, status: int = 200, **values: Any) -> Html:
    key: Any = decode_cursor(query(desk.request, Paged).after, datetime, UUID)
    rows = await identity.reading.some(desk.house, desk.staff, key, PAGE)
    found = page_of(rows, PAGE, lambda one: (one.asked_at, one.id))
    return desk.page("citizens.html", status=status, found=found, **{**UNTOUCHED, **values})


@post("/citizens")
async def ask_lookup(request: Web, operator: NamedDependency[Desk]) -> Html:
    async def act() -> None:
        said = {k: v.strip() for k, v in await web.fields(request) if v.strip()}
        whom = said.pop("whom", "").upper()
        said["phone" if len(whom) == 11 else "id_number"] = whom  # noqa: PLR2004 (a phone's digits)
        try:
            ask = msgspec.convert(said, identity.reading.LookupAsk)
        except msgspec.ValidationError as error:
            raise BadRequest(field="whom") from error
        await identity.reading.ask(operator.house, operator.staff, ask)

    async def show(**values: Any) -> Html:
        return await _lookups(operator, **values)

    return await acted(request, CITIZENS, "ask", act(), show)


def _deciding(decision: Literal["approve", "decline"]) -> Callable[..., Any]:
    """The address that a decision's form is sent to."""

    @post(f"/citizens/{{lookup:str}}/{decision}", name=f"console-lookup-{decision}")
    async def decide(request: Web, lookup: FromPath[str], operator: NamedDependency[Desk]) -> Html:
        lookup_id = id_of(lookup, identity.NoSuchLookup)

        async def act() -> None:
            await identity.reading.decide(
                operator.house, operator.staff, lookup_id, yes=decision == "approve"
            )

        async def show(**values: Any) -> Html:
            return await _lookups(operator, **values)

        return await acted(request, CITIZENS, decision, act(), show, told=TOLD)

    return cast("Callable[..., Any]", decide)


class Clear(Struct, frozen=True):
    """One claim to show in clear; none: all masked."""

    claim: Literal["phone", "name", "id_number"] | None = None


@post("/citizens/{lookup:str}/look", name="console-lookup-look")
async def look(request: Web, lookup: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    """A form and no link: each look leaves a line that the citizen sees."""
    said = await read(request, Clear)
    lookup_id = id_of(lookup, identity.NoSuchLookup)
    claims: list[identity.reading.Claim] | None = [said.claim] if said.claim else None
    found: identity.reading.Found = await identity.reading.look(
        operator.house, operator.staff, lookup_id, claims
    )
    return operator.page("citizen.html", found=found, lookup=lookup_id, clear=said.claim)


@get(["/citizens/{lookup:str}/look", "/citizens/{lookup:str}/approve",
      "/citizens/{lookup:str}/decline"])  # fmt: skip
async def lookup_left(request: Web, lookup: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    id_of(lookup, identity.NoSuchLookup)
    return go(request, CITIZENS)


handlers = [
    staff_list, disable, ask_reset, approve_reset, decline_reset, staff_left, lookup_list, ask_lookup,
    _deciding("approve"), _deciding("decline"), look, lookup_left,
]  # fmt: skip
