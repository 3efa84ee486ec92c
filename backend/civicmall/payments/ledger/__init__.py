"""The ledger's past: days that are closed, chained and signed, and balances at any instant of it.

`payments.posting` only ever grows: the program can neither change a row nor say when it was posted.
A day is closed a quarter of an hour after its midnight, by nobody who takes payments: what it held
becomes one digest per bucket, upon the digest of the day before, and one signed root over all
buckets (rules.py says how, to the byte). It rests on: PostgreSQL's clock isn't put back by more than
the grace; a statement of the program doesn't outlive it (closing waits for any that it sees); and
the key isn't where the tables are. What lands in a closed day all the same is named by `verify`,
and a job looks for it every hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel import logs
from civicmall.kernel.days import day_of, end_of
from civicmall.kernel.jobs import Job

from .checking import verify
from .closing import Torn, close
from .errors import NoSuchAccount, NotYet
from .models import Balance, ClosedDay, Differs, Entry, Finding, Ledger, Report
from .routes import routers
from .rules import Seal
from .service import balances, days, differing, entries, export

if TYPE_CHECKING:
    from civicmall.kernel.house import House

log = logs.get("ledger")


async def watch(house: House) -> list[Finding]:
    """Whether something landed in a closed day, or went from one; each is logged as an error."""
    found: list[Finding] = []
    for day in sorted({one.day_on for one in await differing(house.db)}):
        found += (await verify(house, day, day)).findings
    for one in found:
        log.error("ledger.finding", finding=str(one))
    return found


def jobs(house: House) -> list[Job]:
    """Close days; look whether closed ones stay as they were."""
    return [
        Job("payments.ledger.close", 60.0, lambda: close(house)),
        Job("payments.ledger.watch", 3600.0, lambda: watch(house)),
    ]


__all__ = [
    "Balance", "ClosedDay", "Differs", "Entry", "Finding", "Ledger", "NoSuchAccount", "NotYet",
    "Report", "Seal", "Torn", "balances", "close", "day_of", "days", "differing", "end_of",
    "entries", "export", "jobs", "routers", "verify", "watch",
]  # fmt: skip
