"""The audit over HTTP: one's own lines, filtered and paged, and the auditor's export."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from tests.city import City
from tests.rooms.identity.audit.lines import owner_of
from tests.rooms.identity.steps import new_phone, pair_for, problem

from civicmall.identity import account, audit, note_access
from civicmall.kernel import days as business
from civicmall.kernel import ids
from civicmall.kernel.config import Settings
from civicmall.kernel.http import encode_cursor

ACCESSES: Final = "/v1/me/accesses"
EXPORT: Final = "/v1/desk/audit/export"


async def known(city: City) -> tuple[httpx.AsyncClient, UUID]:
    """Somebody new, signed in."""
    phone = new_phone()
    client = await city.client((await pair_for(city, phone))["access_token"])
    return client, await account(city.house, phone)


async def test_who_looked_what_for_and_why(city: City) -> None:
    client, me = await known(city)
    await note_access(city.house, me, "shop/app", ["phone"], "bills.list")
    await note_access(city.house, me, "shop/app", ["phone"], "bills.list")
    await note_access(city.house, me, "client:bank", ["name"], "用于开户")
    operator = (await (await city.operator()).get("/v1/staff/me")).json()["staff_id"]
    await note_access(
        city.house,
        me,
        f"staff:{operator}",
        ["phone"],
        "desk.open",
        reason="投诉",
        by=UUID(operator),
    )
    await note_access(city.house, me, "staff:nobody", ["phone"], "desk.open", reason="投诉")
    rows = (await client.get(ACCESSES)).json()["items"]
    assert [(r["reader"], r["staff"], r["reason"], r["by"], r["times"]) for r in rows] == [
        ("staff:nobody", None, "投诉", None, 1),
        (f"staff:{operator}", {"role": "operator", "shop": None}, "投诉", operator, 1),
        ("client:bank", None, "", None, 1),
        ("shop/app", None, "", None, 2),
    ]


async def test_readings_are_filtered_by_reader_and_time(city: City, settings: Settings) -> None:
    client, me = await known(city)
    at = datetime.now(UTC) - timedelta(days=9)
    async with owner_of(settings) as owner:
        await owner.past(me, [at, at + timedelta(days=1)], reader="old/one")
    await note_access(city.house, me, "new/one", ["phone"], "look")

    async def seen(**params: Any) -> list[str]:
        answer = await client.get(ACCESSES, params=params)
        assert answer.status_code == 200, answer.text
        return [row["reader"] for row in answer.json()["items"]]

    assert await seen() == ["new/one", "old/one", "old/one"]
    assert await seen(reader="old/one") == ["old/one", "old/one"]
    assert await seen(reader="nobody") == []
    since = (at + timedelta(hours=1)).isoformat()
    assert await seen(since=since) == ["new/one", "old/one"]
    assert await seen(until=since) == ["old/one"]
    assert await seen(since=since, until=since) == []


async def test_ones_whole_audit_is_a_chain_that_one_can_reckon(city: City) -> None:
    client, me = await known(city)
    await note_access(city.house, me, "shop/app", ["phone"], "look")
    lines: list[dict[str, Any]] = []
    after = None
    while True:
        params = {"limit": 1, **({"after": after} if after else {})}
        found = (await client.get("/v1/me/audit", params=params)).json()
        lines += found["items"]
        if (after := found["next"]) is None:
            break
    assert [line["kind"] for line in lines] == ["read", "sign_in"]
    assert lines[0]["prev"] == lines[1]["hash"]
    assert lines[1]["prev"] == "0" * 64
    stored = (await audit.lines(city.house.db, me, None, 10))[0]
    assert stored.hash == lines[0]["hash"]


async def test_nobody_sees_anothers_lines(city: City) -> None:
    _, me = await known(city)
    await note_access(city.house, me, "shop/app", ["phone"], "look")
    other, _ = await known(city)
    assert (await other.get(ACCESSES)).json()["items"] == []
    # A cursor is a place in one's own list, whoever's list it was made in.
    answer = await other.get(ACCESSES, params={"after": encode_cursor(2**62)})
    assert answer.json()["items"] == []


@pytest.mark.parametrize(
    "params",
    [
        {"after": "x"}, {"after": ""}, {"after": "bnVsbA"}, {"after": encode_cursor("a")},
        {"after": encode_cursor(0)}, {"after": encode_cursor(-1)}, {"after": encode_cursor(2**63)},
        {"after": encode_cursor(1, 2)}, {"after": encode_cursor(1.5)}, {"after": "x" * 401},
        {"limit": 0}, {"limit": 101}, {"limit": "x"},
        {"reader": ""}, {"reader": "x" * 201}, {"reader": "a\x00"},
        {"since": "x"}, {"since": "2026-11-30"}, {"since": "2026-11-30T00:00:00"},
        {"until": "2026-13-01T00:00:00Z"}, {"until": "2026-11-30T00:00:00"},
    ],
)  # fmt: skip
async def test_a_bad_parameter_is_named(city: City, params: dict[str, Any]) -> None:
    client, _ = await known(city)
    assert problem(await client.get(ACCESSES, params=params)) == (400, "bad-request")


async def test_an_export_is_the_lines_that_are_hashed(city: City, settings: Settings) -> None:
    citizen = ids.new(77)
    at = datetime.now(UTC) - timedelta(days=40)
    async with owner_of(settings) as owner:
        made = await owner.past(citizen, [at, at + timedelta(hours=1)])
    day = business.day_of(at)
    params = {"first": day.isoformat(), "last": (day + timedelta(days=1)).isoformat()}
    operator = await city.operator()
    answer = await operator.get(EXPORT, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = answer.text.splitlines()
    assert [hashlib.sha256(line.encode()).digest() for line in lines] == [m.hash for m in made]
    assert json.loads(lines[1])["prev"] == made[0].hash.hex()
    assert json.loads(lines[0])["citizen"] == str(citizen)


@pytest.mark.parametrize(
    "params",
    [
        {}, {"first": "2026-11-30"}, {"last": "2026-11-30"}, {"first": "x", "last": "2026-11-30"},
        {"first": "2026-11-30", "last": "2026-11-29"}, {"first": "2026-10-30", "last": "2026-11-30"},
        {"first": "2026-02-30", "last": "2026-03-01"}, {"first": "2026-11-30T00:00:00Z", "last": "x"},
    ],
)  # fmt: skip
async def test_an_export_of_other_days_is_refused(city: City, params: dict[str, str]) -> None:
    operator = await city.operator()
    assert problem(await operator.get(EXPORT, params=params)) == (400, "bad-request")


async def test_only_overseers_export(city: City) -> None:
    params = {"first": "2026-11-30", "last": "2026-11-30"}
    client, _ = await known(city)
    department = await city.department("public_security")
    assert problem(await (await city.anonymous()).get(EXPORT, params=params)) == (
        401, "sign-in-needed",
    )  # fmt: skip
    for who in (client, department):
        assert problem(await who.get(EXPORT, params=params)) == (403, "not-allowed")


async def test_signing_in_leaves_a_line(city: City) -> None:
    phone = new_phone()
    await pair_for(city, phone)
    await pair_for(city, phone)
    lines = await audit.lines(city.house.db, await account(city.house, phone), None, 10)
    assert [(line.kind, line.claims) for line in lines] == [("sign_in", ["otp", "sms"])] * 2
