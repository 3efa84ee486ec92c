"""Acting for others: who may act for me, for whom I may, and the switch to do so in this browser.

These pages are about who is signed in, whomever they act for meanwhile.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from civicmall import identity
from civicmall.identity import Caller, Tokens
from civicmall.kernel.clock import CITY
from civicmall.kernel.errors import BadRequest, Problem
from civicmall.shops import Registry

from . import forms
from .reader import Reader, Web
from .refuse import router as pages_router

HOME: Final = "/me/delegations"
FAR: Final[dict[str, list[str]]] = {
    "view": ["view"], "apply": ["view", "apply"], "pay": ["view", "apply", "pay"],
}  # fmt: skip
"""What a form's choice gives: each step holds those before it."""


class ChildForm(Struct, frozen=True):
    """A child, as a parent writes it."""

    name: Annotated[str, Meta(max_length=60)]
    id_number: Annotated[str, Meta(max_length=40)]


class EnterpriseForm(Struct, frozen=True):
    """An enterprise, as its representative writes it."""

    name: Annotated[str, Meta(max_length=120)]
    uscc: Annotated[str, Meta(max_length=40)]


class InviteForm(Struct, frozen=True):
    """Whom to ask, and how far it goes. `until` is the last day; empty: until it is ended."""

    key: forms.Nonce
    phone: Annotated[str, Meta(max_length=20)]
    whom: Literal["agent", "principal"]
    far: Literal["view", "apply", "pay"]
    until: Annotated[str, Meta(max_length=10)] = ""
    shops: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=50)] = []


@get(HOME)
async def mine(
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    return await _page(reader, myself, registry)


async def _page(
    reader: Reader,
    myself: Caller,
    registry: Registry,
    refusal: Problem | None = None,
    form: str = "",
    typed: dict[str, str] | None = None,
) -> Response[bytes]:
    """Both lists, and the forms; with the one that was refused why, and what was typed."""
    found = await identity.delegation.mine(reader.house, myself)
    return await reader.page(
        "delegations.html",
        status=refusal.status if refusal else 200,
        held=found.held,
        granted=found.granted,
        shops=registry.views(reader.lang),
        level=myself.level,
        error=_why(reader, refusal),
        form=form,
        typed=typed or {},
    )


def _why(reader: Reader, refusal: Problem | None) -> str:
    return reader.t(refusal.title) if refusal else ""


@get(HOME + "/{delegation_id:uuid}")
async def one(
    delegation_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    return await _agents(reader, myself, registry, delegation_id)


async def _agents(
    reader: Reader, myself: Caller, registry: Registry, of: UUID, refusal: Problem | None = None
) -> Response[bytes]:
    """Who acts for an enterprise, as its legal representative sees it."""
    found = await identity.delegation.agents(reader.house, myself, of)
    known = (await identity.delegation.mine(reader.house, myself)).held
    return await reader.page(
        "delegation_agents.html",
        status=refusal.status if refusal else 200,
        enterprise=next(held for held in known if held.id == of),
        agents=[row for row in found if row.kind == "agent"],
        shops=registry.views(reader.lang),
        error=_why(reader, refusal),
    )


@post(HOME + "/child")
async def child(
    request: Web,
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    said = await forms.read(request, ChildForm)
    number = "".join(said.id_number.split()).upper()
    try:
        ask = forms.valid(
            {"name": said.name.strip(), "id_number": number}, identity.delegation.ChildAsk
        )
        await identity.delegation.child(reader.house, myself, ask)
    except Problem as refusal:
        return await _page(
            reader,
            myself,
            registry,
            refusal,
            "child",
            {"name": said.name, "id_number": said.id_number},
        )
    return reader.go(HOME, "acting_proved")


@post(HOME + "/enterprise")
async def enterprise(
    request: Web,
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    said = await forms.read(request, EnterpriseForm)
    code = "".join(said.uscc.split()).upper()
    try:
        ask = forms.valid(
            {"name": said.name.strip(), "uscc": code}, identity.delegation.EnterpriseAsk
        )
        await identity.delegation.enterprise(reader.house, myself, ask)
    except Problem as refusal:
        return await _page(
            reader,
            myself,
            registry,
            refusal,
            "enterprise",
            {"enterprise": said.name, "uscc": said.uscc},
        )
    return reader.go(HOME, "acting_proved")


@post(HOME + "/invite")
async def invite(
    request: Web,
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    said = await forms.read(request, InviteForm)
    try:
        await _invite(reader, myself, registry, said, None)
    except identity.SignInAgain:
        raise
    except Problem as refusal:
        return await _page(reader, myself, registry, refusal, said.whom)
    return reader.go(HOME, "acting_invited")


@post(HOME + "/{delegation_id:uuid}/invite")
async def name_agent(
    delegation_id: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    said = await forms.read(request, InviteForm)
    try:
        await _invite(reader, myself, registry, said, delegation_id)
    except (identity.delegation.NoSuchDelegation, identity.SignInAgain):
        raise
    except Problem as refusal:
        return await _agents(reader, myself, registry, delegation_id, refusal)
    return reader.go(f"{HOME}/{delegation_id}", "acting_invited")


async def _invite(
    reader: Reader, myself: Caller, registry: Registry, said: InviteForm, of: UUID | None
) -> None:
    """Raises BadRequest and what `identity.delegation.invite` does."""
    until = _end_of(said.until)
    ask = forms.valid(
        {
            "phone": "".join(said.phone.split()), "whom": said.whom, "may": FAR[said.far],
            "shops": said.shops or None, "valid_until": until, "of": of,
        },
        identity.delegation.Invitation,
    )  # fmt: skip
    shops = frozenset(entry.id for entry in registry.all())
    await identity.delegation.invite(
        reader.house, myself, f"web.{said.key}", ask, shops, reader.lang
    )


def _end_of(day: str) -> datetime | None:
    """The end of the last day in the city. Raises BadRequest."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), CITY)
    except (ValueError, OverflowError) as error:
        raise BadRequest(field="until") from error


@post(HOME + "/{delegation_id:uuid}/accept")
async def accept(
    delegation_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
) -> Response[bytes]:
    await identity.delegation.accept(reader.house, myself, delegation_id)
    return reader.go(HOME, "acting_accepted")


@post(HOME + "/{delegation_id:uuid}/end")
async def end(
    delegation_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    await identity.delegation.end(reader.house, tokens, myself, delegation_id)
    if reader.served and reader.served.actor and reader.served.actor.delegation == delegation_id:
        reader.cookie(*identity.not_acting(reader.house))
    return reader.go(HOME, "acting_ended")


@post(HOME + "/{delegation_id:uuid}/act")
async def act(
    delegation_id: FromPath[UUID],
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    """From now on the pages are for whom the citizen acts for; the banner says so on each."""
    reader.cookie(*await identity.act_for(reader.house, tokens, myself, delegation_id))
    return reader.go("/")


@post("/me/acting/stop")
async def stop(reader: NamedDependency[Reader]) -> Response[bytes]:
    reader.cookie(*identity.not_acting(reader.house))
    return reader.go("/", "acting_stopped")


router = pages_router(mine, one, child, enterprise, invite, name_agent, accept, end, act, stop)
