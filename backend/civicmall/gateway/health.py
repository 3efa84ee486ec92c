"""How a version of a shop does, for the operators' board."""

from __future__ import annotations

from .gates import Way
from .models import Health


def of(way: Way, now: float, *, canary: bool) -> Health:
    """One line of the board; `now` is monotonic seconds."""
    gate, deployed = way.gate, way.deployed
    seen = gate.window.read(now)
    running = "canary" if canary else "live"
    return Health(
        shop=deployed.shop,
        state="broken" if gate.fault else running,
        breaker=gate.breaker_state(),
        running=gate.running,
        reason=gate.fault or gate.away,
        version=deployed.version,
        calls=seen.calls,
        error_rate=round(seen.error_rate, 4),
        p50_ms=seen.p50_ms,
        p95_ms=seen.p95_ms,
        p99_ms=seen.p99_ms,
    )
