"""The registry over HTTP: what citizens see of shops, broken ones included."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar, Request
from litestar.di import Provide
from tests.rooms.shops.conftest import Plugins

from civicmall import shops
from civicmall.kernel import http
from civicmall.kernel.middleware import Outermost


@pytest.fixture
async def client(plugins: Plugins) -> AsyncIterator[httpx.AsyncClient]:
    """Three shops: one lives, one can't be imported, one can't even be read."""
    plugins.add("aa")
    plugins.add("bb", code="raise SystemExit")
    (plugins.add("cc") / "shop.json").write_text("{")
    found = [one for one in shops.discover(plugins.path) if one.key in {"aa", "bb", "cc"}]
    registry = shops.load(found)

    def provide() -> shops.Registry:
        return registry

    def lang(request: Request[object, object, object]) -> str:  # pyright: ignore[reportInvalidTypeArguments]
        return http.language(request)  # pyright: ignore[reportArgumentType]

    application = Litestar(
        route_handlers=shops.routers,
        dependencies={
            "registry": Provide(provide, sync_to_thread=False),
            "lang": Provide(lang, sync_to_thread=False),
        },
        exception_handlers=http.HANDLERS,
        logging_config=None,
    )
    transport = httpx.ASGITransport(Outermost(application))
    async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as opened:
        yield opened


async def test_the_list_leaves_out_what_cannot_be_read(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/shops")).json()
    assert [(shop["id"], shop["state"]) for shop in body["items"]] == [
        ("aa", "live"),
        ("bb", "recovering"),
    ]
    assert body["next"] is None


async def test_page_by_page(client: httpx.AsyncClient) -> None:
    first = (await client.get("/v1/shops", params={"limit": 1})).json()
    assert [shop["id"] for shop in first["items"]] == ["aa"]
    second = (await client.get("/v1/shops", params={"limit": 1, "after": first["next"]})).json()
    assert [shop["id"] for shop in second["items"]] == ["bb"]
    assert second["next"] is None


async def test_a_wrong_cursor_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/shops", params={"after": "???"})
    assert answer.status_code == 400
    assert answer.json()["field"] == "after"


async def test_one_shop_in_both_languages(client: httpx.AsyncClient) -> None:
    english = (await client.get("/v1/shops/aa", headers={"accept-language": "en"})).json()
    assert english == {
        "id": "aa",
        "name": "Aa",
        "summary": "办事",
        "department": "An office",
        "icon": "shop",
        "state": "live",
        "apps": [
            {
                "id": "matters",
                "name": "Progress",
                "summary": "办到哪一步",
                "icon": "book",
                "forms": {"calculate": None, "enquire": None},
                "capabilities": ["progress"],
                "min_level": 1,
                "claims": {"phone": "To tell you"},
                "items": [],
            }
        ],
    }
    chinese = (await client.get("/v1/shops/aa")).json()
    assert (chinese["name"], chinese["apps"][0]["claims"]) == ("aa店", {"phone": "通知"})


async def test_a_broken_shop_says_nothing_of_its_fault(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/shops/bb")
    assert answer.status_code == 200
    assert answer.json()["state"] == "recovering"
    assert "SystemExit" not in answer.text


@pytest.mark.parametrize("shop", ["zz", "cc", "AA", "%00", "a" * 300])
async def test_no_such_shop(client: httpx.AsyncClient, shop: str) -> None:
    answer = await client.get(f"/v1/shops/{shop}", headers={"accept-language": "en"})
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/no-such-shop"
    assert answer.json()["title"] == "There is no such shop."
