"""Enrolment in residents' insurance: its form, who may enrol whom as what, and its course."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from shopkit import (
    ApplyForm,
    Call,
    FormQuery,
    Material,
    Prefill,
    Reason,
    Result,
    Submission,
)
from shopkit.applications import (
    Application,
    Applications,
    Course,
    Entry,
    Stage,
    applicant,
    steadily,
    unhanded,
)
from shopkit.forms import Field, Form
from shopkit.sandbox import check_digit, id_number

from . import words
from .data import q
from .rules import RULES, Category, begins_on, full_years, in_collection

PACE: Final = timedelta(minutes=2)
"""How long the sandbox's clerk takes for a stage: somebody who tries it out sees it move."""
WORKING_DAYS: Final = 5
AGE: Final = 30
"""Of the example: an adult of working age."""
REASON_YEAR: Final = Reason(words.INSURED, "year")
ID_NUMBER: Final = r"^[1-9]\d{16}[\dXx]$"
CERTIFICATE: Final = r"^[A-Z]\d{9}$"


class Filled(Struct, frozen=True):
    """The form, filled in."""

    year: int
    category: Category
    birth_date: date
    registered: Literal["local", "residence"]
    id_number: str | None = None
    birth_certificate: str | None = None

    @property
    def known_by(self) -> str:
        """What the insured is found by; only its keyed hash is kept."""
        return (self.id_number or self.birth_certificate or "").upper()


def materials(category: str | None, registered: str | None) -> list[Material]:
    """What is to be handed in; with nothing known yet, everything that may be."""
    papers = [
        Material("household_book", words.CODES["household_book"], required=registered == "local"),
        Material(
            "birth_certificate", words.CODES["birth_certificate"],
            required=category == "newborn", note=words.BY_CATEGORY,
        ),
        Material(
            "residence_permit", words.CODES["residence_permit"],
            required=registered == "residence", note=words.BY_REGISTERED,
        ),
    ]  # fmt: skip
    if category in {None, "newborn"}:
        return papers
    return [paper for paper in papers if paper.code != "birth_certificate"]


async def form(call: Call, query: FormQuery) -> ApplyForm:
    """The form of today; its variant is a category."""
    years = [call.today.year, call.today.year + in_collection(RULES, call.today)]
    open_years: list[str | int] = [*sorted(set(years))]
    born = date(call.today.year - AGE, 1, 1)
    fields = {
        "year": Field("integer", words.LABELS["year"], years[-1], enum=open_years,
                      labels={str(y): words.both(f"{y}年度", str(y)) for y in open_years}),
        "category": Field("string", words.LABELS["category"], "adult", enum=[*words.CATEGORIES],
                          labels={**words.CATEGORIES}),
        "id_number": Field("string", words.LABELS["id_number"], id_number(born, 0, "female"),
                           pattern=ID_NUMBER, claim="id_number"),
        "birth_certificate": Field("string", words.LABELS["birth_certificate"], "T110000001",
                                   help=words.CERTIFICATE_HELP, pattern=CERTIFICATE),
        "birth_date": Field("string", words.LABELS["birth_date"], born.isoformat(),
                            format="date", claim="birth_date"),
        "registered": Field("string", words.LABELS["registered"], "local",
                            enum=[*words.REGISTERED], labels=words.REGISTERED),
    }  # fmt: skip
    known = query.variant in {None, "adult", "elderly"}
    claims = {name: call.citizen.claims.get(name) for name in ("id_number", "birth_date")}
    filled = {n: Prefill(v, words.FROM_CLAIM) for n, v in claims.items() if v and known}
    if query.variant in words.CATEGORIES:
        filled["category"] = Prefill(query.variant, words.FORM)
    return ApplyForm(
        words.FORM,
        Form("object", fields, ["year", "category", "birth_date", "registered"]),
        materials(query.variant, None),
        filled,
        [words.NO_DOUBLE, words.late_note("resident")],
        [RULES.basis(RULES.enrolment.waiting.source), RULES.basis("contribution-2026")],
        WORKING_DAYS,
    )


