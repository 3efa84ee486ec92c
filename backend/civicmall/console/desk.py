"""Who works at a page, and the pages and redirects that they get."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from math import ceil
from typing import Any, Final

from litestar import Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_303_SEE_OTHER

from civicmall import identity
from civicmall.identity import NotAllowed, SecondFactorMissing, SignInNeeded, Staff, Tokens
from civicmall.kernel import i18n, web
from civicmall.kernel.errors import BadRequest, Problem
from civicmall.kernel.house import House
from civicmall.kernel.http import language
from civicmall.kernel.web import Assets, Pages
from civicmall.shops import NoSuchShop, Registry, ShopEntry

from . import rules, words
from .forms import Web

LANG: Final = "lang"
LANG_S: Final = 365 * 24 * 3600
DESK: Final = "console_desk"
"""Where a request's state keeps whose it is, for pages about what went wrong."""
COOKIES: Final = "console_cookies"
"""Where a request's state keeps the cookies that its answer must set, whatever it becomes: a
session that was renewed on the way would be lost with a page that fails.
"""
STAYS: Final = (400, 409)
"""What can be told on the page that a form stands on; anything else is a page of its own."""
UNTOUCHED: Final[Mapping[str, Any]] = {"done": None, "failed": None, "wrong": "", "typed": {}}
"""What a page with forms says where none of them was sent just now."""
Show = Callable[..., Awaitable[Response[bytes]]]
"""Shows a page with forms, given its status and what differs from UNTOUCHED."""

assets = Assets(__file__, "/static/console")
pages = Pages(__file__, asset=assets.url, link=rules.link, days_left=rules.days_left, words=words)


class Desk:
    """One member of staff at one page."""

    def __init__(self, request: Web, house: House, registry: Registry, staff: Staff) -> None:
        self.request = request
        self.house = house
        self.registry = registry
        self.staff = staff
        self.lang = language(request)

    @property
    def shop(self) -> str | None:
        """The only shop that a department works for; None for an operator, who sees all."""
        return self.staff.shop

    @property
    def operates(self) -> bool:
        """Whether the buttons of operators are theirs."""
        return self.staff.role == "operator"

    @property
    def decides(self) -> bool:
        """Whether they let money go: operators, and managers for their department."""
        return self.staff.role in {"operator", "manager"}

    @property
    def works(self) -> bool:
        """Whether they do the work of a department or of the platform."""
        return self.staff.role != "auditor"

    @property
    def oversees(self) -> bool:
        """Whether they see what the platform shows of itself: operators and auditors."""
        return self.shop is None

    def entries(self) -> list[ShopEntry]:
        """The shops that this desk sees, broken ones too."""
        return [e for e in self.registry.all() if self.shop in {None, e.id}]

    def entry(self, shop: str) -> ShopEntry:
        """One shop. Raises NoSuchShop, also for one that isn't this desk's: no difference."""
        if self.shop not in {None, shop}:
            raise NoSuchShop(shop=shop)
        return self.registry.get(shop)

    def shop_name(self, shop: str) -> str:
        """What a shop is called; its id where its manifest can't be read or it has left."""
        return i18n.pick(self.registry.name(shop), self.lang)

    def app_name(self, shop: str, app: str) -> str:
        """What an app is called; its id where nobody knows."""
        entry = next((e for e in self.registry.all() if e.id == shop), None)
        found = entry.manifest.app(app) if entry and entry.manifest else None
        return i18n.pick(found.name, self.lang) if found else app

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response[bytes]:
        """A page of the console."""
        return page(self.request, template, status=status, desk=self, **values)


def pending(request: Web) -> list[Cookie]:
    """The cookies that the answer to a request must set."""
    found: list[Cookie] = request.scope["state"].setdefault(COOKIES, [])
    return found


def page(
    request: Web, template: str, *, status: int = 200, desk: Desk | None = None, **values: Any
) -> Response[bytes]:
    """A page, also where nobody is signed in or something went wrong."""
    house: House = request.app.state.house
    answer = pages.page(
        request,
        template,
        status=status,
        desk=desk or request.scope["state"].get(DESK),
        sandbox=house.settings.sandbox,
        today=house.clock.today(),
        lang_url=_other_language(request),
        **values,
    )
    return _finished(request, answer)


