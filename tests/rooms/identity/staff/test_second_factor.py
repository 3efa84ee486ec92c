"""The second factor: what gets in, what doesn't, and what an attacker may try."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.city import City
from tests.rooms.identity.staff.steps import (
    PASSWORD,
    Authenticator,
    account,
    enrolled,
    finish,
    forget_steps,
    sign_in,
    signed_in,
    ticket,
)
from tests.rooms.identity.steps import problem, refreshed

from civicmall.identity.staff.rules import FREE_TRIES, RECOVERY_CODES, TICKET_TRIES
from civicmall.kernel.clock import FixedClock


async def test_who_has_a_factor_must_show_it(city: City) -> None:
    username = await account(city, "operator")
    phone, codes, tokens = await enrolled(city, username)
    assert len(set(codes)) == RECOVERY_CODES
    whole = await city.client(tokens["access_token"])
    assert (await whole.get("/v1/desk/ledger")).status_code == 200
    factors = (await whole.get("/v1/staff/factors")).json()
    assert (factors["totp"], factors["recovery_codes_left"]) == (True, RECOVERY_CODES)

    nobody = await city.anonymous()
    answer = await sign_in(nobody, username)
    assert problem(answer) == (401, "second-factor-needed")
    assert answer.json()["factors"] == ["totp", "recovery"]
    assert "access_token" not in answer.text
    pair = await finish(nobody, answer.json()["ticket"], phone.code())
    assert pair.status_code == 200, pair.text
    again = await city.client(pair.json()["access_token"])
    assert (await again.get("/v1/staff/me")).json()["name"] == "许岚"
    renewed = await refreshed(nobody, pair.json()["refresh_token"])
    assert renewed.status_code == 200


async def test_a_code_works_once_and_so_does_a_ticket(city: City) -> None:
    username = await account(city, "operator")
    phone, _, _ = await enrolled(city, username)
    nobody = await city.anonymous()
    first, second = await ticket(nobody, username), await ticket(nobody, username)
    code = phone.code()
    assert (await finish(nobody, first, code)).status_code == 200
    assert problem(await finish(nobody, first, phone.code(1))) == (401, "ticket-over")
    assert problem(await finish(nobody, second, code)) == (401, "wrong-second-factor")  # a replay
    older = phone.code(-1)
    if older != code:
        third = await ticket(nobody, username)
        assert problem(await finish(nobody, third, older)) == (401, "wrong-second-factor")


async def test_of_many_who_bring_one_code_at_once_one_gets_in(city: City) -> None:
    username = await account(city, "operator")
    phone, _, _ = await enrolled(city, username)
    nobody = await city.anonymous()
    tickets = [await ticket(nobody, username) for _ in range(4)]
    code = phone.code()
    answers = await asyncio.gather(*(finish(nobody, one, code) for one in tickets * 2))
    assert [a.status_code for a in answers].count(200) == 1


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (1, True), (2, False)])
async def test_a_clock_may_be_half_a_minute_off(
    city: City,
    monkeypatch: pytest.MonkeyPatch,
    steps: int,
    right: bool,  # noqa: FBT001
) -> None:
    """The city's clock stands meanwhile: a step that ended in between would be one more or less off."""
    clock = city.house.clock
    monkeypatch.setattr(clock, "now", FixedClock(clock.now()).now)
    username = await account(city, "operator")
    phone, _, _ = await enrolled(city, username)
    nobody = await city.anonymous()
    near = {phone.code(n) for n in (-1, 0, 1)}
    code = phone.code(steps)
    answer = await finish(nobody, await ticket(nobody, username), code)
    assert (answer.status_code == 200) == (right or code in near)


async def test_guessing_ends_the_ticket_and_makes_the_account_wait(city: City) -> None:
    username = await account(city, "operator")
    phone, codes, _ = await enrolled(city, username)
    nobody = await city.anonymous()
    one = await ticket(nobody, username)
    guesses = await asyncio.gather(*(finish(nobody, one, phone.wrong()) for _ in range(20)))
    told = Counter(problem(a) for a in guesses)
    assert told == {(401, "wrong-second-factor"): TICKET_TRIES, (401, "ticket-over"): 20 - TICKET_TRIES}  # fmt: skip

    two = await ticket(nobody, username)  # the right code waits too, and so do recovery codes
    assert problem(await finish(nobody, two, phone.code())) == (401, "wrong-second-factor")
    other = await nobody.post("/v1/staff/tokens/recovery", json={"ticket": two, "code": codes[0]})
    assert problem(other) == (401, "wrong-second-factor")
    left = await city.house.db.fetchval(
        "select y.wait_until > now() + interval '50 seconds' from identity.staff_tries y"
        " join identity.staff s on s.id = y.staff_id where s.username = $1 and y.failures >= $2",
        *(username, FREE_TRIES),
    )
    assert left is True
    await city.house.db.execute("update identity.staff_tries set wait_until = now()")
    three = await ticket(nobody, username)
    assert (await finish(nobody, three, phone.code())).status_code == 200


