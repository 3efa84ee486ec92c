"""The daily run: every channel's day before, once it should be ready, until it is there.

A day that failed is no result: it is tried again, ever more rarely within the process, and has a
ticket meanwhile. A channel that has nothing ready only waits.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

import asyncpg
from prometheus_client import Gauge

from civicmall.kernel import logs
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.kernel.jobs import Job
from civicmall.payments import tickets
from civicmall.payments.channels import Channels
from civicmall.payments.errors import ChannelAway
from civicmall.payments.tickets import Sighting

from . import rules, service
from .errors import OtherStatement, StatementBad, StatementBusy, StatementUnreadable
from .models import StatementRow
from .queries import q

log = logs.get("payments")
BEAT_S: Final = 600.0
WAIT_MAX: Final = timedelta(hours=4)
LOOK_AGAIN_S: Final = 20 * 3600.0
"""How long a day that waits for the one beside it is left alone."""
MISSING: Final = Gauge(
    "civicmall_statements_missing", "Channels' days of the last week that were not reconciled"
)


class Daily:
    """What this process has tried; nothing of it outlives the process."""

    def __init__(self, house: House, channels: Channels) -> None:
        self._house = house
        self._channels = channels
        self._next: dict[tuple[str, date], tuple[datetime, timedelta]] = {}

    async def run(self) -> None:
        """Every day that is due; one that fails keeps no other waiting."""
        missing = 0
        for name in self._channels.names():
            missing += await self._channel(name)
        MISSING.set(missing)
        await tickets.open_counts(self._house.db)

    async def _channel(self, name: str) -> int:
        """How many of its days are still missing."""
        today = self._house.clock.today()
        rows: list[StatementRow] = await q.beside(
            self._house.db, channel=name, first_on=today - timedelta(days=30), last_on=today
        )
        done = [row.day_on for row in rows if row.state == "matched"]
        first: date | None = await q.first_day(self._house.db, channel=name)
        wanted = rules.wanted_days(self._house.clock.now(), done, first)
        failed = [day for day in wanted if not await self._day(name, day)]
        for row in await q.waiting(
            self._house.db, since=today - timedelta(days=30), older_than_s=LOOK_AGAIN_S
        ):
            if row.channel == name:
                try:
                    await self._conclude(row)
                except (Problem, asyncpg.PostgresError, OSError) as error:
                    log.warning(
                        "statement.failed", channel=name, day=str(row.day_on), exc_info=error
                    )
        return len(failed)

    async def _day(self, name: str, day: date) -> bool:
        now = self._house.clock.now()
        at, wait = self._next.get((name, day), (now, timedelta(seconds=BEAT_S)))
        if now < at:
            return False
        try:
            await self._reconcile(name, day)
        except (StatementBad, StatementUnreadable, OtherStatement) as problem:
            await self._tell(name, day, problem)
        except (Problem, asyncpg.PostgresError, OSError) as error:
            quiet = isinstance(error, ChannelAway | StatementBusy)
            log.warning(
                "statement.failed", channel=name, day=str(day), exc_info=None if quiet else error,
                reason=str(error),
            )  # fmt: skip
        else:
            self._next.pop((name, day), None)
            return True
        self._next[name, day] = now + wait, min(2 * wait, WAIT_MAX)
        return False

    async def _reconcile(self, name: str, day: date) -> None:
        """From the channel, unless the day was read whole before and only waits to be matched."""
        rows: list[StatementRow] = await q.of_day(self._house.db, channel=name, day_on=day)
        if rows and rows[0].state == "read":
            await self._conclude(rows[0])
        else:
            await service.reconcile(self._house, self._channels, name, day)

    async def _conclude(self, row: StatementRow) -> None:
        if self._channels.get(row.channel) is not None:
            await service.conclude(self._house, self._channels, row)

    async def _tell(self, name: str, day: date, problem: Problem) -> None:
        log.warning("statement.unreadable", channel=name, day=str(day), reason=problem.type)
        reason = str(problem.extra.get("reason") or problem.type.rpartition("/")[2])
        said = Sighting(
            "statement_unreadable", name, str(day), day_on=day, line=problem.extra.get("line"),
            reason=reason,
        )  # fmt: skip
        await tickets.see(self._house, [said], again=True)


def jobs(house: House, channels: Channels) -> list[Job]:
    """Reconcile the day before, every day; not in the moment in which the process starts."""
    daily, started = Daily(house, channels), False

    async def beat() -> None:
        nonlocal started
        if started:
            await daily.run()
        started = True

    return [Job("payments.reconcile", BEAT_S, beat)]
