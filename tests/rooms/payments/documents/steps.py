"""What the tests of papers do again and again."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import httpx
import pypdfium2
from tests import workshop
from tests.city import City
from tests.rooms.payments.steps import KIOSK, Payer, charge, owner_sql, payer

BOOTH: Final = workshop.unique("booth")
COPYCAT: Final = workshop.unique("copycat")
"""Its manifest names the kiosk's settlement account."""
PDF: Final = "application/pdf"


def at(shop: str, amount_minor: int, kind: str = "ok") -> dict[str, str]:
    """A charge of one of the two shops."""
    return {**charge(amount_minor, kind), "shop": shop}


_desks: dict[tuple[str, str], httpx.AsyncClient] = {}


async def desk_of(city: City, who: str) -> httpx.AsyncClient:
    """Somebody of a department, or an operator; signing in takes a while, so each does it once."""
    if (city.settings.database_url, who) not in _desks:
        _desks[city.settings.database_url, who] = await city.department(who)
    return _desks[city.settings.database_url, who]


async def paid(city: City, *charges: dict[str, str]) -> tuple[Payer, dict[str, Any]]:
    """Somebody new with an order that was paid, and all of it heard of."""
    someone = await payer(city)
    made = await someone.paid(*charges)
    await city.settled()
    return someone, await someone.state(made)


async def back(
    city: City, order: dict[str, Any], no: int = 1, minor: int | None = None
) -> httpx.Response:
    """Part of a line goes back, all of it where no amount is named; heard of when this returns."""
    shop = next(line["shop"] for line in order["lines"] if line["no"] == no)
    desk = await desk_of(city, shop)
    ask = {"order_id": order["id"], "no": no} | ({} if minor is None else {"amount_minor": minor})
    answer = await desk.post("/v1/desk/refunds", json=ask, headers={"idempotency-key": uuid4().hex})
    await city.settled()
    return answer


def days(city: City, back_days: int = 1) -> dict[str, str]:
    """From some days ago until today: midnight may come while a test runs."""
    today = city.house.clock.today()
    return {"from": str(today - timedelta(days=back_days)), "to": str(today)}


async def of(desk: httpx.AsyncClient, city: City, **more: str) -> dict[str, Any]:
    """A statement's sums."""
    answer = await desk.get("/v1/desk/settlement", params={**days(city), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def table(desk: httpx.AsyncClient, city: City, **more: str) -> list[list[str]]:
    """A statement's CSV, read as programs do; without the names of its columns."""
    answer = await desk.get("/v1/desk/settlement.csv", params={**days(city), **more})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf"), "the mark that spreadsheets look for"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))[1:]


def pages(pdf: bytes) -> list[str]:
    """What is written on each page, as a viewer's search finds it."""
    document: Any = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def flat(text: str) -> str:
    """Without the places where lines end."""
    return "".join(text.split())


async def yesterday(city: City) -> None:
    """As if everything had been posted a day earlier, and no day been closed since."""
    await owner_sql(
        city,
        """
        begin;
        lock table payments.ledger_bucket, payments.ledger_day, payments.posting in exclusive mode;
        truncate payments.ledger_bucket, payments.ledger_day;
        update payments.posting set posted_at = posted_at - interval '1 day';
        update payments.desk_entry set posted_at = posted_at - interval '1 day';
        update payments.refund set ended_at = ended_at - interval '1 day';
        update payments.payout set paid_at = paid_at - interval '1 day';
        commit;
        """,
    )


async def ledger_owes(city: City, shop: str) -> int:
    """What the ledger owes to a shop's account, added up from its postings."""
    found = await city.house.db.fetchval(
        "select coalesce(-sum(amount), 0)::bigint"
        " from payments.posting, unnest(accounts, amounts) as e (account, amount) where account = $1",
        f"payable:{shop}.account",
    )
    return int(found)


__all__ = [
    "BOOTH", "COPYCAT", "KIOSK", "PDF", "at", "back", "days", "desk_of", "flat", "ledger_owes", "of", "pages", "paid",
    "table", "yesterday",
]  # fmt: skip
