"""What shops attest of citizens: believed of those who use them, for what their manifest names."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from tests import workshop
from tests.rooms.gateway.remote_shop import KEY, OTHER_KEY, Remote, placed, said

from civicmall import identity
from shopkit.contract import Attestation
from shopkit.keys import Key
from shopkit.serve import PlatformClient
from shopkit.signatures import CALLBACK_TAG, Signer

ATTESTS: Final = [
    {"name": "housing", "basis": workshop.text("the register of homes")},
    {"name": "moved_on", "basis": workshop.text("the register of homes")},
]
PHONES = iter(range(19700000000, 19700001000))


async def open_shop(remote: Remote, **more: Any) -> None:
    """The shop elsewhere, attesting."""
    await remote.place(placed(said(remote.away, attests=ATTESTS, **more), remote.served.url))


async def user(remote: Remote) -> tuple[UUID, str]:
    """Somebody who has just used the shop, and what it knows them by."""
    client, citizen = await remote.city.short(str(next(PHONES)))
    answer = await client.get(f"/v1/shops/{remote.away}/apps/all/bills")
    assert answer.status_code == 200, answer.text
    return citizen, remote.gateway.gates.keys_of(remote.away).sub(citizen)


def event(remote: Remote, sub: str, **data: Any) -> dict[str, Any]:
    """The callback's body."""
    today = remote.city.house.clock.today().isoformat()
    return {
        "specversion": "1.0", "id": uuid4().hex, "type": "city.civicmall.citizen.attested",
        "source": f"/shops/{remote.away}", "subject": sub, "time": datetime.now(UTC).isoformat(),
        "data": {"name": "housing", "value": "owner", "as_of": today, **data},
    }  # fmt: skip


async def send(
    remote: Remote,
    body: Any,
    *,
    key: Key = KEY,
    by: str = "",
    nonce: str | None = None,
    to: str = "",
) -> httpx.Response:
    """Sign and send it."""
    whole = body if isinstance(body, bytes) else msgspec.json.encode(body)
    path = f"/v1/callbacks/{to or remote.away}/attestations"
    signer = Signer(key.private, by or remote.away, CALLBACK_TAG)
    headers = signer.headers("POST", path, "", whole, None, now=int(time.time()), nonce=nonce)
    nobody = await remote.city.anonymous()
    return await nobody.post(
        path, content=whole, headers=[*headers, (b"content-type", b"application/cloudevents+json")]
    )


async def known(remote: Remote, citizen: UUID) -> dict[str, Any]:
    return await identity.facts(remote.city.house, citizen)


async def test_what_a_shop_attests_of_whom_it_serves_is_known(remote: Remote) -> None:
    await open_shop(remote)
    citizen, sub = await user(remote)
    assert (await send(remote, event(remote, sub))).status_code == 204
    assert await known(remote, citizen) == {"housing": "owner"}
    (one,) = await identity.attributes.service.attributes(remote.city.house, citizen)
    assert one.source == remote.away


async def test_the_kit_of_shops_sends_it(remote: Remote) -> None:
    await open_shop(remote)
    citizen, sub = await user(remote)
    today = remote.city.house.clock.today()
    client = PlatformClient(remote.city.url, remote.away, KEY)
    await client.attest(sub, Attestation("moved_on", "2026-01-31", today))
    assert await known(remote, citizen) == {"moved_on": "2026-01-31"}
    with pytest.raises(ValueError, match="veteran"):
        await client.attest(sub, Attestation("veteran", True, today))  # noqa: FBT003 (its value)
    with pytest.raises(LookupError):
        await client.attest("0" * 32, Attestation("housing", "owner", today))
    await client.close()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"name": "veteran", "value": True}, "name"),
        ({"value": "castle"}, "value"),
        ({"value": 3}, "value"),
        ({"name": "moved_on", "value": "yesterday"}, "value"),
        ({"as_of": "1899-12-31"}, "as_of"),
    ],
)
async def test_what_the_manifest_or_the_type_does_not_allow_is_refused(
    remote: Remote, data: dict[str, Any], field: str
) -> None:
    await open_shop(remote)
    citizen, sub = await user(remote)
    answer = await send(remote, event(remote, sub, **data))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-attestation")
    assert answer.json()["errors"][0]["field"] == field
    assert await known(remote, citizen) == {}


async def test_a_day_to_come_is_refused(remote: Remote) -> None:
    await open_shop(remote)
    citizen, sub = await user(remote)
    to_come = (remote.city.house.clock.today() + timedelta(days=1)).isoformat()
    answer = await send(remote, event(remote, sub, as_of=to_come))
    assert answer.status_code == 422
    assert await known(remote, citizen) == {}


async def test_a_shop_that_attests_nothing_learns_and_changes_nothing(remote: Remote) -> None:
    citizen, sub = await user(remote)  # `back` placed it without `attests`
    assert (await send(remote, event(remote, sub))).status_code == 404
    await open_shop(remote)
    await user(remote)
    assert (
        await send(remote, event(remote, sub))
    ).status_code == 404  # they haven't been back since
    assert await known(remote, citizen) == {}


