"""What the fund's own tables say about the citizen of a call."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final

from msgspec import Struct

from shopkit import Call, NotFound, sql
from shopkit.applications import applicant
from shopkit.months import month_after
from shopkit.texts import say

from . import ledger, words
from .ledger import Account, Book, Contribution, PaidOut
from .loans import Course, Loan, Terms, course, next_change
from .rates import Reason, Rules
from .rules import Facts, Taken
from .schedules import Every, Method

q: Final = sql.load(Path(__file__).with_name("queries.sql"))


class Withdrawn(Struct, frozen=True):
    """A withdrawal that was paid out."""

    on: date
    reference: str
    amount_minor: int
    closes: bool
    reason: Reason
    rent_until: date | None


class Changed(Struct, frozen=True):
    """A change of repayment that was granted."""

    on: date
    method: Method
    every: Every


class Holding(Struct, frozen=True):
    """An account and its book."""

    account: Account
    contributions: list[Contribution]
    withdrawn: list[Withdrawn]
    book: Book


class Debt(Struct, frozen=True):
    """A loan, and every later way of repaying it."""

    loan: Loan
    changed_on: list[date]
    ways: Course


async def find_holding(call: Call, rules: Rules) -> Holding | None:
    """The citizen's account as of today."""
    account = await q["account"].row(call.db, Account, holder=applicant(call))
    if account is None:
        return None
    contributions = await q["contributions"].rows(call.db, Contribution, account=account.number)
    withdrawn = await q["withdrawn"].rows(call.db, Withdrawn, account=account.number)
    paid_out = [PaidOut(w.on, w.reference, w.amount_minor, w.closes) for w in withdrawn]
    book = ledger.keep(rules, account, contributions, paid_out, call.today)
    return Holding(account, contributions, withdrawn, book)


async def holding(call: Call, rules: Rules) -> Holding:
    """The same. Raises NotFound."""
    found = await find_holding(call, rules)
    if found is None:
        raise NotFound(say(words.NO_ACCOUNT, call.lang))
    return found


async def find_debt(call: Call, rules: Rules) -> Debt | None:
    """The citizen's loan, while any of it is left."""
    loan = await q["loan"].row(call.db, Loan, holder=applicant(call))
    if loan is None:
        return None
    last = month_after(loan.granted_on, loan.months).replace(day=loan.due_day)
    if last < call.today and not loan.overdue_minor:
        return None
    changed = await q["changed"].rows(call.db, Changed, loan=loan.id)
    changes: list[Terms] = []
    ways = course(rules, loan, changes)
    for one in changed:
        changes.append(Terms(next_change(ways, one.on), one.method, one.every))
        ways = course(rules, loan, changes)
    return Debt(loan, [one.on for one in changed], ways)


async def debt(call: Call, rules: Rules) -> Debt:
    """The same. Raises NotFound."""
    found = await find_debt(call, rules)
    if found is None:
        raise NotFound(say(words.NO_LOAN, call.lang))
    return found


def facts(held: Holding, owes: Debt | None, today: date) -> Facts:
    """What a withdrawal is judged by."""
    return Facts(
        today=today,
        balance_minor=held.book.balance_minor,
        accrued_minor=held.book.accrued_minor,
        deposits_in_a_row=_in_a_row(held.book, today),
        sealed_on=held.account.sealed_on,
        has_loan=owes is not None,
        taken=[Taken(w.on, w.reason, w.amount_minor, w.rent_until) for w in held.withdrawn],
    )


def _in_a_row(book: Book, today: date) -> int:
    """Months with a deposit, one after the other, up to this month or the last one."""
    months = {entry.on.replace(day=1) for entry in book.entries if entry.kind == "deposit"}
    month = today.replace(day=1)
    month = month if month in months else month_after(month, -1)
    count = 0
    while month in months:
        count, month = count + 1, month_after(month, -1)
    return count
