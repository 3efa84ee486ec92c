"""Due dates, what was used before, and the page of one bill; no database."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace
from utility_bills import billing, book, words
from utility_bills.billing import Value
from utility_bills.models import Context, Standing
from utility_bills.tariff import Usage, charge, charge_season

from shopkit import Text
from shopkit.local import end_of_day, local

WATER = book.utilities["water"]
ISSUER: Text = {"zh-CN": "市公用事业服务中心"}

ROW = Standing(
    id="W00000001-202609",
    account="W00000001",
    utility="water",
    meter="MW00000001",
    floor_area_milli=None,
    persons=3,
    period_from=date(2026, 9, 1),
    period_until=date(2026, 11, 1),
    issued_on=date(2026, 11, 1),
    due_on=date(2026, 12, 31),
    usage_milli=10_000,
    used_before_milli=175_000,
    amount_minor=60_00,
)
LINES = charge(WATER.tariffs, Usage(ROW.period_from, ROW.period_until, 10_000, 175_000))


@pytest.mark.parametrize(
    ("issued", "months", "due"),
    [
        (date(2026, 11, 1), 1, date(2026, 11, 30)),
        (date(2026, 11, 1), 2, date(2026, 12, 31)),
        (date(2026, 1, 1), 1, date(2026, 1, 31)),
        (date(2026, 1, 31), 1, date(2026, 2, 27)),
        (date(2026, 12, 15), 2, date(2027, 2, 14)),
    ],
)
def test_a_bill_is_due_a_day_before_the_next(issued: date, months: int, due: date) -> None:
    assert billing.due_on(issued, months) == due


@pytest.mark.parametrize(
    ("since", "used"),
    [
        (date(2026, 4, 1), 31_000 + 40_000),  # January's half of 62 m³, then 40
        (date(2026, 2, 1), 31_000),
        (date(2026, 1, 1), 0),
        (date(2025, 12, 1), 20_000),  # from the first reading known
        (date(2025, 8, 1), 0),
    ],
)
def test_what_was_used_before_counts_from_new_years_day(since: date, used: int) -> None:
    values = [
        Value(date(2025, 10, 1), 100_000),
        Value(date(2025, 12, 1), 120_000),
        Value(date(2026, 2, 1), 182_000),
        Value(date(2026, 4, 1), 222_000),
    ]

    assert billing.used_before(values, WATER.tariffs[0], since) == used


def test_a_day_of_the_city_ends_at_midnight_in_shanghai() -> None:
    assert end_of_day(date(2026, 11, 25)) == datetime(2026, 11, 25, 15, 59, 59, tzinfo=UTC)
    assert local(datetime(2026, 11, 25, 16, 0, tzinfo=UTC)) == date(2026, 11, 26)


def test_the_page_explains_the_bill() -> None:
    page = billing.Page(ROW, LINES, [], Context(12_000, 1, 55_00))
    detail = billing.detail(book, page, date(2026, 11, 25), ISSUER)

    assert detail.bill.state == "owed"
    assert detail.bill.amount_minor == sum(line.amount_minor for line in detail.lines) == 60_00
    assert [line.title["en"] for line in detail.lines] == [
        "Water supply (tier 1)", "Water supply (tier 2)", "Water resources fee",
        "Sewage treatment fee",
    ]  # fmt: skip
    assert all(line.source and not line.example for line in detail.lines)
    assert detail.last_year_usage_milli == 12_000
    notes = [note["en"] for note in detail.notes]
    assert "185 m³ used in 2026, this bill included; the tiers end at 180 and 260 m³" in notes
    assert "Other overdue bills on this account: 1, 55.00 yuan before late fees" in notes


def test_an_overdue_bill_has_a_line_for_its_late_fee() -> None:
    detail = billing.detail(book, billing.Page(ROW, LINES, []), date(2027, 1, 10), ISSUER)

    assert detail.bill.state == "overdue"
    assert detail.bill.late_fee_minor == 30  # 60 yuan, ten days, 0.5 ‰
    assert detail.bill.amount_minor == sum(line.amount_minor for line in detail.lines) == 60_30
    last = detail.lines[-1]
    assert last.title == words.LATE_FEE
    assert last.example, "no published rate was found"
    assert last.note is not None
    assert "10 days overdue, 0.5‰" in last.note["en"]


def test_a_paid_bill_keeps_the_late_fee_it_was_paid_with() -> None:
    paid_at = datetime(2027, 1, 10, 4, 0, tzinfo=UTC)
    row = replace(
        ROW, payment_id="p", receipt="R1", paid_minor=60_30, paid_at=paid_at, booked_at=paid_at
    )
    detail = billing.detail(book, billing.Page(row, LINES, []), date(2028, 1, 1), ISSUER)

    assert (detail.bill.state, detail.bill.amount_minor) == ("paid", 60_30)
    assert detail.receipt is not None
    assert (detail.receipt.number, detail.receipt.amount_minor) == ("R1", 60_30)


def test_a_part_of_a_season_is_no_product() -> None:
    heating = book.utilities["heating"]
    row = replace(
        ROW, utility="heating", meter=None, floor_area_milli=90_000, usage_milli=None,
        period_from=date(2026, 11, 15), period_until=date(2027, 3, 16), amount_minor=1_071_07,
    )  # fmt: skip
    whole = (row.period_from, row.period_until)
    part = charge_season(heating.tariffs, whole, 90_000, date(2027, 1, 15), whole[1])
    detail = billing.detail(book, billing.Page(row, part, []), date(2026, 12, 1), ISSUER)

    assert detail.lines[0].amount_minor == 1_071_07  # 60 of 121 days of 2,160 yuan
    assert detail.lines[0].quantity_milli is None
    assert detail.lines[0].note is not None
    assert detail.usage_unit is None
    assert "15 November" not in str(detail.notes)
    assert any("第216号" in note["zh-CN"] for note in detail.notes)


@pytest.mark.parametrize(
    ("since", "until", "period", "en", "zh"),
    [
        ("2026-10-01", "2026-11-01", "2026-10", "Water, October 2026", "2026年10月水费"),
        ("2026-09-01", "2026-11-01", "2026-09/2026-10", "Water, September to October 2026",
         "2026年9月至10月水费"),
        ("2026-12-01", "2027-02-01", "2026-12/2027-01", "Water, December 2026 to January 2027",
         "2026年12月至2027年1月水费"),
    ],
)  # fmt: skip
def test_a_bill_says_what_it_is_for(since: str, until: str, period: str, en: str, zh: str) -> None:
    row = replace(
        ROW, period_from=date.fromisoformat(since), period_until=date.fromisoformat(until)
    )
    assert words.period(row) == period
    assert words.title(row) == {"zh-CN": zh, "en": en}
