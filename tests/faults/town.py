"""A town that can be hurt: its own PostgreSQL that means its fsync, a server process, payers."""

from __future__ import annotations

import asyncio
import json
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
from civicmall.shops import Registry
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
    given_up: dict[str, Any] = {}
    """An order for the same bill that was cancelled before."""
    refund: dict[str, Any] = {}
    refund_minor: int = 0


class Zygote:
    """The program, imported once, and forked for each start."""

    def __init__(self) -> None:
        program = Path(__file__).with_name("zygote.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def fork(self, what: str, log: Path, env: dict[str, str]) -> int:
        """The process id of what was started."""
        assert self._process.stdin
        assert self._process.stdout
        asked = {"what": what, "log": str(log), "env": env}
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """No more are started."""
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()


class Kept:
    """A process of the town that is started again whenever it ends, as who runs it would do:
    `serve` with its doors on a port, or `work` without any.
    """

    def __init__(self, town: Town, what: str, port: int = 0, *, workers: bool = True) -> None:
        self.town = town
        self.what = what
        self.port = port
        self.workers = workers
        self.pid = 0

    def keep(self) -> None:
        """Start it unless it runs."""
        if self.pid and psutil.pid_exists(self.pid):
            return
        settings = self.town.settings
        env = {
            "DATABASE_URL": settings.database_url,
            "CIVICMALL_DATA": str(self.town.folder),
            "CIVICMALL_PUBLIC_URL": settings.public_url,
            "CIVICMALL_SANDBOX": "1",
            "CIVICMALL_WORKERS": str(int(self.workers)),
        }
        if self.port:
            env["PORT"] = str(self.port)
        self.pid = self.town.zygote.fork(self.what, self.town.log, env)

    async def up(self) -> float:
        """Start it unless it runs, and wait until it answers; how many seconds that took."""
        began = time.monotonic()
        async with self.town.client() as client:
            while time.monotonic() < began + PATIENCE_S:
                self.keep()
                with suppress(httpx.RequestError):
                    if (await client.get("/healthz")).is_success:
                        return time.monotonic() - began
                await asyncio.sleep(0.02)
        raise AssertionError(f"no server comes up: {self.town.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL it and wait for the end."""
        with suppress(ProcessLookupError):
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
        while self.pid and psutil.pid_exists(self.pid):
            time.sleep(0.002)


class Town:
    """One PostgreSQL, one server, and what a test needs to know of both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self.start_postgres()
        port = free_port()
        self.settings = Settings(
            database_url=self.postgres.url,
            data_dir=folder,
            port=port,
            public_url=f"http://127.0.0.1:{port}",
        )
        self.zygote = Zygote()
        self.server = Kept(self, "serve", port)

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
        await app.prepare(self.settings, shops())

    def close(self) -> None:
        """Nothing of ours goes on running."""
        self.server.kill()
        self.zygote.close()
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
            registry = await asyncio.to_thread(shops)

            async def payer(bill: Bill) -> Payment:
                citizen = await verified(house, registry, bill.person, SHOP, [bill.app])
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

    async def staff(self) -> str:
        """An operator's token."""
        async with self.client() as client:
            answer = await insist(
                client, "/v1/staff/tokens", {"username": "operator", "password": "sandbox-only"}, {}
            )
        return str(answer["access_token"])

    async def settled(self, worker: Kept | None = None) -> None:
        """Until every event is handled; with a worker to keep up, leases and waits are cut short."""
        deadline = time.monotonic() + PATIENCE_S
        waiting: list[Any] = []
        while time.monotonic() < deadline:
            waiting = await self.owner("select attempts, type, error from kernel.outbox")
            if not waiting:
                return
            if worker:
                worker.keep()
                await self.let_leases_run_out()
            await asyncio.sleep(0.5 if worker else 0.1)
        raise AssertionError(f"stuck in the outbox: {waiting[:5]}")

    async def let_leases_run_out(self) -> None:
        """As if half a minute had passed since the crash: nobody of before works on anything.

        Tries whose waits are cut short here count as few: else a day's tries were used up in seconds.
        """
        await self.owner(
            "update kernel.outbox set next_at = now(), attempts = least(attempts, 5)"
            " where next_at > now()"
        )
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


def shops() -> Registry:
    """Those of the checkout, as the server finds them."""
    return app.open_registry(Settings.from_env({}, database_url="unused"))


def order_ids(payments: list[Payment]) -> list[UUID]:
    """The orders that were acknowledged."""
    return [UUID(payment.order["id"]) for payment in payments]
