"""Decisions of the case room: what a case may become, what a paper may be, when a shop is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from shopkit.contract import Material, Media, Outcome, Progress
from shopkit.forms import Form, Wrong, wrong

State = Literal[
    "submitted", "pending", "running", "waiting_for_citizen", "ready", "finished", "refused",
    "withdrawn", "void",
]  # fmt: skip
Move = Literal[
    "submit", "defer", "accept", "refuse", "void", "ask", "supplement", "take", "resume", "ready",
    "finish", "withdraw", "overdue",
]  # fmt: skip
Actor = Literal["citizen", "department", "platform"]
Action = Literal["supplement", "withdraw", "rate"]

MOVES: Final[dict[tuple[State, Move], State]] = {
    ("submitted", "defer"): "pending",
    ("submitted", "accept"): "running",
    ("submitted", "refuse"): "refused",
    ("submitted", "void"): "void",
    ("pending", "defer"): "pending",
    ("pending", "overdue"): "pending",
    ("pending", "accept"): "running",
    ("pending", "refuse"): "refused",
    ("pending", "withdraw"): "withdrawn",
    ("running", "ask"): "waiting_for_citizen",
    ("running", "take"): "running",
    ("running", "ready"): "ready",
    ("running", "finish"): "finished",
    ("running", "refuse"): "refused",
    ("running", "withdraw"): "withdrawn",
    ("waiting_for_citizen", "supplement"): "running",
    ("waiting_for_citizen", "resume"): "running",
    ("waiting_for_citizen", "ready"): "ready",
    ("waiting_for_citizen", "finish"): "finished",
    ("waiting_for_citizen", "refuse"): "refused",
    ("waiting_for_citizen", "withdraw"): "withdrawn",
    ("ready", "ask"): "waiting_for_citizen",
    ("ready", "resume"): "running",
    ("ready", "finish"): "finished",
    ("ready", "refuse"): "refused",
}
"""Every step there is; whatever isn't here is refused by the statement that writes.

`void` is a form whose values the department found not to fit together while the citizen waited:
they mend it and submit anew, so it never shows among their cases.
"""

STATES: Final[tuple[State, ...]] = get_args(State)
UNANSWERED: Final[frozenset[State]] = frozenset({"submitted", "pending"})
FOLLOWED: Final[frozenset[State]] = frozenset({"running", "waiting_for_citizen", "ready"})
"""States in which the shop says how it stands."""
CLOSED: Final[frozenset[State]] = frozenset({"finished", "refused", "withdrawn", "void"})

MATERIAL_MAX: Final = 4 * 1024 * 1024
"""Bytes of one paper: a phone's photograph, or some twenty scanned pages."""
CASE_BYTES_MAX: Final = 32 * 1024 * 1024
"""Bytes of all papers of one case; more belongs on the department's counter."""
FREE_MAX: Final = 30
"""Papers of one citizen that wait for a case: as many as a form may ask for."""
FREE_BYTES_MAX: Final = CASE_BYTES_MAX
DRAFT_HOURS: Final = 24
"""How long a paper waits for its case; it is personal, so no longer than somebody needs to fill in."""
CASES_A_DAY: Final = 20
"""Cases of one citizen in 24 hours. Each may bring CASE_BYTES_MAX: without a limit one person could
fill the disk of a city in an evening."""
STEPS_MAX: Final = 200
"""Steps of one case after which a department that only moves it to and fro isn't followed: each step
is a line and a message to the citizen. With all its supplements a case takes some seventy."""
TO_AND_FRO: Final[frozenset[Move]] = frozenset({"defer", "ask", "resume", "ready"})
"""Steps that a department may take again and again."""
SUPPLEMENTS_MAX: Final = 20
"""How often a case may be supplemented; afterwards people should speak to each other."""

FIRST_RETRY_S: Final = 40.0
"""Before this the first request is still on its way: a shop may take 30 seconds."""
RETRY_MAX_S: Final = 3600.0
SYNC_MIN_S: Final = 1800.0
SYNC_MAX_S: Final = 6 * 3600.0
OVERDUE_ASK_S: Final = 6 * 3600.0
"""How often a shop that broke its word is asked again."""

MAGIC: Final[dict[Media, bytes]] = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
"""What a file of a kind begins with (ISO 32000, ITU-T T.81, ISO/IEC 15948)."""


def sources(move: Move) -> list[State]:
    """The states that a move may start from."""
    return [state for state, by in MOVES if by == move]


def target(move: Move) -> State:
    """The state that a move leads to; each has one."""
    return next(end for (_, by), end in MOVES.items() if by == move)


def after(state: State, move: Move) -> State | None:
    """What a case becomes, or None where that can't happen."""
    return MOVES.get((state, move))


def may(state: State, *, referenced: bool) -> list[Action]:
    """What the citizen may do now; a case without the department's number can't be withdrawn yet."""
    found: list[Action] = []
    if after(state, "supplement"):
        found.append("supplement")
    if after(state, "withdraw") and referenced:
        found.append("withdraw")
    if state in {"finished", "refused"}:
        found.append("rate")
    return found


def verdict(outcome: Outcome) -> Move:
    """The move that a department's answer to an application is."""
    match outcome.state:
        case "accepted":
            return "accept"
        case "pending":
            return "defer"
        case "refused":
            return "refuse"


def heard(state: State, progress: Progress) -> Move | None:
    """The move that a shop's account of a case is; None where it changes nothing."""
    moves: dict[str, Move] = {
        "running": "resume",
        "waiting_for_citizen": "ask",
        "ready": "ready",
        "finished": "finish",
        "refused": "refuse",
    }
    move = moves[progress.state]
    return move if (state, move) in MOVES else None


def fits(media: Media, body: bytes) -> bool:
    """Whether a file begins as its kind does."""
    return body.startswith(MAGIC[media])


class Given(Struct, frozen=True):
    """A paper that goes with a form: which one it is, and what kind of file."""

    code: str
    media: Media
    size: int


def wrong_papers(
    asked: Iterable[Material], given: Iterable[Given], *, complete: bool = True
) -> list[Wrong]:
    """What is wrong with the papers of a form. With `complete` none that is required is missing."""
    known = {material.code: material for material in asked}
    found: list[Wrong] = []
    seen: set[str] = set()
    for paper in given:
        field = f"materials.{paper.code}"
        material = known.get(paper.code)
        if material is None:
            found.append(Wrong(field, "not a material of this form"))
        elif paper.media not in material.media:
            found.append(Wrong(field, f"not one of {', '.join(material.media)}"))
        if paper.code in seen:
            found.append(Wrong(field, "stands twice"))
        seen.add(paper.code)
    if complete:
        found += [
            Wrong(f"materials.{code}", "required")
            for code, material in known.items()
            if material.required and code not in seen
        ]
    return found


def wrong_values(form: Form, values: Mapping[str, Any], *, complete: bool = True) -> list[Wrong]:
    """What is wrong with a filled form; without `complete` fields may be missing."""
    if not complete:
        form = msgspec.structs.replace(form, required=[])
    return wrong(form, values)


def retry_wait(tries: int) -> timedelta:
    """How long to wait before a shop that didn't answer is asked again."""
    return timedelta(seconds=min(FIRST_RETRY_S * 2 ** min(tries, 10), RETRY_MAX_S))


def sync_wait(age: timedelta) -> timedelta:
    """How long to wait before an open case is looked at again: the older, the slower."""
    seconds = min(max(age.total_seconds() / 24, SYNC_MIN_S), SYNC_MAX_S)
    return timedelta(seconds=seconds)
