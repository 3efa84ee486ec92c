"""kill -9 in the middle of two hundred payments: nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from tests.faults.town import SHOP, Payment, Town, order_ids, pay

from civicmall import app

PAYERS = 200
STOPS = ("cashier",) * 8 + ("order", "declined")
"""Of ten payers eight pay, one only orders, one is declined by the bank."""

STATES = "select id, state from payments.orders where id = any($1)"
POSTED = "select order_id, kind, amounts from payments.posting where order_id = any($1)"
TOTAL = "select coalesce(sum(amount), 0) from payments.posting, unnest(amounts) as amount"
TOLD = (
    "select outcome, count(*) from payments.channel_payment where order_id = any($1)"
    " group by outcome"
)
TAKEN = "select order_id from payments.sandbox_payment where state = 'paid' and order_id = any($1)"
BOOKED = "select bill, payment_id from shop_utility_bills.payment where bill = any($1)"
CUT = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)

pytestmark = pytest.mark.xdist_group("faults")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town() -> AsyncGenerator[Town]:
    found = Town(_folder())
    try:
        await found.prepare()
        await found.server.up()
        yield found
    finally:
        found.close()
        shutil.rmtree(found.folder, ignore_errors=True)


def _folder() -> Path:
    """Not in pytest's own: each run of pytest closes that to other users, PostgreSQL's too."""
    folder = Path(tempfile.mkdtemp(prefix="civicmall-faults-"))
    folder.chmod(0o755)
    return folder


async def _while_paying(
    town: Town, payers: list[Payment], hurt: Callable[[], Any], after: int
) -> None:
    """All pay at once; once so many are through, `hurt` happens and the others go on trying."""
    async with town.client() as client, asyncio.TaskGroup() as group:
        for n, one in enumerate(payers):
            group.create_task(pay(client, one, stop_after=STOPS[n % len(STOPS)]))
        while sum(one.done for one in payers) < after:
            await asyncio.sleep(0.005)
        assert sum(one.done for one in payers) < len(payers) / 2, "in the middle of it"
        await hurt()


async def _everything_fits(town: Town, payers: list[Payment]) -> None:
    """What must hold afterwards, as the tables of all three sides have it."""
    orders = order_ids(payers)
    assert len(set(orders)) == len(payers), "one order for each key"
    states = dict(await town.owner(STATES, orders))
    expected = {"cashier": "fulfilled", "order": "created", "declined": "paying"}
    for n, order in enumerate(orders):
        assert states[order] == expected[STOPS[n % len(STOPS)]], payers[n]
    paid = {order for order in orders if states[order] == "fulfilled"}

    posted = await town.owner(POSTED, orders)
    assert Counter(order for order, *_ in posted) == Counter(paid), "one posting for each payment"
    assert all(kind == "payment" and sum(amounts) == 0 for _, kind, amounts in posted)
    assert (await town.owner(TOTAL))[0][0] == 0
    assert dict(await town.owner(TOLD, orders)) == {"posted": len(paid)}
    bank = await town.owner(TAKEN, orders)
    assert {row[0] for row in bank} == paid, "what the bank took is what we have"

    booked = dict(await town.owner(BOOKED, [payment.bill.id for payment in payers]))
    reached = {
        payment.bill.id: f"{order}.1"
        for payment, order in zip(payers, orders, strict=True)
        if order in paid
    }
    assert booked == reached, "each payment reached its shop once, as the shop counts it"
    assert await app.check(town.settings) == []
    assert (await town.owner("select count(*) from kernel.outbox"))[0][0] == 0


async def test_kill_the_server(town: Town) -> None:
    payers = await town.payers(PAYERS, "server")

    async def hurt() -> None:
        town.server.kill()
        await town.let_leases_run_out()
        await town.server.up()

    await _while_paying(town, payers, hurt, after=40)
    await town.settled()
    await _everything_fits(town, payers)


async def test_kill_postgresql(town: Town) -> None:
    payers = await town.payers(PAYERS, "postgres")
    server = town.server.pid

    async def hurt() -> None:
        await asyncio.to_thread(town.kill_postgres)
        await asyncio.sleep(0.5)  # long enough for everybody to notice
        await asyncio.to_thread(town.start_postgres)
        await town.let_leases_run_out()

    await _while_paying(town, payers, hurt, after=40)
    await town.settled()
    await _everything_fits(town, payers)
    assert server == town.server.pid
    assert psutil.pid_exists(server), "the server was never restarted"
    async with town.client() as client:
        assert (await client.get("/readyz")).json() == {"status": "ok", "waiting": 0, "dead": 0}
        assert (await client.get(f"/v1/shops/{SHOP}")).json()["state"] == "live"


async def test_every_connection_cut_again_and_again(town: Town) -> None:
    payers = await town.payers(PAYERS // 4, "cut")

    async def hurt() -> None:
        for _ in range(4):
            await town.owner(CUT)
            await asyncio.sleep(0.1)
        await town.let_leases_run_out()

    await _while_paying(town, payers, hurt, after=5)
    await town.let_leases_run_out()
    await town.settled()
    await _everything_fits(town, payers)
