"""Who looks at a page, in which language; and the pages and redirects that they get."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_303_SEE_OTHER

from civicmall import cases, identity, inbox, payments
from civicmall.catalogue import day as long_day
from civicmall.identity import Caller, SignInNeeded, Tokens
from civicmall.kernel import i18n
from civicmall.kernel.house import House
from civicmall.kernel.http import language
from civicmall.kernel.web import Assets, Pages

from . import rules, views, words

SAID: Final = "cm_said"
"""Cookie that carries one notice over one redirect: a name of words.SAID, nothing else."""
LANG: Final = "lang"
LANG_S: Final = 365 * 24 * 3600
COOKIES: Final = "citizen_web_cookies"
"""Where a request's state keeps the cookies that its answer must set, whatever it becomes: a
renewed session would be lost with a page that fails."""
ACTING_FOR: Final = "citizen_web_acting"
"""Where a request's state keeps what the one is called for whom somebody acts; every page shows it."""
THEIR_OWN: Final = (
    "/me/", "/verify", "/login", "/logout", "/oauth", "/face", "/federation",
)  # fmt: skip
"""Pages about the account itself: closed while acting, unless a handler's `opt` says otherwise."""
FOR_LIMITED: Final = ("/bills", "/orders", "/cases")
"""Pages that show of their lists what lies in the shops that somebody may act at."""
TABS: Final = (
    ("/services", "services"), ("/shops", "services"), ("/bills", "bills"), ("/orders", "bills"), ("/mandates", "bills"), ("/inbox", "inbox"),
    ("/me", "me"), ("/cases", "me"), ("/verify/", ""), ("/verify", "me"), ("/login", "me"),
)  # fmt: skip

assets = Assets(__file__, "/static/citizen")
DRAWN: Final = frozenset(
    re.findall(r'symbol id="([a-z-]+)"', (assets.folder / "icons.svg").read_text())
)


def drawn(name: str) -> str:
    """The icon of this name; a shop may name one that we haven't drawn."""
    return name if name in DRAWN else "shop"


pages = Pages(
    __file__,
    asset=assets.url,
    nonce=lambda: secrets.token_urlsafe(12),
    charge=rules.charge,
    drawn=drawn,
    owed_at=views.owed_at,
    decimal=rules.decimal,
    price=rules.price,
    web_address=rules.web_address,
    words=words,
    long_day=long_day,
)
Web = Request[Any, Any, Any]


class Reader:
    """One visitor on one page: `caller` is who is signed in, `served` whom the page is for, which is
    somebody else while the caller acts for them.
    """

    def __init__(
        self, request: Web, house: House, caller: Caller | None, served: Caller | None = None
    ) -> None:
        self.request = request
        self.house = house
        self.caller = caller
        self.served = served or caller
        self.lang = language(request)

    def t(self, msgid: str, **values: Any) -> str:
        """A message of the program in the reader's language."""
        return i18n.translate(self.lang, msgid, **values)

    async def page(self, template: str, *, status: int = 200, **values: Any) -> Response[bytes]:
        """A page, with how many messages wait."""
        unread = 0
        if self.served is not None and identity.acting.limits(self.served.actor) is None:
            unread = (await inbox.unread(self.house.db, self.served.citizen_id)).unread
        return page(
            self.request, template, status=status, caller=self.caller, unread=unread, **values
        )

    def go(self, path: str, said: str | None = None) -> Response[bytes]:
        """On to another page of ours (303), where a notice of words.SAID may wait."""
        if said is not None:
            self.cookie(Cookie(SAID, value=said, max_age=30, httponly=True, samesite="lax"))
        return go(self.request, path)

    def cookie(self, *cookies: Cookie) -> None:
        """Have the answer set cookies."""
        pending(self.request).extend(cookies)


def pending(request: Web) -> list[Cookie]:
    """The cookies that the answer to a request must set."""
    found: list[Cookie] = request.scope["state"].setdefault(COOKIES, [])
    return found


