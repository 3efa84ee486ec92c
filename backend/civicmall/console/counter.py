"""The counter's page: a citizen stands here with their ID card, and shows a code on their phone."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import get, post
from litestar.di import NamedDependency

from civicmall import identity
from civicmall.kernel import web
from civicmall.kernel.errors import NotFound

from .desk import Desk
from .forms import Web
from .refuse import Html

TOLD: Final = (identity.levels.CounterRefused, identity.levels.TooManyVerifications)
FIELDS: Final = ("id_number", "code", "case", "reason")
STANDING: Final[dict[str, Any]] = {"typed": {}, "failed": "", "wrong": False, "done": None}


@get("/counter")
async def counter(desk: NamedDependency[Desk]) -> Html:
    return _page(desk)


@post("/counter")
async def seen(request: Web, desk: NamedDependency[Desk]) -> Html:
    form = dict(await web.fields(request))
    typed = {name: form.get(name, "").strip()[:200] for name in FIELDS}
    said = {
        **typed,
        "id_number": "".join(typed["id_number"].split()).upper(),
        "code": "".join(typed["code"].split()),
    }
    try:
        ask = msgspec.convert(said, identity.levels.CounterCheck)
        done = await identity.levels.counter.confirm(desk.house, desk.staff, ask)
    except msgspec.ValidationError:
        return _page(desk, status=422, typed=typed, wrong=True)
    except TOLD as refusal:
        return _page(desk, status=refusal.status, typed=typed, failed=refusal.title)
    return _page(desk, done=done)


def _page(desk: Desk, *, status: int = 200, **values: Any) -> Html:
    """Raises NotFound for whom no citizen stands before, NotAllowed for who may not work."""
    if desk.shop is None:
        raise NotFound
    identity.must_be(desk.staff, "manager", "agent")
    return desk.page("counter.html", status=status, **{**STANDING, **values})


handlers = (counter, seen)
