"""How often codes are sent and tried: by phone, network and device; and nobody locks another out."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.city import City
from tests.rooms.identity.steps import another, new_phone, problem, try_code

from civicmall.identity import limits
from civicmall.identity.limits import DEVICE, DEVICE_DAY, HEADER, NETWORK, STRANGERS, Limit
from civicmall.identity.rules import CODE_TRIES, CODES_PER_WINDOW, WRONG_PER_DAY


@pytest.fixture(autouse=True)
async def fresh(city: City) -> None:
    await city.house.db.execute("delete from identity.attempt")


async def send(client: httpx.AsyncClient, phone: str) -> httpx.Response:
    return await client.post("/v1/sign-in/codes", json={"phone": phone})


async def code_of(city: City, phone: str) -> str:
    nobody = await city.anonymous()
    messages = (await nobody.get("/v1/sandbox/messages")).json()["items"]
    text = next(m["text"] for m in messages if m["to"] == phone)
    return "".join(filter(str.isdigit, text))


async def owner_on_a_device(city: City, phone: str) -> httpx.AsyncClient:
    """Somebody who signed in before, on a device that keeps its cookie."""
    device = await city.anonymous()
    assert (await send(device, phone)).status_code == 202
    pair = await try_code(device, phone, await code_of(city, phone))
    assert pair.status_code == 200, pair.text
    return device


async def test_a_device_gets_an_id_and_keeps_it(city: City) -> None:
    client = await city.anonymous()
    first = await send(client, new_phone())
    given = first.headers[HEADER]
    assert client.cookies[limits.COOKIE].strip('"') == given
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert HEADER not in (await send(client, new_phone())).headers
    app = await city.anonymous()
    by_header = await app.post(
        "/v1/sign-in/codes", json={"phone": new_phone()}, headers={HEADER: given}
    )
    assert HEADER not in by_header.headers


@pytest.mark.parametrize("made_up", ["", "x", "A" * 43 + "=", "A" * 44, "=" * 64, "A" * 65, "é"])
async def test_a_made_up_device_is_a_stranger(city: City, made_up: str) -> None:
    client = await city.anonymous()
    answer = await client.post(
        "/v1/sign-in/codes",
        json={"phone": new_phone()},
        headers={HEADER.encode(): made_up.encode()},
    )
    assert answer.status_code == 202
    assert answer.headers[HEADER] != made_up


async def test_one_device_is_held_back_and_others_go_on(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DEVICE, "send", Limit(3, 600))
    client, other = await city.anonymous(), await city.anonymous()
    assert (await send(client, new_phone())).status_code == 202  # it gets its id
    for _ in range(3):
        assert (await send(client, new_phone())).status_code == 202
    refused = await send(client, new_phone())
    assert problem(refused) == (429, "too-many-tries")
    assert 590 <= int(refused.headers["retry-after"]) <= 600
    assert (await send(other, new_phone())).status_code == 202
    await city.house.db.execute(
        "update identity.attempt set began_at = began_at - interval '601 seconds'"
    )
    assert (await send(client, new_phone())).status_code == 202


async def test_a_days_tries_of_a_device_have_an_end(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DEVICE_DAY, "try", Limit(2, 86_400))
    client = await city.anonymous()
    await send(client, new_phone())
    for _ in range(2):
        assert problem(await try_code(client, new_phone(), "000000")) == (401, "code-used-up")
    assert problem(await try_code(client, new_phone(), "000000")) == (429, "too-many-tries")


async def test_who_throws_the_id_away_is_counted_by_network_and_others_are_not(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await city.anonymous()
    await send(known, new_phone())
    monkeypatch.setitem(STRANGERS, "send", Limit(5, 600))
    for _ in range(4):
        assert (await send(await city.anonymous(), new_phone())).status_code == 202
    assert problem(await send(await city.anonymous(), new_phone())) == (429, "too-many-tries")
    assert (await send(known, new_phone())).status_code == 202  # behind the same address


async def test_a_network_has_room_for_a_town(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    assert NETWORK["send"].most >= 1000
    monkeypatch.setitem(NETWORK, "send", Limit(2, 600))
    for _ in range(2):
        assert (await send(await city.anonymous(), new_phone())).status_code == 202
    assert problem(await send(await city.anonymous(), new_phone())) == (429, "too-many-tries")


async def test_counts_are_kept_for_all_processes_and_tell_nothing(city: City) -> None:
    await send(await city.anonymous(), new_phone())
    rows = await city.house.db.fetch("select blind, count from identity.attempt")
    assert len(rows) == 2
    assert all(row["count"] == 1 and b"127.0.0.1" not in row["blind"] for row in rows)


async def test_a_flood_writes_no_more_than_the_limit(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORK, "send", Limit(2, 600))
    for _ in range(6):
        await send(await city.anonymous(), new_phone())
    assert await city.house.db.fetchval("select max(count) from identity.attempt") == 3


async def test_x_forwarded_for_of_strangers_is_not_believed(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRANGERS, "send", Limit(3, 600))
    for n in range(3):
        client = await city.anonymous()
        client.headers["x-forwarded-for"] = f"203.0.113.{n}"
        assert (await send(client, new_phone())).status_code == 202
    client = await city.anonymous()
    client.headers["x-forwarded-for"] = "203.0.113.77"
    assert problem(await send(client, new_phone())) == (429, "too-many-tries")


async def test_an_attacker_does_not_keep_the_owner_out_on_a_known_device(city: City) -> None:
    phone = new_phone()
    mine = await owner_on_a_device(city, phone)
    attacker = await city.anonymous()
    for _ in range(CODES_PER_WINDOW):
        await send(attacker, phone)
    assert problem(await send(attacker, phone)) == (429, "too-many-codes")
    blind = city.house.keys.blind(phone, "phone")
    await city.house.db.execute(
        "update identity.code set day_wrong = $1 where bucket = $2 and blind = $3",
        *(WRONG_PER_DAY, blind[0], blind),
    )
    assert problem(await try_code(attacker, phone, "000000")) == (401, "code-used-up")

    assert (await send(mine, phone)).status_code == 202
    code = await code_of(city, phone)
    for n in range(CODE_TRIES):  # guesses meanwhile spend tries of the attacker's code
        await try_code(attacker, phone, another(code, n + 1))
    assert (await try_code(mine, phone, code)).status_code == 200


async def test_a_known_device_of_one_phone_is_a_stranger_to_another(city: City) -> None:
    """Its own lane is of the two together, and has limits of its own."""
    mine, theirs = new_phone(), new_phone()
    device = await owner_on_a_device(city, mine)
    await owner_on_a_device(city, theirs)
    assert (await send(device, theirs)).status_code == 202
    code = await code_of(city, theirs)
    for n in range(CODE_TRIES):
        assert problem(await try_code(device, theirs, another(code, n + 1))) == (401, "wrong-code")
    stranger = await city.anonymous()
    assert problem(await try_code(stranger, theirs, code)) == (401, "code-used-up")


async def test_a_known_devices_code_is_guessed_as_little_as_any(city: City) -> None:
    phone = new_phone()
    device = await owner_on_a_device(city, phone)
    await send(device, phone)
    code = await code_of(city, phone)
    for n in range(CODE_TRIES):
        assert problem(await try_code(device, phone, another(code, n + 1))) == (401, "wrong-code")
    assert problem(await try_code(device, phone, code)) == (401, "code-used-up")
    answers = [await send(device, phone) for _ in range(CODES_PER_WINDOW)]
    assert problem(answers[-1]) == (429, "too-many-codes")


async def test_a_stolen_id_is_no_sign_in(city: City) -> None:
    phone = new_phone()
    device = await owner_on_a_device(city, phone)
    thief: Any = await city.anonymous()
    thief.headers[HEADER] = device.cookies[limits.COOKIE].strip('"')
    assert problem(await try_code(thief, phone, "000000")) == (401, "code-used-up")
