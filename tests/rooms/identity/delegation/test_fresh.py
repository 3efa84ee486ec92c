"""Who gives a right away signed in just now: it would outlast a stolen session."""

from __future__ import annotations

from tests.city import City
from tests.rooms.citizen_web.visitor import visitor
from tests.rooms.identity.delegation.helping import (
    HOME,
    invited,
    just_signed_in,
    long_ago,
    new_phone,
)
from tests.rooms.identity.steps import problem


async def test_an_old_session_names_nobody_to_act(city: City) -> None:
    giver, session = await just_signed_in(city)
    await long_ago(city, session)
    assert problem(await invited(giver, new_phone(), "agent")) == (403, "sign-in-again")
    found = (await giver.get(f"{HOME}/")).json()
    assert found == {"held": [], "granted": []}
    asked = await invited(giver, new_phone(), "principal")
    assert asked.status_code == 201, "to ask for a right gives none away"


async def test_an_old_session_accepts_nobody_who_asks(city: City) -> None:
    agent, _ = await just_signed_in(city)
    phone = new_phone()
    asked = await invited(agent, phone, "principal")
    assert asked.status_code == 201, asked.text
    principal = await city.by_phone(phone)
    token = principal.headers["authorization"].partition(" ")[2]
    await long_ago(city, city.parts.tokens.check(token).session_id)
    path = f"{HOME}/{asked.json()['id']}/acceptance"
    assert problem(await principal.post(path)) == (403, "sign-in-again")
    (row,) = (await principal.get(f"{HOME}/")).json()["granted"]
    assert row["state"] == "invited"
    again = await city.by_phone(phone)
    assert (await again.post(path)).status_code == 200


async def test_an_old_session_may_accept_a_right(city: City) -> None:
    phone = new_phone()
    giver, _ = await just_signed_in(city)
    made = await invited(giver, phone, "agent")
    taker = await city.by_phone(phone)
    token = taker.headers["authorization"].partition(" ")[2]
    await long_ago(city, city.parts.tokens.check(token).session_id)
    answer = await taker.post(f"{HOME}/{made.json()['id']}/acceptance")
    assert problem(answer) == (403, "actor-unproven"), "the real name, no fresh sign-in"


async def test_the_page_leads_to_the_sign_in(city: City) -> None:
    one = await visitor(city, "en")
    await one.sign_in(new_phone())
    session = city.parts.tokens.check(one.client.cookies["cm_access"]).session_id
    await long_ago(city, session)
    form = {"key": "abcdefgh", "phone": new_phone(), "whom": "agent", "far": "view"}
    assert (await one.to("/me/delegations/invite", **form)).startswith("/login?again=1&next=")
