"""Whoever has a phone next has nothing of who had it before: no device, no question, no data."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
from tests.city import City
from tests.rooms.identity.steps import another, code_for, new_phone, try_code

from civicmall.identity import limits

HOME = "/v1/me/delegations"


async def signed_in(city: City, browser: httpx.AsyncClient, phone: str) -> httpx.AsyncClient:
    """With a code, on a device that keeps its id."""
    answer = await try_code(browser, phone, await code_for(city, phone))
    assert answer.status_code == 200, answer.text
    if given := answer.headers.get(limits.HEADER):
        browser.headers[limits.HEADER] = given
    return await city.client(answer.json()["access_token"])


async def leave(city: City, client: httpx.AsyncClient, phone: str) -> None:
    assert (await client.post("/v1/me/deletion/code")).status_code == 202
    said = (await (await city.anonymous()).get("/v1/sandbox/messages")).json()["items"]
    text = next(m["text"] for m in said if m["to"] == phone)
    code = "".join(filter(str.isdigit, text))
    assert (await client.post("/v1/me/deletion", json={"code": code})).status_code == 202


async def test_a_device_of_who_left_has_no_tries_of_its_own_any_more(city: City) -> None:
    phone, device = new_phone(), await city.anonymous()
    await leave(city, await signed_in(city, device, phone), phone)
    blind = city.house.keys.blind(phone, "phone")
    kept = "select count(*) from identity.known_device where bucket = $1 and blind = $2"
    assert await city.house.db.fetchval(kept, blind[0], blind) == 0
    code = await code_for(city, phone)
    stranger = await city.anonymous()
    for n in range(5):
        assert (await try_code(stranger, phone, another(code, n + 1))).status_code == 401
    answer = await try_code(device, phone, code)
    assert answer.status_code == 401, "it guesses with all the others"


async def test_what_who_left_was_asked_is_no_question_to_the_next_one(city: City) -> None:
    giver, phone = await signed_in(city, await city.anonymous(), new_phone()), new_phone()
    asked: list[str] = []
    for whom in ("agent", "principal"):
        if whom == "principal":  # who asks to act must have proved who they are
            giver, _ = await city.short(new_phone(), 2)
        made = await giver.post(
            f"{HOME}/invitations", json={"phone": phone, "whom": whom, "may": ["view"]},
            headers={"idempotency-key": uuid4().hex},
        )  # fmt: skip
        assert made.status_code == 201, made.text
        asked.append(made.json()["id"])
    left = await signed_in(city, await city.anonymous(), phone)
    before = (await left.get(f"{HOME}/")).json()
    assert {one["id"] for one in before["held"] + before["granted"]} == {*asked}
    await leave(city, left, phone)
    following = await signed_in(city, await city.anonymous(), phone)
    assert (await following.get(f"{HOME}/")).json() == {"held": [], "granted": []}
    for one in asked:
        assert (await following.post(f"{HOME}/{UUID(one)}/acceptance")).status_code == 404
    (row,) = [one for one in (await giver.get(f"{HOME}/")).json()["held"] if one["id"] == asked[1]]
    assert (row["state"], row["reason"]) == ("ended", "declined")
