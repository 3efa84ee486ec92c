"""Decisions of the rating centre: who may move a ticket where, deadlines, limits, the index."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from civicmall.kernel import calendar
from civicmall.kernel.calendar import DueDate
from civicmall.kernel.clock import CITY

State = Literal[
    "open", "registered", "fixed", "explained", "reopened", "confirmed", "appealed", "excluded"
]
Move = Literal[
    "open", "register", "fix", "explain", "confirm", "reopen", "appeal", "uphold", "reject",
    "remind", "overdue", "redate",
]  # fmt: skip
Actor = Literal["citizen", "department", "operator", "platform"]
Turn = Literal["department", "citizen", "operator", "nobody"]

MOVES: Final[dict[tuple[State, Move], State]] = {
    ("open", "register"): "registered",
    ("open", "fix"): "fixed",
    ("open", "explain"): "explained",
    ("open", "appeal"): "appealed",
    ("registered", "fix"): "fixed",
    ("registered", "explain"): "explained",
    ("registered", "appeal"): "appealed",
    ("reopened", "register"): "registered",
    ("reopened", "fix"): "fixed",
    ("reopened", "explain"): "explained",
    ("reopened", "appeal"): "appealed",
    ("fixed", "confirm"): "confirmed",
    ("fixed", "reopen"): "reopened",
    ("explained", "confirm"): "confirmed",
    ("explained", "reopen"): "reopened",
    ("appealed", "uphold"): "excluded",
    ("appealed", "reject"): "open",
}
"""Every step there is; whatever isn't here is refused by the statement that writes."""

TURN: Final[dict[State, Turn]] = {
    "open": "department",
    "registered": "department",
    "reopened": "department",
    "fixed": "citizen",
    "explained": "citizen",
    "appealed": "operator",
    "confirmed": "nobody",
    "excluded": "nobody",
}
"""Who has to act. The department's clock runs only while it is the department."""

WHO: Final[dict[Move, Actor]] = {
    "register": "department",
    "fix": "department",
    "explain": "department",
    "appeal": "department",
    "confirm": "citizen",
    "reopen": "citizen",
    "uphold": "operator",
    "reject": "operator",
    "remind": "operator",
}

DUE_DAYS: Final = 15
"""Working days to put a bad rating right. The State Council leaves the term to the provinces
(Guo Ban Fa [2019] No. 51: complex cases get a date); in Sichuan it is 15 working days (reported at
spprec.com, 19 May 2020), elsewhere five. Registering a case as complex doesn't add to it."""
REOPEN_MAX: Final = 3
"""How often a citizen may send an answer back. After the third both have said everything there
is to say to each other; the operator sees the count and supervises."""
APPEALS_MAX: Final = 1
"""A rating is reviewed once: a department that could ask again would ask until it won."""
BAD_MAX: Final = 2
"""Stars up to which a rating is bad (差评): dissatisfied and very dissatisfied."""
SATISFIED_MIN: Final = 3
"""Stars from which somebody counts as satisfied: 基本满意 is the lowest of the three good levels."""
ENOUGH: Final = 30
"""Ratings from which a shop gets a level. At 30 the interval of the satisfied share spans up to
0.337, a third of the scale; with fewer it is wider still, and a name would claim too much."""
INDEX_MONTHS: Final = 12
"""Months that the index looks back on: departments are assessed by the year."""
Z: Final = 1.959963984540054
"""The normal distribution's 97.5 % point: an interval of 95 %."""


def sources(move: Move) -> list[State]:
    """The states that a move may start from."""
    return [state for state, by in MOVES if by == move]


def target(move: Move) -> State:
    """The state that a move leads to; each has one."""
    return next(after for (_, by), after in MOVES.items() if by == move)


def may(state: State, actor: Actor, *, reopened: int, appeals: int) -> list[Move]:
    """What an actor may do to a ticket now, in the order of MOVES; for buttons and problems."""
    found: list[Move] = [
        move
        for (before, move) in MOVES
        if before == state
        and WHO[move] == actor
        and not (move == "reopen" and reopened >= REOPEN_MAX)
        and not (move == "appeal" and appeals >= APPEALS_MAX)
    ]
    if actor == "operator" and TURN[state] == "department":
        found.append("remind")
    return found


def is_bad(stars: int) -> bool:
    """Whether a rating opens a ticket."""
    return stars <= BAD_MAX


