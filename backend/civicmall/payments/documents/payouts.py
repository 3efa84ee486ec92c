"""Payouts: that money went to a department's bank for a statement; never more than is owed."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from civicmall.identity import Staff, must_be
from civicmall.kernel import idempotency, ids, logs
from civicmall.kernel.db import Db
from civicmall.kernel.errors import Unavailable
from civicmall.kernel.house import House
from civicmall.shops import Registry

from . import rules, statements
from .errors import MoreThanOwed, PeriodNotOver
from .models import NewPayout, PaidOut, Payout
from .queries import q
from .statements import Wanted

log = logs.get("payments")
TRIES: Final = 10
"""How often a payout looks anew because another of the same account came between."""


async def record(
    house: House, registry: Registry, staff: Staff, key: str | None, ask: NewPayout
) -> Payout:
    """Record and post a payout. The same key again is the same payout.

    Raises NotAllowed, NoSuchShop, NoSettlementAccount, BadPeriod, PeriodNotOver, NotSettledYet,
    SettlementDiffers, MoreThanOwed, Unavailable, and idempotency's problems.
    """
    must_be(staff, "operator")
    asked = await statements.wanted(
        house, registry, staff, ask.first_on, ask.last_on, ask.shop, ask.account
    )

    async def work(made_up: UUID) -> Payout:
        payout_id = UUID(bytes=made_up.bytes[:15] + bytes((asked.bucket,)))
        return await _known(house.db, payout_id) or await _pay(house, staff, ask, asked, payout_id)

    return await idempotency.once(house.db, staff.staff_id, "payouts", key, ask, Payout, work)


async def some(
    db: Db, account: str, before: tuple[datetime, UUID] | None, limit: int
) -> list[Payout]:
    """An account's payouts, newest first; one more than `limit` where there is more."""
    at, last = before or (None, None)
    found: list[Payout] = await q.payouts(
        db, bucket=rules.bucket_of(account), account=account, before_at=at, before_id=last,
        most=limit + 1,
    )  # fmt: skip
    return found


async def _pay(
    house: House, staff: Staff, ask: NewPayout, asked: Wanted, payout_id: UUID
) -> Payout:
    """Read what was earned, then write with the account's total as it was read; again where another
    payout came between. A refund that is posted in between is as one that comes just after: it is
    carried on as owed by the department.
    """
    for _ in range(TRIES):
        before, earned = await _earned(house, asked)
        if before + ask.amount_minor > earned:
            raise MoreThanOwed(left_minor=max(0, earned - before))
        try:
            made: UUID | None = await q.pay_out(
                house.db,
                bucket=asked.bucket,
                id=payout_id,
                posting_id=ids.new(asked.bucket),
                account=asked.account,
                ledger_account=rules.payable(asked.account),
                shop=asked.shop,
                first_on=ask.first_on,
                last_on=ask.last_on,
                amount_minor=ask.amount_minor,
                reference=ask.reference,
                paid_by=staff.staff_id,
                paid_name=staff.name,
                paid_before=before,
                earned_minor=earned,
            )
        except asyncpg.UniqueViolationError:
            made = payout_id  # a run before us, cut off after writing it
        found = await _known(house.db, payout_id) if made else None
        if found is not None:
            log.info("payout.recorded", payout=str(payout_id), account=asked.account)
            return found
    raise Unavailable(retry_after_s=1)


async def _earned(house: House, asked: Wanted) -> tuple[int, int]:
    """What was paid out so far, and what may be in all: what was owed at the end of the statement or
    is now, whichever is less, with what had been paid by then. Raises PeriodNotOver and what
    statements raise.
    """
    async with statements.snapshot(house) as db:
        found = await statements.sums(house, db, asked)
        if not found.final:
            raise PeriodNotOver
        paid: PaidOut = await q.paid_out(
            db, bucket=asked.bucket, account=asked.account, end_at=asked.end_at
        )
        now = await statements.owed(db, asked.account, None)
    earned = min(found.closing_minor + paid.then_minor, now + paid.now_minor)
    return paid.total_minor, earned


async def _known(db: Db, payout_id: UUID) -> Payout | None:
    found: Payout | None = await q.payout(db, bucket=ids.bucket_of(payout_id), id=payout_id)
    return found
