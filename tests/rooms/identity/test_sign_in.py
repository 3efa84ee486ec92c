"""One-time codes: who gets in, who doesn't, and that guessing doesn't pay."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from tests.city import City
from tests.rooms.identity.steps import (
    another,
    code_for,
    new_phone,
    pair_for,
    problem,
    try_code,
)

from civicmall import identity
from civicmall.identity.rules import (
    CODE_TRIES,
    CODE_VALID_S,
    CODE_WINDOW_S,
    CODES_PER_DAY,
    CODES_PER_WINDOW,
    WRONG_PER_DAY,
)


async def _expire(city: City, phone: str) -> None:
    """Let a code's five minutes pass."""
    blind = city.house.keys.blind(phone, "phone")
    await city.house.db.execute(
        "update identity.code set expires_at = now() - interval '1 second'"
        " where bucket = $1 and blind = $2",
        *(blind[0], blind),
    )


async def test_a_code_opens_an_account_and_later_the_same_one(city: City) -> None:
    phone = new_phone()
    first = await city.client((await pair_for(city, phone))["access_token"])
    me = (await first.get("/v1/me")).json()
    assert me["level"] == 1
    assert me["phone"] == f"{phone[:3]}****{phone[-4:]}"
    assert (me["name"], me["id_number"], me["facts"], me["declared"]) == (None, None, {}, [])

    again = await city.client((await pair_for(city, phone))["access_token"])
    assert (await again.get("/v1/me")).json() == me


async def test_an_answer_does_not_tell_whether_a_phone_has_an_account(city: City) -> None:
    known = new_phone()
    await pair_for(city, known)
    nobody = await city.anonymous()
    answers = [
        await nobody.post("/v1/sign-in/codes", json={"phone": phone})
        for phone in (known, new_phone())
    ]
    assert [a.status_code for a in answers] == [202, 202]
    assert answers[0].json() == answers[1].json() == {"expires_in_s": 300, "resend_after_s": 30}
    wrong = [await try_code(nobody, phone, "000000") for phone in (new_phone(), new_phone())]
    assert {problem(a) for a in wrong} == {(401, "code-used-up")}


async def test_after_five_wrong_codes_the_right_one_is_no_use(city: City) -> None:
    phone = new_phone()
    code, nobody = await code_for(city, phone), await city.anonymous()
    for left in reversed(range(CODE_TRIES)):
        answer = await try_code(nobody, phone, another(code, left + 1))
        assert problem(answer) == (401, "wrong-code")
        assert answer.json()["tries_left"] == left
        assert "access_token" not in answer.text
    assert problem(await try_code(nobody, phone, code)) == (401, "code-used-up")
    assert problem(await try_code(nobody, phone, another(code))) == (401, "code-used-up")

    fresh = await try_code(nobody, phone, await code_for(city, phone))
    assert fresh.status_code == 200


async def test_twenty_guesses_at_once_cost_five_tries_in_all(city: City) -> None:
    phone = new_phone()
    code, nobody = await code_for(city, phone), await city.anonymous()
    answers = await asyncio.gather(
        *(try_code(nobody, phone, another(code, n + 1)) for n in range(20))
    )
    told = Counter(problem(a) for a in answers)
    assert told == {(401, "wrong-code"): CODE_TRIES, (401, "code-used-up"): 20 - CODE_TRIES}
    left = sorted(a.json()["tries_left"] for a in answers if "tries_left" in a.json())
    assert left == list(range(CODE_TRIES))
    assert problem(await try_code(nobody, phone, code)) == (401, "code-used-up")


async def test_of_two_who_bring_one_code_at_once_one_gets_in(city: City) -> None:
    for _ in range(5):
        phone = new_phone()
        code, nobody = await code_for(city, phone), await city.anonymous()
        both = await asyncio.gather(*(try_code(nobody, phone, code) for _ in range(2)))
        assert sorted(a.status_code for a in both) == [200, 401]
        assert problem(next(a for a in both if a.is_error)) == (401, "code-used-up")


async def test_one_phone_is_one_citizen_however_many_come_at_once(city: City) -> None:
    phone = new_phone()
    ids = await asyncio.gather(*(identity.account(city.house, phone) for _ in range(20)))
    assert len(set(ids)) == 1


