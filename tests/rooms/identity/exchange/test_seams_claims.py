"""Where clients, grants and consents meet: what a client was once told, it isn't told for ever."""

from __future__ import annotations

import itertools
from typing import Any, Final

import msgspec
import pytest
from tests.city import City
from tests.rooms.identity.exchange.steps import CLAIMS, WORDS, App, give, register, someone

from civicmall.identity import provider
from civicmall.identity.provider import registering
from civicmall.kernel import ids

OTHER: Final = {"zh-CN": "推送广告", "en": "To send you offers"}
_numbers = itertools.count()


async def changed(city: City, app: App, **more: Any) -> None:
    """Another version of a client, drafted by one operator and approved by another."""
    said: dict[str, Any] = {
        name: getattr(app.client, name)
        for name in provider.Registration.__struct_fields__
        if name not in {"sector", *more}
    } | more
    one, two = ids.new(0), ids.new(1)
    ask = msgspec.convert(msgspec.to_builtins(said), provider.Registration)
    version = await registering.draft(city.house, one, ask)
    await registering.approve(city.house, two, app.client.client_id, version)


async def told(city: City, token: str) -> set[str]:
    """What userinfo says beside the subject."""
    answer = await (await city.client(token)).get("/oauth/userinfo")
    assert answer.status_code == 200, answer.text
    return set(answer.json()) - {"sub", "phone_number_verified"}


@pytest.mark.parametrize("how", ["another purpose", "not asked for any more", "the same"])
async def test_a_client_that_changed_is_told_by_what_it_says_now(city: City, how: str) -> None:
    app = await register(city, f"seam-claims-{next(_numbers)}")
    given = await give(city, app, await someone(city), "phone", "level", scope="openid phone")
    assert await told(city, given.access) == {"phone_number", "level"}
    claims = {claim: {"purpose": WORDS, "optional": True} for claim in CLAIMS}
    scopes = list(app.client.scopes)
    if how == "another purpose":
        claims["phone"] = {"purpose": OTHER, "optional": True}
    elif how == "not asked for any more":
        del claims["phone"]
        scopes.remove("phone")
    await changed(city, app, claims=claims, scopes=scopes)
    assert await told(city, given.access) == (
        {"phone_number", "level"} if how == "the same" else {"level"}
    )


async def test_the_name_of_a_client_that_ended_is_nobody_elses(city: City) -> None:
    """Else whoever gets it next would have what citizens agreed to with the one before."""
    app = await register(city, f"seam-claims-{next(_numbers)}")
    given = await give(city, app, await someone(city), "phone", scope="openid phone")
    await registering.retire(city.house, ids.new(0), app.client.client_id)
    with pytest.raises(provider.errors.UnfitClient) as refused:
        await changed(city, app)
    assert refused.value.extra["errors"][0]["field"] == "client_id"
    answer = await (await city.client(given.access)).get("/oauth/userinfo")
    assert answer.status_code == 401
