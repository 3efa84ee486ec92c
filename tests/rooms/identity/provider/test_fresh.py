"""A client wants to be sure that it is them, and they came by an account elsewhere."""

from __future__ import annotations

import pytest
from tests.city import City
from tests.rooms.identity.provider.steps import (
    answer,
    citizen,
    onward,
    register,
    seal,
    straight,
    waiting,
)


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "600"}])
async def test_who_came_by_an_account_elsewhere_is_asked_to_show_that_it_is_them(
    city: City, asked: dict[str, str]
) -> None:
    """There they may have been signed in for weeks; nobody here knows."""
    partner, who = await register(city), await citizen(city)
    await partner.signed_in(who)
    session = city.parts.tokens.check(who.client.cookies["cm_access"]).session_id
    await city.house.db.execute(
        "update identity.session set amr = '{federated}' where id = $1", session
    )
    path, page = await waiting(who, partner.url(**asked))
    assert 'value="again"' in page
    assert await who.to(path, answer="again", seal=seal(page)) == path
    first = await who.client.get(path)
    assert first.headers["location"].startswith("/login?again=1&next=")
    assert await who.sign_in((await city.people())["school_mother"]["phone"], path) == path
    assert (await partner.redeem(onward(await who.get(path)))).status_code == 200
    silently = await straight(who, partner.url(max_age="600", prompt="none"))
    assert "code" in answer(silently)