def page(
    request: Web,
    template: str,
    *,
    status: int = 200,
    caller: Caller | None = None,
    unread: int = 0,
    **values: Any,
) -> Response[bytes]:
    """A page without a look at the database, also for what went wrong before there is a reader."""
    said = request.cookies.get(SAID) or request.scope["state"].get(SAID)
    if said is not None:
        pending(request).append(Cookie(SAID, value="", max_age=0, httponly=True, samesite="lax"))
    answer = pages.page(
        request,
        template,
        status=status,
        caller=caller,
        unread=unread,
        acting=request.scope["state"].get(ACTING_FOR, ""),
        said=words.SAID.get(said or ""),
        sandbox=request.app.state.house.settings.sandbox,
        tab=_tab(request.scope["path"]),
        here=here(request),
        lang_url=_other_language(request),
        **values,
    )
    return _finished(request, answer)


def go(request: Web, path: str) -> Response[bytes]:
    """A redirect after a form, or to where something must be done first."""
    answer = Response(
        b"",
        status_code=HTTP_303_SEE_OTHER,
        media_type="text/plain",
        headers={"location": quote(path, safe="/?&=#:%+~@!$,;."), "cache-control": "no-store"},
    )
    return _finished(request, answer)


def _finished(request: Web, answer: Response[bytes]) -> Response[bytes]:
    if request.query_params.get(LANG):
        answer.set_cookie(LANG, language(request), max_age=LANG_S, samesite="lax")
    for cookie in pending(request):
        answer.set_cookie(cookie)
    return answer


def here(request: Web) -> str:
    """The page's own path, for coming back to it. A form's is the page that it stands on."""
    if request.method != "GET":
        came = urlsplit(request.headers.get("referer", ""))
        if came.netloc != request.headers.get("host"):
            return rules.HOME
        return rules.local(came.path + (f"?{came.query}" if came.query else ""))
    rest = [(k, v) for k, v in request.query_params.multi_items() if k != LANG]
    return rules.local(request.scope["path"] + (f"?{urlencode(rest)}" if rest else ""))


def _other_language(request: Web) -> str:
    path = here(request)
    other = "en" if language(request) == i18n.DEFAULT else i18n.DEFAULT
    return f"{path}{'&' if '?' in path else '?'}{LANG}={other}"


def _tab(path: str) -> str:
    if path == rules.HOME:
        return "home"
    return next((tab for prefix, tab in TABS if path.startswith(prefix)), "")


async def provide_reader(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Reader:
    """Dependency `reader`: whoever looks, signed in or not."""
    visit = await identity.visit(request, house, tokens, "citizen")
    pending(request).extend(visit.cookies)
    request.scope["state"][ACTING_FOR] = visit.acting
    if visit.over:
        if request.method not in identity.acting.READS:
            # What was filled in for them is not done for oneself.
            raise identity.delegation.DelegationEnded
        request.scope["state"][SAID] = "acting_over"
    own = visit.who if isinstance(visit.who, Caller) else None
    return Reader(request, house, own, visit.served)


async def provide_caller(request: Web, reader: NamedDependency[Reader]) -> Caller:
    """Dependency `caller`: whom the page is for. Raises SignInNeeded, and ActingNotAllowed where who
    acts for them may not do this.
    """
    found = reader.served
    if found is None:
        raise SignInNeeded
    if found.actor is not None:
        params = request.path_params
        identity.acting.check(found.actor, request.method, _opt(request), params.get("shop"))
        if "order_id" in params:
            await payments.within(reader.house.db, found, params["order_id"])
        if "case" in params:
            await cases.within(reader.house.db, found, params["case"])
    return found


def _opt(request: Web) -> dict[str, Any]:
    """What a page's handler says of acting, or its address."""
    opt: dict[str, Any] = dict(request.scope["route_handler"].opt)
    path: str = request.scope["path"]
    if identity.acting.ACTING not in opt and path.startswith(THEIR_OWN):
        opt |= identity.acting.SELF
    if path.startswith(FOR_LIMITED):
        opt |= identity.acting.LIMITED
    return opt


async def provide_myself(reader: NamedDependency[Reader]) -> Caller:
    """Dependency `myself`: who is signed in, whomever they act for. Raises SignInNeeded."""
    if reader.caller is None:
        raise SignInNeeded
    return reader.caller
