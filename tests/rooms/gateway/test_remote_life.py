"""Remote shops that go down, come back, change their version, and hear of events."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from tests.citizens import caller
from tests.patience import STALL_S
from tests.rooms.gateway.remote_shop import (
    Holding,
    Remote,
    Served,
    answering,
    placed,
    problem,
    said,
    service,
)
from tests.rooms.gateway.steps import Later, bills, known, someone

from civicmall.gateway import gates
from civicmall.gateway.breaker import FAULTS_MAX, OPEN_S
from civicmall.kernel import outbox
from civicmall.kernel.models import DeadLetter
from shopkit import webhooks
from shopkit.contract import BillsQuery


@pytest.fixture(autouse=True)
def promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that nobody calls any more is left at once."""
    monkeypatch.setattr(gates, "LINGER_S", 0.05)


async def until(so: Any) -> None:
    """Until that is so; soon, or the test fails."""
    async with asyncio.timeout(5):
        while not so():
            await asyncio.sleep(0.005)


# Down and up


async def test_a_shop_that_is_down_leaves_its_last_answers(remote: Remote, later: Later) -> None:
    client, _ = await someone(remote.city)
    stranger, _ = await someone(remote.city)
    path = bills(remote.away, "all")
    fresh = (await client.get(path)).json()
    assert fresh["stale"] is False
    await remote.served.stop()
    assert (await client.get(path)).json() == {**fresh, "stale": True}
    nothing_kept = await stranger.get(path)
    assert nothing_kept.status_code == 503
    assert nothing_kept.json()["check"] == "unreachable"
    assert nothing_kept.headers["retry-after"] == "30"
    await remote.gateway.gates.probe()
    assert "unreachable" in remote.way(remote.away).gate.away
    for _ in range(FAULTS_MAX):
        await stranger.get(path)
    assert (await client.get(path)).json() == {**fresh, "stale": True}, "also behind the breaker"
    await remote.served.start()
    later.forward_s += 2 * OPEN_S
    again = (await client.get(path)).json()
    assert again["stale"] is False
    assert again["as_of"] > fresh["as_of"]


async def test_a_shop_that_keeps_failing_is_left_alone_and_tried_again(
    remote: Remote, later: Later
) -> None:
    client, _ = await someone(remote.city)
    gate = remote.way(remote.away).gate
    path = bills(remote.away, "all")
    remote.served.instead = problem(500, "failed")
    for _ in range(FAULTS_MAX):
        assert (await client.get(path)).status_code == 502
    remote.served.seen.clear()
    shut = await client.get(path)
    assert (shut.status_code, shut.headers["retry-after"]) == (503, "5")
    assert gate.breaker_state() == "open"
    assert remote.served.seen == [], "it is not even asked"
    assert (await client.get(bills(remote.here, "all"))).status_code == 200
    later.forward_s += 2 * OPEN_S
    assert (await client.get(path)).status_code == 502, "one call tries"
    assert (await client.get(path)).status_code == 503
    remote.served.instead = None
    later.forward_s += 4 * OPEN_S
    assert (await client.get(path)).status_code == 200
    assert gate.breaker_state() == "closed"


