"""The network between us and PostgreSQL: slow, silent, cut, half closed, narrow, full of rubbish."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio
from tests import workshop
from tests.citizens import caller
from tests.city import City, running_city
from tests.faults.proxy import Mode, Proxy
from tests.patience import STALL_S

from civicmall.identity import account
from civicmall.kernel.config import Settings

AT_ONCE = 12
COMMAND_S = 10.0
"""What a statement may take at most: kernel/db.py."""
SHOP = workshop.unique("tollgate")
CODE = """
@shop.bills("stall")
async def bills(call: Call, query: BillsQuery) -> list[Bill]:
    return []

@shop.bill("stall")
async def bill(call: Call, bill_id: str) -> BillDetail:
    raise NotFound

@shop.quote("stall")
async def quote(call: Call, charge_id: str) -> Charge:
    until = call.now + timedelta(hours=1)
    return Charge(charge_id, {"zh-CN": "票"}, "stall.fee", {"zh-CN": "本人"}, "2026", 500, until)

@shop.charge_paid("stall")
async def charge_paid(call: Call, paid: ChargePaid) -> Receipt:
    told[paid.payment_id] += 1
    return Receipt("K" + paid.payment_id, paid.payment_id, paid.amount_minor, call.now, {"zh-CN": "处"})
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def proxy(database_url: str) -> AsyncGenerator[Proxy]:
    folder = parse_qs(urlsplit(database_url).query)["host"][0]
    async with Proxy(f"{folder}/.s.PGSQL.5432") as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(
    settings: Settings, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[City]:
    plugins = tmp_path_factory.mktemp("tollgate")
    workshop.build(plugins, workshop.manifest(SHOP, [workshop.app("stall", "bills")]), CODE)
    url = urlsplit(settings.database_url)
    there = f"{url.scheme}://{url.username}:{url.password}@127.0.0.1:{proxy.port}{url.path}"
    through = msgspec.structs.replace(settings, database_url=there)
    async with running_city(through, workshop.opened(plugins)) as found:
        yield found


class Payer:
    """Pays one bill after the other, with keys of their own, and notes what was acknowledged."""

    def __init__(self, city: City, http: httpx.AsyncClient) -> None:
        self.city = city
        self.http = http
        self.ids: dict[str, str] = {}
        self.seen: Counter[int] = Counter()
        self.longest_s = 0.0

    async def order(self, key: str) -> str:
        """Ask once; the order's id, or nothing where there was no good answer."""
        began = time.monotonic()
        charge = {"shop": SHOP, "app": "stall", "charge_id": key}
        try:
            answer = await self.http.post(
                "/v1/orders", json={"charges": [charge]}, headers={"idempotency-key": key}
            )
        finally:
            self.longest_s = max(self.longest_s, time.monotonic() - began)
        self.seen[answer.status_code] += 1
        if answer.is_success:
            found = self.ids.setdefault(key, answer.json()["id"])
            assert found == answer.json()["id"], "the same key is the same order"
        return self.ids.get(key, "")

    async def pay(self, key: str) -> None:
        """Through to the end, however often it must be asked."""
        async with asyncio.timeout(20):
            while not await self.order(key):
                await asyncio.sleep(0.1)
            path = f"/v1/orders/{self.ids[key]}/pay"
            cashier = (await self.http.post(path, json={"channel": "sandbox"})).json()
            path, body = f"/v1/sandbox/cashier/{self.ids[key]}", {"token": cashier["token"]}
            assert (await self.http.post(path, json=body)).is_success


@pytest_asyncio.fixture(loop_scope="session")
async def payer(city: City) -> Payer:
    citizen = await account(city.house, f"175{uuid4().int % 10**8:08d}")
    return Payer(city, await city.crowd(city.parts.tokens.access(caller(citizen))))


async def _leases_run_out(city: City) -> None:
    """As if half a minute had passed."""
    db: Any = city.house.db
    await db.execute("update kernel.idempotency set locked_until = now() where answer is null")
    await db.execute("update kernel.outbox set next_at = now() where next_at > now()")


async def _books(city: City, payer: Payer) -> None:
    """Every acknowledged order is there once, is paid and posted once."""
    for key in payer.ids:
        await payer.pay(key) if await _state(payer, key) == "created" else None
    await _leases_run_out(city)
    await city.settled()
    rows: Any = await city.house.db.fetch(
        "select o.id::text, o.state, count(p.id) from payments.orders o left join payments.posting p"
        " on p.bucket = o.bucket and p.order_id = o.id where o.id = any($1::text[]::uuid[])"
        " group by o.id, o.state",
        list(payer.ids.values()),
    )
    assert {row[0]: (row[1], row[2]) for row in rows} == dict.fromkeys(
        payer.ids.values(), ("fulfilled", 1)
    )
    sums = "select coalesce(sum(a), 0) from payments.posting, unnest(amounts) as a"
    assert await city.house.db.fetchval(sums) == 0
    assert set(workshop.inside(SHOP).told) >= {f"{id_}.1" for id_ in payer.ids.values()}


async def _state(payer: Payer, key: str) -> str:
    return str((await payer.http.get(f"/v1/orders/{payer.ids[key]}")).json()["state"])


@pytest.mark.parametrize("mode", ["delay", "throttle"])
async def test_a_slow_network_is_slow_and_nothing_else(
    city: City, proxy: Proxy, payer: Payer, mode: Mode
) -> None:
    proxy.become(mode)
    try:
        await asyncio.gather(*(payer.order(f"{mode}-{n}") for n in range(AT_ONCE)))
    finally:
        proxy.become("pass")
    assert payer.seen == {201: AT_ONCE}
    await _books(city, payer)


@pytest.mark.parametrize("mode", ["reset", "half-close", "garble"])
async def test_a_cut_is_a_named_refusal_and_over_when_it_is_over(
    city: City, proxy: Proxy, payer: Payer, mode: Mode
) -> None:
    keys = [f"{mode}-{n}" for n in range(AT_ONCE)]

    async def hurt() -> None:
        for _ in range(3):
            proxy.become(mode)
            await asyncio.sleep(0.05)
            proxy.become("pass")
            await asyncio.sleep(0.05)

    await asyncio.gather(hurt(), *(payer.order(key) for key in keys))
    proxy.become(mode)
    if mode != "half-close":  # which only hurts who is connected
        assert not await payer.order(f"{mode}-away")
        assert payer.seen[503] >= 1
    proxy.become("pass")
    assert set(payer.seen) <= {201, 503, 409}
    assert payer.longest_s < 2 * COMMAND_S + STALL_S  # a statement, and the key's release after it
    proxy.cut()  # what is left of rubbish on open connections
    await _leases_run_out_soon(city)
    for key in keys:
        await payer.pay(key)
    await _books(city, payer)


async def _leases_run_out_soon(city: City) -> None:
    """The pool finds out by itself that its connections are dead."""
    async with asyncio.timeout(COMMAND_S + STALL_S):
        while True:
            try:
                return await _leases_run_out(city)
            except Exception:  # noqa: BLE001 (whatever a dead connection raises)
                await asyncio.sleep(0.05)


async def test_a_silent_network_holds_nobody_past_the_deadline(
    city: City, proxy: Proxy, payer: Payer
) -> None:
    proxy.become("drop")
    try:
        answers = await asyncio.gather(
            *(payer.order(f"drop-{n}") for n in range(4)), payer.http.get("/readyz")
        )
    finally:
        proxy.become("pass")
    ready: Any = answers[-1]
    assert ready.status_code == 503
    assert set(payer.seen) == {503}
    assert payer.longest_s < 2 * COMMAND_S + STALL_S
    await _leases_run_out_soon(city)
    for n in range(4):
        await payer.pay(f"drop-{n}")
    await _books(city, payer)
