"""What somebody would try who wants more than was given to them."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.city import City
from tests.rooms.identity.delegation.helping import (
    HOME,
    acting,
    agreed,
    invited,
    lists,
    new_phone,
    token_for,
)
from tests.rooms.identity.steps import pair_for, problem, refreshed

from civicmall import identity
from civicmall.identity import Caller, Tokens
from civicmall.identity.models import Actor
from civicmall.kernel import crypto, ids

BENEFITS = ("view", "apply", "pay")


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, body, signature = token.split(".")
    decode = [msgspec.json.decode(base64.urlsafe_b64decode(p + "==")) for p in (head, body)]
    return decode[0], decode[1], signature


def put_together(head: dict[str, Any], body: dict[str, Any], signature: str) -> str:
    encoded = [
        base64.urlsafe_b64encode(msgspec.json.encode(p)).decode().rstrip("=") for p in (head, body)
    ]
    return ".".join([*encoded, signature])


async def test_a_forged_act_is_no_act(city: City) -> None:
    """Another principal, wider rights, a later end, no signature, another's key: none is believed."""
    given = await agreed(city, "newborn_mother", "newborn_father", ["view"])
    agent = await city.citizen("newborn_father")
    token = (await token_for(agent, given)).json()["access_token"]
    head, body, signature = parts_of(token)
    assert body["act"] == {"sub": given["agent"]}
    assert body["sub"] == given["principal"]
    assert (body["dlg"], body["may"]) == (given["id"], ["view"])
    victim = str(ids.new(1))
    changed = [
        put_together(head, {**body, **more}, signature)
        for more in (
            {"sub": victim}, {"may": list(BENEFITS)}, {"exp": body["exp"] + 9_000}, {"act": {"sub": victim}},
            {"dlg": victim}, {"shops": None, "until": None, "acr": "L3"},
        )
    ]  # fmt: skip
    changed.append(put_together({**head, "alg": "none"}, body, ""))
    foreign = Tokens(crypto.Keys(crypto.generate()), city.settings.public_url, city.house.clock)
    wide = Actor(UUID(given["agent"]), UUID(given["id"]), frozenset({"view", "apply", "pay"}))
    changed.append(foreign.access(Caller(UUID(victim), ids.new(1), 3, actor=wide)))
    for forged in changed:
        answer = await (await city.client(forged)).get("/v1/me")
        assert answer.status_code == 401, parts_of(forged)[:2] if forged.count(".") == 2 else forged


@pytest.mark.parametrize("who", ["stranger", "principal", "nobody"])
async def test_only_its_agent_gets_a_token(city: City, who: str) -> None:
    given = await agreed(city, "newborn_mother", "newborn_father", ["view"])
    if who == "nobody":
        client, given = await city.citizen("newborn_father"), {**given, "id": str(ids.new(7))}
    else:
        client = await city.citizen("graduate" if who == "stranger" else "newborn_mother")
    assert problem(await token_for(client, given)) == (404, "no-such-delegation")
    if who == "stranger":
        for answer in (
            await client.post(f"{HOME}/{given['id']}/acceptance"),
            await client.delete(f"{HOME}/{given['id']}"),
            await client.get(f"{HOME}/{given['id']}/agents"),
        ):
            assert problem(answer) == (404, "no-such-delegation")
        assert given["id"] not in str(await lists(client))


