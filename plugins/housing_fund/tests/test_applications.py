"""Changing a repayment and withdrawing, from the form to what comes of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from shopkit import ApplyForm, BadForm, FormQuery, NotFound, Progress, ProgressQuery, Supplement
from shopkit.testing import TestShop

from .citizens import account, at, column, figures, later, matter, person, submit, trial
from .conftest import TODAY

RENT = {
    "amount_minor": 300_000, "rent_from": "2026-09-01", "rent_months": 2,
    "rent_month_minor": 180_000, "owns_home": False,
}  # fmt: skip


async def test_equal_principal_saves_what_the_schedules_say(fund: TestShop) -> None:
    found = await trial(fund, person("newlywed_husband"), method="equal_principal", rhythm="month")
    told = figures(found)
    assert told["from"] == "2026-12-01"
    assert told["old_interest"] == sum(column(found, "old_interest"))
    assert told["new_interest"] == sum(column(found, "new_interest"))
    assert told["saved"] == told["old_interest"] - told["new_interest"] > 0
    assert told["new_first"] > told["old_first"]
    for side in ("old", "new"):
        assert sum(column(found, f"{side}_principal")) == told["balance"]
    assert (column(found, "month")[0], len(column(found, "month"))) == ("2026-12", told["months_left"])  # fmt: skip


async def test_by_the_year_costs_more(fund: TestShop) -> None:
    found = await trial(fund, person("newlywed_husband"), method="equal_instalments", rhythm="year")
    assert figures(found)["saved"] < 0
    paid = [cell for cell in column(found, "new_payment") if cell is not None]
    assert len(paid) == -(-figures(found)["months_left"] // 12)


async def test_paying_early_shortens_or_lowers(fund: TestShop) -> None:
    way = {"method": "equal_instalments", "rhythm": "month", "prepay_minor": 20_000_000}
    lower = figures(await trial(fund, person("newlywed_husband"), **way, keep="term"))
    sooner = figures(await trial(fund, person("newlywed_husband"), **way, keep="instalment"))
    assert lower["new_months"] == lower["months_left"] > sooner["new_months"]
    assert lower["new_first"] < sooner["new_first"] <= sooner["old_first"]
    assert sooner["saved"] > lower["saved"] > 0


async def test_all_of_it_may_be_paid_early_but_no_more(fund: TestShop) -> None:
    who = person("newlywed_husband")
    way: dict[str, Any] = {"method": "equal_instalments", "rhythm": "month"}
    told = figures(await trial(fund, who, **way))
    assert told["saved"] == 0
    ended = figures(await trial(fund, who, **way, prepay_minor=told["balance"]))
    assert (ended["saved"], ended["new_months"]) == (told["old_interest"], 0)
    with pytest.raises(BadForm) as refusal:
        await trial(fund, who, **way, prepay_minor=told["balance"] + 1)
    assert [reason.field for reason in refusal.value.reasons] == ["prepay_minor"]


async def test_the_form_tells_todays_way_and_its_example_is_another(fund: TestShop) -> None:
    form: ApplyForm = await fund.call(
        "repayment_change", "apply.form", FormQuery(), citizen=person("newlywed_husband")
    )
    assert {name: one.value for name, one in form.prefill.items()} == {"rhythm": "month"}
    assert form.notes[0]["zh-CN"] == "现在的还款方式：等额本息、按月还款"
    assert form.schema.properties["method"].example == "equal_principal"


@pytest.mark.parametrize("day", [date(2026, 11, 18), date(2029, 3, 31)], ids=str)
async def test_the_examples_of_a_withdrawal_are_of_this_year(fund: TestShop, day: date) -> None:
    form: ApplyForm = await at(fund, day).call(
        "withdrawal", "apply.form", FormQuery(), citizen=person("newborn_mother")
    )
    days = [f.example for f in form.schema.properties.values() if f.format == "date"]
    assert len(days) == 5
    for one in days:
        assert day - timedelta(days=366) < date.fromisoformat(str(one)) < day


@pytest.mark.parametrize(
    ("name", "said"),
    [("school_mother", "逾期未还3178.42元"), ("near_retirement_man", "剩余期限"), ("graduate", "贷款")],
    ids=["arrears", "nearly over", "no loan"],
)  # fmt: skip
async def test_who_cannot_change(fund: TestShop, name: str, said: str) -> None:
    form = {"method": "equal_principal", "rhythm": "month"}
    found = await submit(fund, "repayment_change", person(name), f"c-{name}", form)
    assert found.state == "refused"
    assert any(said in reason.message["zh-CN"] for reason in found.reasons)


async def test_what_stands_in_the_way_is_told_with_the_trial(fund: TestShop) -> None:
    told = await trial(fund, person("school_mother"), method="equal_principal", rhythm="month")
    assert any("3178.42" in note["en"] for note in told.notes)
    with pytest.raises(BadForm) as refusal:  # four months are left
        await trial(fund, person("near_retirement_man"), method="equal_principal", rhythm="year")
    assert [reason.field for reason in refusal.value.reasons] == ["rhythm"]


async def test_a_loan_that_has_ended_is_none(fund: TestShop) -> None:
    who = person("near_retirement_man")
    over = at(fund, date(2027, 5, 21))
    with pytest.raises(NotFound, match="没有尚未结清"):
        await trial(over, who, method="equal_principal", rhythm="month")
    form = {"method": "equal_principal", "rhythm": "month"}
    found = await submit(over, "repayment_change", who, "over-1", form)
    assert found.state == "refused"


async def test_a_change_goes_from_application_to_the_next_month(fund: TestShop) -> None:
    """Accepted, done, and the loan runs by the new way from December on; once a year only."""
    who, way = person("newborn_father"), {"method": "equal_instalments", "rhythm": "month"}
    promised = figures(await trial(fund, who, **way))
    first = await submit(fund, "repayment_change", who, "change-1", way)
    assert first.state == "accepted"
    assert first == await submit(fund, "repayment_change", who, "change-1", way)
    assert (await matter(fund, "repayment_change", who, first.reference)).state == "running"
    second = await submit(fund, "repayment_change", who, "change-2", way)
    assert [r.message["zh-CN"] for r in second.reasons] == ["该贷款有一笔变更申请正在办理"]

    done = later(fund, hours=1)
    ended = await matter(done, "repayment_change", who, first.reference)
    assert ended.state == "finished"
    assert ended.result is not None
    assert "等额本息、按月还款" in ended.result.summary["zh-CN"]
    december = at(fund, date(2026, 12, 2))
    told = figures(await trial(december, who, **way))
    assert told["old_first"] == promised["new_first"]
    again = await submit(december, "repayment_change", who, "change-3", {"method": "equal_principal", "rhythm": "month"})  # fmt: skip
    assert ["12个月内只能变更一次" in r.message["zh-CN"] for r in again.reasons] == [True]
    year_on = at(fund, date(2027, 11, 26))
    allowed = await submit(year_on, "repayment_change", who, "change-4", {"method": "equal_principal", "rhythm": "month"})  # fmt: skip
    assert allowed.state == "accepted"


@pytest.mark.parametrize(
    ("variant", "codes"),
    [
        ("rent", {"lease", "rent_receipt", "no_home"}),
        ("purchase", {"purchase_contract", "purchase_invoice"}),
        ("renovation", {"overhaul_approval", "overhaul_invoice"}),
        ("retirement", {"retirement_certificate"}),
        ("departure", {"end_of_contract"}),
    ],
)
async def test_each_reason_has_its_form_and_papers(
    fund: TestShop, variant: str, codes: set[str]
) -> None:
    who = person("newborn_mother")
    form: ApplyForm = await fund.call("withdrawal", "apply.form", FormQuery(variant), citizen=who)
    assert {material.code for material in form.materials if material.required} == codes
    assert set(form.schema.required) <= form.schema.properties.keys()
    assert "reason" not in form.schema.properties
    assert form.basis


async def test_without_a_reason_the_form_asks_for_it(fund: TestShop) -> None:
    who = person("newborn_mother")
    form: ApplyForm = await fund.call("withdrawal", "apply.form", FormQuery(), citizen=who)
    assert form.schema.required == ["reason"]
    assert not any(material.required for material in form.materials)
    with pytest.raises(NotFound):
        await fund.call("withdrawal", "apply.form", FormQuery("lottery"), citizen=who)


async def test_rent_is_paid_out_and_leaves_the_balance(fund: TestShop) -> None:
    who = person("newlywed_wife")
    before = figures(await account(fund, who))["balance"]
    codes = ("lease", "rent_receipt", "no_home")
    first = await submit(fund, "withdrawal", who, "rent-1", RENT, "rent", codes)
    assert first.state == "accepted"
    assert first.due_on is not None
    assert (first.due_on - TODAY).days <= 3
    other = await submit(fund, "withdrawal", who, "rent-2", RENT, "rent", codes)
    assert [reason.message["en"] for reason in other.reasons] == [
        "Another withdrawal from this account is under way"
    ]
    assert figures(await account(fund, who))["balance"] == before

    done = later(fund, hours=1)
    assert figures(await account(done, who))["balance"] == before - 300_000
    ended = await matter(done, "withdrawal", who, first.reference)
    assert (ended.state, ended.title["zh-CN"]) == ("finished", "住房公积金提取（租房）")
    assert ended.result is not None
    assert "3000.00元" in ended.result.summary["zh-CN"]
    again = await submit(done, "withdrawal", who, "rent-3", RENT, "rent", codes)
    assert [(r.field, "2026年11月" in r.message["zh-CN"]) for r in again.reasons] == [("rent_from", True)]  # fmt: skip


async def test_what_is_missing_is_asked_for_and_then_it_goes_on(fund: TestShop) -> None:
    who = person("newborn_mother")
    form = {
        "reason": "purchase", "amount_minor": 1_000_000, "signed_on": "2026-10-08",
        "price_minor": 210_000_000, "loan_minor": 120_000_000,
    }  # fmt: skip
    taken = await submit(fund, "withdrawal", who, "buy-1", form, None, ("purchase_contract",))
    assert taken.state == "accepted"
    waiting = await matter(later(fund, hours=1), "withdrawal", who, taken.reference)
    assert waiting.state == "waiting_for_citizen"
    assert [text["en"] for text in waiting.missing] == ["The invoice, or proof of the down payment"]
    assert taken.reference is not None
    handed = [fund.hand_in("buy-1", "purchase_invoice", b"%PDF-1.7")]
    await later(fund, hours=2).call(
        "withdrawal", "apply.supplement", Supplement("buy-1", taken.reference, 1, {}, handed), citizen=who
    )  # fmt: skip
    ended = await matter(later(fund, hours=3), "withdrawal", who, taken.reference)
    assert ended.state == "finished"


async def test_retirement_takes_everything_and_closes_the_account(fund: TestShop) -> None:
    who = person("near_retirement_woman")
    told = figures(await account(fund, who))
    form = {"retired_on": "2026-09-30"}
    taken = await submit(fund, "withdrawal", who, "old-1", form, "retirement", ("retirement_certificate",))  # fmt: skip
    assert taken.state == "accepted"
    done = later(fund, hours=1)
    ended = await matter(done, "withdrawal", who, taken.reference)
    everything = told["balance"] + told["accrued"]
    assert ended.result is not None
    assert f"{everything // 100}.{everything % 100:02d}元" in ended.result.summary["zh-CN"]
    after = await account(at(fund, date(2028, 1, 1)), who)
    assert (figures(after)["balance"], figures(after)["accrued"]) == (0, 0)
    assert column(after, "amount")[-1] == -everything
    assert column(after, "amount")[-2] == told["accrued"]
    again = await submit(done, "withdrawal", who, "old-2", form, "retirement")
    assert again.state == "refused"


async def test_who_has_no_account_is_told_so(fund: TestShop) -> None:
    form = {"retired_on": "2026-09-30"}
    found = await submit(fund, "withdrawal", person("graduate"), "none-1", form, "retirement")
    assert [reason.message["zh-CN"] for reason in found.reasons] == ["您在本中心没有住房公积金账户"]
    with pytest.raises(BadForm) as gaps:  # is no decision: it goes back to be filled in
        await submit(
            fund, "withdrawal", person("newlywed_wife"), "none-2", {"reason": "rent", **form}
        )
    assert {reason.field for reason in gaps.value.reasons} >= {"amount_minor", "retired_on"}


async def test_more_than_allowed_is_refused_by_field(fund: TestShop) -> None:
    who = person("newlywed_husband")  # has a fund loan
    found = await submit(fund, "withdrawal", who, "no-1", RENT, "rent")
    assert found.state == "refused"
    assert [reason.field for reason in found.reasons] == [None]
    form = {"amount_minor": 900_000_000, "invoiced_on": "2026-10-01", "cost_minor": 950_000_000}
    found = await submit(fund, "withdrawal", who, "no-2", form, "renovation")
    assert [reason.field for reason in found.reasons] == ["amount_minor"]


async def test_somebody_elses_looks_like_none(fund: TestShop) -> None:
    rented: list[Progress] = await fund.call(
        "withdrawal", "progress.list", ProgressQuery(), citizen=person("newborn_mother")
    )
    with pytest.raises(NotFound):
        await matter(fund, "withdrawal", person("newborn_father"), rented[-1].id)
