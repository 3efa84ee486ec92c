"""What the tests of acting for others do again and again."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import UUID, uuid4

import httpx
from tests.city import City

from civicmall import identity
from shopkit.sandbox import Child, Enterprise, children, enterprises, people

HOME = "/v1/me/delegations"
_numbers = itertools.count()


def new_phone() -> str:
    """A phone that nobody has."""
    return f"1970000{next(_numbers):04d}"


def child_of(city: City, persona: str) -> Child:
    """The persona's child."""
    today = city.house.clock.today()
    number = next(one.id_number for one in people(today) if one.persona == persona)
    return next(one for one in children(today) if number in one.parents)


def enterprise_of(city: City, persona: str) -> Enterprise:
    """The enterprise whose legal representative the persona is."""
    today = city.house.clock.today()
    number = next(one.id_number for one in people(today) if one.persona == persona)
    return next(one for one in enterprises(today) if one.representative == number)


async def as_parent(client: httpx.AsyncClient, child: Child) -> dict[str, Any]:
    """Have the relation proved."""
    answer = await client.post(
        f"{HOME}/children", json={"name": child.name, "id_number": child.id_number}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def as_head(client: httpx.AsyncClient, enterprise: Enterprise) -> dict[str, Any]:
    """Have the legal representative proved."""
    answer = await client.post(
        f"{HOME}/enterprises", json={"name": enterprise.name, "uscc": enterprise.uscc}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def invited(client: httpx.AsyncClient, phone: str, whom: str, **given: Any) -> httpx.Response:
    """Ask the owner of a phone."""
    said = {"phone": phone, "whom": whom, "may": ["view"], **given}
    return await client.post(
        f"{HOME}/invitations", json=said, headers={"idempotency-key": str(uuid4())}
    )


async def agreed(
    city: City, principal: str, agent: str, may: list[str], **given: Any
) -> dict[str, Any]:
    """One persona acts for another, who gave it and whose gift was accepted."""
    giver, taker = await city.citizen(principal), await city.citizen(agent)
    phone = (await city.people())[agent]["phone"]
    made = await invited(giver, phone, "agent", may=may, **given)
    assert made.status_code == 201, made.text
    accepted = await taker.post(f"{HOME}/{made.json()['id']}/acceptance")
    assert accepted.status_code == 200, accepted.text
    return accepted.json()


async def just_signed_in(city: City, level: int = 2) -> tuple[httpx.AsyncClient, UUID]:
    """Somebody new with a session of just now, and its id; the client is for many at once."""
    citizen = await identity.account(city.house, new_phone())
    session = await identity.devices.open_session(city.house.db, citizen, "citizen", "a phone")
    token = city.parts.tokens.access(identity.Caller(citizen, session, level))
    return await city.crowd(token), session


async def long_ago(city: City, session: UUID) -> None:
    """Let its sign-in be eleven minutes ago."""
    await city.house.db.execute(
        "update identity.session set created_at = now() - interval '11 minutes' where id = $1",
        session,
    )


async def token_for(client: httpx.AsyncClient, delegation: dict[str, Any]) -> httpx.Response:
    """Ask for a token to act with."""
    return await client.post(f"{HOME}/{delegation['id']}/token")


async def acting(
    city: City, client: httpx.AsyncClient, delegation: dict[str, Any]
) -> httpx.AsyncClient:
    """A client that acts."""
    answer = await token_for(client, delegation)
    assert answer.status_code == 200, answer.text
    return await city.client(answer.json()["access_token"])


async def lists(client: httpx.AsyncClient) -> dict[str, Any]:
    """For whom they act, and who acts for them."""
    answer = await client.get(f"{HOME}/")
    assert answer.status_code == 200, answer.text
    return answer.json()
