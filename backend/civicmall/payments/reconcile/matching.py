"""A statement that was read, against what we have: bucket by bucket, then gap by gap."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.payments import tickets
from civicmall.payments.channels import Channels
from civicmall.payments.tickets import Sighting

from . import mending, rules
from .errors import StatementBusy
from .formats.reading import SLACK
from .loading import Patient, spans
from .models import BadLine, Gap, GapSum, Part, Progress, StatementRow, Tick
from .queries import q

GAPS_AT_ONCE: Final = 200
ALL: Final = list(range(ids.BUCKETS))


async def match(
    house: House, channels: Channels, statement: StatementRow, tick: Tick
) -> StatementRow:
    """One round of matching, from where it was left. Raises StatementBusy, ChannelAway.

    A gap that can be mended is mended; each other one is a ticket. Nothing of the day is concluded
    before every gap was looked at, and a channel that is away leaves the rest for the next run.
    """
    await _buckets(house, statement, tick)
    while gaps := await q.gaps(
        house.db, buckets=ALL, statement=statement.id, round=statement.round, most=GAPS_AT_ONCE
    ):
        await _treat(house, channels, statement, gaps)
    await _bad_rows(house, statement)
    return await _finish(house, statement)


async def _buckets(house: House, statement: StatementRow, tick: Tick) -> None:
    day = statement.day_on
    first = await q.first_day(house.db, channel=statement.channel)
    older: list[StatementRow] = await q.beside(
        house.db, channel=statement.channel, first_on=day - timedelta(days=rules.OLDER_DAYS),
        last_on=day + timedelta(days=1),
    )  # fmt: skip
    older = [one for one in older if one.day_on != day]
    near = [one for one in older if abs((one.day_on - day).days) == 1]
    before, after = rules.waits_for(day, [one.day_on for one in near], first, house.clock.today())
    rows = await q.to_match(
        house.db, channel=statement.channel, day_on=day, statement=statement.id,
        round=statement.round,
    )  # fmt: skip
    left = {row["bucket"] for row in rows}
    for span in spans():
        if buckets := [one for one in span if one in left]:
            await _match(
                house, statement, buckets, near=[one.id for one in near],
                older=[one.id for one in older], waits=(before, after),
            )  # fmt: skip
        tick(Progress("match", span[-1] + 1, ids.BUCKETS, statement.entries))


async def _match(
    house: House, statement: StatementRow, buckets: list[int], *,
    near: list[int], older: list[int], waits: tuple[bool, bool],
) -> None:  # fmt: skip
    async with house.db.acquire() as db:
        await q.match(
            Patient(db), buckets=buckets, statement=statement.id, round=statement.round,
            channel=statement.channel, day_on=statement.day_on,
            start_at=rules.start_of(statement.day_on), end_at=rules.end_of(statement.day_on),
            slack=SLACK, beside=near, older=older, wait_before=waits[0], wait_after=waits[1],
            posting_ids=[ids.new(bucket) for bucket in buckets],
        )  # fmt: skip


async def _treat(
    house: House, channels: Channels, statement: StatementRow, gaps: list[Gap]
) -> None:
    done = [await mending.mend(house, channels, statement.channel, gap) for gap in gaps]
    await tickets.see(
        house,
        [
            _sighting(statement, gap)
            for gap, mended in zip(gaps, done, strict=True)
            if mended == "ticket"
        ],
        again=True,
    )
    await q.treated(
        house.db, statement=statement.id, round=statement.round,
        buckets=[gap.bucket for gap in gaps], kinds=[gap.kind for gap in gaps],
        refs=[gap.reference for gap in gaps],
        outcomes=done,
    )  # fmt: skip


def _sighting(statement: StatementRow, gap: Gap) -> Sighting:
    refund = gap.kind.startswith("refund")
    return Sighting(
        # What should have been booked and could not be is money that moved there and not here.
        "refund_missing_here" if gap.kind == "refund_pending" else gap.kind,
        statement.channel, gap.reference,
        gap.order_id or (None if refund else gap.number), gap.number if refund else None,
        gap.here_minor, gap.there_minor, statement.day_on, gap.line,
    )  # fmt: skip


async def _bad_rows(house: House, statement: StatementRow) -> None:
    """Lines that an operator left out are looked into by hand."""
    if not statement.bad:
        return
    bad: list[BadLine] = await q.bad_lines(house.db, id=statement.id, most=statement.bad)
    seen = [
        Sighting(
            "bad_row", statement.channel, f"{statement.day_on}:{one.line}",
            day_on=statement.day_on, line=one.line, reason=one.reason,
        )
        for one in bad
    ]  # fmt: skip
    await tickets.see(house, seen, again=True)


async def _finish(house: House, statement: StatementRow) -> StatementRow:
    key = {"statement": statement.id, "round": statement.round, "buckets": ALL}
    parts: list[Part] = await q.parts(
        house.db, channel=statement.channel, day_on=statement.day_on, **key
    )
    if len(parts) < ids.BUCKETS:
        raise StatementBusy  # another round has overtaken this one
    gaps: list[GapSum] = await q.gap_sums(house.db, **key)
    found = rules.outcomes(parts, gaps)
    await tickets.unseen(
        house, statement.channel, statement.day_on, rules.TICKETS, statement.round_at
    )
    await q.finish(
        house.db, id=statement.id, round=statement.round,
        outcomes=[one.outcome for one in found], counts=[one.many for one in found],
        there=[one.there_minor for one in found], here=[one.here_minor for one in found],
        fee_minor=sum(part.fee_minor for part in parts),
    )  # fmt: skip
    for bucket in ALL if statement.round > 1 else ():
        await q.drop_gaps(house.db, bucket=bucket, statement=statement.id, round=statement.round)
    return await q.statement(house.db, id=statement.id)
