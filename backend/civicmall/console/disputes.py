"""Pages of objections to what is attested: a list without citizens, each opened with a reason, answered."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, cast
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import identity
from civicmall.catalogue import Catalogue
from civicmall.identity import DisputeAnswered, NoSuchDispute, ReasonNeeded, RegisterStands
from civicmall.kernel.http import decode_cursor
from civicmall.kernel.http import page as page_of
from civicmall.kernel.i18n import pick, translate

from . import words
from .desk import UNTOUCHED, Desk, acted, go, until
from .forms import PAGE, DisputeFilter, Web, id_of, query, read
from .refuse import Html

HOME: Final = "/console/disputes"
TOLD: Final = (DisputeAnswered, RegisterStands)


@get("/disputes")
async def dispute_list(
    request: Web, desk: NamedDependency[Desk], catalogue: NamedDependency[Catalogue]
) -> Html:
    asked = query(request, DisputeFilter)
    key: Any = decode_cursor(asked.after, UUID)
    rows = await identity.attributes.disputes.some(
        desk.house.db, desk.shop, key and key[0], PAGE, waiting=asked.show == "waiting"
    )
    found = page_of(rows, PAGE, lambda one: (one.id,))
    labels = {one.name: _label(catalogue, one.name, desk.lang) for one in found.items}
    return desk.page("disputes.html", asked=asked, found=found, labels=labels)


@get("/disputes/{dispute:str}")
async def dispute(
    request: Web, dispute: FromPath[str], worker: NamedDependency[Desk],
    catalogue: NamedDependency[Catalogue],
) -> Html:  # fmt: skip
    done = words.DISPUTE_DONE.get(request.query_params.get("done", ""))
    return await _shown(worker, catalogue, id_of(dispute, NoSuchDispute), done=done)


@post("/disputes/{dispute:str}/open")
async def open_dispute(
    request: Web, dispute: FromPath[str], worker: NamedDependency[Desk],
    catalogue: NamedDependency[Catalogue],
) -> Html:  # fmt: skip
    which = id_of(dispute, NoSuchDispute)

    async def act() -> None:
        ask = await read(request, identity.reading.OpenAsk)
        await identity.attributes.disputes.open_one(worker.house, worker.staff, which, ask)

    return await acted(
        request, f"{HOME}/{which}", "open", act(), partial(_shown, worker, catalogue, which)
    )


@post("/disputes/{dispute:str}/answer")
async def answer(
    request: Web, dispute: FromPath[str], worker: NamedDependency[Desk],
    catalogue: NamedDependency[Catalogue],
) -> Html:  # fmt: skip
    which = id_of(dispute, NoSuchDispute)

    async def act() -> None:
        said = await read(request, identity.DisputeAnswer)
        await identity.attributes.disputes.answer(worker.house, worker.staff, which, said)

    try:
        return await acted(
            request, f"{HOME}/{which}", "answer", act(),
            partial(_shown, worker, catalogue, which), told=TOLD,
        )  # fmt: skip
    except ReasonNeeded:  # its quarter of an hour is over
        return await _shown(worker, catalogue, which, status=ReasonNeeded.status, failed=words.OVER)


@get(["/disputes/{dispute:str}/open", "/disputes/{dispute:str}/answer"])
async def dispute_left(request: Web, dispute: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, f"{HOME}/{id_of(dispute, NoSuchDispute)}")


async def _shown(
    desk: Desk, catalogue: Catalogue, dispute: UUID, *, status: int = 200, **values: object
) -> Html:
    """An objection that is open to this member of staff, or the question why to open it.

    Raises NoSuchDispute.
    """
    said = {**UNTOUCHED, **values}
    try:
        found = await identity.attributes.disputes.one(desk.house, desk.staff, dispute)
    except ReasonNeeded:
        return desk.page("dispute_closed.html", status=status, dispute=dispute, **said)
    page = desk.page(
        "dispute.html", status=status, found=found,
        label=_label(catalogue, found.name, desk.lang),
        value=_value(catalogue, found.name, found.value, desk.lang),
        **said,
    )  # fmt: skip
    return until(page, desk, found.until)


def _label(catalogue: Catalogue, name: str, lang: str) -> str:
    """What an attribute is called; its own name where the vocabulary has it no more."""
    attribute = catalogue.vocabulary.get(name)
    return pick(attribute.label, lang) if attribute else name


def _value(catalogue: Catalogue, name: str, value: Any, lang: str) -> str:
    """What is attested, for people; of children their days of birth."""
    if isinstance(value, list):
        children = cast("list[dict[str, Any]]", value)
        return ", ".join(str(child.get("birth_date", "")) for child in children)
    raw = str(value).lower() if isinstance(value, bool) else str(value)
    attribute = catalogue.vocabulary.get(name)
    if attribute and raw in attribute.values:
        return pick(attribute.values[raw], lang)
    return translate(lang, "Yes" if value else "No") if isinstance(value, bool) else raw


handlers = [dispute_list, dispute, open_dispute, answer, dispute_left]
