"""A town that can be hurt: its own PostgreSQL that means its fsync, a server process, payers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import msgspec
import psutil
from msgspec import Struct
from pyreqwest.client import ClientBuilder
from pyreqwest.compatibility.httpx import HttpxTransport
from tests.citizens import caller, own_house, verified
from tests.serving import free_port

from civicmall import app
from civicmall.identity import Tokens
from civicmall.kernel import embedded
from civicmall.kernel.config import Settings
from shopkit.sandbox import Person, households

SHOP: Final = "utility_bills"
PATIENCE_S: Final = 45.0
"""How long a payer tries, and how long a server may take to come up."""


class Bill(Struct, frozen=True):
    """A bill that nobody has paid, and whose it is."""

    id: str
    app: str
    person: Person


class Payment(Struct):
    """What one payer has got so far."""

    bill: Bill
    token: str
    key: str
    order: dict[str, Any] = {}
    done: bool = False


class Town:
    """One PostgreSQL, one server, and what a test needs to know of both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.start_postgres()
        port = free_port()
        self.settings = Settings(
            database_url=self.postgres.url,
            data_dir=folder,
            port=port,
            public_url=f"http://127.0.0.1:{port}",
        )

    def start_postgres(self) -> None:
        """Create or start it; it ends with us."""
        self.postgres = embedded.start(
            self.folder / "postgres", log=lambda _: None, lives_with=os.getpid(), fsync=True
        )

    def kill_postgres(self) -> None:
        """SIGKILL the postmaster and all its children, as a power cut would."""
        postmaster = psutil.Process(self.postgres.pid)
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(family[1:], timeout=10)

    async def prepare(self) -> None:
        """Everything migrated and loaded."""
        await app.prepare(self.settings, app.open_registry(Settings.from_env({}, database_url="x")))

    async def start_server(self) -> float:
        """Start it and wait until it answers; how many seconds that took."""
        began = time.monotonic()
        env = {
            **os.environ,
            "DATABASE_URL": self.settings.database_url,
            "CIVICMALL_DATA": str(self.folder),
            "PORT": str(self.settings.port),
            "CIVICMALL_SANDBOX": "1",
        }
        self.process = self._launch(env)
        async with self.client() as client:
            while time.monotonic() < began + PATIENCE_S:
                with suppress(httpx.RequestError):
                    if (await client.get("/healthz")).is_success:
                        return time.monotonic() - began
                assert self.process.poll() is None, self.log.read_text()[-2000:]
                await asyncio.sleep(0.05)
        raise AssertionError(f"the server does not come up: {self.log.read_text()[-2000:]}")

    def _launch(self, env: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from civicmall.cli import main; main()", "serve"]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, env=env, stdout=log, stderr=log)

    def kill_server(self) -> None:
        """SIGKILL it and wait for the end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Nothing of ours goes on running."""
        self.kill_server()
        self.postgres.stop()

    def client(self, token: str = "") -> httpx.AsyncClient:
        """Connections for hundreds at once."""
        built = ClientBuilder().no_proxy().follow_redirects(enable=False).build()
        return httpx.AsyncClient(
            base_url=self.settings.public_url,
            headers={"authorization": f"Bearer {token}"} if token else {},
            transport=HttpxTransport(built),
            timeout=10,
        )

    async def owner(self, statement: str, *args: Any) -> list[Any]:
        """As the owner of the tables."""
        connection: Any = await asyncpg.connect(self.settings.database_url)
        try:
            return list(await connection.fetch(statement, *args))
        finally:
            await connection.close()

    async def payers(self, count: int, mark: str) -> list[Payment]:
        """So many households with a bill to pay, known, consenting and signed in."""
        bills = await self._unpaid(count)
        async with own_house(self.settings) as house:
            tokens = Tokens(house.keys, self.settings.public_url, house.clock)

            async def payer(bill: Bill) -> Payment:
                citizen = await verified(house, bill.person, SHOP, [bill.app])
                return Payment(bill, tokens.access(caller(citizen, 2)), f"{mark}-{bill.id}")

            return list(await asyncio.gather(*map(payer, bills)))

    async def _unpaid(self, count: int) -> list[Bill]:
        by_number = {int(person.key[-4:]): person for person in households()}
        rows = await self.owner(
            "select b.id, a.utility, a.number from shop_utility_bills.bill b"
            " join shop_utility_bills.account a on a.number = b.account"
            " where not exists (select from shop_utility_bills.payment p where p.bill = b.id)"
            " and not exists (select from payments.charge c where c.charge_id = b.id)"
            " order by b.id"
        )
        bills = [
            Bill(bill, utility, by_number[int(account[1:])])
            for bill, utility, account in rows
            if int(account[1:]) in by_number
        ]
        assert len(bills) >= count, "the sandbox has too few unpaid bills"
        return bills[:count]

    async def settled(self) -> None:
        """Until every event is handled."""
        deadline = time.monotonic() + PATIENCE_S
        waiting: list[Any] = []
        while time.monotonic() < deadline:
            waiting = await self.owner("select attempts, type, error from kernel.outbox")
            if not waiting:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"stuck in the outbox: {waiting[:5]}")

    async def let_leases_run_out(self) -> None:
        """As if half a minute had passed since the crash: nobody of before works on anything."""
        await self.owner("update kernel.outbox set next_at = now() where next_at > now()")
        await self.owner("update kernel.idempotency set locked_until = now() where answer is null")


async def pay(client: httpx.AsyncClient, payment: Payment, *, stop_after: str = "cashier") -> None:
    """Order, pay, choose; each step again with the same key until it is answered."""
    headers = {"authorization": f"Bearer {payment.token}"}
    charge = {"shop": SHOP, "app": payment.bill.app, "charge_id": payment.bill.id}
    payment.order = await insist(
        client, "/v1/orders", {"charges": [charge]}, {**headers, "idempotency-key": payment.key}
    )
    if stop_after == "order":
        return
    path = f"/v1/orders/{payment.order['id']}/pay"
    cashier = await insist(client, path, {"channel": "sandbox"}, headers)
    if "token" in cashier:  # else it is paid already: an answer was lost in the crash
        choice = "declined" if stop_after == "declined" else "paid"
        await insist(
            client,
            f"/v1/sandbox/cashier/{payment.order['id']}",
            {"token": cashier["token"], "choice": choice},
            headers,
        )
    payment.done = True


async def insist(
    client: httpx.AsyncClient, path: str, body: Any, headers: dict[str, str]
) -> dict[str, Any]:
    """The answer, asked for until it comes; `done before` is one too."""
    deadline = time.monotonic() + PATIENCE_S
    seen = ""
    while time.monotonic() < deadline:
        try:
            answer = await client.post(path, content=msgspec.json.encode(body), headers={
                "content-type": "application/json", **headers})  # fmt: skip
        except httpx.RequestError as error:  # also an answer cut off in the middle
            seen = repr(error)
        else:
            seen = f"{answer.status_code} {answer.text}"
            kind = answer.json().get("type", "")
            if answer.is_success or kind in {
                "/problems/order-not-payable",
                "/problems/cashier-closed",
            }:
                return answer.json()
            assert answer.status_code >= 500 or kind == "/problems/idempotency-key-running", seen
        await asyncio.sleep(0.2)
    raise AssertionError(f"{path} is not answered: {seen}")


def order_ids(payments: list[Payment]) -> list[UUID]:
    """The orders that were acknowledged."""
    return [UUID(payment.order["id"]) for payment in payments]
