"""Levels, consents, pseudonyms, the audit row, and walls between schemas."""

from __future__ import annotations

import sys
from typing import Any

from tests.city import City
from tests.rooms.gateway.conftest import Names
from tests.rooms.gateway.steps import bills, known, someone


async def test_a_level_too_low(city: City, odd: Any) -> None:
    client, _ = await someone(city)
    answer = await client.get(bills(odd.id, "guarded"))
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/level-too-low")
    assert answer.json()["needed"] == 2
    assert odd.module.seen == []


async def test_consent_is_asked_for_given_used_and_taken_back(city: City, odd: Any) -> None:
    client = await known(city, "graduate")
    path, consent = bills(odd.id, "guarded"), f"/v1/me/consents/{odd.id}/guarded"
    asked = await client.get(path)
    assert (asked.status_code, asked.json()["type"]) == (403, "/problems/consent-needed")
    assert asked.json()["claims"]["id_number"]["en"] == "to find you"
    assert odd.module.seen == []

    await client.put(consent, json={"claims": ["id_number"]})
    assert (await client.get(path)).status_code == 200
    number = (await city.people())["graduate"]["id_number"]
    assert dict(odd.module.seen[-1].citizen.claims) == {"id_number": number}
    assert odd.module.seen[-1].citizen.level == 2
    rows = (await client.get("/v1/me/accesses")).json()["items"]
    row = next(row for row in rows if row["reader"] == f"{odd.id}/guarded")
    assert (row["claims"], row["purpose"], row["times"]) == (["id_number"], "bills.list", 1)

    await client.delete(consent)
    assert (await client.get(path)).status_code == 403, "not even from memory"
    assert len(odd.module.seen) == 1


async def test_no_audit_row_for_a_call_that_did_not_go_in(city: City, odd: Any) -> None:
    client = await known(city, "newlywed_husband")
    await client.put(f"/v1/me/consents/{odd.id}/guarded", json={"claims": ["id_number"]})
    odd.module.mode = "raise"
    for _ in range(8):
        await client.get(bills(odd.id, "guarded"))
    rows = (await client.get("/v1/me/accesses")).json()["items"]
    row = next(row for row in rows if row["reader"] == f"{odd.id}/guarded")
    assert row["times"] == len(odd.module.seen) == 5


async def test_consent_covers_only_what_the_app_asks_for(city: City, odd: Any) -> None:
    client = await known(city, "newborn_father")
    path = f"/v1/me/consents/{odd.id}/guarded"
    answer = await client.put(path, json={"claims": ["id_number", "phone"]})
    assert answer.status_code == 403
    assert (await client.get(bills(odd.id, "guarded"))).status_code == 403


async def test_a_shop_sees_a_pseudonym_of_its_own(city: City, odd: Any, names: Names) -> None:
    fine: Any = sys.modules[names.fine]
    fine.seen.clear()
    (one, one_id), (two, _) = await someone(city), await someone(city)
    for client in (one, one, two):
        await client.get(f"{bills(odd.id)}/b1")
        await client.get(f"{bills(names.fine)}/b1")
    here = [call.citizen.sub for call in odd.module.seen]
    there = [call.citizen.sub for call in fine.seen]
    assert here[0] == here[1] != here[2]
    assert there[0] == there[1] != there[2]
    assert not {*here} & {*there}
    assert str(one_id) not in str(here)
    assert one_id.hex not in str(here)
    assert odd.module.seen[0].secret != fine.seen[0].secret
    assert odd.module.seen[0].citizen.claims == {}


async def test_a_shops_role_sees_its_own_schema_only(city: City, odd: Any) -> None:
    client, _ = await someone(city)
    odd.module.mode = "sql"
    odd.module.heard.clear()
    assert (await client.get(bills(odd.id))).status_code == 200
    assert odd.module.heard[0] == "0"
    denied = "InsufficientPrivilegeError"
    assert odd.module.heard[1:] == [denied] * (len(odd.module.STATEMENTS) - 1)


async def test_a_shop_that_can_not_be_used_is_named_to_operators(city: City, names: Names) -> None:
    operator, (client, _) = await city.operator(), await someone(city)
    items = (await operator.get("/v1/desk/shops/health")).json()["items"]
    health = {item["shop"]: item for item in items}
    assert health[names.odd]["state"] == health[names.fine]["state"] == "live"
    broken = {names.key: "colour", names.gone: "nothing_of_this_name", names.exits: "SystemExit"}
    for shop, word in broken.items():
        assert health[shop]["state"] == "broken"
        assert word in health[shop]["reason"]
    shown = {s["id"]: s["state"] for s in (await client.get("/v1/shops")).json()["items"]}
    assert shown[names.gone] == shown[names.exits] == "recovering"
    assert names.key not in shown
    assert health[names.roofless]["state"] == "broken"
    assert "at start" in health[names.roofless]["reason"]
    assert shown[names.roofless] == "recovering"
    for shop, status, kind in (
        (names.roofless, 503, "shop-unavailable"),
        (names.gone, 503, "shop-unavailable"),
        (names.exits, 503, "shop-unavailable"),
        (names.key, 404, "no-such-shop"),
        ("nobody", 404, "no-such-shop"),
    ):
        answer = await client.get(bills(shop))
        assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert (await client.get(bills(names.fine))).status_code == 200
    none = await client.get(bills(names.fine, "nothing"))
    assert (none.status_code, none.json()["type"]) == (404, "/problems/no-such-app")


async def test_an_app_answers_what_its_manifest_offers(city: City, odd: Any) -> None:
    client = await known(city, "near_retirement_woman")
    await client.put(f"/v1/me/consents/{odd.id}/guarded", json={"claims": ["id_number"]})
    assert (await client.get(bills(odd.id, "guarded"))).status_code == 200
    other = await client.get(f"/v1/shops/{odd.id}/apps/guarded/progress")
    assert (other.status_code, other.json()["type"]) == (404, "/problems/no-such-app")