async def test_the_wait_grows(city: City) -> None:
    username = await account(city, "operator")
    phone, _, _ = await enrolled(city, username)
    nobody = await city.anonymous()
    waits: list[float] = []
    for n in range(FREE_TRIES + 3):
        assert problem(await finish(nobody, await ticket(nobody, username), phone.wrong())) == (
            401, "wrong-second-factor",
        )  # fmt: skip
        wait = await city.house.db.fetchval(
            "select extract(epoch from y.wait_until - now())::float8 from identity.staff_tries y"
            " join identity.staff s on s.id = y.staff_id where s.username = $1",
            username,
        )
        if n + 1 >= FREE_TRIES:
            waits.append(wait)
            await city.house.db.execute("update identity.staff_tries set wait_until = now()")
    assert [round(wait / 60) for wait in waits] == [1, 2, 4, 8]


async def test_a_recovery_code_works_once(city: City) -> None:
    username = await account(city, "operator")
    phone, codes, _ = await enrolled(city, username)
    nobody = await city.anonymous()

    async def recover(code: str) -> Any:
        body = {"ticket": await ticket(nobody, username), "code": code}
        return await nobody.post("/v1/staff/tokens/recovery", json=body)

    sloppy = codes[0].upper().replace("-", " ")
    pair = await recover(sloppy)
    assert pair.status_code == 200, pair.text
    assert problem(await recover(codes[0])) == (401, "wrong-second-factor")
    client = await city.client(pair.json()["access_token"])
    assert (await client.get("/v1/staff/factors")).json()["recovery_codes_left"] == 9

    await forget_steps(city)
    fresh = await client.post("/v1/staff/factors/recovery-codes", json={"code": phone.code()})
    assert len(fresh.json()["codes"]) == RECOVERY_CODES
    assert problem(await recover(codes[1])) == (401, "wrong-second-factor")
    assert (await recover(fresh.json()["codes"][0])).status_code == 200
    kept = await city.house.db.fetch("select hash from identity.staff_recovery")
    assert not any(code.replace("-", "").encode() in row["hash"] for row in kept for code in codes)


async def test_one_accounts_ticket_is_no_use_with_anothers_code(city: City) -> None:
    mine, theirs = await account(city, "operator"), await account(city, "operator")
    phone, codes, _ = await enrolled(city, mine)
    await enrolled(city, theirs)
    nobody = await city.anonymous()
    stolen = await ticket(nobody, theirs)
    assert problem(await finish(nobody, stolen, phone.code())) == (401, "wrong-second-factor")
    body = {"ticket": stolen, "code": codes[0]}
    other = await nobody.post("/v1/staff/tokens/recovery", json=body)
    assert problem(other) == (401, "wrong-second-factor")
    mine_again = await ticket(nobody, mine)  # what was tried elsewhere is still good here
    assert (await finish(nobody, mine_again, phone.code())).status_code == 200


async def test_a_secret_is_confirmed_by_the_session_that_was_shown_it(city: City) -> None:
    username = await account(city, "operator")
    victim, attacker = await signed_in(city, username), await signed_in(city, username)
    shown = (await attacker.post("/v1/staff/factors/totp", json={})).json()["secret"]
    own = (await victim.post("/v1/staff/factors/totp", json={})).json()["secret"]
    assert shown != own
    planted, real = Authenticator(city, shown), Authenticator(city, own)
    confirm = "/v1/staff/factors/totp/confirmation"
    if planted.code() != real.code():
        wrong = await victim.post(confirm, json={"code": planted.code()})
        assert problem(wrong) == (401, "wrong-second-factor")
    done = await victim.post(confirm, json={"code": real.code()})
    assert done.status_code == 200
    # Whatever else was signed in with the password alone is over, at once.
    assert problem(await attacker.get("/v1/desk/ledger")) == (401, "token-invalid")
    assert problem(await attacker.post(confirm, json={"code": planted.code()})) == (
        401, "token-invalid",
    )  # fmt: skip