async def test_of_whom_it_never_served_a_shop_attests_nothing(remote: Remote) -> None:
    await open_shop(remote)
    client, citizen = await remote.city.short(str(next(PHONES)))
    del client
    sub = remote.gateway.gates.keys_of(remote.away).sub(citizen)  # even if it could guess that
    assert (await send(remote, event(remote, sub))).status_code == 404
    assert await known(remote, citizen) == {}


async def test_another_shops_word_for_a_citizen_is_worth_nothing(remote: Remote) -> None:
    await open_shop(remote)
    citizen, _ = await user(remote)
    others = remote.gateway.gates.keys_of(remote.here).sub(citizen)
    assert (await send(remote, event(remote, others))).status_code == 404
    assert await known(remote, citizen) == {}


async def test_nobody_attests_in_a_shops_name(remote: Remote) -> None:
    await open_shop(remote)
    citizen, sub = await user(remote)
    forged = await send(remote, event(remote, sub), key=OTHER_KEY)
    assert forged.json()["check"] == "signature-wrong"
    foreign = await send(remote, event(remote, sub), by=remote.here)
    assert foreign.status_code == 401
    elsewhere = await send(remote, event(remote, sub), to=remote.here)
    assert elsewhere.status_code == 401
    bare = await (await remote.city.anonymous()).post(
        f"/v1/callbacks/{remote.away}/attestations", json=event(remote, sub)
    )
    assert bare.status_code == 401
    assert await known(remote, citizen) == {}


async def test_what_is_sent_again_is_taken_once(remote: Remote) -> None:
    await open_shop(remote)
    citizen, sub = await user(remote)
    body = event(remote, sub)
    assert (await send(remote, body, nonce="n" * 22)).status_code == 204
    again = await send(remote, body, nonce="n" * 22)
    assert again.json()["type"] == "/problems/callback-refused"
    old = (remote.city.house.clock.today() - timedelta(days=9)).isoformat()
    assert (await send(remote, event(remote, sub, value="tenant", as_of=old))).status_code == 204
    assert await known(remote, citizen) == {"housing": "owner"}  # older news changes nothing


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"\xff", b"null", b"[" * 5000,
        {"specversion": "0.3"}, {"type": "city.civicmall.charge.paid"}, {"subject": "ABC"}, {"subject": None},
        {"subject": "0" * 31}, {"time": "2026-01-01T00:00:00"}, {"id": ""}, {"id": "x" * 81}, {"more": 1},
        {"data": None}, {"data": {"name": "housing"}}, {"data": {"name": "HOUSING", "value": 1, "as_of": "2026-01-01"}},
        {"data": {"name": "housing", "value": "owner", "as_of": "2026-13-01"}},
        {"data": {"name": "housing", "value": "owner", "as_of": "2026-01-01", "sub": "x"}},
    ],
    ids=str,
)  # fmt: skip
async def test_signed_nonsense_is_the_shops_mistake(remote: Remote, body: Any) -> None:
    await open_shop(remote)
    whole = body if isinstance(body, bytes) else {**event(remote, "0" * 32), **body}
    answer = await send(remote, whole)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-request"), (
        answer.text
    )


async def test_who_left_is_behind_no_word_any_more(remote: Remote) -> None:
    await open_shop(remote)
    citizen, sub = await user(remote)
    rooms = {room.room: room for room in remote.city.parts.personal}
    await rooms["gateway"].erase(remote.city.house, citizen)
    assert (await send(remote, event(remote, sub))).status_code == 404
    await rooms["gateway"].erase(remote.city.house, citizen)  # twice does no harm


async def test_an_objection_reaches_the_shop_and_so_does_leaving(remote: Remote) -> None:
    hooks = {"events": ["attribute.disputed", "citizen.deleted"]}
    await remote.place(
        placed({**said(remote.away, attests=ATTESTS), "webhooks": hooks}, remote.served.url)
    )
    citizen, sub = await user(remote)
    assert (await send(remote, event(remote, sub))).status_code == 204
    ask = identity.Objection(remote.away, "卖掉了")
    await identity.attributes.service.dispute(remote.city.house, citizen, "housing", ask)
    heard: list[dict[str, Any]] = []
    right = remote.gateway.tell

    async def tell(shop: str, news: Any) -> None:
        if shop == remote.away:
            heard.append({"type": news.type, "subject": news.subject, **news.data})
        await right(shop, news)

    remote.gateway.tell = tell
    try:
        rooms = {room.room: room for room in remote.city.parts.personal}
        await rooms["gateway"].erase(remote.city.house, citizen)
        await remote.city.settled()
    finally:
        remote.gateway.tell = right
    assert {"type": "citizen.deleted", "subject": sub, "sub": sub} in heard
    disputed = [one for one in heard if one["type"] == "attribute.disputed"]
    assert all(one["sub"] == sub and one["words"] == "卖掉了" for one in disputed)
    posted = [one for one in remote.served.seen if one.path == "/events"]
    assert len(posted) >= 2  # both went out, signed
