"""Settlement statements: sums from the ledger, rows from the desk, and neither without the other.

Everything of one statement is read in one snapshot. Where an order's rows are not what the ledger has
of it, there is no statement: either its news is still on its way (NotSettledYet), or something is
wrong (SettlementDiffers, logged as an error with the orders).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from civicmall.identity import Staff
from civicmall.kernel import i18n, ids, logs
from civicmall.kernel.db import Db
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.payments import ledger
from civicmall.shops import NoSuchShop, Registry

from . import rules
from .errors import (
    AccountShared,
    NoSettlementAccount,
    NotSettledYet,
    SettlementDiffers,
    StatementTooLong,
)
from .models import Difference, EntryRow, KindSum, Payout, Settlement
from .queries import q

log = logs.get("payments")
LOOKED_AT: Final = 500
"""Orders that differ and are looked into; more need no counting."""
PAGE: Final = 1_000
INSTANT: Final = timedelta(microseconds=1)
"""PostgreSQL's finest; a balance is asked for just before a period begins."""


class Wanted:
    """Whose statement of which days, and for whom; checked."""

    def __init__(
        self, staff: Staff, shop: str, account: str, days: tuple[date, date], today: date
    ) -> None:
        """Raises BadPeriod."""
        self.staff = staff
        self.shop = shop
        self.account = account
        self.first_on, self.last_on = days
        self.start_at, self.end_at = rules.period(*days, today)
        self.bucket = rules.bucket_of(account)

    @property
    def between(self) -> dict[str, datetime]:
        """As statements take it."""
        return {"start_at": self.start_at, "end_at": self.end_at}


async def whose(
    db: Db, registry: Registry, staff: Staff, shop: str | None, account: str | None
) -> tuple[str, str]:
    """Shop and settlement account: a department's own, or the one that an operator names.

    Raises NoSuchShop (also for another department's), NoSettlementAccount, AccountShared, BadRequest.
    """
    shop = shop or staff.shop
    if shop is None:
        raise BadRequest("an operator names the shop", field="shop")
    if staff.shop not in {None, shop}:
        raise NoSuchShop(shop=shop)
    if account is None:
        account = registry.manifest(shop).settlement_account
    elif not await q.had_account(db, shop=shop, account=account):
        raise NoSettlementAccount(shop=shop)
    await others(db, staff, shop, account)
    return shop, account


async def others(db: Db, staff: Staff, shop: str, account: str) -> list[str]:
    """Which other shops have entries of an account, for an operator. A manifest only says whose the
    account is; what was booked on it shows. Raises AccountShared where a department would read them.
    """
    found = [
        other
        for (other,) in await q.other_shops(
            db, shop=shop, account=account, bucket=rules.bucket_of(account)
        )
    ]
    if found and staff.shop is not None:
        log.error("statement.account_shared", account=account, shop=shop, others=found)
        raise AccountShared
    return found


def department(registry: Registry, shop: str) -> i18n.Text:
    """Whose shop it is; the shop's id where its manifest can't be read or it has left."""
    try:
        return registry.manifest(shop).department
    except NoSuchShop:
        return registry.name(shop)


async def wanted(
    house: House,
    registry: Registry,
    staff: Staff,
    first: date,
    last: date,
    shop: str | None = None,
    account: str | None = None,
) -> Wanted:
    """What these staff ask for. Raises what `whose` raises, and BadPeriod."""
    found = await whose(house.db, registry, staff, shop, account)
    return Wanted(staff, *found, (first, last), house.clock.today())


