"""A shop at an address of its own: to citizens the same as one in our process, and told no more."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from tests.citizens import caller
from tests.rooms.gateway import remote_shop
from tests.rooms.gateway.remote_shop import TIMEOUT_MS, Remote, placed
from tests.rooms.gateway.steps import bills, known, someone

from civicmall.gateway import request_secret
from civicmall.identity import Caller
from civicmall.kernel.errors import Problem
from shopkit import assertion
from shopkit.contract import (
    BillsQuery,
    BookAsk,
    BookingsQuery,
    ChargePaid,
    ChargeRefunded,
    Filled,
    FormQuery,
    ProgressQuery,
    SlotsQuery,
    Submission,
    Supplement,
    Withdrawal,
)
from shopkit.keys import public_key, shared_key

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
DAY = date(2026, 10, 2)
REFUND = ChargeRefunded("f1", "p1", "b1", 100, NOON)
ASKED: dict[str, tuple[str, Any]] = {
    "progress": ("progress.list", ProgressQuery()),
    "one of the progress": ("progress.list", ProgressQuery(id="m2")),
    "none of the progress": ("progress.list", ProgressQuery(id="m9")),
    "matter": ("progress.get", "m1"),
    "no matter": ("progress.get", "m9"),
    "bills": ("bills.list", BillsQuery(limit=7)),
    "bill": ("bills.get", "b1"),
    "no bill": ("bills.get", "gone"),
    "a bill refused": ("bills.get", "no"),
    "a bill away": ("bills.get", "away"),
    "a bill broken": ("bills.get", "broken"),
    "receipt": ("bills.receipt", "b1"),
    "quote": ("charge.quote", "b1"),
    "paid": ("charge.paid", ChargePaid("p1", "b1", 100, NOON)),
    "refunded": ("charge.refunded", REFUND),
    "form": ("apply.form", FormQuery()),
    "accepted": ("apply.submit", Submission("c1", {"end": "accept"})),
    "pending": ("apply.submit", Submission("c2", {"end": "pending"})),
    "refused": ("apply.submit", Submission("c3", {"end": "refuse"})),
    "bad form": ("apply.submit", Submission("c4", {"end": "bad"})),
    "supplement": ("apply.supplement", Supplement("c1", "N-1", 1)),
    "withdrawal": ("apply.withdraw", Withdrawal("c1", "N-1")),
    "slots": ("appointments.slots", SlotsQuery(DAY, DAY)),
    "book": ("appointments.book", BookAsk("r1", "s1")),
    "cancel": ("appointments.cancel", "k1"),
    "cancel nothing": ("appointments.cancel", "gone"),
    "bookings": ("appointments.list", BookingsQuery()),
    "calculation": ("calculate.run", Filled({"end": "ok"})),
    "bad calculation": ("calculate.run", Filled({"end": "bad"})),
    "enquiry": ("enquire.run", Filled({"end": "ok"})),
}


async def said(remote: Remote, who: Caller, shop: str, asked: tuple[str, Any]) -> Any:
    """An answer, or the problem that it was, as far as both sides must agree on it."""
    try:
        return await remote.gateway.ask(who, shop, "all", *asked, "en")
    except Problem as problem:
        extra = {
            name: value for name, value in problem.extra.items() if name not in {"shop", "check"}
        }
        return type(problem), problem.detail, extra


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
async def test_each_question_has_the_same_answer_wherever_the_shop_runs(
    remote: Remote, asked: tuple[str, Any]
) -> None:
    _, me = await someone(remote.city)
    near = await said(remote, caller(me), remote.here, asked)
    far = await said(remote, caller(me), remote.away, asked)
    assert far == near
    assert [seen.path for seen in remote.served.seen] == [
        f"/v2/apps/all/{'progress.get' if getattr(asked[1], 'id', None) else asked[0]}"
    ]


async def test_the_doors_answer_the_same(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    base = {shop: f"/v1/shops/{shop}/apps/all" for shop in (remote.here, remote.away)}

    async def both(method: str, path: str, **more: Any) -> list[Any]:
        answers = [await client.request(method, base[shop] + path, **more) for shop in base]
        bodies = [(answer.status_code, answer.json()) for answer in answers]
        for _, body in bodies:
            for volatile in ("as_of", "call_id", "shop", "trace_id"):
                body.pop(volatile, None)
        return bodies

    end = {"json": {"values": {"end": "ok"}}}
    asks: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/bills", {}), ("GET", "/bills/b1", {}), ("GET", "/bills/gone", {}),
        ("GET", "/bills/b1/receipt", {}), ("GET", "/progress", {}), ("GET", "/progress/m1", {}),
        ("GET", "/progress?id=m2", {}), ("GET", "/slots", {}), ("GET", "/bookings", {}),
        ("DELETE", "/bookings/k1", {}), ("POST", "/calculation", end), ("POST", "/enquiry", end),
        ("POST", "/calculation", {"json": {"values": {"end": "x" * 21}}}),
        ("POST", "/bookings", {"json": {"slot": "s1"}, "headers": {"idempotency-key": "k"}}),
    ]  # fmt: skip
    for ask in asks:
        if ask[:2] == ("POST", "/bookings"):  # the same key stands for one booking only
            near, far = [
                await client.post(base[shop] + "/bookings", json={"slot": "s1"},
                                  headers={"idempotency-key": shop})
                for shop in base
            ]  # fmt: skip
            assert (near.status_code, near.json()) == (far.status_code, far.json())
            continue
        near, far = await both(ask[0], ask[1], **ask[2])
        assert near == far, ask
        assert near[0] in {200, 404, 422}


async def test_a_shop_is_told_who_is_served_and_no_more(remote: Remote) -> None:
    client = await known(remote.city, "school_mother")
    asked = await client.get(bills(remote.away, "guarded"))
    assert asked.json()["type"] == "/problems/consent-needed"
    assert remote.served.seen == []
    for shop in (remote.here, remote.away):
        path = f"/v1/me/consents/{shop}/guarded"
        assert (await client.put(path, json={"claims": ["id_number"]})).status_code == 200
        assert (await client.get(bills(shop, "guarded"))).status_code == 200
    token = remote.served.seen[-1].headers["civicmall-assertion"]
    jwks = (await client.get("/.well-known/jwks.json")).json()["keys"]
    key = next(public_key(jwk["x"]) for jwk in jwks if jwk.get("kid") == "shops-1")
    read = assertion.read(token, {"shops-1": key}.get, audience=remote.away, now=int(time.time()))
    near, far = (remote.inside(shop).seen[-1].citizen for shop in (remote.here, remote.away))
    assert (read.sub, read.app, read.acr, read.iss) == (
        far.sub, "guarded", "L2", remote.city.url,
    )  # fmt: skip
    assert dict(read.claims) == dict(far.claims) == dict(near.claims)
    assert list(read.claims) == ["id_number"]
    assert near.sub != far.sub, "each shop knows a citizen by another word"
    assert (await client.get(bills(remote.away, "all"))).status_code == 200
    assert remote.inside(remote.away).seen[-1].citizen.claims == {}
    assert remote.inside(remote.away).seen[-1].citizen.sub == far.sub


async def test_what_a_request_carries(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    trace = "ab" * 16
    headers = {
        "traceparent": f"00-{trace}-{'cd' * 8}-01", "accept-language": "en", "cookie": "a=b",
        "x-forwarded-for": "1.2.3.4",
    }  # fmt: skip
    assert (await client.get(bills(remote.away, "all"), headers=headers)).status_code == 200
    sent = remote.served.seen[-1]
    assert (sent.method, sent.query) == ("POST", "")
    assert sent.headers["civicmall-deadline-ms"] == str(TIMEOUT_MS)
    version, found, span, _ = sent.headers["traceparent"].split("-")
    assert (version, found) == ("00", trace)
    assert span not in {"cd" * 8, "0" * 16}
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["accept-encoding"] == "identity"
    assert sent.headers["host"] == f"127.0.0.1:{remote.served.port}"
    assert not sent.headers.keys() & {"cookie", "authorization", "x-forwarded-for"}
    call = remote.inside(remote.away).seen[-1]
    assert (call.lang, call.trace_id, call.app) == ("en", trace, "all")
    assert call.deadline_s == TIMEOUT_MS / 1000


async def test_no_two_requests_are_signed_alike(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    for _ in range(3):
        assert (await client.get(bills(remote.away, "all"))).status_code == 200
    assert len({seen.headers["signature-input"] for seen in remote.served.seen}) == 3
    assert len({seen.headers["civicmall-assertion"] for seen in remote.served.seen}) == 1


async def test_a_shop_may_share_a_secret_with_us(remote: Remote) -> None:
    """Requests are signed with it, typed and raw; for whom they are is vouched for as ever."""
    client, _ = await someone(remote.city)
    manifest = remote_shop.said(remote.away)
    await remote.place(placed(manifest, remote.served.url, signature="hmac-sha256"))
    remote.served.seen.clear()
    assert (await client.get(bills(remote.away, "all"))).status_code == 200
    assert (await client.get(f"/v1/shops/{remote.away}/raw/files/a")).status_code == 201
    assert len(remote.served.seen) == 2
    for seen in remote.served.seen:
        assert ';keyid="shared-1";alg="hmac-sha256";' in seen.headers["signature-input"]
        header = seen.headers["civicmall-assertion"].partition(".")[0]
        assert json.loads(urlsafe_b64decode(header + "=="))["alg"] == "EdDSA"


async def test_each_shop_shares_another_secret(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    service: Any = remote.served.app
    trust = service._guard._trust
    secrets = [request_secret(remote.city.house.keys, s) for s in (remote.here, remote.away)]
    others, own = [shared_key(secret) for secret in secrets]
    assert trust._shared == own
    manifest = remote_shop.said(remote.away)
    await remote.place(placed(manifest, remote.served.url, signature="hmac-sha256"))
    for instead, check in ((others, "signature-wrong"), (None, "signature-key")):
        trust._shared = instead
        try:
            answer = await client.get(bills(remote.away, "all"))
        finally:
            trust._shared = own
        assert (answer.status_code, answer.json()["check"]) == (502, check)


async def test_health_shows_a_remote_shop(remote: Remote) -> None:
    operator = await remote.city.operator()
    items = (await operator.get("/v1/desk/shops/health")).json()["items"]
    mine = next(item for item in items if item["shop"] == remote.away)
    assert (mine["state"], mine["reason"], mine["version"]) == ("live", "", "1.0.0")
    assert msgspec.json.encode(mine)
