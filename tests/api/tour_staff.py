"""The operations of staff's own: a second factor, a password, accounts, and looking a citizen up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyotp.totp import TOTP
from tests.city import City

from civicmall import identity

if TYPE_CHECKING:
    from tests.api.tour import Tour

PASSWORD = "correct horse battery"


async def staff(tour: Tour, city: City) -> None:
    """A new operator from the first sign-in to the last."""
    name = "second_shift"
    await identity.add_staff(city.house, name, PASSWORD, "夜班 乔宁", "operator", None)
    nobody, first, second = (
        await city.anonymous(), await city.operator(), await city.reviewer(),
    )  # fmt: skip
    sign_in = {"username": name, "password": PASSWORD}
    pair = (await nobody.post("/v1/staff/tokens", json=sign_in)).json()
    mine = await city.client(pair["access_token"])
    begun = await tour.go(mine, "POST", "/v1/staff/factors/totp", {})
    phone = TOTP(begun["secret"].replace(" ", ""))

    async def code() -> str:
        """A code that was not used, as if half a minute had passed."""
        await city.house.db.execute("update identity.staff_totp set last_step = last_step - 10")
        return phone.at(int(city.house.clock.now().timestamp()))

    done = await tour.go(
        mine, "POST", "/v1/staff/factors/totp/confirmation", {"code": await code()}
    )
    mine = await city.client(done["tokens"]["access_token"])
    await tour.go(mine, "GET", "/v1/staff/factors")

    async def ticket() -> dict[str, Any]:
        answer = await nobody.post("/v1/staff/tokens", json=sign_in)
        return {"ticket": answer.json()["ticket"]}

    body = await ticket() | {"code": await code()}
    await tour.go(nobody, "POST", "/v1/staff/tokens/totp", body)
    body = await ticket() | {"code": done["recovery_codes"][0]}
    await tour.go(nobody, "POST", "/v1/staff/tokens/recovery", body)
    await tour.go(mine, "POST", "/v1/staff/factors/recovery-codes", {"code": await code()})
    await tour.go(
        mine, "PUT", "/v1/staff/password", {"current": PASSWORD, "new": "seven ripe pears tonight"}
    )

    await tour.go(first, "GET", "/v1/desk/staff", query={"limit": 2})
    ask, decide = "/v1/desk/staff/{username}/factor-reset", "/v1/desk/factor-resets/{reset}/"
    lost = {"reason": "手机遗失，已当面核实身份"}
    one = await tour.go(first, "POST", ask, lost, username=name)
    await tour.go(second, "GET", "/v1/desk/factor-resets")
    await tour.go(second, "POST", decide + "decline", reset=one["id"])
    two = (await first.post(ask.format(username=name), json=lost)).json()
    await tour.go(second, "POST", decide + "approve", reset=two["id"])
    await tour.go(first, "POST", "/v1/desk/staff/{username}/disable", username=name)

    who = (await city.people())["graduate"]
    await city.citizen("graduate")
    lookup = "/v1/desk/citizens/lookup"
    why = {"reason": "citizen_asked", "words": "本人来电请求协助解除绑定", "phone": who["phone"]}
    one = await tour.go(first, "POST", lookup, why)
    await tour.go(second, "GET", lookup, query={"limit": 2})
    await tour.go(second, "POST", lookup + "/{lookup}/approve", lookup=one["id"])
    await tour.go(first, "GET", lookup + "/{lookup}", lookup=one["id"])
    await tour.go(
        first, "POST", lookup + "/{lookup}/reveal", {"claims": ["phone"]}, lookup=one["id"]
    )
    other = (await first.post(lookup, json=why)).json()
    await tour.go(second, "POST", lookup + "/{lookup}/decline", lookup=other["id"])


async def opened_case(t: Any, city: City, case: dict[str, Any], material: str) -> None:
    """A citizen's case, as its department's desk opens it."""
    desk = await city.department(case["shop"])
    path = "/v1/desk/cases/{case}"
    why = {"reason": "case", "words": "核对申请材料"}
    await t.go(desk, "POST", path + "/opening", why, case=case["id"])
    await t.go(desk, "GET", path, case=case["id"])
    await t.go(desk, "GET", path + "/materials/{material}", case=case["id"], material=material)
