"""Decisions of mandates: states, days, and which bills belong to one. Pure.

Announcing before each debit, a cap and revoking at any time are the platform's own promise; the days
and tries are its choice.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final, Literal, get_args

from civicmall.kernel.clock import CITY
from shopkit import Bill, Text

MandateState = Literal["waiting", "active", "paused", "revoked", "ended"]
MandateEvent = Literal["agree", "lapse", "pause", "resume", "revoke", "end"]
DebitState = Literal[
    "found", "announced", "debiting", "paid", "skipped", "held", "stopped", "failed"
]
DebitEvent = Literal["remind", "redate", "start", "pay", "decline", "skip", "hold", "stop", "fail"]

MOVES: Final[dict[tuple[MandateState, MandateEvent], MandateState]] = {
    ("waiting", "agree"): "active",
    ("waiting", "lapse"): "ended",
    ("active", "pause"): "paused",
    ("paused", "resume"): "active",
    ("waiting", "revoke"): "revoked",
    ("active", "revoke"): "revoked",
    ("paused", "revoke"): "revoked",
    ("waiting", "end"): "ended",
    ("active", "end"): "ended",
    ("paused", "end"): "ended",
}
"""(state, event) → next state; what isn't here can't happen. A CHECK holds the same pairs."""
DEBITS: Final[dict[tuple[DebitState, DebitEvent], DebitState]] = {
    ("found", "remind"): "announced",
    ("found", "redate"): "found",
    ("announced", "redate"): "found",
    ("announced", "start"): "debiting",
    ("announced", "skip"): "skipped",
    ("announced", "hold"): "held",
    ("announced", "fail"): "failed",
    ("found", "stop"): "stopped",
    ("announced", "stop"): "stopped",
    ("debiting", "pay"): "paid",
    ("debiting", "decline"): "announced",
    ("debiting", "skip"): "skipped",
    ("debiting", "stop"): "stopped",
    ("debiting", "fail"): "failed",
}
"""The same for one bill of a mandate. It begins as `found`, or as `held` where it is over a cap."""
LIVE: Final[tuple[MandateState, ...]] = ("waiting", "active", "paused")
STATES: Final[tuple[MandateState, ...]] = get_args(MandateState)
DEBIT_STATES: Final[tuple[DebitState, ...]] = get_args(DebitState)

LEVEL_MIN: Final = 2
"""Money leaves without anybody present: only for whom the register knows."""
LIVE_MAX: Final = 50
"""Live mandates of one citizen; a household has a dozen kinds of bills."""
CAP_MAX_MINOR: Final = 50_000_00
"""One debit, at most: whoever pays more in one go should look at it."""
MONTH_CAP_MAX_MINOR: Final = 200_000_00
REMIND_DAYS_MIN: Final = 3
"""Whole days between reminder and debit, at least; the table's CHECK says the same."""
REMIND_DAYS_MAX: Final = 7
"""Nobody remembers an earlier one, and the amount may change until then."""
RETRY_DAYS: Final = 2
"""A declined debit is tried again on as many days after the announced one."""
DAY_FROM: Final = time(8)
DAY_UNTIL: Final = time(20)
"""Whoever is debited should be awake to see it."""
LOOKS_SPREAD: Final = timedelta(hours=6)
"""A day's looks at bills are spread over the morning and noon, bucket by bucket."""
BUCKETS: Final = 256
CONFIRM_WITHIN: Final = timedelta(days=1)
"""How long a mandate may wait to be confirmed at the channel."""


def after(state: MandateState, event: MandateEvent) -> MandateState | None:
    """The next state, or None where this can't happen."""
    return MOVES.get((state, event))


def before(event: MandateEvent) -> list[MandateState]:
    """The states in which an event can happen."""
    return [state for state, known in MOVES if known == event]


def city(at: datetime) -> datetime:
    """An instant in the city's time."""
    return at.astimezone(CITY)


def daytime(now: datetime) -> bool:
    """Whether bills may be looked at and debited."""
    return DAY_FROM <= city(now).time() < DAY_UNTIL


def month_of(day: date) -> date:
    """The first day of a day's calendar month."""
    return day.replace(day=1)


def debit_day(today: date, due_on: date) -> date:
    """The day of a bill's debit: so that both retries still come by the due day, where there is time."""
    return max(today + timedelta(days=REMIND_DAYS_MIN), due_on - timedelta(days=RETRY_DAYS))


def to_announce(today: date, debit_on: date) -> bool:
    """Whether the reminder goes out now: neither too late nor too early."""
    return REMIND_DAYS_MIN <= (debit_on - today).days <= REMIND_DAYS_MAX


def retry_on(today: date, debit_on: date, tries: int) -> date | None:
    """The next day for a debit that was declined; None where there is none left."""
    following = today + timedelta(days=1)
    last = debit_on + timedelta(days=RETRY_DAYS)
    return following if tries <= RETRY_DAYS and following <= last else None


def morning(day: date, bucket: int) -> datetime:
    """When a bucket's turn comes on a day, in the city's time."""
    start = datetime.combine(day, DAY_FROM, CITY)
    return start + LOOKS_SPREAD * bucket / BUCKETS


def is_for(bill_beneficiary: Text, beneficiary: str) -> bool:
    """Whether a bill is for whom a mandate is; an empty one is for all."""
    return not beneficiary or beneficiary in bill_beneficiary.values()


def wanted(bills: list[Bill], beneficiary: str, today: date, ends_on: date | None) -> list[Bill]:
    """The bills that a mandate's next look is about: owed, its own, and due soon enough."""
    return [
        bill
        for bill in bills
        if bill.state != "paid"
        and bill.amount_minor > 0
        and is_for(bill.beneficiary, beneficiary)
        and to_announce(today, day := debit_day(today, bill.due_on))
        and (ends_on is None or day <= ends_on)
    ]


def over(amount_minor: int, cap_minor: int, month_cap_minor: int) -> str:
    """Which cap an amount is over by itself, as a word; empty where none."""
    if amount_minor > cap_minor:
        return "over_cap"
    return "over_month" if amount_minor > month_cap_minor else ""


def fault(
    cap_minor: int, month_cap_minor: int, ends_on: date | None, today: date
) -> dict[str, str]:
    """What is wrong with a new mandate, as a field and a word; empty where nothing is."""
    if month_cap_minor < cap_minor:
        return {"field": "month_cap_minor", "problem": "below-cap"}
    if ends_on is not None and ends_on < today + timedelta(days=REMIND_DAYS_MIN):
        return {"field": "ends_on", "problem": "too-soon"}
    return {}