def misfits(filled: Filled, today: date) -> Iterator[Reason]:
    """What in a form doesn't fit together, field by field."""
    if filled.year not in {today.year, today.year + in_collection(RULES, today)}:
        yield Reason(words.NOT_OPEN, "year")
    number = (filled.id_number or "").upper()
    if filled.birth_certificate and filled.category != "newborn":
        yield Reason(words.ONLY_NEWBORN, "birth_certificate")
    elif bool(number) == bool(filled.birth_certificate):
        yield Reason(words.ONE_ID, "id_number")
    if number and check_digit(number[:17]) != number[17]:
        yield Reason(words.CHECK_DIGIT, "id_number")
    if filled.birth_date > today:
        yield Reason(words.FUTURE, "birth_date")
    elif number and number[6:14] != f"{filled.birth_date:%Y%m%d}":
        yield Reason(words.ID_DATE, "birth_date")
    elif not _fits(filled, today):
        yield Reason(words.wrong_age(filled.category), "birth_date")


def _fits(filled: Filled, today: date) -> bool:
    """Whether the category is that of the age (in the year of insurance, for those to come)."""
    rule, age = RULES.enrolment, full_years(filled.birth_date, today)
    if filled.category == "newborn":
        return (today - filled.birth_date).days <= rule.newborn.days and filled.year == today.year
    if filled.category == "student":
        return age < rule.ages.adult_from
    male = filled.id_number is not None and int(filled.id_number[16]) % 2 == 1
    elderly = age >= (rule.ages.elderly_male if male else rule.ages.elderly_female)
    return elderly if filled.category == "elderly" else rule.ages.adult_from <= age and not elderly


async def judge(call: Call, submission: Submission) -> Entry | list[Reason]:
    """Take an enrolment, with what is still to be brought, or say why not."""
    try:
        filled = msgspec.convert(submission.form, Filled)
    except msgspec.ValidationError:
        return [Reason(words.CODES["not_matching"])]
    if reasons := list(misfits(filled, call.today)):
        return reasons
    person = call.keyed_hash(filled.known_by)
    scheme = await q["schemes"].row(
        call.db, str, person=person, year=filled.year, this_year=call.today.year
    )
    if scheme is not None:
        return [REASON_YEAR if scheme == "resident" else Reason(words.EMPLOYED, "id_number")]
    whose = _whose(filled, person == applicant(call))
    return Entry(
        to_keep(filled.year, filled.category, whose, filled.birth_date, call.today),
        f"{filled.year}:{person.hex()}",
        unhanded(materials(filled.category, filled.registered), submission),
    )


def to_keep(year: int, category: Category, whose: str, born: date, on: date) -> dict[str, Any]:
    """What is kept of an enrolment applied for on a day."""
    within = timedelta(days=RULES.enrolment.pay_within.days)
    kept = {
        "year": year,
        "category": category,
        "whose": whose,
        "amount_minor": RULES.contribution(year).amounts_minor[category],
        "begins_on": begins_on(RULES, category, year, born, on),
        "applied_on": on,
        "due_on": date(on.year, 12, 31) if year > on.year else on + within,
    }
    return msgspec.to_builtins(kept)


def _whose(filled: Filled, themselves: bool) -> str:  # noqa: FBT001 (a private word)
    if themselves:
        return "self"
    if filled.category in {"newborn", "student"}:
        return "child"
    return "parent" if filled.category == "elderly" else "relative"


def result(application: Application) -> Result:
    """What came of it."""
    kept = application.kept
    begins = date.fromisoformat(kept["begins_on"])
    return Result(words.enrolled(kept["year"], kept["category"], begins))


COURSE: Final = Course(
    "enrolment", "CB", words.FORM,
    tuple(Stage(code, name, words.DESK) for code, name in words.ENROLMENT_STEPS.items()),
    WORKING_DAYS, words.DESK, words.CODES, "registered", result, holds_when_finished=True,
)  # fmt: skip
enrolments: Final = Applications(COURSE, judge, taken=REASON_YEAR, clerk=steadily(COURSE, PACE))
