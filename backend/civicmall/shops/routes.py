"""Doors of the registry."""

from __future__ import annotations

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall.kernel.http import After, Limit, Page, decode_cursor, page, problems, public

from .errors import NoSuchShop
from .models import ShopView
from .registry import Registry


@get("/", responses=problems(), summary="The shops of this city")
async def shops(
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
    limit: Limit = 50,
    after: After = None,
) -> Page[ShopView]:
    last = decode_cursor(after, str)
    views = [v for v in registry.views(lang) if last is None or v.id > last[0]]
    return page(views[: limit + 1], limit, lambda v: (v.id,))


@get("/{shop:str}", responses=problems(NoSuchShop), summary="One shop and its apps")
async def shop(
    shop: FromPath[str], registry: NamedDependency[Registry], lang: NamedDependency[str]
) -> ShopView:
    return registry.view(shop, lang)


router = Router("/v1/shops", route_handlers=[shops, shop], guards=[public], tags=["shops"])
