"""Decisions of reconciliation: which days, which outcomes mean what. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from civicmall.kernel.clock import CITY
from civicmall.payments.tickets import TicketKind

from .models import GapSum, Outcome, Part

READY: Final = time(10)
"""When channels have the day before ready (WeChat Pay: from ten; Alipay: from nine), in the city."""
CATCH_UP_DAYS: Final = 7
"""How far back a day that was missed is still fetched, and one waits for the day beside it."""
OLDER_DAYS: Final = 31
"""How much earlier than it ended a refund may stand in a statement: channels list it when it begins."""
TICKETS: Final[tuple[TicketKind, ...]] = (
    "missing_here", "missing_there", "statement_amount_differs",
    "refund_missing_here", "refund_missing_there", "refund_amount_differs", "bad_row",
)  # fmt: skip
"""What a look at a statement opens, and a later look at the same day settles."""
REPAIRED: Final = {"missing_here": "repaired", "refund_pending": "refund_repaired"}
"""What mends itself, and what it is called then."""


def start_of(day: date) -> datetime:
    """The first instant of a business day."""
    return datetime.combine(day, time.min, CITY).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The first instant that is no more of it."""
    return start_of(day_after(day))


def day_before(day: date) -> date:
    """Yesterday, as of that day."""
    return day - timedelta(days=1)


def day_after(day: date) -> date:
    """Tomorrow, as of that day."""
    return day + timedelta(days=1)


def wanted_days(now: datetime, known: Iterable[date], first: date | None) -> list[date]:
    """The days whose statement should be there by now and was not matched, newest first.

    `first` is the first day that the channel was ever reconciled for; without one, there is no past
    to catch up with.
    """
    here = now.astimezone(CITY)
    last = here.date() - timedelta(days=1 if here.time() >= READY else 2)
    done = set(known)
    days = (last - timedelta(days=back) for back in range(CATCH_UP_DAYS))
    return [day for day in days if day not in done and day >= min(first or last, last)]


def waits_for(
    day: date, beside: Iterable[date], first: date | None, today: date
) -> tuple[bool, bool]:
    """Whether what lies near the day's start, or its end, waits for the day before, or after.

    Not for one that nobody will read any more: from before the first statement, or too long ago.
    """
    read = set(beside)
    before, after = day_before(day), day_after(day)
    oldest = today - timedelta(days=CATCH_UP_DAYS)
    wait_before = before not in read and first is not None and before >= max(first, oldest)
    return wait_before, after not in read and after >= oldest


def outcomes(parts: Iterable[Part], gaps: Iterable[GapSum]) -> list[Outcome]:
    """All buckets together; gaps that were mended have a name of their own."""
    sums: dict[str, tuple[int, int, int]] = {}
    for part in parts:
        each = zip(part.outcomes, part.counts, part.there, part.here, strict=True)
        for name, many, there, here in each:
            _add(sums, name, many, there, here)
    for gap in gaps:
        name = named(gap)
        if name != gap.kind:
            there = -gap.there_minor if gap.kind.startswith("refund") else gap.there_minor
            _add(sums, gap.kind, -gap.many, -there, 0)
            _add(sums, name, gap.many, there, 0)
    return [Outcome(name, *sums[name]) for name in sorted(sums) if any(sums[name])]


def named(gap: GapSum) -> str:
    """What such gaps are called once something was done about them."""
    if gap.outcome == "repaired":
        return REPAIRED[gap.kind]
    if gap.outcome == "begun":
        return "refund_begun"
    if gap.outcome == "ticket" and gap.kind == "refund_pending":
        return "refund_missing_here"  # money that moved there and could not be booked here
    return gap.kind


def _add(
    sums: dict[str, tuple[int, int, int]], name: str, many: int, there: int, here: int
) -> None:
    was = sums.get(name, (0, 0, 0))
    sums[name] = was[0] + many, was[1] + there, was[2] + here


def difference(found: Iterable[Outcome]) -> tuple[int, int]:
    """What the channel has more than we: explained by itself, and by tickets."""
    explained = ticketed = 0
    for one in found:
        if one.outcome in TICKETS:
            ticketed += one.there_minor - one.here_minor
        else:
            explained += one.there_minor - one.here_minor
    return explained, ticketed


def sums(found: Iterable[Outcome]) -> tuple[int, int]:
    """The day there and here."""
    rows = list(found)
    return sum(one.there_minor for one in rows), sum(one.here_minor for one in rows)