async def test_rights_make_no_chain_and_reach_no_account_door(city: City) -> None:
    """From an acting token no other is made: not of the agent's own, not of the principal's."""
    first = await agreed(city, "newborn_mother", "newborn_father", list(BENEFITS))
    second = await agreed(city, "near_retirement_man", "newborn_mother", list(BENEFITS))
    acts = await acting(city, await city.citizen("newborn_father"), first)
    for one in (first, second):
        refused = await token_for(acts, one)
        assert (problem(refused), refused.json()["missing"]) == (
            (403, "acting-not-allowed"),
            "self",
        )
    for method, path in (
        ("GET", "/v1/me/sessions"), ("DELETE", "/v1/me/session"), ("POST", "/v1/me/verification"),
        ("GET", f"{HOME}/"), ("POST", f"{HOME}/children"), ("POST", f"{HOME}/invitations"),
        ("DELETE", f"{HOME}/{first['id']}"),
    ):  # fmt: skip
        refused = await acts.request(method, path, json={} if method == "POST" else None)
        assert (problem(refused), refused.json()["missing"]) == (
            (403, "acting-not-allowed"),
            "self",
        ), path
    assert (await acts.get("/v1/me")).status_code == 200, "nothing was ended by trying"


async def test_the_verbs_refuse_too_what_the_doors_refuse(city: City) -> None:
    """Pages call them past the guards."""
    given = await agreed(city, "newborn_mother", "newborn_father", list(BENEFITS))
    father = city.parts.tokens.check(
        (await token_for(await city.citizen("newborn_father"), given)).json()["access_token"]
    )
    house, room = city.house, identity.delegation
    for verb in (
        room.mine(house, father), room.acting(house, father, UUID(given["id"])),
        room.accept(house, father, UUID(given["id"])), room.agents(house, father, UUID(given["id"])),
        room.end(house, city.parts.tokens, father, UUID(given["id"])),
        room.child(house, father, room.ChildAsk("张安宁", "99000120210520962X")),
    ):  # fmt: skip
        with pytest.raises(identity.ActingNotAllowed):
            await verb


async def test_an_agent_can_not_raise_what_was_given(city: City) -> None:
    given = await agreed(city, "newlywed_wife", "newlywed_husband", ["view"])
    agent = await city.citizen("newlywed_husband")
    path = f"{HOME}/{given['id']}"
    wide = {"may": list(BENEFITS), "shops": None}
    for answer in (
        await agent.post(f"{path}/acceptance", json=wide),
        await agent.post(f"{path}/token", json=wide),
        await agent.post(f"{path}/token", params={"may": "pay"}),
    ):
        assert answer.status_code in {200, 400}, answer.text
    for method in ("PUT", "PATCH", "POST"):
        assert (await agent.request(method, path, json=wide)).status_code == 405
    acts = await acting(city, agent, given)
    refused = await acts.post("/v1/cases", json={}, headers={"idempotency-key": "x"})
    assert (problem(refused), refused.json()["missing"]) == ((403, "acting-not-allowed"), "apply")
    again = await invited(
        agent, (await city.people())["newlywed_wife"]["phone"], "principal", **wide
    )
    assert problem(await token_for(agent, again.json())) == (409, "delegation-waits")
    assert problem(await agent.post(f"{HOME}/{again.json()['id']}/acceptance"))[0] == 409


async def test_refreshing_brings_oneself_back_and_never_the_right(city: City) -> None:
    """An acting token is no refresh token; the refreshed one is the agent's own."""
    pair = await pair_for(city, (await city.people())["newlywed_husband"]["phone"])
    agent = await city.client(pair["access_token"])
    given = await agreed(city, "newlywed_wife", "newlywed_husband", ["view"])
    token = (await token_for(agent, given)).json()
    assert "refresh_token" not in token
    nobody = await city.anonymous()
    assert (await refreshed(nobody, token["access_token"])).status_code == 400, "it is none"
    fresh = (await refreshed(nobody, pair["refresh_token"])).json()
    _, body, _ = parts_of(fresh["access_token"])
    assert {"act", "dlg", "may"} & body.keys() == set()
    assert body["sub"] == given["agent"]


async def test_with_the_agents_session_the_acting_ends(city: City) -> None:
    pair = await pair_for(city, (await city.people())["newlywed_husband"]["phone"])
    agent = await city.client(pair["access_token"])
    given = await agreed(city, "newlywed_wife", "newlywed_husband", ["view"])
    acts = await acting(city, agent, given)
    assert (await agent.delete("/v1/me/session")).status_code == 204
    refused = await acts.get("/v1/cases")
    assert (problem(refused), refused.json()["reason"]) == ((401, "token-invalid"), "session-ended")


