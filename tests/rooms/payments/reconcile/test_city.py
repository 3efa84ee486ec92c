"""Through the doors: real payments, the sandbox's own statement, tickets, the pages, the command."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from tests.city import City
from tests.rooms.payments.reconcile import bills
from tests.rooms.payments.reconcile.world import at, came_to
from tests.rooms.payments.steps import balanced, call_back, charge, paid_now, payer, postings

from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.payments import Sandbox, reconcile
from civicmall.payments.channels import Channels, medical_insurance, parts
from civicmall.payments.reconcile.formats import Entry

COMMAND: Final = Path(sys.executable).with_name("civicmall")


def tomorrow(city: City) -> tuple[House, date]:
    """A house that lives on the next day, at noon, and the day that is over then."""
    today = city.house.clock.today()
    noon = reconcile_start(today) + timedelta(hours=36)
    return at(city.house, noon), today


def reconcile_start(day: date) -> Any:
    from civicmall.payments.reconcile import rules

    return rules.start_of(day)


async def found_tickets(city: City, **asked: Any) -> list[dict[str, Any]]:
    operator = await city.operator()
    answer = await operator.get("/v1/desk/tickets", params={"limit": 100, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_payment_whose_callback_never_came_is_paid_in(city: City) -> None:
    someone = await payer(city)
    good = await someone.paid(charge(500))
    lost = await someone.paid(charge(700), choice="no_callback")
    await city.settled()
    assert (await someone.state(lost))["state"] == "paying"
    then, today = tomorrow(city)
    result = await reconcile.reconcile(then, Channels(Sandbox(then)), "sandbox", today)
    assert came_to(result) == {"matched": (1, 500, 500), "repaired": (1, 700, 0)}
    assert (result.explained_minor, result.ticketed_minor, result.tickets) == (700, 0, 0)
    await city.settled()
    for order in (good, lost):
        assert (await someone.state(order))["state"] == "fulfilled"
        assert [kind for kind, *_ in await postings(city, order)] == ["payment"]
    again = await reconcile.reconcile(then, Channels(Sandbox(then)), "sandbox", today)
    assert came_to(again) == {"matched": (2, 1200, 1200)}
    await balanced(city)

    operator = await city.operator()
    listed = (await operator.get("/v1/desk/statements")).json()["items"]
    assert [(one["channel"], one["day"], one["state"]) for one in listed] == [
        ("sandbox", str(today), "matched")
    ]
    one = (await operator.get(f"/v1/desk/statements/sandbox/{today}")).json()
    assert one["outcomes"] == [
        {"outcome": "matched", "many": 2, "there_minor": 1200, "here_minor": 1200}
    ]
    missing = await operator.get("/v1/desk/statements/sandbox/2026-01-01")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/no-such-statement")
    department = await city.department("utility_bills")
    for path in ("statements", f"statements/sandbox/{today}", "tickets"):
        assert (await department.get(f"/v1/desk/{path}")).status_code == 403


async def test_tickets_are_listed_settled_once_and_sent_back(city: City) -> None:
    someone, operator = await payer(city), await city.operator()
    made = [await someone.order(charge(100)) for _ in range(3)]
    for order in made:
        assert await call_back(city, paid_now(order, 99)) == "amount_differs"
    await city.settled()
    mine = {order["id"] for order in made}
    rows = [one for one in await found_tickets(city, state="open") if one["order_id"] in mine]
    assert [(one["kind"], one["there_minor"], one["state"]) for one in rows] == [
        ("amount_differs", 99, "open")
    ] * 3
    due = date.fromisoformat(rows[0]["due_on"])
    assert 3 <= (due - city.house.clock.today()).days <= 12
    assert await found_tickets(city, kind="late") == []
    assert [o for o in await found_tickets(city, overdue="true") if o["order_id"] in mine] == []

    pages: list[str] = []
    after: str | None = None
    while True:
        asked = {"limit": 2, "kind": "amount_differs"} | ({"after": after} if after else {})
        page = (await operator.get("/v1/desk/tickets", params=asked)).json()
        pages += [one["id"] for one in page["items"]]
        if (after := page["next"]) is None:
            break
    assert len(pages) == len(set(pages)) >= 3

    one = f"/v1/desk/tickets/{rows[0]['id']}"
    assert (await operator.get(one)).json() == rows[0]
    for bad in ({}, {"note": ""}, {"note": "x" * 1001}, {"note": "a\x07"}):
        assert (await operator.post(one + "/resolve", json=bad)).status_code == 400
    done = await operator.post(one + "/resolve", json={"note": "已与渠道核实"})
    assert (done.status_code, done.json()["state"]) == (200, "resolved")
    assert (done.json()["note"], bool(done.json()["resolved_name"])) == ("已与渠道核实", True)
    twice = await operator.post(one + "/resolve", json={"note": "again"})
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/ticket-resolved")
    unknown = await operator.get(f"/v1/desk/tickets/{ids.new(0)}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/no-such-ticket")

    back = {"order_id": rows[1]["order_id"], "channel": "sandbox", "txn": rows[1]["reference"]}
    assert (await operator.post("/v1/desk/mismatches/return", json=back)).status_code == 200
    await city.settled()
    settled = (await operator.get(f"/v1/desk/tickets/{rows[1]['id']}")).json()
    assert (settled["state"], settled["resolved_by"]) == ("resolved", "system")


@pytest.mark.parametrize(("act", "end"), [("decline", "declined"), ("approve", "done")])
async def test_a_refund_that_fails_has_a_ticket_until_it_ends(
    city: City, act: str, end: str
) -> None:
    someone, operator = await payer(city), await city.operator()
    order = await someone.paid(charge(300), choice="refund_fails")
    await city.settled()
    asked = await operator.post(
        "/v1/desk/refunds", json={"order_id": order["id"], "no": 1},
        headers={"idempotency-key": order["id"]},
    )  # fmt: skip
    refund = asked.json()["refund_id"]
    await city.settled()
    mine = [t for t in await found_tickets(city) if t["refund_id"] == refund]
    assert [(t["kind"], t["state"], t["here_minor"]) for t in mine] == [
        ("refund_failed", "open", 300)
    ]
    decided = await operator.post(f"/v1/desk/refunds/{refund}/{act}")
    assert decided.status_code == 200, decided.text
    await city.settled()
    mine = [t for t in await found_tickets(city) if t["refund_id"] == refund]
    assert [(t["state"], t["resolved_by"], t["note"]) for t in mine] == [
        ("resolved", "system", end)
    ]


async def test_a_split_payment_stands_in_both_statements(city: City) -> None:
    """The insurer's part in its own, the citizen's in the other channel's, under the part's number."""
    then, today = tomorrow(city)
    channels = medical_insurance.beside(then, Channels(Sandbox(then)))
    someone = await payer(city)
    order = await someone.order(charge(900))
    split = ids.new(ids.bucket_of(UUID(order["id"])))
    part = parts.of(split)
    bucket, when = ids.bucket_of(split), then.clock.now() - timedelta(hours=24)
    async with city.house.db.acquire() as db:
        await db.execute(
            "insert into payments.split (bucket, id, order_id, state, pool_minor, account_minor,"
            " self_minor, insurer_txn, insurer_at, self_channel, self_txn, self_at)"
            " values ($1, $2, $3, 'paid', 500, 300, 100, 'INS1', $4, 'sandbox', 'SELF1', $4)",
            *(bucket, split, UUID(order["id"]), when),
        )
        await db.execute(
            "insert into payments.channel_payment (bucket, channel, txn, order_id, amount_minor,"
            " paid_at, outcome, tenders, tender_minor) values"
            " ($1, 'sandbox', 'SELF1', $2, 100, $3, 'part', array['sandbox'], array[100]),"
            " ($1, 'medical_insurance', 'INS1', $4, 900, $3, 'posted', array['medical_insurance'],"
            " array[900])",
            *(bucket, part, when, UUID(order["id"])),
        )
    entries = {
        "medical_insurance": Entry("payment", split.hex, "", "INS1", 800, 0, when),
        "sandbox": Entry("payment", part.hex, "", "SELF1", 100, 0, when),
    }
    for name, entry in entries.items():
        with tempfile.NamedTemporaryFile() as file:
            file.write(bills.common([entry]))
            file.flush()
            result = await reconcile.reconcile(
                then, channels, name, today, file=Path(file.name), replace=True
            )
        matched = came_to(result)["matched"]
        assert matched == (1, entry.amount_minor, entry.amount_minor), name


async def test_the_command(city: City, tmp_path: Path) -> None:
    """Its exit status says whether all fits; what it can't read, it names."""
    day = bills.DAY
    order = ids.new(4)
    row = Entry("payment", order.hex, "", "CMD1", 1234, 7, reconcile_start(day))
    path = tmp_path / "bill.csv"

    async def run(data: bytes, *args: str) -> tuple[int, str]:
        path.write_bytes(data)
        env = {
            **os.environ,
            "DATABASE_URL": city.settings.database_url,
            "CIVICMALL_DATA": str(city.settings.data_dir),
            "COLUMNS": "100",
        }
        ran = await asyncio.create_subprocess_exec(
            COMMAND, "reconcile", "sandbox", str(day), "--file", str(path), *args,
            stdout=PIPE, stderr=PIPE, env=env,
        )  # fmt: skip
        said, aside = await ran.communicate()
        return ran.returncode or 0, said.decode() + aside.decode()

    status, said = await run(bills.common([row]) + b"what?\n")
    assert (status, "line 3: columns" in said) == (2, True), said
    status, said = await run(bills.common([row]))
    assert status == 1, said
    assert "missing_here" in said
    assert "difference 12.34: 0.00 explained, 12.34 with tickets" in said
