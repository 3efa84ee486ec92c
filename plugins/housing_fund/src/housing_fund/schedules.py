"""How a loan is paid back: schedules to the fen. Pure, whole numbers and Fractions.

The rounding rule, said once: interest of a period is balance × yearly rate × months ÷ 12, half up
to the fen; the level instalment (等额本息) and the share of principal (等额本金) are rounded half up
to the fen; the last instalment takes whatever principal is left. So the principal of a schedule
always sums to the loan.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Final, Literal

from msgspec import Struct

from shopkit.texts import half_up

Method = Literal["equal_instalments", "equal_principal"]
"""等额本息; 等额本金."""
Every = Literal[1, 12]
"""Months between two instalments: 按月, 按年."""
OTHER: Final[dict[Method, Method]] = {
    "equal_instalments": "equal_principal",
    "equal_principal": "equal_instalments",
}
YEAR: Final = 12


class Period(Struct, frozen=True):
    """Time that one instalment pays for; `rate` is the yearly one, as a part of one."""

    months: int
    rate: Fraction


class Instalment(Struct, frozen=True):
    """One payment. `until` is the number of months from the beginning to the end of its period;
    `balance_minor` is the principal that is left after it.
    """

    until: int
    payment_minor: int
    principal_minor: int
    interest_minor: int
    balance_minor: int


def lengths(months: int, every: int) -> list[int]:
    """The periods' months: whole ones, and what is left at the end."""
    whole, rest = divmod(months, every)
    return [every] * whole + ([rest] if rest else [])


def steady(months: int, every: int, rate: Fraction) -> list[Period]:
    """The periods of a loan whose rate stays."""
    return [Period(length, rate) for length in lengths(months, every)]


def level(balance_minor: int, periods: Sequence[Period]) -> Fraction:
    """The instalment that, paid at the end of each period, pays a balance off; not rounded.

    With interest i of each period: balance × Π(1 + i) ÷ Σ Π over the later ones of (1 + i).
    All in whole numbers over one denominator, for 360 exact Fractions would be slow.
    """
    over = lcm(*(YEAR * period.rate.denominator for period in periods))
    grown, paid, unit = 1, 0, 1
    for period in periods:
        factor = over + period.months * period.rate.numerator * (
            over // (YEAR * period.rate.denominator)
        )
        unit *= over
        grown *= factor
        paid = paid * factor + unit
    return Fraction(balance_minor * grown, paid)


def share(balance_minor: int, months: int, of: int) -> int:
    """The principal that falls to some of a loan's months."""
    return _nearest(balance_minor * months, of)


def _nearest(part: int, of: int) -> int:
    """A quotient, half up; on every line of every schedule, so without Fractions."""
    return (2 * part + of) // (2 * of)


def interest(balance_minor: int, period: Period) -> int:
    """What a balance costs in a period."""
    rate = period.rate
    return _nearest(balance_minor * rate.numerator * period.months, rate.denominator * YEAR)


def schedule(balance_minor: int, periods: Sequence[Period], method: Method) -> list[Instalment]:
    """Every instalment of a balance. Where the rate changes, the level one is reckoned anew."""
    total = sum(period.months for period in periods)
    whole, until, payment = balance_minor, 0, 0
    found: list[Instalment] = []
    for number, period in enumerate(periods):
        cost = interest(balance_minor, period)
        if method == "equal_principal":
            principal = share(whole, period.months, total)
        else:
            if number == 0 or period.rate != periods[number - 1].rate:
                payment = half_up(level(balance_minor, _as_now(periods[number:])))
            principal = max(payment - cost, 0)
        last = number == len(periods) - 1
        principal = balance_minor if last else min(principal, balance_minor)
        until += period.months
        balance_minor -= principal
        found.append(Instalment(until, principal + cost, principal, cost, balance_minor))
    return found


def _as_now(periods: Sequence[Period]) -> list[Period]:
    """The periods as if today's rate stayed: what an instalment is fixed by."""
    return [Period(period.months, periods[0].rate) for period in periods]


def cost(instalments: Sequence[Instalment]) -> int:
    """All the interest."""
    return sum(one.interest_minor for one in instalments)


def shortened(
    balance_minor: int, months: int, every: int, rate: Fraction, method: Method, now_minor: int
) -> int:
    """The fewest months in which a balance is paid off without paying more at a time than now.

    `now_minor` is today's level instalment or share of principal. Whole periods are taken away,
    so the day of the month or year stays; never longer than `months`.
    """

    def at_a_time(term: int) -> int:
        periods = steady(term, every, rate)
        if method == "equal_principal":
            return share(balance_minor, periods[0].months, term)
        return half_up(level(balance_minor, periods))

    least, most = 0, (months - 1) // every
    """How many periods may go."""
    while least < most:
        middle = (least + most + 1) // 2
        if at_a_time(months - middle * every) <= now_minor:
            least = middle
        else:
            most = middle - 1
    return months - least * every
