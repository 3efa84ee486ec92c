"""Again and again kill -9, at any instant, of whatever runs; sixteen payers go on all the time."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import asyncpg
import httpx
from tests.faults.town import PATIENCE_S, SHOP, Kept, Payment, Town, insist, pay

PAYERS: Final = 16
REFUND_OF: Final = 4
"""Every so-manieth payment goes back, every second of these in part."""
THINKS_S: Final = 1.0
"""How long a payer thinks at most before the next bill."""
WAITS_S: Final = 0.4
"""How long whatever came up again lives at least, at most; then it may be hit at any time."""


class Rounds:
    """One server without workers, one worker process, one PostgreSQL; each is killed in turn with
    itself only, so that the others may be down at the time.
    """

    def __init__(
        self, town: Town, worker: Kept, payments: list[Payment], dice: random.Random
    ) -> None:
        self.town = town
        self.worker = worker
        self.dice = dice
        self.begun: list[Payment] = []
        self.left = 0
        self.killed = Counter[str]()
        self.busy = 0
        """Kills while somebody waited for an answer."""
        self._bills: Iterator[Payment] = iter(payments)
        self._asking = 0
        self._answers = 0
        self._handled = 0

    async def run(self, rounds: int, staff: str) -> None:
        """So many kills in all; then everybody finishes what was begun."""
        self.left = rounds
        async with self.town.client() as client:
            ended = await asyncio.gather(
                *(self._or_stop(self._payer(client, staff)) for _ in range(PAYERS)),
                self._or_stop(self._hurt("server", self._kill_server, lambda: self._answers)),
                self._or_stop(self._hurt("worker", self._kill_worker, lambda: self._handled)),
                self._or_stop(self._hurt("postgres", self._kill_postgres, lambda: self._answers)),
                return_exceptions=True,
            )
        for one in ended:
            if one is not None:
                raise one

    async def _or_stop(self, work: Any) -> None:
        """Where one fails all others finish what they do: being cancelled is lost on this client."""
        try:
            await work
        except BaseException:
            self.left = 0
            raise

    async def _hurt(self, what: str, kill: Callable[[], Any], done: Callable[[], int]) -> None:
        while self.left:
            before = done()
            while done() == before and self.left:  # it must have done something since
                await asyncio.sleep(0.005)
            await asyncio.sleep(self.dice.uniform(0, WAITS_S))
            if not self.left:
                return
            self.left -= 1
            self.killed[what] += 1
            self.busy += self._asking > 0
            await kill()
            await self._leases()

    async def _leases(self) -> None:
        """As if half a minute had passed; PostgreSQL may be down, or going down in this moment."""
        away = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
        with suppress(*away):
            await self.town.let_leases_run_out()

    async def _kill_server(self) -> None:
        self.town.server.kill()
        await self.town.server.up()

    async def _kill_worker(self) -> None:
        self.worker.kill()
        self.worker.keep()

    async def _kill_postgres(self) -> None:
        await asyncio.to_thread(self.town.kill_postgres)
        await asyncio.to_thread(self.town.start_postgres)

    async def _payer(self, client: httpx.AsyncClient, staff: str) -> None:
        while self.left:
            payment = next(self._bills, None)
            if payment is None:  # all bills are paid: the first ones' answers are asked for again
                await self._ask_again(client)
                continue
            self.begun.append(payment)
            number = len(self.begun)
            if number % 2:
                await self._give_up(client, payment)
            await self._counted(pay(client, payment))
            if number % REFUND_OF == 0:
                await self._until_fulfilled(client, payment)
                amount = payment.order["amount_minor"]
                payment.refund_minor = amount if number % (2 * REFUND_OF) else max(1, amount // 3)
                payment.refund = await self._counted(give_back(client, payment, staff))
            await asyncio.sleep(self.dice.uniform(0, THINKS_S))

    async def _ask_again(self, client: httpx.AsyncClient) -> None:
        done = self.dice.choice([one for one in self.begun if one.done])
        found = await self._counted(order(client, done, done.key))
        assert found["id"] == done.order["id"]
        self._handled += 1  # there is nothing left for the worker
        await asyncio.sleep(self.dice.uniform(0, THINKS_S))

    async def _give_up(self, client: httpx.AsyncClient, payment: Payment) -> None:
        payment.given_up = await self._counted(order(client, payment, f"{payment.key}-first"))
        path = f"/v1/orders/{payment.given_up['id']}/cancel"
        await self._counted(insist(client, path, {}, _bearer(payment.token)))

    async def _until_fulfilled(self, client: httpx.AsyncClient, payment: Payment) -> None:
        """The worker has told the shop; counted as something that it did."""
        path = f"/v1/orders/{payment.order['id']}"
        deadline = time.monotonic() + 2 * PATIENCE_S
        while time.monotonic() < deadline:
            self.worker.keep()  # it may have found no database when it came up
            try:
                answer = await client.get(path, headers=_bearer(payment.token))
            except httpx.RequestError:
                pass
            else:
                if answer.is_success and answer.json()["state"] == "fulfilled":
                    self._handled += 1
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"nobody told the shop: {self.town.log.read_text()[-2000:]}")

    async def _counted(self, work: Any) -> Any:
        self._asking += 1
        try:
            found = await work
        finally:
            self._asking -= 1
        self._answers += 1
        return found


async def order(client: httpx.AsyncClient, payment: Payment, key: str) -> dict[str, Any]:
    """An order of the payment's bill; the same key is the same order."""
    charge = {"shop": SHOP, "app": payment.bill.app, "charge_id": payment.bill.id}
    headers = {**_bearer(payment.token), "idempotency-key": key}
    return await insist(client, "/v1/orders", {"charges": [charge]}, headers)


async def give_back(client: httpx.AsyncClient, payment: Payment, staff: str) -> dict[str, Any]:
    """Staff send some of it back; the same key is the same refund."""
    body = {
        "order_id": payment.order["id"], "no": 1, "amount_minor": payment.refund_minor,
        "reason": "wrong_charge",
    }  # fmt: skip
    headers = {**_bearer(staff), "idempotency-key": f"{payment.key}-back"}
    return await insist(client, "/v1/desk/refunds", body, headers)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
