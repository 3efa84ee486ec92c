"""Pages of the releases: what waits for review, what a version changes, the next step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import releases
from civicmall.kernel import web
from civicmall.kernel.errors import BadRequest, Problem
from civicmall.releases import FourEyes, Move, NoSuchRelease
from shopkit import Manifest

from . import rules, words
from .desk import Desk, go
from .forms import PAGE, ReleaseFilter, Taking, Web, query, read
from .refuse import Html

WAITING: Final = ("submitted", "approved", "canary")
"""The states from which an operator leads a release on."""
STAYS: Final = (400, 409)
"""What can be told on the release's own page; anything else is a page of its own."""


@get("/releases")
async def release_list(request: Web, desk: NamedDependency[Desk]) -> Html:
    asked = query(request, ReleaseFilter)
    states = {"waiting": WAITING, "all": None}.get(asked.state, (asked.state,))
    found = await releases.some(
        desk.house.db, desk.staff, shop=asked.shop, states=states, limit=PAGE, after=asked.after
    )
    return desk.page("releases.html", asked=asked, found=found)


@get("/releases/{release:str}")
async def release(request: Web, release: FromPath[str], desk: NamedDependency[Desk]) -> Html:
    done = words.TAKEN.get(request.query_params.get("done", ""))
    return await _release(desk, _id(release), done=done)


def _taking(move: Move) -> Callable[..., Any]:
    """The address that a step's form is sent to."""

    @post(f"/releases/{{release:str}}/{move}", name=f"console-release-{move}")
    async def take(request: Web, release: FromPath[str], operator: NamedDependency[Desk]) -> Html:
        return await _take(request, operator, _id(release), move)

    return cast("Callable[..., Any]", take)


async def _take(request: Web, desk: Desk, release_id: UUID, move: Move) -> Html:
    """Take a step; what is in its way is told on the release's page as it is now."""
    try:
        ask = await read(request, Taking)
        await releases.move(
            desk.house, desk.registry, desk.staff, release_id, move,
            note=ask.note, percent=ask.percent if move == "canary" else None,
        )  # fmt: skip
    except Problem as problem:
        if problem.status not in STAYS and not isinstance(problem, FourEyes):
            raise
        typed = dict(await web.fields(request))
        wrong = move if isinstance(problem, BadRequest) else ""
        failed = None if wrong else problem.title
        return await _release(
            desk, release_id, status=problem.status, wrong=wrong, failed=failed, typed=typed
        )
    return go(request, rules.link(f"/console/releases/{release_id}", done=move))


@get([f"/releases/{{release:str}}/{move}" for move in words.MOVES])
async def step_left(request: Web, release: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, f"/console/releases/{_id(release)}")


async def _release(desk: Desk, release_id: UUID, *, status: int = 200, **values: Any) -> Html:
    """The page of one release. Raises NoSuchRelease."""
    found = await releases.one(desk.house.db, desk.staff, release_id)
    shown: dict[str, Any] = {"done": None, "failed": None, "wrong": "", "typed": {}, **values}
    manifest: Manifest | None = None
    with suppress(msgspec.ValidationError):  # of a contract that is gone; the page says so
        manifest = msgspec.convert(found.manifest, Manifest)
    return desk.page("release.html", status=status, found=found, manifest=manifest, **shown)


def _id(text: str) -> UUID:
    """A release's id in an address. Raises NoSuchRelease."""
    try:
        return UUID(text)
    except ValueError:
        raise NoSuchRelease from None


handlers = [release_list, release, *(_taking(cast("Move", m)) for m in words.MOVES), step_left]
