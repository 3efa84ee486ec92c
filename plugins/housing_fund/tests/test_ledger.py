"""The book of an account, against a day-by-day oracle."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from housing_fund.ledger import Account, Book, Contribution, PaidOut, keep
from housing_fund.rates import DepositRate, Rules
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

OPENED = date(2023, 2, 1)
MONTHLY = Contribution(date(2023, 2, 1), 1_000_000, 12, 10)


def account(opening: int = 0, day: int = 10, sealed_on: date | None = None) -> Account:
    return Account("1", OPENED, opening, day, sealed_on)


def by_day(rules: Rules, book: Book, until: date) -> tuple[list[int], Fraction]:
    """Interest of each settlement, one day after the other, from the book's own moves of money."""
    moves: dict[date, int] = {}
    for entry in book.entries:
        if entry.kind != "interest":
            moves[entry.on] = moves.get(entry.on, 0) + entry.amount_minor
    balance, earned, settled = 0, Fraction(0), list[int]()
    day = book.entries[0].on
    while day < until or (day == until and (day.month, day.day) == (6, 30)):
        balance += moves.get(day, 0)
        percent = next(r.percent for r in reversed(rules.deposit_rates) if r.valid_from <= day)
        earned += balance * Fraction(percent) / 100 / 360
        if (day.month, day.day) == (6, 30):
            settled.append(int(earned + Fraction(1, 2)))
            balance += settled[-1]
            earned = Fraction(0)
        day += timedelta(days=1)
    return settled, earned


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000_000), st.integers(1, 28),
    st.dates(date(2023, 2, 2), date(2026, 11, 25)),
    st.lists(st.tuples(st.dates(date(2023, 8, 1), date(2026, 11, 1)), st.integers(1, 300_000)), max_size=3),
    st.dates(date(2024, 1, 1), date(2026, 1, 1)),
)  # fmt: skip
def test_interest_is_earned_day_by_day(
    rules: Rules, opening: int, day: int, until: date, paid: list[tuple[date, int]], cut: date
) -> None:
    """Also where the rate changes in the middle of a year."""
    rules = replace(rules, deposit_rates=[*rules.deposit_rates, DepositRate(cut, "1.1", "x")])
    out = [PaidOut(on, f"w{n}", amount, closes=False) for n, (on, amount) in enumerate(paid)]
    book = keep(rules, account(opening, day), [MONTHLY], out, until)
    settled, accrued = by_day(rules, book, until)
    assert [e.amount_minor for e in book.entries if e.kind == "interest"] == settled
    assert book.accrued_minor == int(accrued + Fraction(1, 2))
    assert book.balance_minor == sum(entry.amount_minor for entry in book.entries)


def test_a_deposit_is_both_shares_of_the_wage_base(rules: Rules) -> None:
    book = keep(rules, account(), [MONTHLY], [], date(2023, 4, 10))
    found = [e for e in book.entries if e.kind == "deposit"]
    assert [(e.employer_minor, e.employee_minor, e.balance_minor) for e in found] == [
        (120_000, 100_000, 220_000),
        (120_000, 100_000, 440_000),
    ]
    assert [e.on for e in found] == [date(2023, 3, 10), date(2023, 4, 10)]


def test_a_new_wage_base_holds_from_its_month(rules: Rules) -> None:
    raised = Contribution(date(2023, 4, 1), 1_100_001, 12, 12)
    book = keep(rules, account(), [MONTHLY, raised], [], date(2023, 4, 30))
    assert [e.amount_minor for e in book.entries if e.kind == "deposit"] == [220_000, 264_000]


def test_a_sealed_account_takes_no_deposits_but_earns(rules: Rules) -> None:
    book = keep(rules, account(360_000, sealed_on=date(2023, 3, 10)), [MONTHLY], [], date(2024, 6, 30))  # fmt: skip
    assert [(e.on, e.kind, e.amount_minor) for e in book.entries] == [
        (date(2023, 2, 1), "opening", 360_000),
        (date(2023, 6, 30), "interest", 2_250),  # 150 days of 15 fen
        (date(2024, 6, 30), "interest", 5_524),  # 366 days of 362,250 × 1.5 % ÷ 360
    ]


def test_closing_takes_everything_with_the_interest_of_the_day(rules: Rules) -> None:
    out = PaidOut(date(2023, 4, 2), "TQ1", 0, closes=True)
    book = keep(rules, account(360_000, sealed_on=date(2023, 2, 2)), [], [out], date(2026, 1, 1))
    assert [(e.kind, e.amount_minor, e.balance_minor) for e in book.entries] == [
        ("opening", 360_000, 360_000),
        ("interest", 900, 360_900),
        ("withdrawal", -360_900, 0),
    ]
    assert book.closed
    assert book.accrued_minor == 0


def test_before_its_first_settlement_an_account_has_only_accrued(rules: Rules) -> None:
    book = keep(rules, account(360_000, sealed_on=date(2023, 2, 2)), [], [], date(2023, 2, 11))
    assert (book.balance_minor, book.accrued_minor) == (360_000, 150)
