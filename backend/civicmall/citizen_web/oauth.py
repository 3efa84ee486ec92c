"""Signing in elsewhere with an account of the city: what a citizen sees of it (OpenID Connect Core).

What is asked and whether it may be answered is decided at the identity centre; here it is shown. A
form's answer is a page that goes on by itself, not a redirect: browsers apply `form-action 'self'` to
the whole chain of redirects behind a form, also behind the one of the sign-in page.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_303_SEE_OTHER

from civicmall import identity
from civicmall.identity import Caller, Tokens
from civicmall.kernel import web
from civicmall.kernel.house import House
from civicmall.kernel.http import language

from .reader import LANG, Reader, Web, page
from .refuse import router as pages_router

BROWSER: Final = "cm_oauth"
"""Cookie by which a browser is known while its citizen answers; without it a ticket is worth nothing."""
PATH: Final = "/oauth/authorize"
OWN_ONLY: Final = {"acting": "no"}
"""Nobody signs in elsewhere as somebody else."""


def own(reader: Reader) -> Caller | None:
    """The citizen who is signed in as themselves."""
    return None if reader.caller is None or reader.caller.actor is not None else reader.caller


@get(PATH, opt=OWN_ONLY)
async def authorize(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    query = request.scope["query_string"]
    try:
        wanted, asked = await identity.provider.requests.wanted(house, query)
    except identity.provider.Unredirectable as refusal:
        return await _shown(reader, refusal)
    client = wanted.client
    try:
        if asked is None:
            asked = identity.provider.requests.read(
                house, tokens, client, query, wanted.redirect_uri
            )
        caller = own(reader)
        found = await identity.provider.answering.stand(
            house, client, asked, house.clock.now(), caller
        )
        if caller is not None and found.step == "go":
            return _away(
                request, await identity.provider.answering.go(house, client, asked, caller, found)
            )
        if "none" in asked.prompt:
            raise identity.provider.answering.silent(found.step)
    except identity.provider.OAuthError as refusal:
        return _away(
            request,
            identity.provider.answering.refuse(house, wanted.redirect_uri, wanted.state, refusal),
        )
    # From here on something is kept of it, and anybody may come here.
    await identity.limits.count(house, identity.limits.origin(request, house), "ask")
    browser = request.cookies.get(BROWSER) or identity.provider.requests.new_browser()
    ticket = await identity.provider.requests.open_ticket(house, client, asked, browser)
    secure = house.settings.public_url.startswith("https:")
    reader.cookie(
        Cookie(BROWSER, value=browser, path=PATH, httponly=True, secure=secure, samesite="lax")
    )
    chosen = LANG in request.cookies or asked.lang in {None, language(request)}
    return reader.go(f"{PATH}/{ticket}" + ("" if chosen else f"?{LANG}={asked.lang}"))


@get(PATH + "/{ticket:str}", opt=OWN_ONLY)
async def waiting(
    request: Web,
    ticket: FromPath[str],
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
) -> Response[bytes]:
    browser = request.cookies.get(BROWSER, "")
    try:
        found = await identity.provider.requests.ticket(house, ticket, browser)
        return await _next(request, reader, house, found)
    except identity.provider.Unredirectable as refusal:
        return await _shown(reader, refusal)


async def _next(
    request: Web, reader: Reader, house: House, ticket: identity.provider.Ticket
) -> Response[bytes]:
    """What is to be done now. Raises Unredirectable."""
    client, asked, caller = ticket.client, ticket.request, own(reader)
    found = await identity.provider.answering.stand(house, client, asked, ticket.made_at, caller)
    if reader.caller is None:
        anew = "again=1&" if asked.max_age_s is not None or "login" in asked.prompt else ""
        return reader.go(f"/login?{anew}next={quote(request.scope['path'], safe='')}")
    await identity.provider.requests.bind(house, ticket, reader.caller.session_id)
    if caller is not None and found.step in {"go", "other"}:
        await identity.provider.requests.use(
            house, ticket, request.cookies.get(BROWSER, ""), caller.session_id
        )
        if found.step == "other":
            back = identity.provider.answering.other(house, ticket)
        else:
            back = await identity.provider.answering.go(house, client, asked, caller, found)
        return await _leave(reader, client, back)
    return await reader.page(
        "oauth.html",
        client=client,
        step=found.step,
        level=found.level,
        question=identity.provider.answering.question(client, asked, found.agreed),
        seal=identity.provider.answering.seal(house, ticket, reader.caller.session_id),
        action=request.scope["path"],
    )


@post(PATH + "/{ticket:str}", opt=OWN_ONLY)
async def answered(
    request: Web,
    ticket: FromPath[str],
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    browser, caller = request.cookies.get(BROWSER, ""), reader.caller
    said = await web.fields(request)
    if caller is None:
        return reader.go(request.scope["path"])
    try:
        found = await identity.provider.requests.ticket(house, ticket, browser)
        identity.provider.answering.check_seal(
            house, found, caller.session_id, dict(said).get("seal", "")
        )
        match dict(said).get("answer"):
            case "again":
                await _sign_out(reader, house, tokens, caller)
                return reader.go(request.scope["path"])
            case "allow" if own(reader) is not None:
                ticked = [value for name, value in said if name == "claim"]
                back = await identity.provider.answering.agree(
                    house, tokens, found, browser, caller, ticked
                )
            case _:
                await identity.provider.requests.use(house, found, browser, caller.session_id)
                back = identity.provider.answering.denied(house, found)
    except identity.provider.Unredirectable as refusal:
        return await _shown(reader, refusal)
    return await _leave(reader, found.client, back)


async def _sign_out(reader: Reader, house: House, tokens: Tokens, caller: Caller) -> None:
    """The citizen signs in anew, maybe as another; the session in this browser is over."""
    owner = caller.actor.id if caller.actor else caller.citizen_id
    await identity.sign_out(house, tokens, owner, caller.session_id)
    reader.cookie(*identity.cookies(house, "citizen", None))


async def from_elsewhere(_: Web) -> None:
    """In place of the check that other forms of ours have: other sites' forms come here, and only here."""


@post(PATH, opt=OWN_ONLY, before_request=from_elsewhere)
async def by_form(request: Web) -> Response[bytes]:
    """The same request in a form (OpenID Connect Core section 3.1.2.1). A browser sends no cookies of
    ours with another site's form, so it is asked to come again by itself.
    """
    try:
        body = await identity.provider.forms.body(request)
        identity.provider.forms.pairs(body)
    except identity.provider.OAuthError as refusal:
        return page(request, "oauth_refused.html", status=refusal.status, refusal=refusal)
    return _away(request, f"{PATH}?{body.decode('ascii')}")


def _away(request: Web, address: str) -> Response[bytes]:
    """A redirect to a client's address. Never 307: what was posted to us stays with us (RFC 9700)."""
    del request
    return Response(
        b"", status_code=HTTP_303_SEE_OTHER, media_type="text/plain",
        headers={"location": address, "cache-control": "no-store"},
    )  # fmt: skip


async def _leave(reader: Reader, client: identity.provider.Client, address: str) -> Response[bytes]:
    """The page that goes on to a client by itself."""
    return await reader.page("oauth_back.html", client=client, address=address)


async def _shown(reader: Reader, refusal: identity.provider.OAuthError) -> Response[bytes]:
    """What must not be told to whoever sent the browser here."""
    return await reader.page("oauth_refused.html", status=refusal.status, refusal=refusal)


router = pages_router(authorize, waiting, answered, by_form)
