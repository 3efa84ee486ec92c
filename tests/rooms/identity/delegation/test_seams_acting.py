"""Where acting for others meets the account itself: nothing of it opens the account's own doors."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec
import pytest
from tests.city import City
from tests.rooms.identity.delegation.helping import (
    agreed,
    invited,
    just_signed_in,
    new_phone,
    token_for,
)

from civicmall import identity
from civicmall.identity import ActingNotAllowed, Caller

HTML = {"accept": "text/html"}


async def test_a_token_to_act_with_is_no_session_of_a_browser(city: City) -> None:
    """Whoever acts has the token, and writes what they like into their own cookies."""
    given = await agreed(city, "newborn_mother", "newborn_father", ["view"])
    agent = await city.citizen("newborn_father")
    token = (await token_for(agent, given)).json()["access_token"]
    browser = await city.anonymous()
    browser.cookies.set("cm_access", token)
    for path in ("/me/passkeys", "/me/devices", "/me/delegations", "/me/links", "/me/data", "/me"):
        answer = await browser.get(path, headers=HTML)
        assert answer.status_code == 303, (path, answer.status_code)
        assert answer.headers["location"].startswith("/login"), path
    for path in ("/me/devices/end-others", "/me/passkeys", "/logout"):
        answer = await browser.post(path, headers={**HTML, "origin": city.url})
        assert answer.headers.get("location", "/login").startswith("/login"), path
    principal = await city.citizen("newborn_mother")
    assert (await principal.get("/v1/me")).status_code == 200, "still signed in"


@pytest.mark.parametrize("verb", ["options", "add", "remove"])
async def test_nobody_puts_a_key_of_theirs_on_anothers_door(city: City, verb: str) -> None:
    """Not even past the guards: a page may call these verbs."""
    given = await agreed(city, "newborn_mother", "newborn_father", ["view"])
    agent = await city.citizen("newborn_father")
    who = city.parts.tokens.check((await token_for(agent, given)).json()["access_token"])
    assert isinstance(who, Caller)
    assert who.citizen_id == UUID(given["principal"])
    add = identity.passkeys.PasskeyAdd("x", _nothing(), "")
    wanted = {
        "options": lambda: identity.passkeys.add_options(city.house, who),
        "add": lambda: identity.passkeys.add(city.house, who, add),
        "remove": lambda: identity.passkeys.remove(city.house, who, who.session_id),
    }
    with pytest.raises(ActingNotAllowed):
        await wanted[verb]()


async def test_many_invitations_at_once_are_no_more_than_one_after_the_other(city: City) -> None:
    giver, _ = await just_signed_in(city)
    answers = await asyncio.gather(*(invited(giver, new_phone(), "agent") for _ in range(40)))
    assert sorted({one.status_code for one in answers}) == [201, 429]
    assert sum(one.status_code == 201 for one in answers) == 10


async def test_nobodys_phone_is_flooded_by_invitations(city: City) -> None:
    phone = new_phone()
    givers = [(await just_signed_in(city))[0] for _ in range(22)]
    answers = [await invited(giver, phone, "agent") for giver in givers]
    assert [one.status_code for one in answers] == [201] * 20 + [429] * 2


def _nothing() -> identity.passkeys.Attestation:
    said = {
        "id": "x" * 22, "rawId": "x" * 22, "type": "public-key",
        "response": {"clientDataJSON": "e30", "attestationObject": "e30"},
    }  # fmt: skip
    return msgspec.convert(said, identity.passkeys.Attestation)
