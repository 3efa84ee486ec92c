"""Level 2 by the register: no oracle for names and numbers, and told of."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from tests.city import City
from tests.rooms.identity.levels.people import HOMES, somebody
from tests.rooms.identity.steps import problem, verified

from civicmall import identity
from civicmall.identity import Verification, levels
from civicmall.identity.errors import AlreadyVerified
from civicmall.identity.levels import rules
from civicmall.identity.levels.authority import NoAuthority


async def test_guessing_ends_with_the_day(city: City) -> None:
    """However many at once; and the right pair is refused then, too."""
    one = await somebody(city)
    number = HOMES[70].id_number
    answers = await asyncio.gather(
        *(verified(one.client, f"王{n}号", number) for n in range(rules.CITIZEN_DAY + 5))
    )
    told = sorted(problem(answer) for answer in answers)
    assert (
        told
        == [(422, "not-in-register")] * rules.CITIZEN_DAY + [(429, "too-many-verifications")] * 5
    )
    late = await verified(one.client, HOMES[70].name, number)
    assert problem(late) == (429, "too-many-verifications")
    assert int(late.headers["retry-after"]) > 0
    assert await one.level() == 1


async def test_many_accounts_guess_no_more_of_one_number(city: City) -> None:
    number = HOMES[71].id_number
    crowd = [await somebody(city) for _ in range(rules.NUMBER_DAY // rules.CITIZEN_DAY + 2)]
    told: list[str] = []
    for one in crowd:
        answers = [await verified(one.client, f"李{n}号", number) for n in range(9)]
        told += [problem(answer)[1] for answer in answers]
    assert told.count("not-in-register") == rules.NUMBER_DAY
    another = await somebody(city)
    assert (await verified(another.client, HOMES[72].name, HOMES[72].id_number)).is_success


async def test_who_is_verified_learns_nothing_of_others(city: City) -> None:
    one = await somebody(city, HOMES[73])
    right = await verified(one.client, HOMES[74].name, HOMES[74].id_number)
    wrong = await verified(one.client, "查无此人", HOMES[74].id_number)
    assert problem(right) == problem(wrong) == (409, "already-verified")
    own = await verified(one.client, "查无此人", HOMES[73].id_number)
    assert problem(own) == (409, "already-verified")


async def test_a_taken_number_costs_a_try_of_the_number(city: City) -> None:
    await somebody(city, HOMES[75])
    thief = await somebody(city)
    for _ in range(rules.CITIZEN_DAY + 2):  # it is right, so the account may ask on
        answer = await verified(thief.client, HOMES[75].name, HOMES[75].id_number)
        assert problem(answer) == (409, "id-number-taken")
    answers = [
        await verified(thief.client, HOMES[75].name, HOMES[75].id_number)
        for _ in range(rules.NUMBER_DAY)
    ]
    assert problem(answers[-1]) == (429, "too-many-verifications")


async def test_a_raised_level_is_told_and_has_an_age(city: City) -> None:
    before = city.house.clock.now()
    one = await somebody(city, HOMES[76])
    profile = (await one.client.get("/v1/me")).json()
    assert profile["level"] == 2
    at = datetime.fromisoformat(profile["verified_at"])
    assert abs((at - before).total_seconds()) < 60
    assert (await (await somebody(city)).client.get("/v1/me")).json()["verified_at"] is None
    await city.settled()
    told = (await one.client.get("/v1/inbox")).json()["items"]
    assert [m["link"] for m in told if m["kind"] == "identity.level_raised"] == ["/me"]


async def test_a_city_without_an_authority_says_so(city: City) -> None:
    one = await somebody(city)
    ask = Verification(HOMES[77].name, HOMES[77].id_number)
    for _ in range(rules.CITIZEN_DAY + 1):  # and that costs no try
        with pytest.raises(levels.AuthorityAway):
            await identity.verify(city.house, one.id, ask, NoAuthority())
    assert (await verified(one.client, ask.name, ask.id_number)).is_success
    with pytest.raises(levels.AuthorityAway):
        await levels.face.begin(city.house, NoAuthority(), one.id)
    with pytest.raises(levels.AuthorityAway):
        await NoAuthority().result("ticket")


async def test_an_upstreams_word_goes_the_same_way(city: City) -> None:
    one, two = await somebody(city), await somebody(city)
    person = HOMES[78]
    found = await levels.attest(city.house, one.id, person.name, person.id_number, by="upstream")
    assert found.level == 2
    assert found.facts == {"birth_date": person.birth_date.isoformat(), "sex": person.sex}
    again = await levels.attest(city.house, one.id, person.name, person.id_number, by="upstream")
    assert again == found
    with pytest.raises(AlreadyVerified):
        await levels.attest(city.house, one.id, HOMES[79].name, HOMES[79].id_number, by="upstream")
    with pytest.raises(identity.NumberTaken):
        await levels.attest(city.house, two.id, person.name, person.id_number, by="upstream")
    with pytest.raises(identity.NotInRegister):
        await levels.attest(
            city.house, two.id, person.name, person.id_number[:-1] + "?", by="upstream"
        )
    assert await two.level() == 1
