"""Pages of what others may know, and of who looked."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

from tests.city import City
from tests.rooms.citizen_web.visitor import citizen, visitor

from civicmall import identity
from civicmall.citizen_web.trail import cells
from civicmall.identity import agreements, audit, note_access

PURPOSE = {"zh-CN": "用于开户", "en": "to open an account"}
APP = "utility_bills/water"


async def me(city: City, persona: str) -> UUID:
    """A persona's account."""
    return await identity.account(city.house, (await city.people())[persona]["phone"])


async def test_one_claim_is_taken_back_and_then_all(city: City) -> None:
    who, mine = await citizen(city, "newborn_mother"), await me(city, "newborn_mother")
    await agreements.agree(city.house, mine, "client:bank", {"name": PURPOSE, "phone": PURPOSE})
    await who.get(f"/shops/{APP}")
    page = await who.get("/me/consents")
    assert page.count("用于开户") == 2
    assert "bank" in page
    assert "最近一次提供" in page
    assert "to open an account" in await who.get("/me/consents?lang=en")
    form = {"grantee": "client:bank", "claim": "name"}
    assert await who.to("/me/consents/revoke", **form) == "/me/consents"
    assert await agreements.agreed(city.house.db, mine, "client:bank") == {("phone", "用于开户")}
    await who.to("/me/consents/revoke", grantee="client:bank")
    await who.to("/me/consents/revoke", grantee=APP)
    assert await agreements.agreed(city.house.db, mine, APP) == frozenset()
    page = await who.get("/me/consents?lang=zh-CN")
    assert 'value="client:bank"' not in page
    assert "已撤回的授权" in page
    assert "查看并同意" in await who.get("/")


async def test_an_app_that_changed_its_purpose_meanwhile_is_asked_anew(city: City) -> None:
    who, mine = await citizen(city, "graduate"), await me(city, "graduate")
    await who.to("/me/consents/revoke", grantee=APP)
    page = await who.get(f"/shops/{APP}")
    assert 'name="purpose"' in page
    form = {"claim": "id_number", "purpose": "以前的用途", "next": f"/shops/{APP}"}
    assert await who.to(f"/shops/{APP}/consent", **form) == f"/shops/{APP}"
    assert await agreements.agreed(city.house.db, mine, APP) == frozenset()
    seen = page.partition('name="purpose" value="')[2].partition('"')[0]
    await who.to(f"/shops/{APP}/consent", **(form | {"purpose": seen}))
    assert await agreements.agreed(city.house.db, mine, APP) == {("id_number", seen)}


async def test_who_looked_is_filtered_and_downloaded(city: City) -> None:
    who, mine = await citizen(city, "near_retirement_man"), await me(city, "near_retirement_man")
    operator = (await (await city.operator()).get("/v1/staff/me")).json()["staff_id"]
    why = "核实<b>投诉</b>"
    await note_access(
        city.house, mine, f"staff:{operator}", ["phone"], "desk.open", reason=why, by=UUID(operator)
    )
    await note_access(city.house, mine, APP, ["id_number"], "bills.list", by=UUID(int=7))
    page = await who.get("/me/accesses?lang=zh-CN")
    assert "核实&lt;b&gt;投诉" in page
    assert "平台运营" in page
    assert operator not in page, "staff are shown by role, never by name"
    assert "由代办人操作" in page
    only = await who.get(f"/me/accesses?of={APP}")
    assert "核实" not in only
    today = city.house.clock.today().isoformat()
    assert "核实" in await who.get(f"/me/accesses?since={today}&until={today}")
    assert "核实" not in await who.get("/me/accesses?until=2020-01-01")
    assert "核实" in await who.get("/me/accesses?since=2026-02-30")
    await who.get("/me/accesses?since=yesterday", 400)
    await who.get("/me/accesses?after=x", 400)
    assert "您登录了" in await who.get("/me/account-log")

    table = await who.client.get("/me/audit.csv")
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert table.text.splitlines()[0].endswith(
        "seq,at,kind,reader,claims,purpose,reason,by,again,prev,hash"
    )
    lines = json.loads((await who.client.get("/me/audit.json")).text)
    every = await audit.lines(city.house.db, mine, None, 400)
    assert [line["hash"] for line in lines] == [line.hash for line in every]
    assert len(table.text.splitlines()) == len(every) + 1


async def test_pages_turn(city: City) -> None:
    who, mine = await citizen(city, "newlywed_wife"), await me(city, "newlywed_wife")
    for no in range(40):
        await note_access(city.house, mine, f"shop/app_{no}", ["phone"], "look")
    page = await who.get("/me/accesses?of=")
    assert "app_39" in page
    rest = page.partition("&amp;after=")[2].partition('"')[0]
    assert ">app_9<" not in page.partition("<section")[2]
    later = (await who.get(f"/me/accesses?after={rest}")).partition("<section")[2]
    assert ">app_9<" in later
    assert ">app_39<" not in later


async def test_nobody_sees_them_signed_out(city: City) -> None:
    nobody = await visitor(city)
    for path in (
        "/me/consents",
        "/me/accesses",
        "/me/account-log",
        "/me/audit.csv",
        "/me/audit.json",
    ):
        answer = await nobody.client.get(path)
        assert answer.headers["location"].startswith("/login?next=")


def test_a_cell_is_no_formula() -> None:
    line = audit.AuditLine(
        1, audit.start_of(date(2026, 11, 30)), "read", "=cmd", ["@x"], "+1", "-1",
        None, 0, "00", "00",
    )  # fmt: skip
    assert [cells(line)[n] for n in (3, 4, 5, 6)] == ["'=cmd", "'@x", "'+1", "'-1"]