def go(request: Web, path: str) -> Response[bytes]:
    """On to another page of the console (303)."""
    answer = Response(
        b"",
        status_code=HTTP_303_SEE_OTHER,
        media_type="text/plain",
        headers={"location": path, "cache-control": "no-store"},
    )
    return _finished(request, answer)


async def acted(
    request: Web,
    home: str,
    form: str,
    act: Awaitable[None],
    show: Show,
    *,
    told: tuple[type[Problem], ...] = (),
) -> Response[bytes]:
    """Do what a form on the page `home` asks. What can't be taken comes back on that page as it is
    now, with what was typed; `told` are problems of other statuses that are said there too.
    """
    try:
        await act
    except Problem as problem:
        if problem.status not in STAYS and not isinstance(problem, told):
            raise
        typed = dict(await web.fields(request))
        wrong = form if isinstance(problem, BadRequest) else ""
        failed = None if wrong else problem.title
        return await show(status=problem.status, wrong=wrong, failed=failed, typed=typed)
    return go(request, rules.link(home, done=form))


def until(answer: Response[bytes], desk: Desk, at: datetime) -> Response[bytes]:
    """A page that is open until then: afterwards a browser asks for it anew, and what stood on it is
    no longer on a screen that somebody left.
    """
    left = (at - desk.house.clock.now()).total_seconds()
    answer.headers["refresh"] = str(max(1, ceil(left) + 1))
    return answer


def _finished(request: Web, answer: Response[bytes]) -> Response[bytes]:
    if request.query_params.get(LANG):
        answer.set_cookie(LANG, language(request), max_age=LANG_S, samesite="lax")
    for cookie in pending(request):
        answer.set_cookie(cookie)
    return answer


def here(request: Web) -> str:
    """The page to come back to: this one, or for a form the page that it stands on."""
    path: str = request.scope["path"]
    if request.method not in {"GET", "HEAD"}:
        return rules.local(path.rpartition("/")[0])
    params = {k: v for k, v in request.query_params.items() if k != LANG}
    return rules.local(rules.link(path, **params))


def _other_language(request: Web) -> str:
    path = request.scope["path"] if request.method == "GET" else here(request)
    params = {k: v for k, v in request.query_params.items() if k != LANG}
    other = "en" if language(request) == i18n.DEFAULT else i18n.DEFAULT
    return rules.link(path, **{**params, LANG: other})


async def provide_anybody(
    request: Web,
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    tokens: NamedDependency[Tokens],
) -> Desk:
    """Dependency `anybody`: whoever works here and is signed in, also before they set up the second
    factor that they need. Raises SignInNeeded.
    """
    visit = await identity.visit(request, house, tokens, "staff")
    pending(request).extend(visit.cookies)
    if not isinstance(visit.who, Staff):
        raise SignInNeeded
    desk = Desk(request, house, registry, visit.who)
    request.scope["state"][DESK] = desk
    return desk


def provide_desk(anybody: NamedDependency[Desk]) -> Desk:
    """Dependency `desk`: whoever works here. Raises SecondFactorMissing."""
    if anybody.staff.enrolling:
        raise SecondFactorMissing
    return anybody


def provide_operator(desk: NamedDependency[Desk]) -> Desk:
    """Dependency `operator`: the desk of an operator. Raises NotAllowed."""
    if not desk.operates:
        raise NotAllowed
    return desk


def provide_worker(desk: NamedDependency[Desk]) -> Desk:
    """Dependency `worker`: the desk of anybody but auditors, who only look on. Raises NotAllowed."""
    if not desk.works:
        raise NotAllowed
    return desk


def provide_overseer(desk: NamedDependency[Desk]) -> Desk:
    """Dependency `overseer`: the desk of an operator or an auditor. Raises NotAllowed."""
    if not desk.oversees:
        raise NotAllowed
    return desk
