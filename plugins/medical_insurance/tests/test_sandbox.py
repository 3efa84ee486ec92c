"""What the sandbox holds: earlier enrolments with their contributions, and who can still enrol."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from medical_insurance import words

from shopkit import (
    ApplyForm,
    Bill,
    BillDetail,
    BillsQuery,
    FormQuery,
    Outcome,
    Progress,
    ProgressQuery,
    Submission,
    Withdrawal,
)
from shopkit.sandbox import Person, people
from shopkit.testing import TestShop

TODAY = date(2026, 11, 18)
ADULT = range(18, 50)
"""Of working age, whoever it is."""


def newcomers() -> list[Person]:
    """Households that aren't insured yet, and whose head enrols as an adult."""
    return [
        p for n, p in enumerate(people(TODAY))
        if p.persona == "household" and n % 4 == 3 and n % 7 and n % 11
        and p.facts["employment"] == "employed" and TODAY.year - p.birth_date.year - 1 in ADULT
    ]  # fmt: skip


async def enrolments(office: TestShop, who: Person) -> list[Progress]:
    return await office.call("enrolment", "progress.list", ProgressQuery(), citizen=who)


async def bills(office: TestShop, who: Person) -> list[Bill]:
    return await office.call("contribution", "bills.list", BillsQuery(paid=True), citizen=who)


async def as_the_form_says(office: TestShop, who: Person, case: str) -> Outcome:
    """The form with its examples and what is known, as most people hand it in."""
    form: ApplyForm = await office.call("enrolment", "apply.form", FormQuery("adult"), citizen=who)
    values: dict[str, Any] = {n: form.schema.properties[n].example for n in form.schema.required}
    papers = [office.hand_in(case, m.code, b"%PDF") for m in form.materials]
    known = {name: one.value for name, one in form.prefill.items()}
    asked = Submission(case, values | known, materials=papers)
    return await office.call("enrolment", "apply.submit", asked, citizen=who)


@pytest.mark.parametrize(
    ("now", "year"),
    [(datetime(2026, 11, 18, 2, tzinfo=UTC), 2027), (datetime(2026, 5, 4, 2, tzinfo=UTC), 2026)],
    ids=["collection", "spring"],
)
async def test_a_newcomer_enrols_with_what_the_form_says(
    office: TestShop, now: datetime, year: int
) -> None:
    who, *others = newcomers()
    assert len(others) > 40
    office.now = now

    outcome = await as_the_form_says(office, who, f"new-{year}")

    assert (outcome.state, outcome.message) == ("accepted", None)
    (matter,) = [m for m in await enrolments(office, who) if m.id == outcome.reference]
    assert matter.state == "running"
    taken = await as_the_form_says(office, who, f"twice-{year}")
    assert [(r.field, r.message) for r in taken.reasons] == [("year", words.INSURED)]
    back = Withdrawal(f"new-{year}", outcome.reference or "")
    assert (await office.call("enrolment", "apply.withdraw", back, citizen=who)).state == "accepted"


async def test_a_certificate_beside_an_adults_number_is_refused_by_its_field(
    office: TestShop,
) -> None:
    who = newcomers()[1]
    form = {"year": 2027, "category": "adult", "registered": "local", "id_number": who.id_number,
            "birth_date": who.birth_date.isoformat(), "birth_certificate": "T110000009"}  # fmt: skip
    outcome = await office.call("enrolment", "apply.submit", Submission("both", form), citizen=who)

    assert [(r.field, r.message) for r in outcome.reasons] == [
        ("birth_certificate", words.ONLY_NEWBORN)
    ]


async def test_each_yearly_contribution_has_its_enrolment_and_is_there_once(
    office: TestShop,
) -> None:
    seen = 0
    for who in people(TODAY)[:60]:
        found = await enrolments(office, who)
        done = {f"JF-{m.id}": m for m in found if m.id.startswith("CB-") and m.state == "finished"}
        yearly = [bill for bill in await bills(office, who) if bill.id.startswith("JF-CB-")]
        assert {b.id for b in yearly} == done.keys()
        assert len({(b.beneficiary["zh-CN"], b.period) for b in yearly}) == len(yearly)
        for bill in yearly:
            result = done[bill.id].result
            assert result is not None
            assert bill.period in result.summary["en"]
        seen += len(yearly)
    assert seen > 30


async def test_the_last_years_are_paid_with_receipts_and_the_next_is_owed(
    office: TestShop,
) -> None:
    who = next(p for p in people(TODAY) if p.persona == "newborn_father")
    found = {bill.period: bill for bill in await bills(office, who)}

    assert {period: bill.state for period, bill in found.items()} == {
        "2025": "paid", "2026": "paid", "2027": "owed",
    }  # fmt: skip
    numbers: set[str] = set()
    for period in ("2025", "2026"):
        detail: BillDetail = await office.call(
            "contribution", "bills.get", found[period].id, citizen=who
        )
        assert detail.receipt is not None
        assert detail.receipt.amount_minor == detail.bill.amount_minor
        numbers.add(detail.receipt.number)
    assert len(numbers) == 2


@pytest.mark.parametrize(
    ("persona", "state"),
    [("newlywed_wife", "waiting_for_citizen"), ("near_retirement_woman", "refused")],
)
async def test_not_every_enrolment_went_through(office: TestShop, persona: str, state: str) -> None:
    who = next(p for p in people(TODAY) if p.persona == persona)
    assert [matter.state for matter in await enrolments(office, who)] == [state]
