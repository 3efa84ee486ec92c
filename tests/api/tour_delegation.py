"""The part of the tour in which a mother acts for her child, and an enterprise gets an agent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.city import City
from tests.rooms.identity.delegation.helping import child_of, enterprise_of

HOME = "/v1/me/delegations"


async def delegations(t: Any, city: City) -> None:
    """From proving a relation to ending one."""
    mother, child = await city.citizen("school_mother"), child_of(city, "school_mother")
    asked = {"name": child.name, "id_number": child.id_number}
    made = await t.go(mother, "POST", f"{HOME}/children", asked)
    await t.go(mother, "POST", HOME + "/{delegation}/token", delegation=made["id"])

    boss, firm = await city.citizen("newlywed_husband"), enterprise_of(city, "newlywed_husband")
    head = await t.go(boss, "POST", f"{HOME}/enterprises", {"name": firm.name, "uscc": firm.uscc})
    until = (city.house.clock.now() + timedelta(days=90)).isoformat()
    invitation = {
        "phone": (await city.people())["school_mother"]["phone"], "whom": "agent", "of": head["id"],
        "may": ["view", "apply"], "shops": ["housing_fund"], "valid_until": until,
    }  # fmt: skip
    key = {"idempotency-key": "tour-delegation"}
    named = {
        "delegation": (await t.go(boss, "POST", f"{HOME}/invitations", invitation, headers=key))[
            "id"
        ]
    }
    await t.go(mother, "POST", HOME + "/{delegation}/acceptance", **named)
    await t.go(boss, "GET", HOME + "/{delegation}/agents", delegation=head["id"])
    await t.go(mother, "GET", HOME)
    await t.go(mother, "DELETE", HOME + "/{delegation}", **named)
