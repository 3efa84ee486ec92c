"""Who may withdraw how much, and who may change a repayment: pure, with reasons by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import msgspec
from msgspec import Struct

from shopkit import Reason
from shopkit.months import month_after

from . import words
from .loans import Loan, Standing, months_between
from .rates import Changing, Withdrawing
from .rates import Reason as Why
from .schedules import Every, Method

CLOSES: Final[frozenset[Why]] = frozenset({"retirement", "departure"})
"""They take everything and end the account (条例 art. 24, second paragraph)."""
NEEDS: Final[dict[Why, tuple[str, ...]]] = {
    "rent": ("amount_minor", "rent_from", "rent_months", "rent_month_minor", "owns_home"),
    "purchase": ("amount_minor", "signed_on", "price_minor"),
    "renovation": ("amount_minor", "invoiced_on", "cost_minor"),
    "retirement": ("retired_on",),
    "departure": ("left_on",),
}
"""What must be filled in for each reason."""
MAY: Final[dict[Why, tuple[str, ...]]] = {"rent": ("public_rental",), "purchase": ("loan_minor",)}
"""What may be."""
ALL: Final[tuple[Why, ...]] = tuple(NEEDS)


class Ask(Struct, frozen=True):
    """A filled-in withdrawal form; money in fen."""

    reason: Why
    amount_minor: int | None = None
    rent_from: date | None = None
    rent_months: int = 0
    rent_month_minor: int = 0
    public_rental: bool = False
    owns_home: bool = False
    signed_on: date | None = None
    price_minor: int = 0
    loan_minor: int = 0
    invoiced_on: date | None = None
    cost_minor: int = 0
    retired_on: date | None = None
    left_on: date | None = None


class Taken(Struct, frozen=True):
    """An earlier withdrawal; `rent_until` is the first month that its rent didn't cover."""

    on: date
    reason: Why
    amount_minor: int
    rent_until: date | None = None


class Facts(Struct, frozen=True):
    """What the fund itself knows of the applicant on a day. `deposits_in_a_row` counts months."""

    today: date
    balance_minor: int
    accrued_minor: int
    deposits_in_a_row: int
    sealed_on: date | None
    has_loan: bool
    taken: Sequence[Taken] = ()

    @property
    def everything_minor(self) -> int:
        """Balance and the interest earned so far."""
        return self.balance_minor + self.accrued_minor


def asked(values: dict[str, object], variant: str | None) -> Ask | list[Reason]:
    """A form's values as they are meant; what doesn't belong to the reason must not be there."""
    reason = variant or values.get("reason")
    ask = msgspec.convert({**values, "reason": reason}, Ask)
    missing = [Reason(words.NEEDED, name) for name in NEEDS[ask.reason] if name not in values]
    fits = {"reason", *NEEDS[ask.reason], *MAY.get(ask.reason, ())}
    foreign = [Reason(words.NOT_OF_THIS, name) for name in sorted(values.keys() - fits)]
    return missing + foreign or ask


def limit(rules: Withdrawing, ask: Ask, facts: Facts) -> int:
    """The most that may be paid out for it, in fen, whatever the balance."""
    match ask.reason:
        case "rent":
            month = ask.rent_month_minor
            if not ask.public_rental:
                month = min(month, rules.rent_month_max_minor)
            return month * ask.rent_months
        case "purchase":
            return max(ask.price_minor - ask.loan_minor - _since(facts, ask, ask.signed_on), 0)
        case "renovation":
            return max(ask.cost_minor - _since(facts, ask, ask.invoiced_on), 0)
        case "retirement" | "departure":
            return facts.everything_minor


def _since(facts: Facts, ask: Ask, day: date | None) -> int:
    """What was paid out for the same already."""
    since = _given(day)
    return sum(
        one.amount_minor for one in facts.taken if one.reason == ask.reason and one.on >= since
    )


def _given(day: date | None) -> date:
    """A day that the reason needs: `asked` lets none through without it."""
    assert day is not None, "asked() has seen to it"
    return day


