"""The inbox: what is sent comes once, is read in one's own language, and is nobody else's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest
from tests.city import City

from civicmall import inbox
from civicmall.inbox.rules import KEEP_DAYS
from civicmall.kernel import ids
from civicmall.kernel.clock import FixedClock
from civicmall.kernel.house import House


async def _reader(city: City, persona: str) -> httpx.AsyncClient:
    """A citizen who has read all that came before: of the verification there is a message too."""
    client = await city.citizen(persona)
    await city.settled()
    await client.post("/v1/inbox/read")
    return client


def _told(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that `_send` sent."""
    return [message for message in items if message["kind"] == "tests.told"]


async def _id(client: httpx.AsyncClient) -> UUID:
    return UUID((await client.get("/v1/me")).json()["id"])


async def _send(house: House, citizen: UUID, number: int, message_id: UUID | None = None) -> UUID:
    chosen = message_id or ids.new(ids.bucket_of(citizen))
    await inbox.send(
        house.db,
        citizen_id=citizen,
        id=chosen,
        kind="tests.told",
        title={"zh-CN": f"第{number}条", "en": f"Number {number}"},
        body={"zh-CN": "内容", "en": "Words"},
        link=f"/somewhere/{number}",
    )
    return chosen


async def test_a_message_comes_once_however_often_it_is_sent(city: City) -> None:
    client = await _reader(city, "graduate")
    me = await _id(client)
    first = await _send(city.house, me, 1)
    await asyncio.gather(*(_send(city.house, me, 1, first) for _ in range(10)))

    found = _told((await client.get("/v1/inbox")).json()["items"])
    assert [m["id"] for m in found] == [str(first)]
    assert found[0]["title"] == "第1条"
    assert found[0]["link"] == "/somewhere/1"
    english = (await client.get("/v1/inbox", params={"lang": "en"})).json()
    assert english["items"][0]["title"] == "Number 1"
    assert (await client.get("/v1/inbox/unread")).json() == {"unread": 1}


async def test_pages_go_from_newest_to_oldest_without_gaps(city: City) -> None:
    client = await _reader(city, "newborn_father")
    me = await _id(client)
    sent = [str(await _send(city.house, me, n)) for n in range(7)]

    seen: list[str] = []
    after: str | None = None
    while True:
        params = {"limit": "3"} | ({"after": after} if after else {})
        answer = (await client.get("/v1/inbox", params=params)).json()
        seen += [m["id"] for m in _told(answer["items"])]
        after = answer["next"]
        if after is None:
            break
    assert seen == sorted(sent, reverse=True)  # within a millisecond ids have no order


async def test_reading_one_then_all(city: City) -> None:
    client = await _reader(city, "school_mother")
    me = await _id(client)
    sent = [await _send(city.house, me, n) for n in range(3)]

    one = await client.post(f"/v1/inbox/{sent[1]}/read")
    assert one.status_code == 200
    again = await client.post(f"/v1/inbox/{sent[1]}/read")
    assert again.json()["read_at"] == one.json()["read_at"] is not None
    left = (await client.get("/v1/inbox", params={"unread": "true"})).json()["items"]
    assert {m["id"] for m in left} == {str(sent[2]), str(sent[0])}
    assert (await client.post("/v1/inbox/read")).json() == {"read": 2}
    assert (await client.post("/v1/inbox/read")).json() == {"read": 0}
    assert (await client.get("/v1/inbox/unread")).json() == {"unread": 0}
    assert len(_told((await client.get("/v1/inbox")).json()["items"])) == 3


async def test_a_message_is_nobody_elses(city: City) -> None:
    mine, other = await city.citizen("newlywed_wife"), await city.citizen("newlywed_husband")
    message = await _send(city.house, await _id(mine), 1)

    refused = await other.post(f"/v1/inbox/{message}/read")
    assert refused.status_code == 404
    assert refused.json()["type"] == "/problems/no-such-message"
    assert refused.json()["title"] == "没有这条消息。"
    assert _told((await other.get("/v1/inbox")).json()["items"]) == []
    assert _told((await mine.get("/v1/inbox")).json()["items"])[0]["read_at"] is None


async def test_nobody_reads_without_signing_in(city: City) -> None:
    nobody = await city.anonymous()
    assert (await nobody.get("/v1/inbox")).status_code == 401
    assert (await (await city.operator()).get("/v1/inbox")).status_code == 403


@pytest.mark.parametrize("after", ["x", "WyJhIiwiYiJd", "%00", "IjEi"])
async def test_another_lists_cursor_is_refused(city: City, after: str) -> None:
    client = await city.citizen("graduate")
    refused = await client.get("/v1/inbox", params={"after": after})
    assert refused.status_code == 400
    assert refused.json()["field"] == "after"


async def test_a_message_must_be_whole_and_lead_nowhere_else(house: House) -> None:
    citizen = ids.new(3)
    for title, link in [({"zh-CN": "一", "en": "One"}, "//elsewhere"), ({"zh-CN": "一"}, "/here")]:
        with pytest.raises(ValueError, match=r"tests\.told"):
            await inbox.send(
                house.db, citizen_id=citizen, id=ids.new(3), kind="tests.told",
                title=title, body={"zh-CN": "一", "en": "One"}, link=link,
            )  # fmt: skip
    with pytest.raises(asyncpg.CheckViolationError):
        await house.db.execute(
            "insert into inbox.message (bucket, citizen_id, id, kind, title, body, link)"
            " values (3, $1, $1, 'tests.told', $2, $2, '//elsewhere')",
            citizen,
            {"zh-CN": "一", "en": "One"},
        )


async def test_old_messages_are_forgotten(house: House) -> None:
    citizen = ids.new(200)
    for number in range(3):
        await _send(house, citizen, number)
    assert await inbox.forget(house) == 0
    later = FixedClock(house.clock.now() + timedelta(days=KEEP_DAYS, hours=1))
    assert await inbox.forget(msgspec.structs.replace(house, clock=later)) >= 3
    assert (await inbox.messages(house.db, citizen, "en")).items == []


def test_its_job_is_named(house: House) -> None:
    assert [job.name for job in inbox.jobs(house)] == ["inbox.forget"]
