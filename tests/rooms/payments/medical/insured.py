"""What the tests of split payments do again and again."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from msgspec import Struct
from tests.city import City
from tests.rooms.payments.steps import KIOSK, Payer, charge, owner_sql, payer

from civicmall.kernel import ids
from civicmall.payments.channels import parts

POOL: Final = "channel:medical_insurance.pool"
ACCOUNT: Final = "channel:medical_insurance.account"
SELF: Final = "channel:sandbox"
_desks: dict[str, httpx.AsyncClient] = {}
"""One operator for each city: signing in takes longer than a refund."""
OVERDUE: Final = (
    "update payments.split set ask_at = now() - interval '1 second' where ask_at is not null;"
    "update payments.refund set ask_at = now() - interval '1 second' where ask_at is not null;"
    "update payments.orders set ask_at = now() - interval '1 second' where ask_at is not null"
)
PAYABLE: Final = f"payable:{KIOSK}.account"


class Held(Struct, frozen=True):
    """What an order's payments hold, in 分: at the insurer and at the bank, less what went back."""

    pool: int
    account: int
    own: int


async def order(
    city: City, amount: int = 1000, account: int = 150, kind: str = "ok"
) -> tuple[Payer, dict[str, Any]]:
    """Somebody new, with so much in their account, and an order that they pay with the insurance."""
    someone = await payer(city)
    made = await someone.order(charge(amount, kind))
    await mood(someone, made, account_minor=account)
    return someone, made


async def mood(someone: Payer, made: dict[str, Any], **ask: Any) -> dict[str, Any]:
    """What the insurer shall do."""
    answer = await someone.http.post(f"/v1/sandbox/insurer/{made['id']}", json=ask)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def start(someone: Payer, made: dict[str, Any]) -> httpx.Response:
    """Ask to pay with the insurance."""
    ask = {"channel": "medical_insurance"}
    return await someone.http.post(f"/v1/orders/{made['id']}/pay", json=ask)


async def agree(someone: Payer, made: dict[str, Any], channel: str = "sandbox") -> httpx.Response:
    """Agree to the split."""
    return await someone.http.post(f"/v1/orders/{made['id']}/insurance", json={"channel": channel})


async def split(someone: Payer, made: dict[str, Any]) -> dict[str, Any]:
    """The split as it stands."""
    answer = await someone.http.get(f"/v1/orders/{made['id']}/insurance")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def agreed(city: City, amount: int = 1000, account: int = 150, kind: str = "ok") -> Any:
    """Somebody at the bank's cashier, with the insurer's part paid: payer, order, split."""
    someone, made = await order(city, amount, account, kind)
    assert (await start(someone, made)).status_code == 200
    answer = await agree(someone, made)
    assert answer.status_code == 200, answer.text
    return someone, made, answer.json()


async def paid(city: City, amount: int = 1000, account: int = 150, kind: str = "ok") -> Any:
    """A payer and their order, paid and with every event handled."""
    someone, made, seen = await agreed(city, amount, account, kind)
    if seen["cashier"]:
        assert (await someone.choose(seen["cashier"])).status_code == 200
    await city.settled()
    return someone, made


async def give(
    city: City, made: dict[str, Any], amount: int | None = None, no: int = 1
) -> dict[str, Any]:
    """An operator sends money of a line back."""
    ask = {"order_id": made["id"], "no": no, "amount_minor": amount, "reason": "wrong_charge"}
    if city.url not in _desks:
        _desks[city.url] = await city.operator()
    answer = await _desks[city.url].post(
        "/v1/desk/refunds", json=ask, headers={"idempotency-key": uuid4().hex}
    )
    assert answer.status_code == 201, answer.text
    await city.settled()
    return answer.json()


async def account_of(someone: Payer, made: dict[str, Any]) -> int:
    """What stands in the payer's account at the insurer."""
    return int((await mood(someone, made))["account_minor"])


async def held(city: City, made: dict[str, Any]) -> Held:
    """What insurer and bank have of an order's payments, by their own records."""
    order_id = UUID(made["id"])
    bucket, db = ids.bucket_of(order_id), city.house.db
    insurer: Any = await db.fetchrow(
        "select coalesce(sum(pool_minor - back_pool_minor), 0)::bigint,"
        " coalesce(sum(account_minor - back_account_minor), 0)::bigint"
        " from payments.insurer_deduction"
        " where bucket = $1 and order_id = $2 and state = 'deducted'",
        *(bucket, order_id),
    )
    numbers = [parts.of(row[0]) for row in await db.fetch(
        "select id from payments.split where bucket = $1 and order_id = $2", bucket, order_id
    )]  # fmt: skip
    bank = await db.fetchval(
        "select coalesce(sum(paid_minor - returned_minor), 0)::bigint from payments.sandbox_payment"
        " where bucket = $1 and order_id = any($2)",
        *(bucket, [*numbers, order_id]),
    )
    return Held(insurer[0], insurer[1], bank)


async def booked(city: City, made: dict[str, Any]) -> dict[str, int]:
    """The sum of the ledger's rows of an order and of its parts, by account; without zeros."""
    order_id = UUID(made["id"])
    bucket, db = ids.bucket_of(order_id), city.house.db
    numbers = [parts.of(row[0]) for row in await db.fetch(
        "select id from payments.split where bucket = $1 and order_id = $2", bucket, order_id
    )]  # fmt: skip
    rows = await db.fetch(
        "select account, sum(amount)::bigint from payments.posting,"
        " unnest(accounts, amounts) as e (account, amount)"
        " where bucket = $1 and order_id = any($2) group by 1 having sum(amount) <> 0",
        *(bucket, [*numbers, order_id]),
    )
    return {row[0]: row[1] for row in rows}


async def agrees(city: City, made: dict[str, Any]) -> Held:
    """What insurer and bank hold is what the ledger says of each purse."""
    there, here = await held(city, made), await booked(city, made)
    assert there == Held(here.get(POOL, 0), here.get(ACCOUNT, 0), here.get(SELF, 0))
    assert sum(here.values()) == 0
    return there


async def overdue(city: City) -> None:
    """As if whatever waits to be looked at had waited long enough."""
    await owner_sql(city, OVERDUE)