def refusals(rules: Withdrawing, ask: Ask, facts: Facts) -> list[Reason]:
    """Why it can't be granted, all reasons at once; empty where it can."""
    match ask.reason:
        case "rent":
            found = list(_rent(rules, ask, facts))
        case "purchase":
            found = list(_spent(ask.signed_on, rules.purchase_within_months, "signed_on", facts))
            found += [Reason(words.LOAN_COVERS, "loan_minor")] * (ask.loan_minor >= ask.price_minor)
        case "renovation":
            found = list(_spent(ask.invoiced_on, rules.renovation_within_months, "invoiced_on", facts))  # fmt: skip
        case "retirement":
            found = list(_closing(ask.retired_on, "retired_on", facts, 0))
        case "departure":
            found = list(_closing(ask.left_on, "left_on", facts, rules.sealed_months))
    return found or list(_amount(rules, ask, facts))


def _rent(rules: Withdrawing, ask: Ask, facts: Facts) -> Iterator[Reason]:
    if ask.owns_home:
        yield Reason(words.OWNS_HOME, "owns_home")
    if facts.has_loan:
        yield Reason(words.HAS_LOAN)
    if facts.deposits_in_a_row < rules.rent_deposit_months:
        yield Reason(words.deposits(rules.rent_deposit_months, facts.deposits_in_a_row))
    since = _given(ask.rent_from)
    if since.day != 1:
        yield Reason(words.FIRST_OF_MONTH, "rent_from")
        return
    until = month_after(since, ask.rent_months)
    if until > month_after(facts.today, 1):
        yield Reason(words.RENT_TO_COME, "rent_months")
    covered = max((one.rent_until for one in facts.taken if one.rent_until), default=date.min)
    if since < covered:
        yield Reason(words.covered(covered), "rent_from")


def _spent(day: date | None, within: int, field: str, facts: Facts) -> Iterator[Reason]:
    """A contract or an invoice: of the past, but not too old."""
    on = _given(day)
    if on > facts.today:
        yield Reason(words.IN_FUTURE, field)
    elif months_between(on.replace(day=1), facts.today.replace(day=1)) > within:
        yield Reason(words.too_old(within), field)


def _closing(day: date | None, field: str, facts: Facts, sealed_months: int) -> Iterator[Reason]:
    if facts.has_loan:
        yield Reason(words.LOAN_OPEN)
    if _given(day) > facts.today:
        yield Reason(words.IN_FUTURE, field)
    if facts.sealed_on is None:
        yield Reason(words.NOT_SEALED)
        return
    waited = months_between(facts.sealed_on.replace(day=1), facts.today.replace(day=1))
    if waited < sealed_months:
        yield Reason(words.sealed(sealed_months, facts.sealed_on))


def _amount(rules: Withdrawing, ask: Ask, facts: Facts) -> Iterator[Reason]:
    if ask.reason in CLOSES:
        if facts.everything_minor == 0:
            yield Reason(words.EMPTY)
        return
    most = limit(rules, ask, facts)
    amount = ask.amount_minor or 0
    if amount > most:
        yield Reason(words.above_limit(most), "amount_minor")
    elif amount > facts.balance_minor:
        yield Reason(words.above_balance(facts.balance_minor), "amount_minor")


def change_refusals(
    rules: Changing, loan: Loan, now: Standing, method: Method, every: Every,
    changed_on: Sequence[date], today: date,
) -> list[Reason]:  # fmt: skip
    """Why a repayment can't be changed; `changed_on` are the days of earlier changes, of which
    those after the 28th count as the 28th.
    """
    found: list[Reason] = []
    if (method, every) == (now.terms.method, now.terms.every):
        found.append(Reason(words.SAME_WAY, "method"))
    if loan.overdue_minor > 0:
        found.append(Reason(words.arrears(loan.overdue_minor)))
    if now.months_left < rules.months_left_min:
        found.append(Reason(words.too_near_end(rules.months_left_min, now.months_left)))
    paid = loan.months - now.months_left
    if paid < rules.months_paid_min:
        found.append(Reason(words.too_new(rules.months_paid_min, paid)))
    for on in changed_on:
        again = month_after(on, rules.once_in_months).replace(day=min(on.day, 28))
        if again > today:
            found.append(Reason(words.changed_lately(on, again)))
    return found
