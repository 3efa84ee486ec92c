"""The account and the calculator as the platform calls them, and the sandbox as a whole."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
import yaml
from housing_fund import shop

from shopkit import BadForm, Calculation, Filled, FormQuery, NotFound, Refused, ShopDb
from shopkit.applications import TABLES
from shopkit.call import Citizen, keyed_hash
from shopkit.sandbox import people
from shopkit.testing import TestShop

from .citizens import account, at, column, figures, person, trial
from .conftest import HOME, TODAY

LOAN = {"principal_minor": 80_000_000, "years": 30, "home": "first", "method": "equal_instalments"}


async def loan(fund: TestShop, **values: Any) -> Calculation:
    nobody = Citizen("nobody", 1)
    return await fund.call("loan_calculator", "calculate.run", Filled({**LOAN, **values}), citizen=nobody)  # fmt: skip


async def test_the_book_sums_up(fund: TestShop) -> None:
    found = await account(fund, person("newborn_mother"))
    sums = figures(found)
    assert sum(column(found, "amount")) == column(found, "balance")[-1] == sums["balance"]
    assert sums["deposits"] == sums["employer"] + sums["employee"]
    assert sums["balance"] == sums["deposits"] + sums["interest"] - sums["withdrawn"]
    assert sums["withdrawn"] == -sum(a for a in column(found, "amount") if a < 0) >= 540_000
    assert sums["employer"] == sum(c or 0 for c in column(found, "employer"))
    shares = [cell for cell in column(found, "employer") if cell is not None]
    assert sums["monthly"] == shares[-1] * 2


async def test_interest_comes_on_the_last_of_june_only(fund: TestShop) -> None:
    found = await account(fund, person("newborn_mother"), kind="interest")
    days = column(found, "on")
    assert len(days) == 5
    assert {day[5:] for day in days} == {"06-30"}
    assert sum(column(found, "amount")) == figures(found)["interest"] > 0


async def test_one_year_and_one_kind(fund: TestShop) -> None:
    found = await account(fund, person("newlywed_wife"), year=2025, kind="deposit")
    assert [day[:7] for day in column(found, "on")] == [f"2025-{m:02d}" for m in range(1, 13)]
    assert set(column(found, "kind")) == {"缴存"}
    assert figures(found)["deposits"] == sum(column(found, "amount"))
    whole = await account(fund, person("newlywed_wife"))
    assert figures(found)["balance"] == figures(whole)["balance"]


async def test_tomorrow_the_book_goes_on_by_itself(fund: TestShop) -> None:
    """Nobody closes it: on 30 June the interest stands in it."""
    who = person("newborn_father")
    eve = await account(at(fund, date(2027, 6, 30)), who)
    after = await account(at(fund, date(2027, 7, 2)), who)
    assert column(eve, "kind")[-1] == "结息"
    assert figures(after)["balance"] == figures(eve)["balance"]
    assert figures(eve)["accrued"] == 0 < figures(after)["accrued"]


async def test_the_graduate_has_no_account(fund: TestShop) -> None:
    with pytest.raises(NotFound, match="没有住房公积金账户"):
        await account(fund, person("graduate"))
    with pytest.raises(NotFound, match="no housing fund loan"):
        await fund.call(
            "repayment_change", "apply.form", FormQuery(), citizen=person("graduate"), lang="en"
        )


async def test_without_the_claim_it_refuses(fund: TestShop) -> None:
    with pytest.raises(Refused):
        await fund.call("account", "enquire.run", Filled({}), citizen=Citizen("x", 2))


async def test_a_loan_of_thirty_years(fund: TestShop) -> None:
    found = await loan(fund)
    told = figures(found)
    assert (told["first"], told["fund_rate"], told["instalments"]) == (320_272, "2.6", 360)
    assert sum(column(found, "principal")) == 80_000_000
    assert sum(column(found, "interest")) == told["interest"]
    assert told["total"] == 80_000_000 + told["interest"] == sum(column(found, "payment"))
    assert column(found, "balance")[-1] == 0
    assert any("中国人民银行" in basis.source for basis in found.basis)


@pytest.mark.parametrize(
    ("values", "rate", "rows"),
    [
        ({"years": 5}, "2.1", 60),
        ({"years": 6}, "2.6", 72),
        ({"years": 5, "home": "second"}, "2.525", 60),
        ({"home": "second"}, "3.075", 360),
        ({"method": "equal_principal"}, "2.6", 360),
        ({"rhythm": "year"}, "2.6", 30),
    ],
    ids=["five years", "six years", "second short", "second long", "principal", "yearly"],
)
async def test_rate_and_length_by_what_was_asked(
    fund: TestShop, values: dict[str, Any], rate: str, rows: int
) -> None:
    found = await loan(fund, **values)
    assert figures(found)["fund_rate"] == rate
    assert len(column(found, "number")) == rows
    assert sum(column(found, "principal")) == 80_000_000


async def test_a_bank_loan_beside_it_costs_the_prime_rate_and_a_spread(fund: TestShop) -> None:
    mixed = await loan(fund, commercial_minor=50_000_000, spread_bp=-45)
    alone = await loan(fund)
    assert figures(mixed)["bank_rate"] == "3.05"
    assert column(mixed, "fund") == column(alone, "payment")
    assert [a + b for a, b in zip(column(mixed, "fund"), column(mixed, "bank"), strict=True)] == (
        column(mixed, "payment")
    )
    assert sum(column(mixed, "principal")) == 130_000_000
    short = await loan(fund, years=5, commercial_minor=1_000_000)
    assert figures(short)["bank_rate"] == "3.00"


async def test_a_spread_without_a_bank_loan_is_a_mistake(fund: TestShop) -> None:
    with pytest.raises(BadForm) as refusal:
        await loan(fund, spread_bp=10)
    assert [reason.field for reason in refusal.value.reasons] == ["spread_bp"]


async def test_seeding_is_quick_and_changes_nothing_twice(fund: TestShop, db: ShopDb) -> None:
    """Nor on a later day, when everything would be imagined otherwise."""

    async def rows() -> list[str]:
        found = await db.fetch(
            "select a::text from account a union all select c::text from contribution c union all "
            "select l::text from loan l union all "
            "select p::text from application p where case_id = reference order by 1"
        )
        return [row[0] for row in found]

    before = await rows()
    started = time.perf_counter()
    await fund.seed()
    assert time.perf_counter() - started < 5  # a tenth of a second on an idle machine
    await at(fund, date(2026, 12, 30)).seed()
    assert await rows() == before
    assert len(before) > 3_000
    assert await db.fetchval("select count(*) from loan") > 80


@pytest.mark.usefixtures("fund")
async def test_no_id_number_is_stored(db: ShopDb) -> None:
    tables = ("account", "contribution", "loan", "application", "application_event")
    rows = [r for t in tables for r in await db.fetch(f"select t::text from {t} t")]  # noqa: S608 (names above)
    stored = "\n".join(row[0] for row in rows)
    for one in people(TODAY):
        assert one.id_number not in stored
        assert one.name not in stored


@pytest.mark.usefixtures("fund")
async def test_every_loan_and_account_of_the_sandbox_can_be_told(
    fund: TestShop, db: ShopDb
) -> None:
    """Households too: whoever has a loan gets both schedules."""
    holders = {row[0] for row in await db.fetch("select holder from loan")}
    borrowers = [p for p in people(TODAY) if keyed_hash(fund.secret, p.id_number) in holders][::6]
    assert len(borrowers) > 10
    for who in borrowers:
        told = figures(await trial(fund, who, method="equal_principal", rhythm="month"))
        assert told["balance"] > 0
        assert figures(await account(fund, who))["balance"] > 0


def test_every_item_is_in_the_catalogue() -> None:
    content = HOME.parent.parent / "backend" / "civicmall" / "catalogue" / "content" / "items"
    codes = {item["code"] for file in content.glob("*.yaml") for item in yaml.safe_load(file.read_text())}  # fmt: skip
    for app in shop.manifest.apps:
        assert set(app.items) <= codes


def test_the_migration_has_the_tables_of_applications() -> None:
    migration = HOME / "migrations" / "0001_housing_fund.sql"
    assert TABLES.strip() in migration.read_text(encoding="utf-8")
