"""Pages of the releases: what waits for review, what a version changes, the next step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import releases
from civicmall.releases import FourEyes, Move, NoSuchRelease

from . import words
from .desk import UNTOUCHED, Desk, acted, go
from .forms import PAGE, ReleaseFilter, Taking, Web, id_of, query, read
from .refuse import Html

WAITING: Final = ("submitted", "approved", "canary")
"""The states from which an operator leads a release on."""


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
    """Take a step with a release."""

    async def act() -> None:
        ask = await read(request, Taking)
        await releases.move(
            desk.house, desk.registry, desk.staff, release_id, move,
            note=ask.note, percent=ask.percent if move == "canary" else None,
        )  # fmt: skip

    home, show = f"/console/releases/{release_id}", partial(_release, desk, release_id)
    return await acted(request, home, move, act(), show, told=(FourEyes,))


@get([f"/releases/{{release:str}}/{move}" for move in words.MOVES])
async def step_left(request: Web, release: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, f"/console/releases/{_id(release)}")


async def _release(desk: Desk, release_id: UUID, *, status: int = 200, **values: Any) -> Html:
    """The page of one release. Raises NoSuchRelease."""
    found = await releases.one(desk.house.db, desk.staff, release_id)
    return desk.page(
        "release.html",
        status=status,
        found=found,
        manifest=releases.kept(found.manifest),
        reasoned=releases.REASONED,
        **{**UNTOUCHED, **values},
    )


def _id(text: str) -> UUID:
    """A release's id in an address. Raises NoSuchRelease."""
    return id_of(text, NoSuchRelease)


handlers = [release_list, release, *(_taking(cast("Move", m)) for m in words.MOVES), step_left]
