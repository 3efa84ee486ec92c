"""From the callback to the posting: our pool against pgbench, on the same statement."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
import uvloop
from tests.bench.load import Plan, raw
from tests.bench.place import Place
from tests.citizens import own_house

from civicmall import app, payments
from civicmall.kernel import crypto
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.payments import Paid, Sandbox
from civicmall.shops import Registry

CLIENTS: Final = 8
CROWDS: Final = (1, CLIENTS, 32)
SHOPS: Final = 50
QUERIES: Final = Path(payments.__file__).with_name("queries.sql")
ID: Final = "lpad(to_hex({n}), 10, '0') || lpad(to_hex({n} % 256), 2, '0')"
"""The last part of a prepared order's id: its number and its bucket."""
PREPARE: Final = """
with n as (
    select n, n % 256 as bucket, ('01900000-0000-7000-8000-' || ID)::uuid as id
    from generate_series(1, $1::bigint) as n
), made as (
    insert into payments.orders (bucket, id, citizen_id, state, was, amount_minor, currency,
                                 expires_at, channel)
    select bucket, id, gen_random_uuid(), 'paying', 'created', 100, 'CNY',
           now() + interval '1 hour', 'sandbox'
    from n
)
insert into payments.line (bucket, order_id, no, shop, app, charge_id, fee_code, title,
                           beneficiary, period, amount_minor, settlement_account)
select bucket, id, 1, 'shop', 'app', n::text, 'fee', '{"zh-CN": "账单"}', '{"zh-CN": "本户"}',
       '2026-10', 100,
       'shop' || case when n between $2 and $3 then 0 else n % SHOPS end || '.account'
from n
""".replace("ID", ID.format(n="n")).replace("SHOPS", str(SHOPS))
GROW: Final = """
insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)
select n % 256, ('01900000-0000-7004-8000-' || ID)::uuid, ('01900000-0000-7004-8000-' || ID)::uuid,
       'payment', array['channel:sandbox', 'payable:shop' || n % SHOPS || '.account'],
       array[100::bigint, -100::bigint]
from generate_series($1::bigint, $2::bigint) as n
""".replace("ID", ID.format(n="n")).replace("SHOPS", str(SHOPS))
"""Postings of the past: two entries each."""


def order_id(number: int) -> UUID:
    """A prepared order."""
    return UUID(f"01900000-0000-7000-8000-{number:010x}{number % 256:02x}")


def script(first: int, clients: int = CLIENTS) -> str:
    """For pgbench: our statement, with what differs from row to row reckoned from a number.

    Each client counts upwards from a start of its own, so no order is paid twice.
    """
    text = QUERIES.read_text().partition("-- name: settle(")[2].partition("\n")[2]
    text = text.partition("\n-- name:")[0].rstrip().rstrip(";")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))

    def made(part: str) -> str:
        return f"('01900000-0000-{part}-8000-' || {ID.format(n=':n::bigint')})::uuid"

    values = {
        "bucket": "(:n::bigint % 256)::smallint", "order_id": made("7000"),
        "channel": "'sandbox'::text", "txn": "('P' || :n::text)", "amount_minor": "100::bigint",
        "paid_at": "now()", "tenders": "array['sandbox']", "tender_minor": "array[100::bigint]",
        "posting_id": made("7001"), "paid_event_id": made("7002"),
        "paid_type": "'payments.order_paid'::text",
        "paid_body": """jsonb_build_object('order_id', :n::text)""",
        "unmatched_event_id": made("7003"), "unmatched_type": "'payments.money_unmatched'::text",
        "unmatched_body": "'{}'::jsonb",
    }  # fmt: skip
    text = re.sub(r"(?<!:):([a-z_]+)", lambda m: values[m[1]], text)
    return f"\\set i :i + 1\n\\set n {first} + :i * {clients} + :client_id\n{text};\n"


