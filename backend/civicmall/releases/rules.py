"""Decisions about releases: what may become of one and by whom, and which version is higher. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, get_args
from uuid import UUID

from civicmall.identity import Role, Staff
from shopkit import Manifest
from shopkit.manifest import Http

from .models import Checked, ReleaseRow

State = Literal[
    "draft", "submitted", "approved", "rejected", "canary", "live", "replaced", "suspended",
    "retired", "withdrawn",
]  # fmt: skip
Move = Literal[
    "submit", "deploy", "approve", "reject", "canary", "publish", "suspend", "resume", "retire",
    "rollback", "restore", "replace", "drop",
]  # fmt: skip
Actor = Literal["department", "operator", "platform"]

MOVES: Final[dict[tuple[State, Move], State]] = {
    ("draft", "submit"): "submitted",
    ("draft", "deploy"): "live",
    ("submitted", "approve"): "approved",
    ("submitted", "reject"): "rejected",
    ("approved", "reject"): "rejected",
    ("approved", "canary"): "canary",
    ("canary", "canary"): "canary",
    ("approved", "publish"): "live",
    ("canary", "publish"): "live",
    ("live", "suspend"): "suspended",
    ("suspended", "resume"): "live",
    ("live", "retire"): "retired",
    ("suspended", "retire"): "retired",
    ("canary", "rollback"): "withdrawn",
    ("live", "rollback"): "withdrawn",
    ("suspended", "rollback"): "withdrawn",
    ("replaced", "restore"): "live",
    ("live", "replace"): "replaced",
    ("live", "drop"): "withdrawn",
    ("suspended", "drop"): "withdrawn",
    ("canary", "drop"): "withdrawn",
    ("replaced", "drop"): "withdrawn",
    ("replaced", "deploy"): "live",
    ("withdrawn", "deploy"): "live",
}
"""Every step there is; the table of steps has the same list as a CHECK. A draft lies with its
author and nowhere here. `replaced` can come back by a rollback, `withdrawn` was taken out of
service for a reason and can't."""

WHO: Final[dict[Move, Actor]] = {
    "submit": "department",
    "approve": "operator",
    "reject": "operator",
    "canary": "operator",
    "publish": "operator",
    "suspend": "operator",
    "resume": "operator",
    "retire": "operator",
    "rollback": "operator",
    "deploy": "platform",
    "restore": "platform",
    "replace": "platform",
    "drop": "platform",
}
"""What the platform does follows from what somebody else did."""

AS: Final[dict[Role, Actor]] = {"manager": "department", "operator": "operator"}
"""As whom staff take steps; agents and auditors only look."""

FOUR_EYES: Final[frozenset[Move]] = frozenset({"canary", "publish"})
"""What puts a version before citizens is done by somebody who neither wrote nor approved it.
Taking one away (suspend, rollback) needs nobody else: it is what makes things safe again, and
must not wait for a colleague at night."""
REASONED: Final[frozenset[Move]] = frozenset({"reject", "suspend", "retire", "rollback"})
"""Steps that somebody will ask about later: the note isn't optional."""
VERSION_MAX: Final = 60
"""Characters of a version; one longer says nothing to people any more."""
STATES: Final[tuple[State, ...]] = get_args(State)


def sources(move: Move) -> list[State]:
    """The states that a move may start from."""
    return [state for state, by in MOVES if by == move]


def target(move: Move) -> State:
    """The state that a move leads to; each has one."""
    return next(after for (_, by), after in MOVES.items() if by == move)


def may(row: ReleaseRow, staff: Staff, *, before: bool) -> list[Move]:
    """What somebody may do with a release now, in the order of MOVES. `before`: whether there is
    a release that a rollback would bring back.
    """
    return [
        move
        for state, move in MOVES
        if state == row.state
        and WHO[move] == AS.get(staff.role)
        and not _for_a_second(row, move, staff.staff_id)
        and not (move == "rollback" and state != "canary" and not before)
    ]


def why_not(row: ReleaseRow, move: Move, who: UUID) -> Literal["moved", "four-eyes", "other"]:
    """Why a step was not taken, as far as the release itself tells."""
    if row.state not in sources(move):
        return "moved"
    return "four-eyes" if _for_a_second(row, move, who) else "other"


def _for_a_second(row: ReleaseRow, move: Move, who: UUID) -> bool:
    """Whether a step must be somebody else's; the statement that writes asks the same."""
    if move == "approve":
        return who == row.submitter
    return move in FOUR_EYES and who in (row.submitter, row.approver)


_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-(.+))?")


def rank(version: str) -> str:
    """A text that sorts as the version does (SemVer 2.0.0, section 11), byte by byte.

    A number goes before its length, so that 10 follows 9; a release comes after its previews.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(version)
    core = "!".join(_number(part) for part in found.groups()[:3])
    if not found[4]:
        return f"{core}~"
    return f"{core}!" + "!".join(
        f"0{_number(part)}" if part.isdecimal() else f"1{part}" for part in found[4].split(".")
    )


def _number(digits: str) -> str:
    digits = digits.lstrip("0") or "0"
    return f"{len(digits):02d}{digits}"


def wrong_runtime(manifest: Manifest) -> tuple[str, str] | None:
    """The key and the problem of a manifest that can't be submitted; None where it can."""
    if not isinstance(manifest.runtime, Http):
        return "$.runtime", "a submitted shop has an address of its own: {url, key}"
    if len(manifest.version) > VERSION_MAX:
        return "$.version", f"longer than {VERSION_MAX} characters"
    return None


def account_in_use(manifest: Manifest, known: Iterable[Manifest]) -> bool:
    """Whether its settlement account is another shop's: who shares one reads the other's money."""
    return any(
        one.id != manifest.id and one.settlement_account == manifest.settlement_account
        for one in known
    )


def wrong_report(manifest: Manifest, report: list[Checked]) -> list[str]:
    """What keeps a conformance report from being one: checks that failed, apps that none met."""
    met = {one.app for one in report if one.result == "passed"}
    failed = [
        f"{one.check}: {one.app}" if one.app else one.check
        for one in report
        if one.result == "failed"
    ]
    return failed + [f"no check passed: {app.id}" for app in manifest.apps if app.id not in met]


def picture() -> str:
    """MOVES as a Mermaid state diagram, for the documentation."""
    steps = [f"    {was} --> {now}: {move}" for (was, move), now in MOVES.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> draft", *steps])
