"""What the tests of this room do again and again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import msgspec
from tests import workshop
from tests.city import City

from civicmall.kernel import ids
from civicmall.payments import Paid, Sandbox

KIOSK: Final = workshop.unique("kiosk")
_numbers = itertools.count(1)


class Kiosk:
    """The test's own shop, seen from inside."""

    def __init__(self, module: ModuleType) -> None:
        self._module: Any = module

    def told(self, payment_id: str) -> int:
        """How often a payment was told to it and taken."""
        return int(self._module.told[payment_id])

    def refunded(self, payment_id: str) -> int:
        """What went back of a payment, as the kiosk booked it."""
        booked = self._module.booked.values()
        return sum(one.amount_minor for one in booked if one.payment_id == payment_id)

    def open_doors(self, *, open_: bool) -> None:
        """Whether charges of the kind `away` are taken."""
        (self._module.doors.set if open_ else self._module.doors.clear)()


def charge(amount_minor: int = 500, kind: str = "ok") -> dict[str, str]:
    """A charge of the kiosk that no other test knows."""
    charge_id = f"{kind}-{next(_numbers)}-{amount_minor}"
    return {"shop": KIOSK, "app": "stall", "charge_id": charge_id}


class Payer:
    """A citizen of level 1, whom the kiosk asks for nothing."""

    def __init__(self, http: httpx.AsyncClient, citizen_id: UUID) -> None:
        self.http = http
        self.id = citizen_id

    async def ask(self, charges: list[dict[str, str]], key: str = "") -> httpx.Response:
        """Ask for an order."""
        return await self.http.post(
            "/v1/orders",
            json={"charges": charges},
            headers={"idempotency-key": key or uuid4().hex},
        )

    async def order(self, *charges: dict[str, str]) -> dict[str, Any]:
        """An order that was made; of one charge where none is named."""
        answer = await self.ask(list(charges) or [charge()])
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def state(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order as it stands."""
        answer = await self.http.get(f"/v1/orders/{order['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def pay(self, order: dict[str, Any]) -> httpx.Response:
        """Go to the cashier."""
        return await self.http.post(f"/v1/orders/{order['id']}/pay", json={"channel": "sandbox"})

    async def cancel(self, order: dict[str, Any]) -> httpx.Response:
        """Give the order up."""
        return await self.http.post(f"/v1/orders/{order['id']}/cancel")

    async def choose(
        self, cashier: dict[str, Any], choice: str = "paid", token: str = ""
    ) -> httpx.Response:
        """Do something at the cashier."""
        ask = {"token": token or cashier["token"], "choice": choice}
        return await self.http.post(f"/v1/sandbox/cashier/{cashier['order_id']}", json=ask)

    async def paid(self, *charges: dict[str, str], choice: str = "paid") -> dict[str, Any]:
        """A new order after a choice at the cashier; news of it may still be on the way."""
        made = await self.order(*charges)
        answer = await self.choose((await self.pay(made)).json(), choice)
        assert answer.status_code == 200, answer.text
        return made

    async def inbox(self, order: dict[str, Any]) -> list[str]:
        """What the citizen was told of an order."""
        found = (await self.http.get("/v1/inbox", params={"limit": 100})).json()["items"]
        return [m["kind"] for m in found if m["link"] == f"/orders/{order['id']}"]


@contextmanager
def standing_in(city: City, channel: Any) -> Generator[None]:
    """Another channel in the place of the one of its name."""
    by_name: dict[str, Any] = getattr(city.parts.channels, "_by_name")  # noqa: B009 (for tests only)
    kept, by_name[channel.name] = by_name[channel.name], channel
    try:
        yield
    finally:
        by_name[channel.name] = kept


async def payer(city: City) -> Payer:
    """Somebody new, signed in the short way."""
    return Payer(*await city.short(f"1880{next(_numbers):07d}"))


def paid_now(order: dict[str, Any], amount_minor: int | None = None, txn: str = "") -> Paid:
    """What a channel would tell of an order."""
    amount = order["amount_minor"] if amount_minor is None else amount_minor
    return Paid(UUID(order["id"]), txn or f"T{uuid4().hex}", amount, datetime.now(UTC))


async def call_back(city: City, paid: Paid, client: httpx.AsyncClient | None = None) -> str:
    """A callback with a good signature; its outcome."""
    body = msgspec.json.encode(paid)
    answer = await send(city, body, Sandbox(city.house).sign(body), client)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["outcome"])


async def send(
    city: City, body: bytes, headers: dict[str, str], client: httpx.AsyncClient | None = None
) -> httpx.Response:
    """A callback just as it is given."""
    return await (client or await city.crowd()).post(
        "/v1/channels/sandbox/callbacks",
        content=body,
        headers={"content-type": "application/json", **headers},
    )


async def postings(city: City, order: dict[str, Any]) -> list[tuple[str, list[str], list[int]]]:
    """The order's rows of the ledger, oldest first."""
    rows = await city.house.db.fetch(
        "select kind, accounts, amounts from payments.posting"
        " where bucket = $1 and order_id = $2 order by id",
        *(ids.bucket_of(UUID(order["id"])), UUID(order["id"])),
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def balanced(city: City) -> None:
    """The ledger sums to zero, as the operator sees it."""
    operator = await city.operator()
    assert (await operator.get("/v1/desk/ledger")).json()["sum_minor"] == 0


async def owner_sql(city: City, statement: str, *args: Any) -> None:
    """As the owner of the tables: what no program of ours may do, but time or a crash can."""
    import asyncpg

    connection: Any = await asyncpg.connect(city.settings.database_url)
    try:
        await connection.execute(statement, *args)
    finally:
        await connection.close()


async def let_expire(city: City, order: dict[str, Any]) -> None:
    """As if half an hour had passed."""
    order_id = UUID(order["id"])
    await owner_sql(
        city,
        "update payments.orders set expires_at = now() - interval '1 second', ask_at = null"
        " where bucket = $1 and id = $2",
        *(ids.bucket_of(order_id), order_id),
    )


async def at_once(*work: Any) -> list[Any]:
    """All of it at the same time."""
    return list(await asyncio.gather(*work))
