"""The life of a release: the table of moves, who may take which, and how versions sort."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cmp_to_key
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall import releases
from civicmall.identity import Staff
from civicmall.releases import rules
from civicmall.releases.models import Checked, ReleaseRow
from civicmall.releases.rules import FOUR_EYES, MOVES, STATES, WHO, Move, State
from shopkit import Manifest

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 25, tzinfo=UTC)
ANNA, BO, CHEN = (UUID(int=n) for n in (1, 2, 3))


def row(state: str, submitter: UUID | None = ANNA, approver: UUID | None = BO) -> ReleaseRow:
    return ReleaseRow(
        UUID(int=9), "parking", "1.0.0", "0" * 64, "submitted", state, 0, submitter, "Anna",
        approver, NOW, NOW, None,
    )  # fmt: skip


def staff(who: UUID, role: Any = "operator") -> Staff:
    return Staff(who, who, "somebody", role, "parking" if role == "manager" else None)


def test_every_state_can_be_reached_and_every_move_leads_to_one() -> None:
    reached = {"draft"} | set(MOVES.values())
    assert reached == set(STATES)
    assert {move for _, move in MOVES} == set(WHO) == set(get_args(Move))
    for move in WHO:
        assert {now for (_, by), now in MOVES.items() if by == move} == {rules.target(move)}
        assert rules.sources(move) == [was for was, by in MOVES if by == move]


@given(st.lists(st.sampled_from(sorted(WHO)), max_size=30))
def test_whatever_happens_citizens_meet_only_what_was_approved(steps: list[Move]) -> None:
    """Along every path that begins with a submission; a folder's deployment is its approval."""
    state: State = "draft"
    approved = False
    for step in steps:
        following = MOVES.get((state, step))
        if following is None:
            continue
        approved = approved or step in {"approve", "deploy"}
        state = following
        assert approved or state not in {"canary", "live", "replaced", "suspended"}
        if state in {"rejected", "retired"}:
            assert not any(was == state for was, _ in MOVES), "it ends there"


def test_the_database_knows_the_same_steps_and_states() -> None:
    text = next((Path(releases.__file__).parent / "migrations").glob("0001_*.sql")).read_text()
    steps = text.partition("check (was || ")[2].partition("));")[0]
    assert re.findall(r"'(\w+ \w+ \w+)'", steps) == [
        f"{was} {move} {now}" for (was, move), now in MOVES.items()
    ]
    states = text.partition("check (state in (")[2].partition("))")[0]
    assert set(re.findall(r"'(\w+)'", states)) == set(STATES) - {"draft"}


def test_the_documentation_shows_the_same_picture() -> None:
    page = next((ROOT / "docs" / "adr").glob("*-releases.md")).read_text()
    assert f"```mermaid\n{rules.picture()}\n```" in page


@pytest.mark.parametrize("step", sorted(FOUR_EYES))
@pytest.mark.parametrize(("who", "allowed"), [(ANNA, False), (BO, False), (CHEN, True)])
def test_whoever_submitted_or_approved_puts_nothing_before_citizens(
    step: Move, who: UUID, *, allowed: bool
) -> None:
    for state in ("approved", "canary"):
        assert (step in rules.may(row(state), staff(who), before=True)) == allowed
        assert (rules.why_not(row(state), step, who) == "four-eyes") != allowed


def test_taking_back_needs_nobody_else() -> None:
    assert "rollback" in rules.may(row("live"), staff(BO), before=True)
    assert "suspend" in rules.may(row("live"), staff(BO), before=True)
    assert "rollback" in rules.may(row("canary"), staff(BO), before=False), "back to the live one"
    assert "rollback" not in rules.may(row("live"), staff(CHEN), before=False), "to nothing"


def test_a_department_decides_nothing_about_its_release() -> None:
    for state in STATES:
        assert [m for m in rules.may(row(state), staff(CHEN, "manager"), before=True) if m != "submit"] == []  # fmt: skip


def test_why_a_step_was_not_taken() -> None:
    assert rules.why_not(row("rejected"), "publish", CHEN) == "moved"
    assert rules.why_not(row("submitted", submitter=CHEN), "approve", CHEN) == "four-eyes"
    assert rules.why_not(row("approved"), "canary", CHEN) == "other"


PARTS = st.lists(
    st.one_of(
        st.integers(0, 10**12).map(str), st.from_regex(r"[A-Za-z-][0-9A-Za-z-]{0,4}", fullmatch=True)
    ),
    min_size=1, max_size=3,
)  # fmt: skip
CORE = st.tuples(*[st.integers(0, 10**11)] * 3)
VERSIONS = st.tuples(CORE, st.none() | PARTS)


def semver(a: tuple[Any, list[str] | None], b: tuple[Any, list[str] | None]) -> int:
    """SemVer 2.0.0, section 11, to the letter."""
    if a[0] != b[0]:
        return 1 if a[0] > b[0] else -1
    if a[1] is None or b[1] is None:
        return (a[1] is None) - (b[1] is None)
    for x, y in zip(a[1], b[1], strict=False):
        if x == y:
            continue
        if x.isdecimal() and y.isdecimal():
            return 1 if int(x) > int(y) else -1
        if x.isdecimal() != y.isdecimal():
            return -1 if x.isdecimal() else 1
        return 1 if x > y else -1
    return (len(a[1]) > len(b[1])) - (len(a[1]) < len(b[1]))


def written(version: tuple[Any, list[str] | None]) -> str:
    core = ".".join(str(n) for n in version[0])
    return core if version[1] is None else f"{core}-{'.'.join(version[1])}"


@given(st.lists(VERSIONS, min_size=2, max_size=6))
def test_ranks_sort_as_versions_do(found: list[tuple[Any, list[str] | None]]) -> None:
    by_rule = sorted(found, key=cmp_to_key(semver))
    by_rank = sorted(found, key=lambda v: rules.rank(written(v)).encode())
    assert [written(v) for v in by_rank] == [written(v) for v in by_rule]


def test_a_rank_is_of_versions_only() -> None:
    with pytest.raises(ValueError, match="one"):
        rules.rank("one")


def test_a_report_must_pass_and_meet_every_app(manifest: Manifest) -> None:
    app = manifest.apps[0].id
    passed = Checked("bills-sum", "passed", app)
    assert rules.wrong_report(manifest, [Checked("id", "passed"), passed]) == []
    assert rules.wrong_report(manifest, [passed, Checked("bills-due", "skipped", app)]) == []
    assert rules.wrong_report(manifest, [passed, Checked("clock", "failed")]) == ["clock"]
    assert rules.wrong_report(manifest, [passed, Checked("x", "failed", app)]) == [f"x: {app}"]
    assert rules.wrong_report(manifest, [Checked("id", "passed")]) == [f"no check passed: {app}"]
    assert rules.wrong_report(manifest, [Checked("x", "skipped", app)]) == [f"no check passed: {app}"]  # fmt: skip


def test_what_can_be_submitted_has_an_address(manifest: Manifest) -> None:
    assert rules.wrong_runtime(manifest) is None
    inside = msgspec.structs.replace(manifest, runtime="python")
    assert (rules.wrong_runtime(inside) or ("",))[0] == "$.runtime"
    endless = msgspec.structs.replace(manifest, version="1.0.0-" + "a" * 60)
    assert (rules.wrong_runtime(endless) or ("",))[0] == "$.version"