@asynccontextmanager
async def snapshot(house: House) -> AsyncGenerator[Any]:
    """A connection that sees one moment only."""
    async with (
        house.db.acquire() as db,
        db.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield db


async def settlement(house: House, asked: Wanted) -> Settlement:
    """The sums. Raises AccountShared, NotSettledYet, SettlementDiffers."""
    async with snapshot(house) as db:
        return await sums(house, db, asked)


async def sums(house: House, db: Db, asked: Wanted) -> Settlement:
    """The same in a snapshot that is already there."""
    sharing = await others(db, asked.staff, asked.shop, asked.account)
    await _agree(db, asked)
    name = rules.payable(asked.account)
    kinds: list[KindSum] = await q.kind_sums(db, account=name, **asked.between)
    by_kind = {one.kind: one for one in kinds}
    payments, refunds, fees, payouts = (
        by_kind.pop(kind, KindSum(kind, 0, 0)) for kind in ("payment", "refund", "fee", "payout")
    )
    other = sum(one.owed_minor for one in by_kind.values())
    opening = await owed(db, asked.account, asked.start_at)
    net = payments.owed_minor + refunds.owed_minor + fees.owed_minor
    closing = opening + net + payouts.owed_minor + other
    booked = await owed(db, asked.account, asked.end_at)
    if closing != booked:
        log.error("statement.closing_differs", account=asked.account, closing_minor=closing,
                  ledger_minor=booked, first_on=str(asked.first_on))  # fmt: skip
        raise SettlementDiffers(orders=0)
    now = house.clock.now()
    many: int = await q.entries_many(db, account=asked.account, **asked.between)
    return Settlement(
        shop=asked.shop,
        account=asked.account,
        first_on=asked.first_on,
        last_on=asked.last_on,
        as_of=now,
        final=rules.is_final(asked.end_at, now),
        opening_minor=opening,
        payments=payments.entries,
        payments_minor=payments.owed_minor,
        refunds=refunds.entries,
        refunds_minor=-refunds.owed_minor,
        fees_minor=-fees.owed_minor,
        net_minor=net,
        paid_out_minor=-payouts.owed_minor,
        other_minor=other,
        closing_minor=closing,
        rows=many + payouts.entries,
        others=sharing,
    )


async def owed(db: Db, account: str, before: datetime | None) -> int:
    """What the ledger owed to a settlement account just before an instant, or owes now."""
    name = rules.payable(account)
    found = await ledger.balances(db, before - INSTANT if before else None)
    return -sum(one.balance_minor for one in found if one.account == name)


async def _agree(db: Db, asked: Wanted) -> None:
    """Raises NotSettledYet or SettlementDiffers where any order's rows differ from the ledger."""
    differing: list[Difference] = await q.differing(
        db,
        bucket=asked.bucket,
        account=asked.account,
        ledger_account=rules.payable(asked.account),
        most=LOOKED_AT,
        **asked.between,
    )
    if not differing:
        return
    orders = {one.order_id for one in differing}
    late = await q.waiting(
        db,
        buckets=sorted({ids.bucket_of(order_id) for order_id in orders}),
        order_ids=[str(order_id) for order_id in orders],
    )
    behind = {UUID(order_id) for (order_id,) in late}
    wrong = [one for one in differing if one.order_id not in behind]
    if not wrong:
        raise NotSettledYet(orders=len(orders), retry_after_s=5)
    for one in wrong:
        log.error("statement.differs", account=asked.account, kind=one.kind,
                  order=str(one.order_id), ledger_minor=one.ledger_minor,
                  rows_minor=one.rows_minor)  # fmt: skip
    raise SettlementDiffers(orders=len({one.order_id for one in wrong}))


async def rows(db: Db, asked: Wanted) -> AsyncGenerator[list[EntryRow]]:
    """All rows of the period in order of time, some at a time; `db` is the snapshot of the sums."""
    payouts: list[Payout] = await q.payouts_in(
        db, bucket=asked.bucket, account=asked.account, **asked.between
    )
    waiting = [_row(one) for one in payouts]
    at, last_id, last_no = None, None, None
    while page := await q.entries(
        db, account=asked.account, after_at=at, after_id=last_id, after_no=last_no, most=PAGE,
        **asked.between,
    ):  # fmt: skip
        found: list[EntryRow] = page
        at, last_id, last_no = found[-1].posted_at, found[-1].id, found[-1].no
        early = [row for row in waiting if row.posted_at <= at]
        waiting = waiting[len(early) :]
        yield sorted([*found, *early], key=lambda row: row.posted_at)
    if waiting:
        yield waiting


def _row(one: Payout) -> EntryRow:
    return EntryRow(
        one.paid_at, "payout", one.id, 1, one.shop, None, "", {}, "", one.amount_minor,
        one.reference,
    )  # fmt: skip


def not_longer(found: Settlement, rows_max: int) -> None:
    """Raises StatementTooLong."""
    if found.rows > rows_max:
        raise StatementTooLong(rows=found.rows, rows_max=rows_max)
