"""kill -9 of server, PostgreSQL and worker at random instants: nothing is lost, nothing doubled.

`KILL_ROUNDS=50` says how many kills there are in all, `KILL_SEED` when they come.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.faults.rounds import Rounds, give_back, order
from tests.faults.town import Kept, Payment, Town

from civicmall import app

ROUNDS = int(os.environ.get("KILL_ROUNDS", "12"))
SEED = int(os.environ.get("KILL_SEED", random.randrange(2**32)))
BILLS = min(60 + 6 * ROUNDS, 300)

ORDERS = "select id, state, amount_minor, refunded_minor from payments.orders"
POSTED = "select order_id, kind, amounts from payments.posting"
REFUNDS = "select id, order_id, state, amount_minor from payments.refund"
KEYS = (
    "select key, coalesce(answer ->> 'id', answer ->> 'refund_id') from kernel.idempotency"
    " where scope in ('orders', 'desk_refunds')"
)
BANK = (
    "select order_id, paid_minor, returned_minor from payments.sandbox_payment where state = 'paid'"
)
BOOKED = (
    "select payment_id, refunded_minor from shop_utility_bills.payment where payment_id = any($1)"
)
BACK = "select refund_id, amount_minor from shop_utility_bills.refund"


async def test_kills_at_random_instants_lose_and_double_nothing() -> None:
    town = Town(_folder())
    town.server.workers = False
    worker = Kept(town, "work")
    try:
        await town.prepare()
        worker.keep()
        await town.server.up()
        payments = await town.payers(BILLS, "rounds")
        rounds = Rounds(town, worker, payments, random.Random(SEED))
        staff = await town.staff()
        await rounds.run(ROUNDS, staff)
        print(
            f"KILL_SEED={SEED}: {dict(rounds.killed)}, {rounds.busy} of them while an answer was"
            f" waited for; {len(rounds.begun)} payments"
        )
        await town.server.up()
        await town.settled(worker)
        await _nothing_lost_nothing_doubled(town, rounds.begun)
        await _every_key_has_its_answer(town, rounds.begun, staff)
        assert sum(rounds.killed.values()) == ROUNDS
        assert set(rounds.killed) == {"server", "postgres", "worker"}
        assert rounds.busy >= ROUNDS / 4
        assert '"http.fault"' not in town.log.read_text(), "nobody saw anything unforeseen"
    finally:
        worker.kill()
        town.close()
        shutil.rmtree(town.folder, ignore_errors=True)


def _folder() -> Path:
    """PostgreSQL's own user comes by here."""
    folder = Path(tempfile.mkdtemp(prefix="civicmall-rounds-"))
    folder.chmod(0o755)
    return folder


async def _nothing_lost_nothing_doubled(town: Town, begun: list[Payment]) -> None:
    """As the tables of all sides have it."""
    paid = {UUID(one.order["id"]): one for one in begun}
    given_up = {UUID(one.given_up["id"]) for one in begun if one.given_up}
    assert len(paid) == len(begun), "one order for each key"
    found = {row[0]: tuple(row)[1:] for row in await town.owner(ORDERS)}
    expected: dict[UUID, Any] = {id_: _end(one) for id_, one in paid.items()}
    expected |= {id_: ("closed", found[id_][1], 0) for id_ in given_up}
    differ = {id_: (found.get(id_), expected.get(id_)) for id_ in {*found, *expected}}
    assert not {id_: both for id_, both in differ.items() if both[0] != both[1]}

    posted = await town.owner(POSTED)
    assert all(sum(amounts) == 0 for *_, amounts in posted)
    refunds = {UUID(one.refund["refund_id"]): one for one in begun if one.refund}
    back = {UUID(one.order["id"]) for one in refunds.values()}
    assert Counter((kind, order_id) for order_id, kind, _ in posted) == Counter(
        [
            *(("payment", order_id) for order_id in paid),
            *(("refund", order_id) for order_id in back),
        ]
    ), "one posting for each payment, one for each refund"
    assert {tuple(row) for row in await town.owner(REFUNDS)} == {
        (id_, UUID(one.order["id"]), "done", one.refund_minor) for id_, one in refunds.items()
    }
    assert {tuple(row) for row in await town.owner(BANK)} == {
        (order_id, one.order["amount_minor"], one.refund_minor) for order_id, one in paid.items()
    }, "the bank took and gave what we have"
    told = {f"{order_id}.1": one.refund_minor for order_id, one in paid.items()}
    assert dict(await town.owner(BOOKED, list(told))) == told, "as the shop counts it"
    assert dict(await town.owner(BACK)) == {
        str(id_): one.refund_minor for id_, one in refunds.items()
    }
    assert await app.check(town.settings) == []


def _end(one: Payment) -> tuple[str, int, int]:
    amount = one.order["amount_minor"]
    state = {0: "fulfilled", amount: "refunded"}.get(one.refund_minor, "part_refunded")
    return (state, amount, one.refund_minor)


async def _every_key_has_its_answer(town: Town, begun: list[Payment], staff: str) -> None:
    """As stored, and as it is answered to whoever asks with it once more."""
    firsts = [one for one in begun if one.given_up]
    backs = [one for one in begun if one.refund]
    acknowledged = {one.key: one.order["id"] for one in begun}
    acknowledged |= {f"{one.key}-first": one.given_up["id"] for one in firsts}
    acknowledged |= {f"{one.key}-back": one.refund["refund_id"] for one in backs}
    assert dict(await town.owner(KEYS)) == acknowledged
    async with town.client() as client:
        for one in begun:
            assert (await order(client, one, one.key))["id"] == one.order["id"]
        for one in backs:
            assert (await give_back(client, one, staff))["refund_id"] == one.refund["refund_id"]
    assert len(await town.owner(ORDERS)) == len(begun) + len(firsts), "and nothing new came of it"