async def test_a_code_is_over_after_five_minutes(city: City) -> None:
    phone = new_phone()
    code, nobody = await code_for(city, phone), await city.anonymous()
    blind = city.house.keys.blind(phone, "phone")
    left: timedelta = await city.house.db.fetchval(
        "select expires_at - now() from identity.code where bucket = $1 and blind = $2",
        *(blind[0], blind),
    )
    assert CODE_VALID_S - 20 < left.total_seconds() <= CODE_VALID_S
    await _expire(city, phone)
    assert problem(await try_code(nobody, phone, code)) == (401, "code-used-up")


async def test_who_asks_for_too_many_codes_is_told_when_to_come_back(city: City) -> None:
    phone, nobody = new_phone(), await city.anonymous()
    for _ in range(CODES_PER_WINDOW):
        assert (await nobody.post("/v1/sign-in/codes", json={"phone": phone})).status_code == 202
    refused = await nobody.post("/v1/sign-in/codes", json={"phone": phone})
    assert problem(refused) == (429, "too-many-codes")
    assert refused.headers["retry-after"] == str(CODE_WINDOW_S)
    other = await nobody.post("/v1/sign-in/codes", json={"phone": new_phone()})
    assert other.status_code == 202

    blind = city.house.keys.blind(phone, "phone")
    await city.house.db.execute(
        "update identity.code set window_start = now() - make_interval(secs => $3)"
        " where bucket = $1 and blind = $2",
        *(blind[0], blind, CODE_WINDOW_S + 1),
    )
    assert (await nobody.post("/v1/sign-in/codes", json={"phone": phone})).status_code == 202


async def _day(city: City, phone: str, column: str, count: int) -> None:
    """Let so many have been counted today."""
    blind = city.house.keys.blind(phone, "phone")
    await city.house.db.execute(
        f"update identity.code set {column} = $3 where bucket = $1 and blind = $2",  # noqa: S608
        *(blind[0], blind, count),
    )


async def test_a_day_has_an_end_of_codes(city: City) -> None:
    phone, nobody = new_phone(), await city.anonymous()
    await code_for(city, phone)
    await _day(city, phone, "day_sent", CODES_PER_DAY)
    refused = await nobody.post("/v1/sign-in/codes", json={"phone": phone})
    assert problem(refused) == (429, "too-many-codes")
    blind = city.house.keys.blind(phone, "phone")
    await city.house.db.execute(
        "update identity.code set day = current_date - 1 where bucket = $1 and blind = $2",
        *(blind[0], blind),
    )
    assert (await nobody.post("/v1/sign-in/codes", json={"phone": phone})).status_code == 202


async def test_wrong_codes_of_a_day_are_counted_over_all_its_codes(city: City) -> None:
    phone, nobody = new_phone(), await city.anonymous()
    code = await code_for(city, phone)
    await _day(city, phone, "day_wrong", WRONG_PER_DAY - 1)
    assert problem(await try_code(nobody, phone, another(code))) == (401, "wrong-code")
    code = await code_for(city, phone)
    assert problem(await try_code(nobody, phone, code)) == (401, "code-used-up")


async def test_a_code_comes_in_the_readers_language(city: City) -> None:
    phone = new_phone()
    english = await city.client(lang="en")
    assert (await english.post("/v1/sign-in/codes", json={"phone": phone})).status_code == 202
    messages = (await english.get("/v1/sandbox/messages")).json()["items"]
    text = next(m["text"] for m in messages if m["to"] == phone)
    assert text.startswith("Your CivicMall code is ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"phone": "12345", "code": "123456"}, "phone"),
        ({"phone": "19800009999", "code": "12345"}, "code"),
        ({"phone": "19800009999", "code": "123456", "device": "a\x00b"}, "device"),
        ({"phone": "19800009999", "code": "123456", "device": "a" * 81}, "device"),
        ({"phone": "19800009999"}, "code"),
        ({"phone": "19800009999\n", "code": "123456"}, "phone"),
        ({"phone": "１９８００００９９９９", "code": "123456"}, "phone"),
        ({"phone": "19800009999", "code": "１２３４５６"}, "code"),
    ],
)
async def test_a_wrong_field_is_named(city: City, body: dict[str, str], field: str) -> None:
    nobody = await city.anonymous()
    answer = await nobody.post("/v1/sign-in/tokens", json=body)
    assert problem(answer) == (400, "bad-request")
    assert field in answer.text
