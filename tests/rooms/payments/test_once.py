"""One key, one order; one charge, one order; and no amount but the shop's."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from tests.city import City
from tests.rooms.payments.steps import KIOSK, at_once, charge, payer

CALLERS = 500


async def test_five_hundred_at_once_with_one_key_are_one_order(city: City) -> None:
    someone, wanted = await payer(city), charge()
    answers = await at_once(*(someone.ask([wanted], key="one") for _ in range(CALLERS)))
    seen = {(answer.status_code, answer.text) for answer in answers}
    assert len(seen) == 1, "every caller gets the same answer"
    assert answers[0].status_code == 201
    assert len((await someone.http.get("/v1/orders")).json()["items"]) == 1
    later = await someone.ask([wanted], key="one")
    assert (later.status_code, later.text) == (201, answers[0].text)


async def test_the_same_key_is_another_citizens_own(city: City) -> None:
    first, second = await payer(city), await payer(city)
    answers = [await each.ask([charge()], key="mine") for each in (first, second)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


async def test_a_key_with_another_body_is_refused_at_any_moment(city: City) -> None:
    someone, wanted, other = await payer(city), charge(), charge()
    answers = await at_once(
        *(someone.ask([wanted if n % 2 else other], key="k") for n in range(20))
    )
    good = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    bad = [answer for answer in answers if answer.status_code != 201]
    assert (len(good), len(set(good)), len(bad)) == (10, 1, 10)
    for answer in bad:
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/idempotency-key-reused"
        assert answer.json()["field"] == "Idempotency-Key"


async def test_two_keys_for_one_charge_at_once_are_one_order(city: City) -> None:
    someone, wanted = await payer(city), charge()
    answers = await at_once(*(someone.ask([wanted, charge()]) for _ in range(8)))
    made = [answer.json() for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert (len(made), len(refused)) == (1, 7)
    for answer in refused:
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/charge-in-order"
        assert answer.json()["order_id"] == made[0]["id"]
    assert len((await someone.http.get("/v1/orders")).json()["items"]) == 1


async def test_a_refused_request_leaves_its_key_free(city: City) -> None:
    someone = await payer(city)
    unknown = {"shop": KIOSK, "app": "stall", "charge_id": "nothing"}
    assert (await someone.ask([unknown], key="again")).status_code == 404
    assert (await someone.ask([charge()], key="again")).status_code == 201


@pytest.mark.parametrize("key", [None, "", "a b", "é".encode(), "x" * 256])
async def test_a_request_needs_a_key_that_can_be_kept(city: City, key: Any) -> None:
    someone = await payer(city)
    headers = {} if key is None else {"idempotency-key": key}
    answer = await someone.http.post("/v1/orders", json={"charges": [charge()]}, headers=headers)
    assert answer.status_code == 400
    assert "idempotency-key" in answer.text.lower()
    assert (await someone.http.get("/v1/orders")).json()["items"] == []


@pytest.mark.parametrize("field", ["amount_minor", "amount", "currency", "fee_code"])
async def test_an_amount_from_the_client_is_refused_by_name(city: City, field: str) -> None:
    someone = await payer(city)
    for ask in ({"charges": [charge() | {field: 1}]}, {"charges": [charge()], field: 1}):
        answer = await someone.http.post(
            "/v1/orders", json=ask, headers={"idempotency-key": uuid4().hex}
        )
        assert answer.status_code == 400
        assert any(field in error["field"] + error["problem"] for error in answer.json()["errors"])
    assert (await someone.http.get("/v1/orders")).json()["items"] == []


async def test_an_unknown_bill_and_somebody_elses_look_the_same(city: City) -> None:
    owner, other = await city.citizen("graduate"), await city.citizen("newborn_mother")
    path = "/v1/shops/utility_bills/apps/water/bills"
    theirs = (await owner.get(path)).json()["items"][0]["id"]
    answers: list[dict[str, Any]] = []
    for charge_id in (theirs, "W99999999-202601"):
        ref = {"shop": "utility_bills", "app": "water", "charge_id": charge_id}
        ask = await other.post(
            "/v1/orders", json={"charges": [ref]}, headers={"idempotency-key": uuid4().hex}
        )
        look = await other.get(f"{path}/{charge_id}")
        for answer in (ask, look):
            assert answer.status_code == 404
            answers.append({**answer.json(), "trace_id": ""})
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["type"] == "/problems/no-such-thing"


async def test_a_charge_twice_in_one_request_is_refused(city: City) -> None:
    someone, wanted = await payer(city), charge()
    answer = await someone.ask([wanted, charge(), wanted])
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/charge-twice")
    assert answer.json()["field"] == "charges"


@pytest.mark.parametrize(
    ("ref", "status", "kind"),
    [
        ({"shop": "nowhere", "app": "stall", "charge_id": "x"}, 404, "/problems/no-such-shop"),
        ({"shop": KIOSK, "app": "nothing", "charge_id": "x"}, 404, "/problems/no-such-app"),
        (
            {"shop": "public_security", "app": "id_card", "charge_id": "x"},
            403,
            "/problems/level-too-low",
        ),
        ({"shop": KIOSK, "app": "stall", "charge_id": "a\x00b"}, 400, "/problems/bad-request"),
        ({"shop": KIOSK, "app": "stall", "charge_id": "../x"}, 400, "/problems/bad-request"),
        ({"shop": KIOSK, "app": "stall"}, 400, "/problems/bad-request"),
    ],
)
async def test_what_is_no_charge_is_named(
    city: City, ref: dict[str, str], status: int, kind: str
) -> None:
    someone = await payer(city)
    answer = await someone.ask([ref])
    assert (answer.status_code, answer.json()["type"]) == (status, kind)


@pytest.mark.parametrize("count", [0, 21])
async def test_an_order_has_one_to_twenty_charges(city: City, count: int) -> None:
    someone = await payer(city)
    answer = await someone.ask([charge() for _ in range(count)])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "charges"
