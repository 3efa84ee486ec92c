"""A settlement account on which two shops have entries: no department reads the other's."""

from __future__ import annotations

import httpx
from tests.city import City
from tests.rooms.console.steps import shown, signed_in, words
from tests.rooms.payments.documents.steps import (
    BOOTH,
    COPYCAT,
    KIOSK,
    at,
    days,
    desk_of,
    flat,
    of,
    pages,
    paid,
    table,
)

DOORS = ("settlement", "settlement.csv", "settlement.pdf", "payouts")
ACCOUNT = f"{KIOSK}.account"


async def refused(desk: httpx.AsyncClient, city: City, **more: str) -> None:
    """Every door is shut, and says why, and nothing else."""
    for door in DOORS:
        params = {**more} if door == "payouts" else {**days(city), **more}
        answer = await desk.get(f"/v1/desk/{door}", params=params)
        said = answer.json()
        assert (answer.status_code, said["type"]) == (403, "/problems/settlement-account-shared"), (
            door
        )
        assert KIOSK not in answer.text
        assert "4321" not in answer.text


async def test_whoever_names_another_shop_s_account_reads_nothing_of_it(city: City) -> None:
    await paid(city, at(KIOSK, 4321))
    copycat, kiosk = await desk_of(city, COPYCAT), await desk_of(city, KIOSK)
    await refused(copycat, city)
    assert (await of(kiosk, city))["others"] == [], "nobody else has entries there"
    async with signed_in(city, COPYCAT, "en") as browser:
        said = days(city)
        for page in ("settlement", "settlement.csv", "settlement.pdf"):
            path = f"/console/{page}?first={said['from']}&last={said['to']}"
            text = words(await shown(browser, path, 403))
            assert "other shops' entries" in text
            assert "43.21" not in text
    operator = await desk_of(city, "operator")
    seen = await of(operator, city, shop=COPYCAT)
    assert (seen["account"], seen["others"], seen["closing_minor"]) == (ACCOUNT, [KIOSK], 4321)

    await paid(city, at(COPYCAT, 100), at(BOOTH, 5))
    await refused(copycat, city)
    await refused(copycat, city, account=ACCOUNT)
    await refused(kiosk, city, account=ACCOUNT)
    await refused(kiosk, city)
    assert (await of(await desk_of(city, BOOTH), city))["closing_minor"] == 5, "not its affair"
    both = await of(operator, city, shop=KIOSK)
    assert (both["others"], both["closing_minor"]) == ([COPYCAT], 4421)
    assert {row[2] for row in (await table(operator, city, shop=KIOSK))[1:-1]} == {KIOSK, COPYCAT}
    pdf = await operator.get("/v1/desk/settlement.pdf", params={**days(city), "shop": KIOSK})
    assert f"同一账户的其他店铺{COPYCAT}" in flat("".join(pages(pdf.content)))
    async with signed_in(city, "operator") as browser:
        text = words(await shown(browser, "/console/settlement", shop=KIOSK))
        assert f"同一账户的其他店铺 {COPYCAT}" in text
