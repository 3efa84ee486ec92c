"""The catalogue and the satisfaction index: for everybody, signed in or not."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import ratings
from civicmall.catalogue import Catalogue, Stage, item_guide, item_view, links, stage_views
from civicmall.kernel.house import House
from civicmall.kernel.http import decode_cursor, encode_cursor
from civicmall.shops import Registry

from .reader import Reader
from .refuse import router as pages_router

SHOWN = 30
INDEX_SHOWN = 100
OfStage = Annotated[Stage | None, QueryParameter(required=False)]
Query = Annotated[str, QueryParameter(max_length=80, required=False)]
After = Annotated[str | None, QueryParameter(max_length=400, required=False)]


@get("/services")
async def services(
    reader: NamedDependency[Reader],
    catalogue: NamedDependency[Catalogue],
    registry: NamedDependency[Registry],
    stage: OfStage = None,
    q: Query = "",
    after: After = None,
) -> Response[bytes]:
    asked = q.strip()
    if asked:
        hits = catalogue.find(asked, stage=stage, department=None, after=None, limit=SHOWN)
        entries, more = [entry for _, entry in hits], None
    else:
        key = decode_cursor(after, str)
        entries = catalogue.by_code(
            stage=stage, department=None, after=key[0] if key else None, limit=SHOWN + 1
        )
        last = entries[SHOWN - 1].item.code if len(entries) > SHOWN else None
        more = last and urlencode(
            {**({"stage": stage} if stage else {}), "after": encode_cursor(last)}
        )
    apps = links(registry, reader.lang)
    return await reader.page(
        "services.html",
        items=[item_view(catalogue, entry, apps, reader.lang) for entry in entries[:SHOWN]],
        stages=stage_views(catalogue, reader.lang),
        stage=stage,
        q=asked,
        more=more,
    )


@get("/services/{code:str}")
async def service(
    code: FromPath[str],
    reader: NamedDependency[Reader],
    catalogue: NamedDependency[Catalogue],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    apps = links(registry, reader.lang)
    guide = item_guide(catalogue, catalogue.entry(code), apps, reader.lang)
    stages = {view.code: view.name for view in stage_views(catalogue, reader.lang)}
    return await reader.page("service.html", guide=guide, stages=stages)


@get("/satisfaction")
async def satisfaction(
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    found = await ratings.satisfaction(house, registry, reader.lang, limit=INDEX_SHOWN)
    return await reader.page("satisfaction.html", shops=found.items)


router = pages_router(services, service, satisfaction)
