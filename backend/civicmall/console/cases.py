"""Pages of a department's cases: a list without citizens, and a case that is opened with a reason."""

from __future__ import annotations

from functools import partial
from typing import Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import cases as room
from civicmall import identity
from civicmall.cases import NoSuchCase
from civicmall.identity import ReasonNeeded

from . import words
from .desk import UNTOUCHED, Desk, acted, go, until
from .forms import PAGE, CaseFilter, Web, id_of, query, read
from .refuse import Html

HOME: Final = "/console/cases"


@get("/cases")
async def case_list(request: Web, worker: NamedDependency[Desk]) -> Html:
    asked = query(request, CaseFilter)
    found = await room.desk_cases(
        worker.house.db, worker.staff,
        state=asked.state, overdue=asked.overdue is not None, limit=PAGE, after=asked.after,
    )  # fmt: skip
    return worker.page("cases.html", asked=asked, found=found)


@get("/cases/{case:str}")
async def case(request: Web, case: FromPath[str], worker: NamedDependency[Desk]) -> Html:
    done = words.OPENED.get(request.query_params.get("done", ""))
    return await _shown(worker, id_of(case, NoSuchCase), done=done)


@post("/cases/{case:str}/open")
async def open_case(request: Web, case: FromPath[str], worker: NamedDependency[Desk]) -> Html:
    case_id = id_of(case, NoSuchCase)

    async def act() -> None:
        ask = await read(request, identity.reading.OpenAsk)
        await room.open_desk_case(worker.house, worker.staff, case_id, ask)

    return await acted(
        request, f"{HOME}/{case_id}", "open", act(), partial(_shown, worker, case_id)
    )


@get("/cases/{case:str}/materials/{material:str}")
async def material(
    request: Web, case: FromPath[str], material: FromPath[str], worker: NamedDependency[Desk]
) -> Html:
    case_id = id_of(case, NoSuchCase)
    try:
        media, body = await room.desk_material(
            worker.house, worker.staff, case_id, id_of(material, NoSuchCase)
        )
    except ReasonNeeded:
        return go(request, f"{HOME}/{case_id}")
    headers = {"content-disposition": "attachment", "cache-control": "no-store"}
    return Response(body, media_type=media, headers=headers)


@get("/cases/{case:str}/open")
async def opening_left(request: Web, case: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, f"{HOME}/{id_of(case, NoSuchCase)}")


async def _shown(desk: Desk, case_id: UUID, *, status: int = 200, **values: object) -> Html:
    """A case that is open to this member of staff, or the question why to open it. Raises NoSuchCase."""
    said = {**UNTOUCHED, **values}
    try:
        found = await room.desk_case(desk.house, desk.staff, case_id, desk.lang)
    except ReasonNeeded:
        return desk.page("case_closed.html", status=status, case=case_id, **said)
    page = desk.page("case.html", status=status, found=found, one=found.case, **said)
    return until(page, desk, found.until)


handlers = [case_list, case, open_case, material, opening_left]
