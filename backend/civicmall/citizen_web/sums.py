"""Calculations and look-ups: a form in, figures and a table out."""

from __future__ import annotations

from typing import Any, Final, Literal

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from civicmall import gateway as gate
from civicmall import identity
from civicmall.gateway import FormRefused, Gateway, NoSuchThing
from civicmall.identity import Caller
from civicmall.kernel.house import House
from civicmall.shops import NoSuchApp, Registry
from shopkit import App
from shopkit.contract import Calculation, Enquiry, Prefill
from shopkit.forms import Form

from . import drawing, filled
from .filled import Sent
from .reader import Reader, Web
from .refuse import router as pages_router

What = Literal["calculate", "enquire"]
TOLD: Final = frozenset({"birth_date", "sex"})
"""Claims that a citizen's own page may be filled in with: the register's facts about them."""


class Asked:
    """One of the two pages of an app: which form, and what it is called."""

    def __init__(self, registry: Registry, shop: str, app: str, what: What) -> None:
        """Raises NoSuchApp where the app has no such form."""
        self.app: App = registry.app(shop, app)
        self.shop = shop
        self.what = what
        form = self.app.forms.calculate if what == "calculate" else self.app.forms.enquire
        if form is None:
            raise NoSuchApp(shop=shop, app=app)
        self.form: Form = form


async def _page(
    reader: Reader,
    caller: Caller,
    registry: Registry,
    asked: Asked,
    *,
    sent: Sent | None = None,
    errors: dict[str, str] | None = None,
    result: Calculation | Enquiry | None = None,
    nothing: bool = False,
) -> Response[bytes]:
    wrong = errors or {}
    known = await _known(reader.house, caller, asked) if sent is None else {}
    fields = drawing.fields(
        asked.form, reader.lang, known=known, typed=sent.typed if sent else None, errors=wrong
    )
    return await reader.page(
        "sums.html",
        status=422 if wrong else 200,
        shop=registry.view(asked.shop, reader.lang),
        app=asked.app,
        what=asked.what,
        fields=fields,
        others=[said for name, said in wrong.items() if name not in asked.form.properties],
        result=result,
        nothing=nothing,
    )


async def _known(house: House, caller: Caller, asked: Asked) -> dict[str, Prefill]:
    """What the register says of the citizen, for the fields that want it."""
    wanted = {
        name: str(field.claim)
        for name, field in asked.form.properties.items()
        if field.claim in TOLD
    }
    if not wanted:
        return {}
    facts = await identity.facts(house, caller.citizen_id)
    source: Any = {"zh-CN": "户籍登记", "en": "the register"}
    return {name: Prefill(facts[claim], source) for name, claim in wanted.items() if claim in facts}


async def _answer(
    request: Web, reader: Reader, caller: Caller, gateway: Gateway, registry: Registry, asked: Asked
) -> Response[bytes]:
    sent = await filled.read(request)
    values = drawing.values(asked.form, sent.typed)
    wrong = filled.faults(reader, asked.form, values)
    result: Calculation | Enquiry | None = None
    nothing = False
    if not wrong:
        ask = gate.filling.calculate if asked.what == "calculate" else gate.filling.enquire
        try:
            result = await ask(gateway, caller, asked.shop, asked.app.id, values, reader.lang)
        except FormRefused as problem:
            wrong = filled.refused(reader, problem)
        except NoSuchThing:
            nothing = True
    return await _page(
        reader, caller, registry, asked, sent=sent, errors=wrong, result=result, nothing=nothing
    )


def _pages(what: What) -> tuple[HTTPRouteHandler, HTTPRouteHandler]:
    """The form of one of the two, and where it is sent."""
    path = f"/shops/{{shop:str}}/{{app:str}}/{what}"

    @get(path)
    async def empty(
        shop: FromPath[str],
        app: FromPath[str],
        reader: NamedDependency[Reader],
        caller: NamedDependency[Caller],
        registry: NamedDependency[Registry],
    ) -> Response[bytes]:
        return await _page(reader, caller, registry, Asked(registry, shop, app, what))

    @post(path)
    async def answered(
        shop: FromPath[str],
        app: FromPath[str],
        request: Web,
        reader: NamedDependency[Reader],
        caller: NamedDependency[Caller],
        gateway: NamedDependency[Gateway],
        registry: NamedDependency[Registry],
    ) -> Response[bytes]:
        asked = Asked(registry, shop, app, what)
        return await _answer(request, reader, caller, gateway, registry, asked)

    return empty, answered


router = pages_router(*_pages("calculate"), *_pages("enquire"))
