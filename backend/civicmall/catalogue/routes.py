"""Doors of the catalogue; anybody may look."""

from __future__ import annotations

from typing import Annotated

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from civicmall.kernel.http import (
    After,
    Limit,
    Page,
    decode_cursor,
    encode_cursor,
    page,
    problems,
    public,
)
from civicmall.shops import Registry

from . import search, views
from .catalogue import Catalogue
from .errors import NoSuchItem
from .models import DepartmentView, ItemGuide, ItemView, Stage, StageView

OfStage = Annotated[Stage | None, QueryParameter(required=False, description="Only of this stage.")]
OfDepartment = Annotated[
    str | None,
    QueryParameter(max_length=60, required=False, description="Only of this department's code."),
]
Query = Annotated[
    str | None,
    QueryParameter(
        max_length=search.QUERY_MAX,
        required=False,
        description="Names, everyday words or English words; best answers first.",
    ),
]


class Stages(Struct, frozen=True):
    """The stages of life."""

    items: list[StageView]
    next: str | None = None


class Departments(Struct, frozen=True):
    """The departments that items belong to."""

    items: list[DepartmentView]
    next: str | None = None


@get("/items", responses=problems(), summary="Service items: filter and search")
async def items(
    catalogue: NamedDependency[Catalogue],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
    stage: OfStage = None,
    department: OfDepartment = None,
    q: Query = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[ItemView]:
    apps = views.links(registry, lang)
    if q is None or not q.strip():
        key = decode_cursor(after, str)
        last: str | None = key[0] if key else None
        entries = catalogue.by_code(stage=stage, department=department, after=last, limit=limit + 1)
        shown = [views.item_view(catalogue, entry, apps, lang) for entry in entries]
        return page(shown, limit, lambda view: (view.code,))
    found = catalogue.find(
        q, stage=stage, department=department, after=_hit(after), limit=limit + 1
    )
    shown = [views.item_view(catalogue, entry, apps, lang) for _, entry in found[:limit]]
    more = len(found) > limit
    score, entry = found[limit - 1] if more else (0, None)
    return Page(shown, encode_cursor(score, entry.item.code) if entry else None)


def _hit(after: str | None) -> tuple[int, str] | None:
    key = decode_cursor(after, int, str)
    return (key[0], key[1]) if key else None


@get("/items/{code:str}", responses=problems(NoSuchItem), summary="The guide of one service item")
async def item(
    code: FromPath[str],
    catalogue: NamedDependency[Catalogue],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
) -> ItemGuide:
    return views.item_guide(catalogue, catalogue.entry(code), views.links(registry, lang), lang)


@get("/stages", responses=problems(), summary="The stages of life")
async def stages(catalogue: NamedDependency[Catalogue], lang: NamedDependency[str]) -> Stages:
    return Stages(views.stage_views(catalogue, lang))


@get("/departments", responses=problems(), summary="The departments")
async def departments(
    catalogue: NamedDependency[Catalogue], lang: NamedDependency[str]
) -> Departments:
    return Departments(views.department_views(catalogue, lang))


router = Router(
    "/v1/catalogue",
    route_handlers=[items, item, stages, departments],
    guards=[public],
    tags=["catalogue"],
)