async def test_refusals_open_no_breaker(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    for refusal in (problem(404, "not-found"), problem(409, "refused"), problem(422, "bad-form")):
        remote.served.instead = refusal
        for _ in range(FAULTS_MAX):
            assert (await client.get(bills(remote.away, "all"))).status_code in {404, 409, 422}
    assert remote.way(remote.away).gate.breaker_state() == "closed"


async def test_a_shop_that_was_down_at_the_start_is_found_later(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    await remote.served.stop()
    await remote.place(placed(said(remote.away, version="1.0.3"), remote.served.url))
    assert (await client.get(bills(remote.away, "all"))).status_code == 503
    await remote.served.start()
    assert (await client.get(bills(remote.away, "all"))).status_code == 200


async def test_whoever_stops_waiting_leaves_nothing_behind(remote: Remote) -> None:
    _, me = await someone(remote.city)
    gate = remote.way(remote.away).gate
    client: Any = gate.host
    assert remote.served.app is not None
    holding = remote.served.instead = Holding(remote.served.app)
    ask = remote.gateway.ask(caller(me), remote.away, "all", "bills.list", BillsQuery(), "en")
    asking = asyncio.create_task(ask)
    await holding.waiting.wait()
    assert (gate.running, client.client.connections) == (1, 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert gate.running == 0
    await until(lambda: client.client.connections == 0)
    await until(lambda: remote.served.connections == 0)
    holding.go.set()


async def test_a_shop_that_hangs_costs_its_deadline_and_nobody_else_anything(
    remote: Remote,
) -> None:
    client, _ = await someone(remote.city)
    gate = remote.way(remote.away).gate
    assert remote.served.app is not None
    holding = remote.served.instead = Holding(remote.served.app)
    began, kept = time.perf_counter(), gate.timeout_s
    gate.timeout_s = STALL_S
    many = [asyncio.create_task(client.get(bills(remote.away, "all"))) for _ in range(8)]
    await holding.waiting.wait()
    for _ in range(5):
        assert (await client.get(bills(remote.here, "all"))).status_code == 200
        assert not any(task.done() for task in many), "nobody waited for the one that hangs"
    answers = await asyncio.gather(*many)
    assert {answer.status_code for answer in answers} <= {503, 504}
    assert time.perf_counter() - began < 2 * STALL_S
    gate.timeout_s = kept
    assert gate.running == 0
    holding.go.set()


# Versions


async def another(remote: Remote) -> Served:
    """A second server of the same shop: its next version."""
    shop = remote.inside(remote.away).shop
    jwks = f"{remote.city.url}/.well-known/jwks.json"
    served = Served(service(shop, remote.city.settings, jwks))
    await served.start()
    return served


async def test_what_is_in_flight_ends_where_it_began(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    path = bills(remote.away, "all")
    old = remote.way(remote.away).gate
    old_client: Any = old.host
    new = await another(remote)
    try:
        assert remote.served.app is not None
        holding = remote.served.instead = Holding(remote.served.app)
        in_flight = asyncio.create_task(client.get(path))
        await holding.waiting.wait()
        await remote.place(placed(said(remote.away, version="2.0.0"), new.url))
        assert remote.way(remote.away).deployed.version == "2.0.0"
        for _ in range(3):
            assert (await client.get(path)).status_code == 200
        assert len([seen for seen in new.seen if seen.method == "POST"]) == 3
        assert not in_flight.done()
        holding.go.set()
        assert (await in_flight).status_code == 200
        await until(lambda: old_client.client.connections == 0)
        assert (await client.get(path)).status_code == 200
    finally:
        await new.stop()


async def test_no_call_is_lost_however_often_versions_change(remote: Remote) -> None:
    crowd = [await someone(remote.city) for _ in range(6)]
    path = bills(remote.away, "all")
    new = await another(remote)
    answers: list[httpx.Response] = []
    over = asyncio.Event()

    async def call(client: httpx.AsyncClient) -> None:
        while not over.is_set():
            answers.append(await client.get(path))

    try:
        calling = [asyncio.create_task(call(client)) for client, _ in crowd]
        for nth in range(6):
            before = len(answers)
            url = new.url if nth % 2 else remote.served.url
            await remote.place(placed(said(remote.away, version=f"2.{nth}.0"), url))
            await until(lambda: len(answers) > before + 12)  # noqa: B023 (waited for within the loop)
        over.set()
        await asyncio.gather(*calling)
    finally:
        await new.stop()
    assert {answer.status_code for answer in answers} == {200}
    assert not any(answer.json()["stale"] for answer in answers)


async def test_a_canary_serves_its_share_at_its_own_address(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    trial = await another(remote)
    try:
        live = placed(said(remote.away), remote.served.url)
        canary = placed(said(remote.away, version="3.0.0"), trial.url, role="canary", percent=100)
        await remote.place(live, canary)
        remote.served.seen.clear()
        trial.seen.clear()
        assert (await client.get(bills(remote.away, "all"))).status_code == 200
        assert (len(trial.seen), len(remote.served.seen)) == (1, 0)
        lines = [line for line in remote.gateway.health() if line.shop == remote.away]
        assert [(line.state, line.version) for line in lines] == [
            ("live", "1.0.0"), ("canary", "3.0.0"),
        ]  # fmt: skip
        await remote.place(live)
        assert (await client.get(bills(remote.away, "all"))).status_code == 200
        assert (len(trial.seen), len(remote.served.seen)) == (1, 1)
    finally:
        await trial.stop()


# Events


async def withdraw(remote: Remote, shop: str) -> None:
    """Somebody agrees to what an app asks for, and takes it back."""
    client = await known(remote.city, "school_mother")
    path = f"/v1/me/consents/{shop}/guarded"
    assert (await client.put(path, json={"claims": ["id_number"]})).status_code == 200
    assert (await client.get(bills(shop, "guarded"))).status_code == 200
    assert (await client.delete(path)).status_code in {200, 204}


def told(remote: Remote) -> list[Any]:
    """Requests that told the shop of an event."""
    return [seen for seen in remote.served.seen if seen.path == "/events"]


async def test_a_shop_hears_of_a_consent_that_was_withdrawn(remote: Remote) -> None:
    for shop in (remote.here, remote.away):
        remote.inside(shop).events.clear()
        await withdraw(remote, shop)
    await remote.city.settled()
    for shop in (remote.here, remote.away):
        module = remote.inside(shop)
        (event,) = module.events
        served = next(call for call in reversed(module.seen) if call.citizen.claims)
        assert (event.type, event.subject) == ("consent.withdrawn", "guarded")
        assert event.data == {
            "app": "guarded", "sub": served.citizen.sub, "claims": ["id_number"],
        }  # fmt: skip
    (request,) = told(remote)
    assert request.headers["webhook-id"] == event.id
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert "civicmall-assertion" not in request.headers, "it is about nobody's call"


async def test_an_event_is_told_until_it_is_heard(remote: Remote) -> None:
    module = remote.inside(remote.away)
    module.events.clear()
    await withdraw(remote, remote.away)
    await remote.city.settled()
    (heard,) = module.events
    remote.served.seen.clear()
    remote.served.instead = answering(500)
    pool = remote.city.house.db
    await withdraw_unheard(remote)
    await until(lambda: told(remote))
    first = told(remote)[0].headers["webhook-id"]
    remote.served.instead = None
    await remote.gateway.gates.probe()
    await pool.execute("update kernel.outbox set next_at = now()")
    await remote.city.settled()
    assert {seen.headers["webhook-id"] for seen in told(remote)} == {first}
    assert [event.id for event in module.events] == [heard.id, first]


async def withdraw_unheard(remote: Remote) -> None:
    """The same while the shop's events aren't heard; its other answers are."""
    events, remote.served.instead = remote.served.instead, None
    app = remote.served.app
    assert app is not None
    assert events is not None

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await (events if scope["path"] == "/events" else app)(scope, receive, send)

    remote.served.instead = deaf
    await withdraw(remote, remote.away)


async def test_an_event_that_is_never_heard_can_be_told_again_later(remote: Remote) -> None:
    module = remote.inside(remote.away)
    module.events.clear()
    pool = remote.city.house.db
    remote.served.instead = answering(500)
    await withdraw_unheard(remote)
    await until(lambda: told(remote))
    last = "update kernel.outbox set attempts = $1, next_at = now() where not dead"
    async with asyncio.timeout(5):
        while not (await outbox.counts(pool)).dead:  # the last tries of twenty
            await pool.execute(last, outbox.ATTEMPTS_MAX - 1)
            remote.city.parts.drain.hint()
            await asyncio.sleep(0.02)
    gate = remote.way(remote.away).gate
    assert gate.breaker_state() == "closed", "citizens' calls don't suffer for it"
    letters: list[DeadLetter] = await outbox.dead(pool, 10)
    (letter,) = [one for one in letters if one.shop == remote.away]
    assert module.events == []
    remote.served.instead = None
    remote.served.seen.clear()
    await remote.back()
    assert await outbox.replay(pool, letter.bucket, letter.id)
    await remote.city.settled()
    (event,) = module.events
    assert event.id == str(letter.id)
    assert (await outbox.counts(pool)).dead == 0


async def test_an_event_is_signed_for_its_shop_alone(remote: Remote) -> None:
    bodies: list[bytes] = []

    async def keeping(scope: Any, receive: Any, send: Any) -> None:
        assert remote.served.app is not None
        if scope["path"] != "/events":
            await remote.served.app(scope, receive, send)
            return
        bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    remote.served.instead = keeping
    await withdraw(remote, remote.away)
    await remote.city.settled()
    (request,) = told(remote)
    headers = [(k.encode(), v.encode()) for k, v in request.headers.items()]
    secret = remote.gateway.platform.webhook_secret
    event = webhooks.verify(secret(remote.away), headers, bodies[0], int(time.time()))
    assert (event.type, event.source) == ("city.civicmall.consent.withdrawn", remote.city.url)
    with pytest.raises(webhooks.BadWebhook) as caught:
        webhooks.verify(secret(remote.here), headers, bodies[0], int(time.time()))
    assert caught.value.check == "webhook-signature"


async def test_a_shop_that_asked_for_no_events_gets_none(remote: Remote) -> None:
    plain = said(remote.away, version="1.0.4")
    del plain["webhooks"]
    await remote.place(placed(plain, remote.served.url))
    await withdraw(remote, remote.away)
    await remote.city.settled()
    assert told(remote) == []
    assert (await outbox.counts(remote.city.house.db)).dead == 0


async def test_a_shop_that_has_left_hears_no_more(remote: Remote) -> None:
    client = await known(remote.city, "school_mother")
    path = f"/v1/me/consents/{remote.away}/guarded"
    for role in ("retired", None):
        await remote.back()
        assert (await client.put(path, json={"claims": ["id_number"]})).status_code == 200
        gone = [placed(said(remote.away), remote.served.url, role=role)] if role else []
        await remote.place(*gone)
        assert (await client.delete(path)).status_code in {200, 204}
        await remote.city.settled()
        assert told(remote) == []
        assert (await outbox.counts(remote.city.house.db)).dead == 0
