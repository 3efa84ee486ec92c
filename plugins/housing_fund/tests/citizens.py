"""The shop asked as a citizen does, on one day or another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from shopkit import Calculation, Enquiry, Filled, Outcome, Progress, Submission
from shopkit.sandbox import Person, people
from shopkit.testing import TestShop

from .conftest import TODAY


def person(name: str) -> Person:
    return next(p for p in people(TODAY) if p.persona == name)


def later(fund: TestShop, **more: int) -> TestShop:
    """The same shop some time on."""
    return TestShop(fund.shop, fund.db, now=fund.now + timedelta(**more), secret=fund.secret)


def at(fund: TestShop, day: date) -> TestShop:
    now = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    return TestShop(fund.shop, fund.db, now=now, secret=fund.secret)


async def account(fund: TestShop, who: Person, **values: Any) -> Enquiry:
    return await fund.call("account", "enquire.run", Filled(values), citizen=who)


async def trial(fund: TestShop, who: Person, **values: Any) -> Calculation:
    return await fund.call("repayment_change", "calculate.run", Filled(values), citizen=who)


async def submit(
    fund: TestShop, app: str, who: Person, case: str, form: dict[str, Any],
    variant: str | None = None, codes: tuple[str, ...] = (),
) -> Outcome:  # fmt: skip
    handed = [fund.hand_in(case, code, b"%PDF-1.7") for code in codes]
    asked = Submission(case, form, variant, handed)
    return await fund.call(app, "apply.submit", asked, citizen=who)


async def matter(fund: TestShop, app: str, who: Person, reference: str | None) -> Progress:
    return await fund.call(app, "progress.get", reference, citizen=who)


def figures(found: Calculation | Enquiry) -> dict[str, Any]:
    return {figure.key: figure.value for figure in found.figures}


def column(found: Calculation | Enquiry, key: str) -> list[Any]:
    assert found.table is not None
    place = [c.key for c in found.table.columns].index(key)
    return [row[place] for row in found.table.rows]
