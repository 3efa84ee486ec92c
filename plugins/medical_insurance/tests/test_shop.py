"""The four apps as the platform calls them, on their own sandbox data."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from medical_insurance import shop, words

from shopkit import (
    ApplyForm,
    BadForm,
    Bill,
    BillDetail,
    BillsQuery,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Citizen,
    Enquiry,
    Filled,
    FormQuery,
    NotFound,
    Outcome,
    Progress,
    ProgressQuery,
    Refused,
    ShopDb,
    Submission,
    Supplement,
    Withdrawal,
)
from shopkit.forms import wrong
from shopkit.sandbox import Person, id_number, people
from shopkit.testing import TestShop

TODAY = date(2026, 11, 18)
NOBODY = Citizen("payer", 1)
RESIDENT = next(p for n, p in enumerate(people(TODAY)) if n == 11)


def persona(name: str) -> Person:
    return next(p for p in people(TODAY) if p.persona == name)


def child(born: date, sequence: int) -> str:
    return id_number(born, sequence, "female")


async def enrol(office: TestShop, who: str, case: str, **form: Any) -> Outcome:
    filled = {"year": 2027, "category": "student", "registered": "local", **form}
    papers = [office.hand_in(case, "household_book", b"%PDF")]
    known = wrong((await the_form(office, who)).schema, filled)
    assert known == []
    asked = Submission(case, filled, materials=papers)
    return await office.call("enrolment", "apply.submit", asked, citizen=persona(who))


async def the_form(office: TestShop, who: str, variant: str | None = None) -> ApplyForm:
    return await office.call("enrolment", "apply.form", FormQuery(variant), citizen=persona(who))


async def stands(office: TestShop, who: str, reference: str | None) -> Progress:
    return await office.call("enrolment", "progress.get", reference, citizen=persona(who))


async def bills(office: TestShop, who: Person, *, paid: bool = False) -> list[Bill]:
    return await office.call("contribution", "bills.list", BillsQuery(paid=paid), citizen=who)


async def pay(office: TestShop, charge: Charge, payment_id: str, wrong_by: int = 0) -> Any:
    news = ChargePaid(payment_id, charge.id, charge.amount_minor + wrong_by, office.now)
    return await office.call("contribution", "charge.paid", news, citizen=NOBODY, lang="en")


async def give_back(
    office: TestShop, charge: Charge, payment_id: str, refund_id: str, minor: int
) -> Any:
    news = ChargeRefunded(refund_id, payment_id, charge.id, minor, office.now)
    return await office.call("contribution", "charge.refunded", news, citizen=NOBODY, lang="en")


async def quote(office: TestShop, who: Person, number: int = 0) -> Charge:
    owed = await bills(office, who)
    return await office.call(
        "contribution", "charge.quote", owed[number].id, citizen=who, lang="en"
    )


async def test_the_form_is_filled_in_from_what_was_consented_to(office: TestShop) -> None:
    form = await the_form(office, "graduate")

    assert form.prefill["id_number"].value == persona("graduate").id_number
    assert form.prefill["birth_date"].value == "2004-01-30"
    assert (await the_form(office, "graduate", "newborn")).prefill.keys() == {"category"}
    assert form.schema.properties["year"].enum == [2026, 2027]
    office.now = datetime(2026, 5, 1, tzinfo=UTC)
    assert (await the_form(office, "graduate")).schema.properties["year"].enum == [2026]


async def test_each_category_asks_for_its_papers(office: TestShop) -> None:
    newborn = await the_form(office, "newborn_mother", "newborn")
    pupil = await the_form(office, "school_mother", "student")

    assert {m.code: m.required for m in newborn.materials}["birth_certificate"] is True
    assert "birth_certificate" not in {m.code for m in pupil.materials}


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"category": "newborn", "birth_date": "2026-08-19", "year": 2026, "birth_certificate": "T110000009"}, "birth_date", words.wrong_age("newborn")),
        ({"category": "newborn", "birth_date": "2026-11-19", "year": 2026, "birth_certificate": "T110000009"}, "birth_date", words.FUTURE),
        ({"category": "student", "birth_date": "2026-11-01", "birth_certificate": "T110000009"}, "birth_certificate", words.ONLY_NEWBORN),
        ({"category": "student", "birth_date": "2016-02-03", "id_number": child(date(2016, 2, 4), 9)}, "birth_date", words.ID_DATE),
        ({"category": "student", "birth_date": "2016-02-03", "id_number": child(date(2016, 2, 3), 9)[:-1] + "7"}, "id_number", words.CHECK_DIGIT),
        ({"category": "student", "birth_date": "2016-02-03"}, "id_number", words.ONE_ID),
        ({"category": "student", "birth_date": "2008-11-18", "id_number": child(date(2008, 11, 18), 9)}, "birth_date", words.wrong_age("student")),
        ({"category": "elderly", "birth_date": "1976-11-19", "id_number": child(date(1976, 11, 19), 9)}, "birth_date", words.wrong_age("elderly")),
        ({"category": "adult", "birth_date": "1976-11-18", "id_number": child(date(1976, 11, 18), 9)}, "birth_date", words.wrong_age("adult")),
    ],
    ids=["newborn-91-days", "not-born", "pupil-by-certificate", "other-birthday", "check-digit", "no-number", "pupil-of-18", "not-yet-50", "elderly-as-adult"],
)  # fmt: skip
async def test_what_does_not_fit_is_refused_by_field(
    office: TestShop, form: dict[str, Any], field: str, said: Any
) -> None:
    outcome = await enrol(office, "newborn_mother", f"bad-{field}-{form['birth_date']}", **form)

    assert outcome.state == "refused"
    assert (field, said) in [(r.field, r.message) for r in outcome.reasons]


async def test_the_employed_and_the_insured_are_refused(office: TestShop) -> None:
    for who, field in ((persona("school_mother"), "id_number"), (RESIDENT, "year")):
        form = {"year": 2027, "category": "adult", "registered": "local",
                "id_number": who.id_number, "birth_date": who.birth_date.isoformat()}  # fmt: skip
        asked = Submission(f"double-{field}", form)
        outcome = await office.call("enrolment", "apply.submit", asked, citizen=who)
        assert [(r.field, outcome.state) for r in outcome.reasons] == [(field, "refused")]


async def test_a_newborn_is_enrolled_supplemented_billed_and_paid(office: TestShop) -> None:
    mother = persona("newborn_mother")
    before = {bill.id for bill in await bills(office, mother)}
    newborn = {"category": "newborn", "year": 2026, "birth_date": "2026-11-17", "birth_certificate": "T110000123"}  # fmt: skip
    outcome = await enrol(office, "newborn_mother", "baby", **newborn)
    assert (outcome.state, outcome.due_on) == ("accepted", None)
    waiting = await stands(office, "newborn_mother", outcome.reference)
    assert (waiting.state, waiting.missing) == (
        "waiting_for_citizen",
        [words.CODES["birth_certificate"]],
    )

    office.now += timedelta(minutes=5)
    paper = office.hand_in("baby", "birth_certificate", b"%PDF")
    supplement = Supplement("baby", outcome.reference or "", 1, materials=[paper])
    accepted = await office.call("enrolment", "apply.supplement", supplement, citizen=mother)
    assert accepted.due_on == date(2026, 11, 25)
    assert {bill.id for bill in await bills(office, mother)} == before
    office.now += timedelta(minutes=5)

    new = [bill for bill in await bills(office, mother) if bill.id not in before]
    assert [(b.amount_minor, b.period, b.beneficiary["zh-CN"], b.due_on) for b in new] == [
        (43_500, "2026", "子女（新生儿）", date(2026, 12, 18))
    ]
    done = await stands(office, "newborn_mother", outcome.reference)
    assert done.state == "finished"
    assert done.result is not None
    assert "2026-11-17" in done.result.summary["en"]
    detail: BillDetail = await office.call("contribution", "bills.get", new[0].id, citizen=mother)
    assert (detail.lines[0].example, detail.lines[0].amount_minor) == (False, 43_500)
    charge = await office.call("contribution", "charge.quote", new[0].id, citizen=mother)
    receipt = await pay(office, charge, "pay-baby")
    assert await office.call("contribution", "bills.receipt", new[0].id, citizen=mother) == receipt


async def test_one_enrolment_a_year_even_from_both_parents_at_once(office: TestShop) -> None:
    born = date(2026, 10, 2)
    form = {"category": "newborn", "year": 2026, "birth_date": born.isoformat(), "id_number": child(born, 77)}  # fmt: skip

    answers = await asyncio.gather(
        *(enrol(office, who, f"both-{who}", **form) for who in ("newborn_mother", "newborn_father"))
    )

    assert sorted(a.state for a in answers) == ["accepted", "refused"]
    refused = next(a for a in answers if a.state == "refused")
    assert refused.reasons[0].field == "year"


async def test_withdrawn_in_time_it_is_never_billed_and_can_come_again(office: TestShop) -> None:
    born = date(2015, 6, 1)
    form = {"birth_date": born.isoformat(), "id_number": child(born, 55)}
    mother, before = persona("school_mother"), len(await bills(office, persona("school_mother")))
    first = await enrol(office, "school_mother", "take-back", **form)
    asked = Withdrawal("take-back", first.reference or "")
    assert (
        await office.call("enrolment", "apply.withdraw", asked, citizen=mother)
    ).state == "accepted"

    again = await enrol(office, "school_mother", "once-more", **form)
    office.now += timedelta(minutes=9)

    assert again.state == "accepted"
    late = Withdrawal("once-more", again.reference or "")
    assert (
        await office.call("enrolment", "apply.withdraw", late, citizen=mother)
    ).state == "refused"
    assert len(await bills(office, mother)) == before + 1


async def test_owed_first_with_its_rule(office: TestShop) -> None:
    graduate = persona("graduate")
    found = await bills(office, graduate, paid=True)

    assert [b.state for b in found] == ["overdue", "owed", "paid", "paid"]
    detail: BillDetail = await office.call(
        "contribution", "bills.get", found[0].id, citizen=graduate
    )
    assert (detail.lines[0].amount_minor, detail.lines[0].example) == (49_000, True)
    assert any("continuous" in note["en"] for note in detail.notes)


async def test_a_foreign_bill_is_as_unknown_as_none(office: TestShop) -> None:
    hers = (await bills(office, persona("school_mother")))[0].id
    said: set[str] = set()
    for bill in (hers, "JF-none"):
        for operation in ("bills.get", "charge.quote"):
            with pytest.raises(NotFound) as caught:
                await office.call("contribution", operation, bill, citizen=persona("graduate"))
            said.add(caught.value.detail)

    assert len(said) == 1


async def test_paying_refunding_and_paying_anew(office: TestShop) -> None:
    graduate = persona("graduate")
    charge = await quote(office, graduate, 1)
    with pytest.raises(Refused, match="amount"):
        await pay(office, charge, "pay-x", wrong_by=1)
    answers = await asyncio.gather(*(pay(office, charge, "pay-1") for _ in range(12)))
    assert all(answer == answers[0] for answer in answers)
    with pytest.raises(Refused, match="paid already"):
        await pay(office, charge, "pay-2")
    with pytest.raises(Refused, match="paid already"):
        await office.call("contribution", "charge.quote", charge.id, citizen=graduate, lang="en")

    part = await asyncio.gather(
        *(give_back(office, charge, "pay-1", "r-1", 9_000) for _ in range(6))
    )
    assert all(noted == part[0] for noted in part)
    assert charge.id not in [b.id for b in await bills(office, graduate)]
    with pytest.raises(Refused, match="No more can go back"):
        await give_back(office, charge, "pay-1", "r-2", charge.amount_minor)
    with pytest.raises(NotFound):
        await give_back(office, charge, "pay-none", "r-3", 1)
    await give_back(office, charge, "pay-1", "r-4", charge.amount_minor - 9_000)

    assert charge.id in [b.id for b in await bills(office, graduate)]
    assert await pay(office, charge, "pay-1") == answers[0]  # news that comes late books nothing
    assert charge.id in [b.id for b in await bills(office, graduate)]
    second = await pay(office, charge, "pay-3")
    assert second.number != answers[0].number
    await office.seed()
    assert charge.id not in [b.id for b in await bills(office, graduate)]


async def test_of_several_payments_at_once_one_is_booked(office: TestShop) -> None:
    charge = await quote(office, RESIDENT)

    answers = await asyncio.gather(
        *(pay(office, charge, f"many-{n}") for n in range(8)), return_exceptions=True
    )

    assert sum(isinstance(answer, Refused) for answer in answers) == 7


async def test_of_refunds_at_once_no_more_goes_back_than_was_paid(office: TestShop) -> None:
    charge = await quote(office, persona("near_retirement_man"))
    await pay(office, charge, "pay-man")

    answers = await asyncio.gather(
        *(give_back(office, charge, "pay-man", f"m-{n}", 20_000) for n in range(6)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, Refused) for answer in answers) == 4  # 460 yuan: twice 200
    gone = await office.db.fetchval(
        "select sum(amount_minor) from charge_refund where payment_id = 'pay-man'"
    )
    assert gone == 40_000


async def look(office: TestShop, who: Person, **values: str) -> Enquiry:
    return await office.call("account", "enquire.run", Filled(values), citizen=who, lang="en")


async def test_an_account_adds_up(office: TestShop) -> None:
    who = persona("newlywed_wife")
    found = await look(office, who)
    figures: dict[str, Any] = {f.key: f.value for f in found.figures}
    assert found.table is not None
    amounts: list[Any] = [row[2] for row in found.table.rows]

    assert figures["opening"] + figures["in"] - figures["out"] == figures["balance"]
    assert figures["in"] - figures["out"] == sum(amounts)
    assert [row[3] for row in found.table.rows][-1] == figures["balance"]
    assert min(str(row[0]) for row in found.table.rows) >= "2026-06-01"


async def test_months_follow_each_other_without_a_gap(office: TestShop) -> None:
    who = persona("newlywed_wife")
    before, after = [
        {f.key: f.value for f in (await look(office, who, from_month=a, to_month=b)).figures}
        for a, b in (("2026-01", "2026-04"), ("2026-05", "2026-11"))
    ]
    assert before["balance"] == after["opening"]
    early = await look(office, who, from_month="2020-01", to_month="2020-02")
    assert {f.value for f in early.figures} == {0}


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [("2026-05", "2026-04", "to_month"), ("2024-01", "2026-01", "from_month")],
)
async def test_months_that_do_not_fit(office: TestShop, first: str, last: str, field: str) -> None:
    with pytest.raises(BadForm) as caught:
        await look(office, persona("newlywed_wife"), from_month=first, to_month=last)
    assert [reason.field for reason in caught.value.reasons] == [field]


async def test_residents_have_no_account(office: TestShop) -> None:
    with pytest.raises(NotFound, match="no personal account"):
        await look(office, RESIDENT)


async def claims(office: TestShop, who: Person) -> list[Progress]:
    return await office.call("reimbursement", "progress.list", ProgressQuery(), citizen=who)


async def test_claims_are_in_every_phase_and_end_with_their_rule(office: TestShop) -> None:
    of = {who.key: await claims(office, who) for who in people(TODAY)[:60]}
    found = [claim for some in of.values() for claim in some]

    assert {claim.state for claim in found} == {"running", "waiting_for_citizen", "finished"}
    for claim in found:
        assert (claim.result is not None) is (claim.state == "finished")
        if claim.result is not None:
            assert "京人社医发〔2017〕250号" in claim.result.summary["zh-CN"]
    running = next(claim for claim in found if claim.state == "running")
    who = next(who for who in people(TODAY) if running in of.get(who.key, []))
    office.now += timedelta(days=40)
    (later,) = [c for c in await claims(office, who) if c.id == running.id]
    assert later.state == "finished"


async def test_every_app_needs_the_claim(office: TestShop) -> None:
    asks: list[tuple[str, Any, Any]] = [
        ("enrolment", "progress.list", ProgressQuery()), ("contribution", "bills.list", BillsQuery()),
        ("account", "enquire.run", Filled({})), ("reimbursement", "progress.list", ProgressQuery()),
    ]  # fmt: skip
    for app, operation, asked in asks:
        with pytest.raises(Refused, match="id_number"):
            await office.call(app, operation, asked, citizen=Citizen("silent", 2))


COUNT = """select (select count(*) from insured) + (select count(*) from movement)
    + (select count(*) from contribution) + (select count(*) from charge_payment)
    + (select count(*) from application_event)"""


async def test_seeding_again_is_quick_and_changes_nothing(office: TestShop, db: ShopDb) -> None:
    before = await db.fetchval(COUNT)
    began = time.perf_counter()
    await office.seed()

    assert time.perf_counter() - began < 1
    assert await db.fetchval(COUNT) == before > 9_000


@pytest.mark.usefixtures("office")
async def test_nothing_personal_is_kept(db: ShopDb) -> None:
    tables = await db.fetch(
        "select table_name from information_schema.tables where table_schema = current_schema()"
    )
    assert len(tables) == 8
    for (table,) in tables:
        kept = await db.fetchval(f"select string_agg(t::text, ' ') from {table} t") or ""  # noqa: S608 (names of our own tables)
        for person in people(TODAY)[:40]:
            assert person.id_number not in kept
            assert person.name not in kept


def test_the_manifest_is_served_whole() -> None:
    shop.check()
    assert {app.id for app in shop.manifest.apps} == {"enrolment", "contribution", "account", "reimbursement"}  # fmt: skip
