"""What an acting token does at every kind of door, and what shops, orders and cases then say of it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler
from tests.city import City
from tests.rooms.identity.delegation.helping import acting, agreed, token_for
from tests.rooms.identity.steps import problem

from civicmall import app, identity
from civicmall.identity import acting as rights
from civicmall.kernel import ids
from civicmall.shops import Registry

FORM = {"values": {"end": "ok"}}
DUMMY = {"str": "xx", "uuid": str(ids.new(1)), "int": "1", "date": "2026-01-01"}


def everybodys(registry: Registry, city: City) -> list[tuple[str, str, str]]:
    """Each door of citizens: method, an address, and the right it asks for."""
    routes: Any = app.create_app(city.settings, registry).app.routes
    found: list[tuple[str, str, str]] = []
    for route in routes:
        path = route.path
        for name, parameter in getattr(route, "path_parameters", {}).items():
            kind = getattr(parameter.type, "__name__", "str").lower()
            path = path.replace("{" + f"{name}:{kind}" + "}", DUMMY.get(kind, "xx"))
        for handler in route.route_handlers:
            if not isinstance(handler, HTTPRouteHandler):
                continue
            untyped: Any = handler
            if identity.citizen_only in untyped.resolve_guards():
                found += [
                    (method, path, rights.needed(method, handler.opt))
                    for method in handler.http_methods
                    if method != "OPTIONS"
                ]
    return found


async def test_each_door_asks_for_its_right(city: City, shops: tuple[str, str, Registry]) -> None:
    """Who may only look gets through where one looks, and nowhere else; nobody acts at a door about the
    account itself, whatever they were given.
    """
    looks = await agreed(city, "near_retirement_man", "school_mother", ["view"])
    everything = await agreed(
        city, "near_retirement_woman", "school_mother", ["view", "apply", "pay"]
    )
    agent = await city.citizen("school_mother")
    seeing, able = await acting(city, agent, looks), await acting(city, agent, everything)
    doors = everybodys(shops[2], city)
    assert {right for _, _, right in doors} == {"no", "view", "apply", "pay"}
    assert len(doors) > 60
    for method, path, right in doors:
        for client, may in ((seeing, {"view"}), (able, {"view", "apply", "pay"})):
            answer = await client.request(method, path, headers={"idempotency-key": "k"})
            refused = (
                answer.json().get("missing")
                if answer.status_code == 403 and "acting-not-allowed" in answer.text
                else None
            )
            assert refused == (None if right in may else "self" if right == "no" else right), (
                method, path, answer.text[:300],
            )  # fmt: skip


async def test_who_is_limited_to_a_shop_gets_nothing_of_another(
    city: City, here: str, there: str
) -> None:
    """By the door before the framework, through it, and by the raw one: the same answer."""
    given = await agreed(city, "graduate", "newborn_mother", ["view", "apply", "pay"], shops=[here])
    acts = await acting(city, await city.citizen("newborn_mother"), given)
    framed = [("accept-language", "en"), ("accept-language", "zh-CN")]
    for headers in (framed[:1], framed):
        assert (
            await acts.get(f"/v1/shops/{here}/apps/all/bills", headers=headers)
        ).status_code == 200
        for path in (
            f"/v1/shops/{there}/apps/all/bills",
            "/v1/shops/utility_bills/apps/water/bills",
        ):
            refused = await acts.get(path, headers=headers)
            assert (problem(refused), refused.json()["missing"]) == (
                (403, "acting-not-allowed"),
                "shop",
            )
    calculated = await acts.post(f"/v1/shops/{there}/apps/all/calculation", json=FORM)
    assert (problem(calculated), calculated.json()["missing"]) == (
        (403, "acting-not-allowed"),
        "shop",
    )
    assert (await acts.get(f"/v1/shops/{here}/raw/files/a")).status_code == 201
    raw = await acts.get(f"/v1/shops/{there}/raw/files/a")
    assert (raw.status_code, raw.json()["missing"]) == (403, "shop")
    for path in ("/v1/home", "/v1/inbox", "/v1/mandates", "/v1/me"):
        refused = await acts.get(path)
        assert (problem(refused), refused.json()["missing"]) == (
            (403, "acting-not-allowed"),
            "shop",
        )


async def test_both_ways_to_a_typed_answer_ask_for_the_same_right(city: City, here: str) -> None:
    """A right without `view`, which no invitation gives: looked at before the framework as within it."""
    given = await agreed(city, "graduate", "newborn_mother", ["view"])
    who = city.parts.tokens.check(
        (await token_for(await city.citizen("newborn_mother"), given)).json()["access_token"]
    )
    blind = msgspec.structs.replace(who.actor, may=frozenset({"pay"}))
    acts = await city.client(city.parts.tokens.access(msgspec.structs.replace(who, actor=blind)))
    framed = [("accept-language", "en"), ("accept-language", "zh-CN")]
    for headers in (framed[:1], framed):
        refused = await acts.get(f"/v1/shops/{here}/apps/all/bills", headers=headers)
        assert (problem(refused), refused.json()["missing"]) == (
            (403, "acting-not-allowed"), "view",
        )  # fmt: skip


async def test_who_only_looks_sends_nothing_by_the_raw_door(city: City, here: str) -> None:
    given = await agreed(city, "graduate", "newborn_father", ["view"])
    acts = await acting(city, await city.citizen("newborn_father"), given)
    assert (await acts.get(f"/v1/shops/{here}/raw/files/a")).status_code == 201
    refused = await acts.post(f"/v1/shops/{here}/raw/files/a", content=b"x")
    assert (refused.status_code, refused.json()["missing"]) == (403, "apply")
    assert (await acts.post(f"/v1/shops/{here}/apps/all/calculation", json=FORM)).status_code == 200


async def test_a_shop_learns_who_acts_by_a_word_of_its_own(
    city: City, here: str, there: str, calls: list[Any]
) -> None:
    given = await agreed(city, "newlywed_wife", "newlywed_husband", ["view"])
    agent = await city.citizen("newlywed_husband")
    acts = await acting(city, agent, given)
    path = "/apps/all/bills/b1"
    for client in (acts, agent, await city.citizen("newlywed_wife")):
        assert (await client.get(f"/v1/shops/{here}{path}")).status_code == 200
    by, own, hers = [(call.citizen.sub, call.citizen.act) for call in calls]
    assert by == (hers[0], own[0]), "whom it is about, and who acts"
    assert own[1] is None
    assert hers[1] is None
    gates = city.parts.gateway.gates
    assert gates.keys_of(here).sub is not gates.keys_of(there).sub
    assert str(given["agent"]) not in str(by)


@pytest.fixture
def key() -> dict[str, str]:
    return {"idempotency-key": str(uuid4())}


async def test_an_order_says_who_made_it_and_needs_the_right_to_pay(
    city: City, here: str, there: str, key: dict[str, str]
) -> None:
    may = {
        name: await agreed(city, "newborn_mother", agent, given, **more)
        for name, agent, given, more in (
            ("apply", "graduate", ["view", "apply"], {}),
            ("pay", "newborn_father", ["view", "pay"], {"shops": [here]}),
        )
    }
    applies = await acting(city, await city.citizen("graduate"), may["apply"])
    pays = await acting(city, await city.citizen("newborn_father"), may["pay"])
    mother = await city.citizen("newborn_mother")

    def ask(shop: str, charge: str) -> dict[str, Any]:
        return {"charges": [{"shop": shop, "app": "all", "charge_id": charge}]}

    refused = await applies.post("/v1/orders", json=ask(here, "c1"), headers=key)
    assert (problem(refused), refused.json()["missing"]) == ((403, "acting-not-allowed"), "pay")
    refused = await pays.post("/v1/orders", json=ask(there, "c1"), headers=key)
    assert (problem(refused), refused.json()["missing"]) == ((403, "acting-not-allowed"), "shop")
    made = await pays.post("/v1/orders", json=ask(here, "c2"), headers=key)
    assert made.status_code == 201, made.text
    order = made.json()
    assert order["acted_by"] == may["pay"]["agent"]
    seen = (await mother.get(f"/v1/orders/{order['id']}")).json()
    assert seen["acted_by"] == may["pay"]["agent"]

    hers = await mother.post(
        "/v1/orders", json=ask(there, "c3"), headers={"idempotency-key": str(uuid4())}
    )
    assert hers.json()["acted_by"] is None
    other = hers.json()["id"]
    listed = {one["id"] for one in (await pays.get("/v1/orders")).json()["items"]}
    assert order["id"] in listed
    assert other not in listed
    for method, path in (
        ("GET", ""), ("POST", "/pay"), ("POST", "/cancel"), ("GET", "/receipt"), ("GET", "/receipt.pdf"),
        ("GET", "/refunds"), ("GET", "/insurance"),
    ):  # fmt: skip
        refused = await pays.request(
            method, f"/v1/orders/{other}{path}", json={} if method == "POST" else None
        )
        assert problem(refused) == (404, "no-such-order"), path
    paid = await pays.post(f"/v1/orders/{order['id']}/pay", json={})
    assert paid.status_code == 200, paid.text
    refused = await applies.post(f"/v1/orders/{order['id']}/pay", json={})
    assert refused.json()["missing"] == "pay"


async def test_a_case_says_who_handed_it_in(
    city: City, here: str, there: str, key: dict[str, str]
) -> None:
    given = await agreed(
        city, "near_retirement_man", "near_retirement_woman", ["view", "apply"], shops=[here]
    )
    acts = await acting(city, await city.citizen("near_retirement_woman"), given)
    man = await city.citizen("near_retirement_man")

    def ask(shop: str) -> dict[str, Any]:
        return {"shop": shop, "app": "all", "form": {"end": "accept"}}

    refused = await acts.post("/v1/cases", json=ask(there), headers=key)
    assert (problem(refused), refused.json()["missing"]) == ((403, "acting-not-allowed"), "shop")
    made = await acts.post("/v1/cases", json=ask(here), headers=key)
    assert made.status_code == 201, made.text
    own = await man.post("/v1/cases", json=ask(there), headers={"idempotency-key": str(uuid4())})
    assert own.status_code == 201, own.text
    shown = (await man.get(f"/v1/cases/{made.json()['id']}")).json()["timeline"]
    assert [(line["move"], line["acted_by"]) for line in shown] == [
        ("submit", given["agent"]), ("accept", None),
    ]  # fmt: skip
    listed = {one["id"] for one in (await acts.get("/v1/cases")).json()["items"]}
    assert listed == {made.json()["id"]}
    assert problem(await acts.get(f"/v1/cases/{own.json()['id']}")) == (404, "no-such-case")
    taken = await acts.post(f"/v1/cases/{made.json()['id']}/withdrawal")
    assert taken.json()["state"] == "withdrawn"
    shown = (await man.get(f"/v1/cases/{made.json()['id']}")).json()["timeline"]
    assert (shown[-1]["move"], shown[-1]["acted_by"]) == ("withdraw", given["agent"])
    await city.settled()
    desk = (await (await city.operator()).get("/v1/desk/cases?limit=100")).json()["items"]
    acted = {one["id"]: one["acted"] for one in desk}
    assert acted[made.json()["id"]] is True
    assert acted[own.json()["id"]] is False