def due(counted_from: date, paused_days: int = 0) -> DueDate:
    """When an answer is due: DUE_DAYS working days, and those for which the clock stood still."""
    return calendar.add_working_days(counted_from, DUE_DAYS + paused_days)


def month_of(at: datetime) -> date:
    """The first day of the city's month in which an instant lies."""
    return at.astimezone(CITY).date().replace(day=1)


def first_month(today: date) -> date:
    """The oldest month that the index looks at."""
    months = today.year * 12 + today.month - INDEX_MONTHS
    return date(months // 12, months % 12 + 1, 1)


def pseudonym(key: bytes, citizen_id: UUID, shop: str) -> str:
    """What a citizen is called at a shop's desk: the same each time, another in each shop."""
    digest = hmac.new(key, citizen_id.bytes + shop.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:5]).decode()


class Tally(Struct, frozen=True):
    """Counts of one shop over some time: ratings by stars, tickets by how they went."""

    s1: int = 0
    s2: int = 0
    s3: int = 0
    s4: int = 0
    s5: int = 0
    opened: int = 0
    answered: int = 0
    on_time: int = 0
    late: int = 0
    confirmed: int = 0

    @property
    def stars(self) -> tuple[int, int, int, int, int]:
        """How many gave one star, two, … five."""
        return self.s1, self.s2, self.s3, self.s4, self.s5

    @property
    def n(self) -> int:
        """How many ratings."""
        return sum(self.stars)


def total(tallies: Iterable[Tally]) -> Tally:
    """Several months as one."""
    rows = [(*t.stars, t.opened, t.answered, t.on_time, t.late, t.confirmed) for t in tallies]
    return Tally(*(sum(column) for column in zip(*rows, strict=True)))


class Interval(Struct, frozen=True):
    """A share and where it truly lies, with 95 % confidence. All from 0 to 1."""

    share: float
    low: float
    high: float


def wilson(hits: int, n: int) -> Interval | None:
    """The score interval of a share (E. B. Wilson, JASA 22 (1927) 209-212); None of nothing.

    Unlike the textbook's `p ± z·√(p(1-p)/n)` it stays within 0 to 1 and keeps its promise for
    few ratings and for shares near either end, which is where shops are.
    """
    if n <= 0:
        return None
    share = hits / n
    spread = Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    # Rounding must not push the share itself out of its interval at 0 and 1.
    return Interval(share, max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share)))


def satisfied(tally: Tally) -> Interval | None:
    """The share of ratings that were satisfied, three stars or more."""
    return wilson(sum(tally.stars[SATISFIED_MIN - 1 :]), tally.n)


def mean(tally: Tally) -> float | None:
    """Mean stars, 1 to 5; None where nobody rated."""
    if tally.n == 0:
        return None
    return sum(stars * count for stars, count in enumerate(tally.stars, 1)) / tally.n


def level(tally: Tally) -> int | None:
    """The level that names the mean, as stars; None while there are too few ratings to name it.

    A mean half way between two levels gets the lower name.
    """
    found = mean(tally)
    if found is None or tally.n < ENOUGH:
        return None
    return math.ceil(found - 0.5)


def share(part: int, whole: int) -> float | None:
    """Part of a whole, None of nothing."""
    return part / whole if whole else None


def wrong_tags(
    allowed: Mapping[str, Iterable[int]], stars: int, tags: list[str]
) -> list[tuple[int, str]]:
    """Position and fault of each tag that can't stand in a rating of so many stars.

    `allowed` is tag → the stars it belongs to.
    """
    found: list[tuple[int, str]] = []
    for i, tag in enumerate(tags):
        if tag not in allowed:
            found.append((i, "there is no such tag"))
        elif stars not in allowed[tag]:
            found.append((i, f"this tag doesn't belong to {stars} stars"))
        elif tag in tags[:i]:
            found.append((i, "this tag stands twice"))
    return found


class Score(Struct, frozen=True):
    """What one ticket adds to its month's counts."""

    opened: bool
    answered: bool
    on_time: bool
    late: bool
    confirmed: bool


def score(state: State, *, late: bool) -> Score:
    """How a ticket counts. An unanswered one counts as late only once its day has passed, and
    one whose rating was excluded doesn't count at all.
    """
    if state == "excluded":
        return Score(opened=False, answered=False, on_time=False, late=False, confirmed=False)
    answered = state in {"fixed", "explained", "confirmed"}
    return Score(
        opened=True,
        answered=answered,
        on_time=answered and not late,
        late=late,
        confirmed=state == "confirmed",
    )