class Till:
    """Prepared orders, paid in blocks: each block once, by one of the two."""

    def __init__(self, place: Place, block: int) -> None:
        self.place = place
        self.block = block
        self.next = 1
        self.grown = 0
        self.url = place.database("till")
        self.settings = Settings(
            database_url=self.url, data_dir=place.folder, workers=False, pool_max=CLIENTS
        )

    async def prepare(self, blocks: int, hot: int) -> None:
        """The schema and the orders; the first `hot` blocks are all for one shop."""
        await app.prepare(self.settings, Registry([]))
        await self._as_owner(
            PREPARE, self.block * (blocks + hot) + max(CROWDS), 1, self.block * hot
        )

    async def grow(self, entries: int) -> None:
        """Let the ledger have at least so many entries of a past."""
        until = entries // 2
        if until > self.grown:
            await self._as_owner(GROW, self.grown + 1, until)
            await self._as_owner("vacuum analyze payments.posting")
            self.grown = until

    async def _as_owner(self, statement: str, *args: int) -> None:
        connection: Any = await asyncpg.connect(self.url)
        await connection.execute(statement, *args)
        await connection.close()

    def take(self) -> range:
        """The numbers of a block that nobody has paid."""
        first = self.next
        self.next += self.block
        return range(first, first + self.block)

    def by_pgbench(self, clients: int = CLIENTS) -> float:
        """Payments a second through pgbench's prepared statements."""
        numbers = self.take()
        path = self.place.folder / "settle.sql"
        path.write_text(script(numbers.start - clients, clients))
        path.chmod(0o644)
        each = self.block // clients
        done = self.place.postgres.home.run(
            "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-t", str(each),
            "-D", "i=0", "-f", str(path), self.url,
        )  # fmt: skip
        found = re.search(r"tps = ([\d.]+)", done.stdout)
        if done.returncode or found is None:
            raise RuntimeError(done.stderr + done.stdout)
        return float(found[1])

    def by_pool(self, clients: int = CLIENTS) -> float:
        """Payments a second through our verb and our pool."""
        return uvloop.run(self._by_pool(self.take(), clients))

    async def _by_pool(self, numbers: range, clients: int) -> float:
        told = iter([Paid(order_id(n), f"T{n}", 100, datetime.now(UTC)) for n in numbers])
        outcomes: set[str] = set()
        async with own_house(self.settings, clients) as house:

            async def client() -> None:
                for paid in told:
                    outcomes.add((await payments.settle(house, "sandbox", paid)).outcome)

            await asyncio.gather(*(house.db.fetchval("select 1") for _ in range(clients)))
            began = time.perf_counter()
            await asyncio.gather(*(client() for _ in range(clients)))
            took = time.perf_counter() - began
        if outcomes != {"posted"}:
            raise RuntimeError(f"not every payment was posted: {outcomes}")
        return len(numbers) / took

    def by_http(self) -> float:
        """Payments a second through the channel's signed callback and a server process."""
        keys = crypto.load(self.place.folder)
        nothing: Any = None
        bank = Sandbox(House(self.settings, Clock(), keys, nothing))
        requests: list[bytes] = []
        for n in self.take():
            body = msgspec.json.encode(Paid(order_id(n), f"H{n}", 100, datetime.now(UTC)))
            headers = {"content-type": "application/json", **bank.sign(body)}
            requests.append(raw("POST", "/v1/channels/sandbox/callbacks", headers, body))
        with self.place.civicmall(
            "serve", DATABASE_URL=self.url, CIVICMALL_WORKERS="0", CIVICMALL_POOL=str(CLIENTS)
        ) as server:
            seen = self.place.load(Plan(server.port, requests, CLIENTS))
        if seen.refused:
            raise RuntimeError(f"{seen.refused} callbacks were refused")
        return seen.answered / seen.seconds

    async def check(self) -> None:
        """Whatever was measured, the books are right."""
        if found := await app.check(self.settings):
            raise RuntimeError("; ".join(found))
