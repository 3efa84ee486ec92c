"""Signing in with an account elsewhere (a province's, the national one), and the list of such accounts."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import identity
from civicmall.identity import Caller, Federation, Tokens
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House

from . import forms, rules
from .reader import Reader, Web
from .refuse import router as pages_router

FLOW: Final = "cm_upstream"
"""Cookie with the sealed flow: it binds the way back to the browser that went."""
TICKET: Final = "cm_upstream_ticket"
AGREE: Final = "/me/links/agree"
BACK_MAX: Final = 2_000
"""Characters of a parameter that comes back; codes of providers in use have a few hundred."""
SAID_BACK: Final = ("state", "code", "iss", "error")


def _cookie(house: House, name: str, value: str, path: str, age_s: int) -> Cookie:
    secure = house.settings.public_url.startswith("https:")
    return Cookie(
        name, value=value, path=path, max_age=age_s, httponly=True, secure=secure, samesite="lax"
    )


def elsewhere(reader: Reader) -> str:
    """What the button to the account elsewhere says; empty where there is none."""
    found: Federation = reader.request.app.state.federation
    return found.upstream.settings.shown(reader.lang) if found.upstream else ""


@post("/login/federation/start")
async def start(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    federation: NamedDependency[Federation],
) -> Response[bytes]:
    """Out, by a page of ours: browsers let no form of ours lead to another house."""
    said = await forms.read(request, forms.Elsewhere)
    upstream = federation.there()
    url, flow = await identity.federation.start(
        house, upstream, "web", reader.lang, next_path=rules.local(said.next), link=said.link == "1"
    )
    reader.cookie(_cookie(house, FLOW, flow, "/login/federation", identity.federation.FLOW_S))
    return await reader.page(
        "away.html", url=url, host=urlsplit(url).hostname, name=upstream.settings.shown(reader.lang),
        back="/me/links" if said.link else "/login",
    )  # fmt: skip


@get("/login/federation/callback")
async def callback(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    federation: NamedDependency[Federation],
) -> Response[bytes]:
    """Back from there: signed in, asked to connect, or told what went wrong. Raises FlowBroken."""
    upstream = federation.there()
    reader.cookie(_cookie(house, FLOW, "", "/login/federation", 0))
    flow = identity.federation.opened(house, request.cookies.get(FLOW, ""), "web")
    device = identity.device_name(request.headers.get("user-agent", ""))
    origin = identity.limits.origin(request, house)
    reader.cookie(*identity.limits.cookies(house, origin))
    try:
        done = await identity.federation.finish(
            house, tokens, upstream, flow, _said(request), device, origin
        )
    except identity.federation.LinkNeeded as needed:
        age_s = identity.federation.TICKET_S
        reader.cookie(_cookie(house, TICKET, needed.extra["link_ticket"], "/me/links", age_s))
        return reader.go(f"{AGREE}?next={quote(flow.next, safe='')}")
    except Problem as refusal:
        return await reader.page(
            "upstream_failed.html", status=refusal.status, error=reader.t(refusal.title),
            next=flow.next, name=upstream.settings.shown(reader.lang), link=flow.link,
        )  # fmt: skip
    if reader.caller is not None:  # signed in again: the session before is nobody's any more
        await identity.sign_out(house, tokens, reader.caller.citizen_id, reader.caller.session_id)
    reader.cookie(*identity.cookies(house, "citizen", done.pair))
    return reader.go(flow.next, "name_not_taken" if done.trouble else "signed_in")


def _said(request: Web) -> identity.federation.Back:
    """The parameters of the way back, each at most once. Raises FlowBroken."""
    found: dict[str, str] = {}
    for name in SAID_BACK:
        values = request.query_params.getall(name, [])
        if len(values) > 1 or any(len(one) > BACK_MAX for one in values):
            raise identity.federation.FlowBroken(reason="parameters")
        if values:
            found[name] = values[0]
    return identity.federation.Back(**found)


@get("/me/links")
async def links(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    federation: NamedDependency[Federation],
) -> Response[bytes]:
    there = federation.upstream
    return await reader.page(
        "links.html",
        links=await identity.federation.links(house.db, caller.citizen_id),
        upstream=there.settings.shown(reader.lang) if there else "",
        issuer=there.issuer if there else "",
    )


@get("/me/links/agree")
async def asked(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    federation: NamedDependency[Federation],
) -> Response[bytes]:
    """Whose account it is, before it is connected. Raises FlowBroken, SignInAgain."""
    ticket = identity.federation.read_ticket(house, request.cookies.get(TICKET, ""))
    if not await identity.recently(house.db, caller.session_id):
        raise identity.SignInAgain
    profile = identity.profile(house, await identity.row(house.db, caller.citizen_id))
    return await reader.page(
        "link_agree.html", name=federation.there().settings.shown(reader.lang),
        account=ticket.person.shown, profile=profile,
        next=rules.local(request.query_params.get("next")),
    )  # fmt: skip


@post("/me/links/agree")
async def agree(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    federation: NamedDependency[Federation],
) -> Response[bytes]:
    """Raises what federation.agree does."""
    said = await forms.read(request, forms.Decided)
    over = _cookie(house, TICKET, "", "/me/links", 0)
    if said.answer == "no":
        reader.cookie(over)
        return reader.go(rules.local(said.next), "not_linked")
    ticket = request.cookies.get(TICKET, "")
    await identity.federation.agree(house, federation.there(), caller, ticket)
    reader.cookie(over)
    return reader.go(rules.local(said.next), "linked")


@post("/me/links/{link:uuid}/end")
async def end(
    link: FromPath[UUID],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    await identity.federation.unlink(house, caller.citizen_id, link)
    return reader.go("/me/links", "unlinked")


router = pages_router(start, callback, links, asked, agree, end)
