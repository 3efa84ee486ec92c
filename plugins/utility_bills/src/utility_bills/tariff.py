"""The arithmetic that makes bill lines of prices and readings. Pure; whole numbers only.

Quantities are thousandths of a unit (m³, kWh, m²), prices thousandths of a fen per unit, amounts
fen. A line is quantity × price, rounded half up to the fen once; nothing else is ever rounded
but a quantity that is shared out by days, to the thousandth.

A reading period is half open: a meter read on 1 September and on 1 November measured September
and October. It is cut where prices change and where the tiers begin anew (on 1 January, or on
the first of a month), and what was used is shared out over the pieces by days: a meter that is
read every two months knows no better, and Beijing's waterworks do the same when prices change.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final

from msgspec import Struct

from shopkit.texts import half_up

from .prices import Basis, LateFee, Season, Tariff

MILLI: Final = 1_000
PPM: Final = 1_000_000
ONE_DAY: Final = timedelta(days=1)


class Usage(Struct, frozen=True):
    """What one household used from `since` until the day before `until`.

    `before_milli` is what it had used since the tiers last began anew, up to `since`.
    """

    since: date
    until: date
    quantity_milli: int
    before_milli: int = 0
    persons: int = 1


class Line(Struct, frozen=True):
    """One line of a bill: a component in a tier (from 1; 0 where it has none), for some days."""

    tariff: str
    component: str
    tier: int
    since: date
    until: date
    quantity_milli: int
    price_milli_minor: int
    amount_minor: int


def price_of(quantity_milli: int, price_milli_minor: int) -> int:
    """What a quantity costs, in fen."""
    return half_up(Fraction(quantity_milli * price_milli_minor, MILLI * MILLI))


def share(quantity_milli: int, days: int, of_days: int) -> int:
    """The part of a quantity that falls on the first `days` of its `of_days`."""
    return half_up(Fraction(quantity_milli * days, of_days))


def in_force(tariffs: Sequence[Tariff], day: date) -> Tariff:
    """The prices of a day. Raises LookupError."""
    for tariff in tariffs:
        if tariff.valid_from <= day and (tariff.valid_to is None or day <= tariff.valid_to):
            return tariff
    raise LookupError(f"no tariff is in force on {day}")


def begins(basis: Basis, day: date) -> date:
    """The day on which the tiers that count on `day` began."""
    return day.replace(day=1) if basis == "month" else day.replace(month=1, day=1)


def limits(tariff: Tariff, persons: int) -> list[int]:
    """The upper limits of the tiers for a household of so many."""
    more = tariff.per_person
    extra = max(0, persons - more.above) * more.adds_milli if more else 0
    return [upper + extra for upper in tariff.tiers_milli]


def by_tier(quantity_milli: int, before_milli: int, uppers: Sequence[int]) -> list[int]:
    """How much of a quantity lies in each tier, when `before_milli` was used already."""
    edges = [0, *uppers]
    end = before_milli + quantity_milli
    return [
        max(0, (end if upper is None else min(end, upper)) - max(before_milli, lower))
        for lower, upper in zip(edges, [*uppers, None], strict=True)
    ]


def charge(tariffs: Sequence[Tariff], usage: Usage) -> list[Line]:
    """The bill lines for what a meter measured. Raises LookupError."""
    all_days = (usage.until - usage.since).days
    lines: list[Line] = []
    basis, before, used = None, usage.before_milli, 0
    for since, until in pairwise(_cuts(tariffs, usage.since, usage.until)):
        tariff = in_force(tariffs, since)
        if since == begins(tariff.basis, since) or basis not in (None, tariff.basis):
            before = 0
        up_to = share(usage.quantity_milli, (until - usage.since).days, all_days)
        piece = Usage(since, until, up_to - used, before, usage.persons)
        lines += _priced(tariff, piece)
        basis, before, used = tariff.basis, before + piece.quantity_milli, up_to
    return lines


def _cuts(tariffs: Sequence[Tariff], since: date, until: date) -> list[date]:
    """The period's two ends, and each day between them on which prices or tiers begin."""
    days = {t.valid_from for t in tariffs}
    days |= {t.valid_to + ONE_DAY for t in tariffs if t.valid_to}
    month = (since.replace(day=1) + timedelta(days=32)).replace(day=1)
    while month < until:
        if begins(in_force(tariffs, month).basis, month) == month:
            days.add(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return [since, *sorted(day for day in days if since < day < until), until]


def _priced(tariff: Tariff, usage: Usage) -> list[Line]:
    """One piece's lines: every component, tier by tier where its price depends on the tier."""
    tiers = by_tier(usage.quantity_milli, usage.before_milli, limits(tariff, usage.persons))
    lines: list[Line] = []
    for part in tariff.components:
        prices = part.prices_milli_minor
        flat = len(prices) == 1
        quantities = [usage.quantity_milli] if flat else tiers
        for n, (quantity, price) in enumerate(zip(quantities, prices, strict=True)):
            if quantity:
                lines.append(
                    Line(
                        tariff=tariff.id,
                        component=part.id,
                        tier=0 if flat else n + 1,
                        since=usage.since,
                        until=usage.until,
                        quantity_milli=quantity,
                        price_milli_minor=price,
                        amount_minor=price_of(quantity, price),
                    )
                )
    return lines


def season(rule: Season, year: int) -> tuple[date, date]:
    """The heating season that begins in `year`, half open like every period."""
    first = date.fromisoformat(f"{year}-{rule.first}")
    last = date.fromisoformat(f"{year + (rule.last < rule.first)}-{rule.last}")
    return first, last + ONE_DAY


def charge_season(
    tariffs: Sequence[Tariff], whole: tuple[date, date], area_milli: int, since: date, until: date
) -> list[Line]:
    """The lines for heating `area_milli` on the days of a season from `since` to before `until`.

    The season's price is shared out by days, as the model contract does for days without heat.
    Raises LookupError.
    """
    tariff = in_force(tariffs, whole[0])
    days, of_days = (until - since).days, (whole[1] - whole[0]).days
    lines: list[Line] = []
    for part in tariff.components:
        price = part.prices_milli_minor[0]
        amount = half_up(Fraction(area_milli * price * days, MILLI * MILLI * of_days))
        lines.append(Line(tariff.id, part.id, 0, since, until, area_milli, price, amount))
    return lines


def late_fee(rule: LateFee, principal_minor: int, due_on: date, on: date) -> int:
    """What is owed on top when a bill is paid on `on`: simple, by day, never above the principal.

    The first day after `due_on` is the first that counts. The ceiling is the one that the
    Administrative Enforcement Law (art. 45) sets for what authorities take, kept here too.
    """
    days = (on - due_on).days
    if days <= 0:
        return 0
    fee = half_up(Fraction(principal_minor * rule.rate_ppm_per_day * days, PPM))
    return min(principal_minor, max(fee, rule.at_least_minor))
