"""Anybody can come with a client's name: what is kept of that is bounded."""

from __future__ import annotations

import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import visitor
from tests.rooms.identity.provider.steps import path_of, refused, register

from civicmall.identity.limits import STRANGERS, Limit

KEPT = "select count(*) from identity.par"


async def test_strangers_requests_are_kept_so_often_and_no_more(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = await register(city)
    monkeypatch.setitem(STRANGERS, "ask", Limit(3, 600))
    await city.house.db.execute("delete from identity.attempt")
    before = await city.house.db.fetchval(KEPT)
    answers = [await (await visitor(city)).client.get(path_of(partner.url())) for _ in range(5)]
    assert [one.status_code for one in answers] == [303, 303, 303, 429, 429]
    assert answers[-1].headers["content-type"].startswith("text/html")
    assert int(answers[-1].headers["retry-after"]) > 0
    assert await city.house.db.fetchval(KEPT) == before + 3


async def test_pushed_requests_too_where_anybody_may_use_the_name(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = await register(city, kind="public", auth_method="none")
    known = await register(city)
    await city.house.db.execute("delete from identity.attempt")
    monkeypatch.setitem(STRANGERS, "ask", Limit(2, 600))
    for _ in range(2):
        assert (await public.post("/oauth/par", **public.parameters())).status_code == 201
    assert refused(await public.post("/oauth/par", **public.parameters()), 429) == (
        "temporarily_unavailable"
    )
    assert (await known.post("/oauth/par", **known.parameters())).status_code == 201
