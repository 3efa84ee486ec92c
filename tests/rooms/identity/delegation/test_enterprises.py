"""An enterprise is its legal representative's to act for, and whom that one names, within scope and time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.city import City
from tests.rooms.identity.delegation.helping import (
    HOME,
    acting,
    as_head,
    enterprise_of,
    invited,
    lists,
    token_for,
)
from tests.rooms.identity.steps import problem

from civicmall.identity import delegation
from civicmall.identity.delegation import register
from civicmall.kernel.house import House


async def named(city: City, head: str, agent: str, may: list[str], **given: Any) -> dict[str, Any]:
    """An agent of the head's enterprise, who has accepted."""
    boss, clerk = await city.citizen(head), await city.citizen(agent)
    of = (await as_head(boss, enterprise_of(city, head)))["id"]
    given = {"valid_until": (city.house.clock.now() + timedelta(days=90)).isoformat(), **given}
    phone = (await city.people())[agent]["phone"]
    made = await invited(boss, phone, "agent", may=may, of=of, **given)
    assert made.status_code == 201, made.text
    accepted = await clerk.post(f"{HOME}/{made.json()['id']}/acceptance")
    assert accepted.status_code == 200, accepted.text
    return accepted.json()


async def test_the_legal_representative_acts_and_is_shown_the_enterprise(city: City) -> None:
    boss, firm = await city.citizen("newlywed_husband"), enterprise_of(city, "newlywed_husband")
    made = await as_head(boss, firm)
    assert (made["kind"], made["state"], made["other"]) == ("representative", "active", firm.name)
    assert (await as_head(boss, firm))["id"] == made["id"]
    acts = await acting(city, boss, made)
    me = (await acts.get("/v1/me")).json()
    assert (me["kind"], me["name"], me["uscc"], me["id_number"], me["phone"]) == (
        "enterprise", firm.name, firm.uscc, None, "",
    )  # fmt: skip


async def test_an_agent_has_the_scope_and_the_end_that_was_given(city: City) -> None:
    made = await named(city, "near_retirement_man", "graduate", ["view"], shops=["housing_fund"])
    assert (made["kind"], made["may"], made["shops"]) == ("agent", ["view"], ["housing_fund"])
    assert made["valid_until"] is not None
    clerk = await city.citizen("graduate")
    acts = await acting(city, clerk, made)
    assert (await acts.get("/v1/cases")).json()["items"] == []
    asked = await acts.get("/v1/shops/utility_bills/apps/water/bills")
    assert (problem(asked), asked.json()["missing"]) == ((403, "acting-not-allowed"), "shop")
    boss = await city.citizen("near_retirement_man")
    (of,) = [one for one in (await lists(boss))["held"] if one["kind"] == "representative"]
    listed = (await boss.get(f"{HOME}/{of['id']}/agents")).json()["items"]
    assert made["id"] in {one["id"] for one in listed}
    assert problem(await clerk.get(f"{HOME}/{of['id']}/agents")) == (404, "no-such-delegation")

    assert (await boss.delete(f"{HOME}/{made['id']}")).status_code == 204
    refused = await acts.get("/v1/cases")
    assert (problem(refused), refused.json()["reason"]) == (
        (401, "token-invalid"),
        "delegation-ended",
    )


async def test_an_agent_names_no_agents(city: City) -> None:
    made = await named(city, "newlywed_husband", "graduate", ["view", "apply", "pay"])
    clerk, phone = await city.citizen("graduate"), (await city.people())["newborn_mother"]["phone"]
    until = (city.house.clock.now() + timedelta(days=5)).isoformat()
    tried = await invited(clerk, phone, "agent", of=made["id"], valid_until=until)
    assert problem(tried) == (404, "no-such-delegation")
    acts = await acting(city, clerk, made)
    tried = await invited(acts, phone, "agent", valid_until=until)
    assert (problem(tried), tried.json()["missing"]) == ((403, "acting-not-allowed"), "self")


@pytest.mark.parametrize("who", ["stranger", "wrong name", "wrong code", "false code"])
async def test_who_is_no_representative_learns_nothing(city: City, who: str) -> None:
    firm = enterprise_of(city, "newlywed_husband")
    asks = {"name": firm.name, "uscc": firm.uscc}
    client = await city.citizen("graduate" if who == "stranger" else "newlywed_husband")
    if who == "wrong name":
        asks["name"] = "别的公司"
    elif who == "wrong code":
        asks["uscc"] = enterprise_of(city, "near_retirement_man").uscc
    elif who == "false code":
        asks["uscc"] = firm.uscc[:17] + ("0" if firm.uscc[17] != "0" else "1")
    answer = await client.post(f"{HOME}/enterprises", json=asks)
    assert problem(answer) == (422, "relation-unproven")
    assert answer.json().keys() == {"type", "title", "status", "trace_id"}


async def test_the_register_ends_what_it_no_longer_shows(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new head: the daily question to the register ends the old one's right and its tokens."""
    boss = await city.citizen("newlywed_husband")
    made = await as_head(boss, enterprise_of(city, "newlywed_husband"))
    acts = await acting(city, boss, made)
    await city.house.db.execute(
        "update identity.delegation set asked_at = now() - interval '2 days'"
    )
    away = register.Sandbox(city.house)

    async def silent(person: str, uscc: str, name: str) -> bool:
        raise OSError(f"{person[:0]}{uscc[:0]}{name[:0]}the register doesn't answer")

    monkeypatch.setattr(away, "represents", silent)
    asked: list[register.Register] = [away, register.Nobody()]

    def of(_: House) -> register.Register:
        return asked[0]

    monkeypatch.setattr(register, "of", of)
    await delegation.watch(city.house, city.parts.tokens)
    assert (await acts.get("/v1/cases")).status_code == 200, "silence ends nothing"
    del asked[0]
    await delegation.watch(city.house, city.parts.tokens)
    refused = await acts.get("/v1/cases")
    assert (problem(refused), refused.json()["reason"]) == (
        (401, "token-invalid"),
        "delegation-ended",
    )
    refused = await token_for(boss, made)
    assert (problem(refused), refused.json()["reason"]) == ((409, "delegation-ended"), "register")
