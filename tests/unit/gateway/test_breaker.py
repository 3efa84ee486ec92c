"""The breaker against a model, and by hand where time matters."""

from __future__ import annotations

import pytest
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from civicmall.gateway.breaker import FAULTS_MAX, OPEN_MAX_S, OPEN_S, Breaker, Pass


def _open(breaker: Breaker, now: float) -> None:
    for _ in range(FAULTS_MAX):
        assert breaker.admit(now) == "call"
        breaker.failed(now, "call")


def test_it_opens_after_so_many_faults_in_a_row() -> None:
    breaker = Breaker()
    for n in range(FAULTS_MAX):
        assert breaker.state(0) == "closed", n
        breaker.failed(0, "call")
    assert breaker.state(0) == "open"
    assert breaker.admit(OPEN_S - 0.001) is None


def test_one_answer_forgives_all_faults_before() -> None:
    breaker = Breaker()
    for _ in range(3):
        for _ in range(FAULTS_MAX - 1):
            breaker.failed(0, "call")
        breaker.succeeded()
    assert breaker.state(0) == "closed"


def test_half_open_lets_one_try() -> None:
    breaker = Breaker()
    _open(breaker, 0)
    assert breaker.state(OPEN_S) == "half-open"
    assert breaker.admit(OPEN_S) == "try"
    assert breaker.admit(OPEN_S) is None
    breaker.abandoned("try")
    assert breaker.admit(OPEN_S) == "try", "who went away leaves the try to the next"
    breaker.succeeded()
    assert breaker.state(OPEN_S) == "closed"


def test_calls_from_before_say_nothing_about_the_try() -> None:
    breaker = Breaker()
    _open(breaker, 0)
    assert breaker.admit(OPEN_S) == "try"
    breaker.abandoned("call")
    breaker.failed(OPEN_S, "call")
    assert breaker.admit(OPEN_S) is None, "the try is still under way"
    assert breaker.state(OPEN_S) == "half-open"


def test_each_failed_try_waits_twice_as_long_up_to_a_limit() -> None:
    breaker, now, waits = Breaker(), 0.0, list[float]()
    _open(breaker, now)
    for _ in range(6):
        began = now
        while breaker.admit(now) is None:
            now += 1
        waits.append(now - began)
        breaker.failed(now, "try")
    assert waits == [5, 10, 20, 40, 60, 60]


def test_a_shop_that_is_down_for_days_can_come_back() -> None:
    breaker, now = Breaker(), 0.0
    _open(breaker, now)
    for _ in range(5_000):
        now += OPEN_MAX_S
        assert breaker.admit(now) == "try"
        breaker.failed(now, "try")
    assert breaker.admit(now + OPEN_MAX_S) == "try"
    breaker.succeeded()
    assert breaker.state(now) == "closed"


class Model(RuleBasedStateMachine):
    """Calls go in, take their time, and come out in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now = 0.0
        self.inside: list[Pass] = []
        self.faults = 0
        self.opened_at: float | None = None

    @rule(seconds=st.floats(0, 90))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def knock(self) -> None:
        state = self.breaker.state(self.now)
        passed = self.breaker.admit(self.now)
        if state == "closed":
            assert passed == "call"
        elif state == "open":
            assert passed is None
        else:
            assert passed == (None if "try" in self.inside else "try")
        if passed:
            self.inside.append(passed)

    @rule(number=st.integers(0, 99), end=st.sampled_from(["answer", "fault", "gone"]))
    def leave(self, number: int, end: str) -> None:
        if not self.inside:
            return
        passed = self.inside.pop(number % len(self.inside))
        closed = self.breaker.state(self.now) == "closed"
        if end == "answer":
            self.breaker.succeeded()
            self.faults = 0
            assert self.breaker.state(self.now) == "closed"
            # A try that is under way is an ordinary call from here on.
            self.inside = ["call"] * len(self.inside)
        elif end == "gone":
            self.breaker.abandoned(passed)
        else:
            self.faults += 1
            self.breaker.failed(self.now, passed)
            if closed:
                opened = self.faults >= FAULTS_MAX
                assert (self.breaker.state(self.now) == "open") == opened
            elif passed == "try":
                assert self.breaker.state(self.now) == "open"

    @invariant()
    def it_always_lets_somebody_try_in_the_end(self) -> None:
        if "try" not in self.inside:
            assert self.breaker.state(self.now + OPEN_MAX_S) != "open"

    @invariant()
    def one_tries_at_a_time(self) -> None:
        assert self.inside.count("try") <= 1


def test_the_breaker_does_as_the_model_says() -> None:
    run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]
        Model,
        settings=how(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True),
    )


@pytest.mark.parametrize("seconds", [0.0, 0.5, 4.999])
def test_open_means_open(seconds: float) -> None:
    breaker = Breaker()
    _open(breaker, 100.0)
    assert breaker.state(100.0 + seconds) == "open"
    assert breaker.admit(100.0 + seconds) is None
