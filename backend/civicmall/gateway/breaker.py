"""The circuit breaker of one shop: after too many faults it is left alone for a while.

Pure: time comes in as an argument (monotonic seconds).
"""

from __future__ import annotations

from typing import Final, Literal

FAULTS_MAX: Final = 5
"""Faults in a row that open it: fewer would punish a hiccup."""
OPEN_S: Final = 5.0
OPEN_MAX_S: Final = 60.0
DOUBLINGS_MAX: Final = 10
"""More change nothing below `OPEN_MAX_S`, and a thousand would overflow a float."""

Pass = Literal["call", "try"]
"""As what a call went in; it comes out with the same."""


class Breaker:
    """Closed (calls pass), open (none pass), half-open (one call tries)."""

    def __init__(self) -> None:
        self._faults = 0
        self._opened = 0
        self._closed_until: float | None = None
        self._trying = False

    def admit(self, now: float) -> Pass | None:
        """A pass for a call, or None. In the half-open state only the first one gets one."""
        if self._closed_until is None:
            return "call"
        if now < self._closed_until or self._trying:
            return None
        self._trying = True
        return "try"

    @property
    def closed(self) -> bool:
        """Whether calls pass as ever; no clock is needed to say so."""
        return self._closed_until is None

    def state(self, now: float) -> Literal["closed", "open", "half-open"]:
        """`closed`, `open` or `half-open`, for the health board."""
        if self._closed_until is None:
            return "closed"
        return "open" if now < self._closed_until else "half-open"

    def succeeded(self) -> None:
        """The shop answered (a refusal is an answer): all is forgiven."""
        self._faults = self._opened = 0
        self._closed_until = None
        self._trying = False

    def failed(self, now: float, went_in: Pass) -> None:
        """The shop's own fault. Each opening after a failed try lasts twice as long.

        A call from before the opening that fails late says nothing new.
        """
        self._faults += 1
        full = self._closed_until is None and self._faults >= FAULTS_MAX
        if full or (self._closed_until is not None and went_in == "try"):
            doublings = min(self._opened, DOUBLINGS_MAX)
            self._closed_until = now + min(OPEN_S * 2**doublings, OPEN_MAX_S)
            self._opened += 1
            self._trying = False

    def abandoned(self, went_in: Pass) -> None:
        """The caller went away before the shop could answer: says nothing about the shop."""
        if went_in == "try":
            self._trying = False