async def test_another_process_learns_that_it_ended_without_asking_each_time(city: City) -> None:
    given = await agreed(city, "near_retirement_man", "graduate", ["view"])
    agent = await city.citizen("graduate")
    token = (await token_for(agent, given)).json()["access_token"]
    other = Tokens(city.house.keys, city.settings.public_url, city.house.clock)
    assert isinstance(other.check(token), Caller)
    assert (await agent.delete(f"{HOME}/{given['id']}")).status_code == 204
    assert isinstance(other.check(token), Caller), "it has not heard yet"
    await identity.learn_ended(city.house, other)
    with pytest.raises(identity.TokenInvalid) as refused:
        other.check(token)
    assert refused.value.extra["reason"] == "delegation-ended"
    jobs = {job.name: job for job in identity.jobs(city.house, other)}
    assert jobs["identity.ended"].every_s <= 5
    assert jobs["identity.ended"].everywhere


async def test_nothing_passes_after_the_end_was_answered(city: City) -> None:
    """End and use at once: whoever derived a token in that very moment has one that is dead."""
    taker = await city.citizen("graduate")
    for _ in range(3):
        given = await agreed(city, "near_retirement_woman", "graduate", ["view"])
        giver = await city.citizen("near_retirement_woman")
        made = asyncio.gather(*(token_for(taker, given) for _ in range(8)))
        ended, tokens = await asyncio.gather(giver.delete(f"{HOME}/{given['id']}"), made)
        assert ended.status_code == 204
        for answer in tokens:
            if answer.status_code == 200:
                acts = await city.client(answer.json()["access_token"])
                assert problem(await acts.get("/v1/cases")) == (401, "token-invalid")
            else:
                assert problem(answer) == (409, "delegation-ended")


async def test_who_gets_the_phone_only_later_gets_nothing_of_what_was_accepted(city: City) -> None:
    """An invitation is bound to whoever accepted it, not to the number."""
    phone, mother = new_phone(), await city.citizen("newborn_mother")
    made = (await invited(mother, phone, "principal")).json()
    first = await city.by_phone(phone)
    assert (await first.post(f"{HOME}/{made['id']}/acceptance")).status_code == 200
    other = await city.by_phone(new_phone())
    assert problem(await other.post(f"{HOME}/{made['id']}/acceptance")) == (
        404,
        "no-such-delegation",
    )
    stored = await city.house.db.fetchval(
        "select invited is null from identity.delegation where bucket = $1 and id = $2",
        ids.bucket_of(UUID(made["id"])), UUID(made["id"]),
    )  # fmt: skip
    assert stored is True


async def test_one_invites_not_oneself(city: City) -> None:
    client, phone = await city.citizen("graduate"), (await city.people())["graduate"]["phone"]
    for whom in ("agent", "principal"):
        refused = await invited(client, phone, whom)
        assert problem(refused) == (422, "bad-delegation")
        assert [one["field"] for one in refused.json()["errors"]] == ["phone"]


GOOD: dict[str, Any] = {"phone": "13900001111", "whom": "agent", "may": ["view"]}


