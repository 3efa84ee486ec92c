"""The conformance kit: named checks of the contract, for a Python shop or for any address.

    async with connect("http://127.0.0.1:8100") as remote:
        findings = await run(remote)

At an address the kit signs with the sandbox platform's key, which a shop under development trusts
(`shopkit.sandbox.PLATFORM_SEED`). It books payments and appointments: never point it at a city.
"""

from typing import Final

from . import (
    apply,
    appointments,
    bills,
    bodies,
    calculate,
    enquire,
    events,
    manifest,
    money,
    progress,
    raw,
    security,
    vouching,
    wire,
)
from .bench import Bench, bench_of
from .checks import CHECKS, Check, Failed, Skipped
from .remote import Remote, connect
from .runner import Finding, Planned, as_json, make, plan, run
from .targets import InProcess, Target

MODULES: Final = (
    manifest, wire, bodies, security, vouching, progress, bills, money, apply, appointments, calculate,
    enquire, raw, events,
)  # fmt: skip
"""Each adds its checks to CHECKS when it is imported."""

__all__ = [
    "CHECKS", "Bench", "Check", "Failed", "Finding", "InProcess", "Planned", "Remote", "Skipped",
    "Target", "as_json", "bench_of", "connect", "make", "plan", "run",
]  # fmt: skip
