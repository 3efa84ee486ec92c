"""Taking one's data along, and leaving: over HTTP, with everything that a citizen can have here."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from tests.city import City
from tests.rooms.identity.steps import another, code_for, new_phone, pair_for, problem

from civicmall import identity
from civicmall.gateway import CitizenLeft
from civicmall.identity import Caller
from civicmall.identity.attributes import leaving
from civicmall.kernel import ids
from civicmall.kernel.personal import Personal
from shopkit.contract import Attestation

PNG: Final = b"\x89PNG\r\n\x1a\n" + b"p" * 100


async def somebody(city: City, phone: str) -> tuple[httpx.AsyncClient, UUID]:
    """Whoever has this phone, freshly signed in with a code, and their id."""
    client = await city.client((await pair_for(city, phone))["access_token"])
    return client, UUID((await client.get("/v1/me")).json()["id"])


async def furnished(city: City, phone: str) -> tuple[httpx.AsyncClient, UUID]:
    """The same with a little of everything that is kept about people."""
    client, me = await somebody(city, phone)
    await client.put("/v1/me/facts", json={"facts": {"housing": "tenant"}})
    said = Attestation("veteran", value=True, as_of=city.house.clock.today())
    await identity.attributes.service.attest(city.house, me, "housing_fund", said, {"veteran"})
    objection = {"source": "housing_fund", "words": "我没有当过兵"}
    assert (await client.put("/v1/me/facts/veteran/objection", json=objection)).is_success
    await client.put("/v1/me/facts/housing/recommendation", json={"recommend": False})
    event = {"kind": "retired", "on": "2026-01-01"}
    await client.post("/v1/me/events", json=event, headers={"idempotency-key": uuid4().hex})
    await client.put("/v1/home/settings", json={"recommend": True})
    await client.post("/v1/home/cards/id_card_renewal/feedback", json={"action": "dismiss"})
    handed = await client.post(
        "/v1/cases/materials",
        content=PNG,
        headers={"content-type": "image/png", "idempotency-key": "p"},
    )
    assert handed.is_success, handed.text
    return client, me


async def taken(client: httpx.AsyncClient) -> tuple[dict[str, Any], zipfile.ZipFile]:
    """The file that a citizen takes along: its JSON by table, and itself."""
    answer = await client.get("/v1/me/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return json.loads(archive.read("my-data.json")), archive


async def code_of(client: httpx.AsyncClient, city: City, phone: str) -> str:
    """The code that leaving asks for, where the sandbox shows it."""
    sent = await client.post("/v1/me/deletion/code")
    assert sent.status_code == 202, sent.text
    messages = (await (await city.anonymous()).get("/v1/sandbox/messages")).json()["items"]
    text = next(m["text"] for m in messages if m["to"] == phone)
    return "".join(filter(str.isdigit, text))


async def leave(client: httpx.AsyncClient, city: City, phone: str) -> httpx.Response:
    code = await code_of(client, city, phone)
    return await client.post("/v1/me/deletion", json={"code": code})


async def test_the_file_has_everything_and_papers_as_they_were(city: City) -> None:
    phone = new_phone()
    client, me = await furnished(city, phone)
    found, archive = await taken(client)
    assert found["citizen"] == str(me)
    tables = found["tables"]
    assert tables["identity.citizen"][0]["phone"] == phone
    assert {(a["name"], a["source"], a["value"]) for a in tables["identity.attribute"]} == {
        ("housing", "self", "tenant"), ("veteran", "housing_fund", "true"),
    }  # fmt: skip
    assert tables["identity.dispute"][0]["words"] == "我没有当过兵"
    assert tables["identity.life_event"][0]["event"] == {"kind": "retired", "on": "2026-01-01"}
    assert tables["identity.attribute_off"] == [{"name": "housing"}]
    assert tables["recommend.feedback"][0]["item"] == "id_card_renewal"
    (paper,) = [name for name in archive.namelist() if name.startswith("papers/")]
    assert archive.read(paper) == PNG
    assert tables["cases.material"][0]["sha256"]
    lines = (await client.get("/v1/me/audit")).json()["items"]
    assert [line["claims"] for line in lines if line["kind"] == "export"] == [["everything"]]


async def test_the_file_is_written_page_by_page(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("civicmall.kernel.personal.PAGE", 2)
    client, _ = await somebody(city, new_phone())
    for day in range(1, 8):
        body = {"kind": "moved", "on": f"2026-01-0{day}"}
        await client.post("/v1/me/events", json=body, headers={"idempotency-key": str(day)})
    found, _ = await taken(client)
    days = sorted(e["event"]["on"] for e in found["tables"]["identity.life_event"])
    assert days == [f"2026-01-0{day}" for day in range(1, 8)]


async def test_nobody_takes_along_what_is_anothers(city: City) -> None:
    one, _ = await furnished(city, new_phone())
    phone = new_phone()
    other, me = await somebody(city, phone)
    found, archive = await taken(other)
    assert found["citizen"] == str(me)
    assert "identity.attribute" not in found["tables"]
    assert [name for name in archive.namelist() if name != "my-data.json"] == []
    assert (await one.get("/v1/me/facts")).json()["items"] != []


async def test_who_signed_in_long_ago_signs_in_again(city: City) -> None:
    client, me = await somebody(city, new_phone())
    async with city.house.db.acquire() as db:
        await db.execute(
            "update identity.session set created_at = now() - interval '1 day' where owner = $1", me
        )
    assert problem(await client.get("/v1/me/export")) == (403, "sign-in-again")


async def test_who_leaves_is_gone_and_the_phone_begins_anew(city: City) -> None:
    phone = new_phone()
    client, me = await furnished(city, phone)
    before = (await client.get("/v1/me/deletion")).json()
    assert before["open"] == []
    assert all(one["why"] and one["source"] for one in before["kept"])
    assert (await leave(client, city, phone)).status_code == 202
    assert (await client.get("/v1/me")).status_code == 401
    anew, other = await somebody(city, phone)
    assert other != me
    assert (await anew.get("/v1/me/facts")).json()["items"] == []
    assert (await anew.get("/v1/me/events")).json()["items"] == []
    found, _ = await taken(anew)
    assert str(me) not in json.dumps(found)
    row = await identity.row(city.house.db, me)
    assert (row.level, row.name, row.id_number, row.names, row.events) == (1, None, None, [], [])
    assert identity.profile(city.house, row).phone == ""


async def rows_of(city: City, citizen: UUID) -> dict[str, int]:
    """How many rows each table still has about somebody, by every column that can mean a person."""
    async with city.house.db.acquire() as db:
        columns = await db.fetch(
            "select c.oid::regclass::text, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid "
            "where c.relkind in ('r', 'p') and a.atttypid = 'uuid'::regtype and not a.attisdropped "
            "and a.attname in ('citizen_id', 'owner', 'principal', 'agent', 'payer')"
        )
        found: dict[str, int] = {}
        for table, column in columns:
            count = await db.fetchval(
                f"select count(*) from {table} where {column} = $1",  # noqa: S608 (names of the catalogue)
                citizen,
            )
            if count:
                found[table] = count
    return found


async def later(city: City, citizen: UUID) -> None:
    """As if an hour had passed since they left."""
    async with city.house.db.acquire() as db:
        for table, column, owner in (
            ("identity.deletion", "asked_at", "citizen_id"),
            ("identity.session", "revoked_at", "owner"),
        ):
            await db.execute(
                f"update {table} set {column} = {column} - interval '1 hour' "  # noqa: S608 (written above)
                f"where {owner} = $1",
                citizen,
            )


async def test_when_the_last_token_has_lapsed_only_what_the_law_keeps_is_left(city: City) -> None:
    phone = new_phone()
    client, me = await furnished(city, phone)
    await leave(client, city, phone)
    await later(city, me)
    await leaving.finish_all(city.house, city.parts.personal)
    left = await rows_of(city, me)
    kept = {"identity.deletion", "identity.audit", "identity.audit_head", "identity.audit_reading"}
    assert left.keys() - kept == set()
    async with city.house.db.acquire() as db:
        row: Any = await db.fetchrow("select * from identity.deletion where citizen_id = $1", me)
    assert row["erased_at"] is not None
    assert len(row["kept"]) >= 5
    await leaving.finish_all(
        city.house, city.parts.personal, begun_s=0
    )  # there is nothing left to do


async def test_shops_are_told_by_the_name_that_they_knew(city: City) -> None:
    phone = new_phone()
    client, me = await somebody(city, phone)
    heard: list[CitizenLeft] = []

    async def hear(_: Any, event: CitizenLeft, __: Any) -> None:
        heard.append(event)

    city.parts.handlers.on(CitizenLeft, hear)
    await leave(client, city, phone)
    await city.settled()
    shops = {entry.id for entry in city.parts.registry.all()}
    assert {event.shop for event in heard if event.citizen_id == me} == shops


class Killed(BaseException):
    """Stands for the process dying."""


def dying(room: Personal) -> Personal:
    """A room in which the process dies."""

    async def erase(_: Any, __: UUID) -> None:
        raise Killed

    return msgspec.structs.replace(room, erase=erase)


@pytest.mark.parametrize("at", [0, 1, 4, 7])
async def test_killed_between_rooms_it_is_finished_by_the_job(city: City, at: int) -> None:
    phone = new_phone()
    client, me = await furnished(city, phone)
    rooms: tuple[Personal, ...] = city.parts.personal
    assert len(rooms) == 8
    broken = (*rooms[:at], dying(rooms[at]), *rooms[at + 1 :])
    code = await code_of(client, city, phone)
    who = city.parts.tokens.check(client.headers["authorization"].split()[1])
    with pytest.raises(Killed):
        await leaving.leave(city.house, city.parts.tokens, broken, who, code)
    async with city.house.db.acquire() as db:
        row: Any = await db.fetchrow("select * from identity.deletion where citizen_id = $1", me)
    assert row["rooms"] == [room.room for room in rooms[:at]]
    assert (
        await client.get("/v1/me")
    ).status_code == 401  # nobody is signed in from the first moment on
    await leaving.finish_all(city.house, rooms, begun_s=0)
    assert (await identity.row(city.house.db, me)).names == []
    assert (await rows_of(city, me)).keys() & {
        "inbox.message",
        "recommend.feedback",
        "identity.attribute",
    } == set()


async def test_a_code_is_wanted_and_a_wrong_one_changes_nothing(city: City) -> None:
    phone = new_phone()
    client, _ = await somebody(city, phone)
    code = await code_of(client, city, phone)
    wrong = await client.post("/v1/me/deletion", json={"code": another(code)})
    assert problem(wrong) == (401, "wrong-code")
    assert (await client.get("/v1/me")).status_code == 200
    other = new_phone()
    foreign = await code_for(city, other)
    if foreign != code:
        answer = await client.post("/v1/me/deletion", json={"code": foreign})
        assert problem(answer)[0] == 401
    assert (await client.get("/v1/me")).status_code == 200


async def test_without_having_asked_there_is_no_code_to_leave_with(city: City) -> None:
    client, _ = await city.short(new_phone())
    assert problem(await client.post("/v1/me/deletion", json={"code": "123456"})) == (
        401, "code-used-up",
    )  # fmt: skip


async def test_nobody_leaves_while_something_is_unfinished(city: City) -> None:
    person = (await city.people())["graduate"]
    client, phone = await city.verified(await city.newcomer("graduate"), person), person["phone"]
    bills = (await client.get("/v1/home")).json()["owed"]
    charge = {"shop": bills[0]["shop"], "app": bills[0]["app"], "charge_id": bills[0]["bill"]["id"]}
    order = await client.post(
        "/v1/orders", json={"charges": [charge]}, headers={"idempotency-key": uuid4().hex}
    )
    assert order.status_code == 201, order.text
    order_id = order.json()["id"]
    code = await code_of(client, city, phone)
    refused = await client.post("/v1/me/deletion", json={"code": code})
    assert problem(refused) == (409, "not-yet-free")
    assert refused.json()["open"] == [
        {"kind": "order", "id": order_id, "link": f"/orders/{order_id}"}
    ]
    assert (await client.get("/v1/me/deletion")).json()["open"] == refused.json()["open"]
    assert (await client.post(f"/v1/orders/{order_id}/cancel")).is_success
    assert (await client.get("/v1/me/deletion")).json()["open"] == []
    left = await client.post("/v1/me/deletion", json={"code": code})  # the try was not spent
    assert left.status_code == 202, left.text
    number = await city.verified(await city.newcomer("graduate"), person)
    assert (await number.get("/v1/me")).json()["level"] == 2  # the ID number is free, too
    assert (await number.get("/v1/orders")).json()["items"] == []


async def test_who_acts_for_another_neither_takes_nor_leaves(city: City) -> None:
    client, me = await somebody(city, new_phone())
    del client
    agent = ids.new(9)
    who = Caller(
        me, ids.new(9), 2, actor=identity.models.Actor(agent, ids.new(me.bytes[15]), frozenset({"view", "apply", "pay"}))
    )  # fmt: skip
    acting = await city.client(city.parts.tokens.access(who))
    for method, path in (
        ("GET", "export"),
        ("GET", "deletion"),
        ("POST", "deletion/code"),
        ("POST", "deletion"),
    ):
        body = {"code": "123456"} if path == "deletion" and method == "POST" else None
        answer = await acting.request(method, f"/v1/me/{path}", json=body)
        assert problem(answer) == (403, "acting-not-allowed"), path


async def test_what_comes_after_leaving_is_not_kept(city: City) -> None:
    phone = new_phone()
    client, me = await somebody(city, phone)
    await leave(client, city, phone)
    said = Attestation("veteran", value=True, as_of=city.house.clock.today() - timedelta(days=1))
    service = identity.attributes.service
    assert not await service.attest(city.house, me, "housing_fund", said, {"veteran"})
    assert await identity.facts(city.house, me) == {}


async def test_no_passkey_and_no_account_elsewhere_leads_back_in(city: City) -> None:
    """From the first statement on, even where the process dies after it."""
    phone = new_phone()
    client, me = await somebody(city, phone)
    bucket = ids.bucket_of(me)
    async with city.house.db.acquire() as db:
        await db.execute(
            "insert into identity.passkey (bucket, id, owner, kind, slot, handle, credential_id, public_key, "
            "sign_count, backup_eligible, backed_up, name) values ($1, $2, $3, 'citizen', 1, $4, $5, $6, 0, "
            "false, false, $7)",
            bucket, ids.new(bucket), me, b"h" * 32, b"c" * 32, b"k", city.house.keys.seal("k", "identity.passkey.name"),
        )  # fmt: skip
        await db.execute(
            "insert into identity.upstream_link (bucket, citizen_id, blind, id, issuer) "
            "values ($1, $2, $3, $4, 'https://id.example')",
            bucket, me, b"b" * 32, ids.new(bucket),
        )  # fmt: skip
    rooms = city.parts.personal
    who = city.parts.tokens.check(client.headers["authorization"].split()[1])
    code = await code_of(client, city, phone)
    with pytest.raises(Killed):
        await leaving.leave(city.house, city.parts.tokens, (dying(rooms[0]), *rooms[1:]), who, code)
    async with city.house.db.acquire() as db:
        usable = await db.fetchval(
            "select (select count(*) from identity.passkey where owner = $1 and set_aside_at is null) "
            "+ (select count(*) from identity.upstream_link where citizen_id = $1 and ended_at is null)",
            me,
        )
    assert usable == 0
    await leaving.finish_all(city.house, rooms, begun_s=0)
    assert not {"identity.passkey", "identity.upstream_link"} & (await rows_of(city, me)).keys()