@pytest.mark.parametrize(
    "said",
    [
        {**GOOD, "phone": None}, {**GOOD, "phone": "12345"}, {**GOOD, "phone": "13900001111\n"},
        {**GOOD, "phone": 13900001111}, {k: v for k, v in GOOD.items() if k != "phone"},
        {**GOOD, "whom": "Agent"}, {**GOOD, "whom": "both"}, {**GOOD, "whom": None},
        {**GOOD, "may": []}, {**GOOD, "may": ["VIEW"]}, {**GOOD, "may": "view"}, {**GOOD, "may": ["view"] * 4},
        {**GOOD, "may": ["view", "own"]}, {**GOOD, "shops": []}, {**GOOD, "shops": ["A B"]},
        {**GOOD, "shops": ["x" * 41]}, {**GOOD, "shops": "public_security"}, {**GOOD, "shops": ["ok"] * 51},
        {**GOOD, "valid_until": "tomorrow"}, {**GOOD, "valid_until": "2027-01-01T00:00:00"},
        {**GOOD, "valid_until": [5]}, {**GOOD, "of": "x"}, {**GOOD, "more": 1}, [], None, "x",
    ],
)  # fmt: skip
async def test_a_malformed_invitation_is_a_bad_request(city: City, said: Any) -> None:
    client = await city.citizen("graduate")
    key = {"idempotency-key": str(uuid4())}
    answer = await client.post(f"{HOME}/invitations", json=said, headers=key)
    assert problem(answer)[0] == 400, answer.text


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({**GOOD, "may": ["pay"]}, "may"), ({**GOOD, "shops": ["nobody_there"]}, "shops"),
        ({**GOOD, "valid_until": "2020-01-01T00:00:00Z"}, "valid_until"),
        ({**GOOD, "valid_until": "2099-01-01T00:00:00Z"}, "valid_until"),
        ({**GOOD, "of": str(ids.new(1))}, "valid_until"),
    ],
)  # fmt: skip
async def test_what_can_not_be_given_is_named(city: City, said: Any, field: str) -> None:
    client = await city.citizen("graduate")
    key = {"idempotency-key": str(uuid4())}
    answer = await client.post(f"{HOME}/invitations", json=said, headers=key)
    assert problem(answer) == (422, "bad-delegation")
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("key", [None, "", "x" * 256, "a b"])
async def test_an_invitation_needs_a_key(city: City, key: str | None) -> None:
    headers = {} if key is None else {"idempotency-key": key}
    answer = await (await city.citizen("graduate")).post(
        f"{HOME}/invitations", json=GOOD, headers=headers
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("children", {}), ("children", {"name": "张安宁"}), ("children", {"name": "张", "id_number": "1" * 18}),
        ("children", {"name": "张安宁", "id_number": "99000120210520962x"}),
        ("children", {"name": "张安宁", "id_number": "1" * 17}), ("children", {"name": 1, "id_number": "1" * 18}),
        ("children", {"name": "张\x00宁", "id_number": "1" * 18}), ("children", {"name": "张" * 61, "id_number": "1" * 18}),
        ("enterprises", {}), ("enterprises", {"name": "公司", "uscc": "91110000600037341l"}),
        ("enterprises", {"name": "公司", "uscc": "911100006000373410000"}), ("enterprises", {"name": "公", "uscc": "9" * 18}),
        ("enterprises", {"name": "公司", "uscc": "91110000600037341O"}), ("enterprises", {"name": None, "uscc": "9" * 18}),
        ("enterprises", {"name": "公司", "uscc": "9" * 18, "may": ["pay"]}),
    ],
)  # fmt: skip
async def test_a_malformed_relation_is_a_bad_request(city: City, path: str, said: Any) -> None:
    answer = await (await city.citizen("graduate")).post(f"{HOME}/{path}", json=said)
    assert problem(answer)[0] == 400, answer.text


async def test_a_number_whose_date_is_none_proves_nothing(city: City) -> None:
    for number in ("99000120211301962X", "111111111111111111"):
        answer = await (await city.citizen("graduate")).post(
            f"{HOME}/children", json={"name": "张安宁", "id_number": number}
        )
        assert problem(answer) == (422, "relation-unproven")


@pytest.mark.parametrize("name", ["x", "0", "00000000-0000-0000-0000-00000000000g"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [("DELETE", ""), ("POST", "/token"), ("POST", "/acceptance"), ("GET", "/agents")],
)
async def test_an_id_that_is_none_is_nothing_here(
    city: City, method: str, rest: str, name: str
) -> None:
    answer = await (await city.citizen("graduate")).request(method, f"{HOME}/{name}{rest}")
    assert answer.status_code in {400, 404, 405}