async def test_who_finishes_second_finds_the_factor_of_the_first(city: City) -> None:
    """The same at one instant: whoever confirms last doesn't replace what there is."""
    username = await account(city, "operator")
    both = [await signed_in(city, username) for _ in range(2)]
    phones = [
        Authenticator(city, (await one.post("/v1/staff/factors/totp", json={})).json()["secret"])
        for one in both
    ]
    confirm = "/v1/staff/factors/totp/confirmation"
    answers = await asyncio.gather(
        *(c.post(confirm, json={"code": p.code()}) for c, p in zip(both, phones, strict=True))
    )
    assert [a.status_code for a in answers].count(200) == 1


async def test_a_stolen_session_does_not_exchange_the_authenticator(city: City) -> None:
    username = await account(city, "operator")
    phone, _, tokens = await enrolled(city, username)
    session = await city.client(tokens["access_token"])
    begin = "/v1/staff/factors/totp"
    assert problem(await session.post(begin, json={})) == (409, "has-second-factor")
    wrong = await session.post(begin, json={"code": phone.wrong()})
    assert problem(wrong) == (401, "wrong-second-factor")
    assert (await session.post(begin, json={"code": phone.code()})).status_code == 200
    again = await session.post(begin, json={"code": phone.code()})
    assert problem(again) == (401, "wrong-second-factor")  # that code is used


async def test_a_secret_is_kept_sealed(city: City) -> None:
    username = await account(city, "operator")
    client = await signed_in(city, username)
    begun = (await client.post("/v1/staff/factors/totp", json={})).json()
    plain = begun["secret"].replace(" ", "")
    assert len(plain) == 32
    assert f"secret={plain}" in begun["uri"]
    for table in ("staff_enrolment", "staff_totp"):
        rows = await city.house.db.fetch(f"select secret from identity.{table}")  # noqa: S608
        assert not any(plain.encode() in row["secret"] for row in rows)


BODIES: list[tuple[str, Any]] = [
    ("/v1/staff/tokens/totp", {}),
    ("/v1/staff/tokens/totp", {"ticket": "x" * 40}),
    ("/v1/staff/tokens/totp", {"ticket": "x" * 40, "code": "12345"}),
    ("/v1/staff/tokens/totp", {"ticket": "x" * 40, "code": "１２３４５６"}),
    ("/v1/staff/tokens/totp", {"ticket": "x" * 40, "code": "123456\n"}),
    ("/v1/staff/tokens/totp", {"ticket": "x" * 40, "code": 123456}),
    ("/v1/staff/tokens/totp", {"ticket": "x" * 101, "code": "123456"}),
    ("/v1/staff/tokens/totp", {"ticket": "", "code": "123456"}),
    ("/v1/staff/tokens/totp", {"Ticket": "x" * 40, "code": "123456"}),
    ("/v1/staff/tokens/totp", {"ticket": "x" * 40, "code": "123456", "more": 1}),
    ("/v1/staff/tokens/totp", [1]),
    ("/v1/staff/tokens/recovery", {"ticket": "x" * 40, "code": ""}),
    ("/v1/staff/tokens/recovery", {"ticket": "x" * 40, "code": "a" * 41}),
    ("/v1/staff/tokens/recovery", {"ticket": None, "code": "a"}),
]


@pytest.mark.parametrize(("path", "body"), BODIES)
async def test_bad_input_is_named(city: City, path: str, body: Any) -> None:
    nobody = await city.anonymous()
    assert problem(await nobody.post(path, json=body)) == (400, "bad-request")


@pytest.mark.parametrize("made_up", ["x" * 40, "\x00" * 40, "票" * 40, "A" * 43])
async def test_a_made_up_ticket_is_over(city: City, made_up: str) -> None:
    nobody = await city.anonymous()
    assert problem(await finish(nobody, made_up, "123456")) == (401, "ticket-over")
    body = {"ticket": made_up, "code": "abcd-efgh-jkmn"}
    answer = await nobody.post("/v1/staff/tokens/recovery", json=body)
    assert problem(answer) == (401, "ticket-over")


async def test_a_ticket_is_over_after_five_minutes_and_with_the_account(city: City) -> None:
    username = await account(city, "operator")
    phone, _, _ = await enrolled(city, username)
    nobody = await city.anonymous()
    one, two = await ticket(nobody, username), await ticket(nobody, username)
    await city.house.db.execute(
        "update identity.staff_ticket set expires_at = now() where hash = sha256($1)", one.encode()
    )
    assert problem(await finish(nobody, one, phone.code())) == (401, "ticket-over")
    await city.house.db.execute(
        "update identity.staff set active = false where username = $1", username
    )
    assert problem(await finish(nobody, two, phone.code())) == (401, "ticket-over")
    assert problem(await sign_in(nobody, username, PASSWORD)) == (401, "wrong-password")
