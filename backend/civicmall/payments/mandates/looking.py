"""A look at the bills of a mandate: the due ones are found, and their reminders leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from civicmall import identity
from civicmall.gateway import ConsentNeeded, LevelTooLow
from civicmall.identity import Caller
from civicmall.kernel import ids
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.shops import NoSuchApp, NoSuchShop, ShopRetired
from shopkit import Bill, BillsQuery

from . import rules, service
from .means import ACTING, LANG, Means, move, news
from .models import MandateRow
from .queries import q

LEASE: Final = timedelta(minutes=10)
"""How long one look is in a process's hands; a shop that is away is asked again after as long."""
WAIT: Final = timedelta(minutes=1)
"""Between two questions whether the payer has agreed at the channel, at first."""
SLOWER: Final = 4
"""Whoever has not agreed for hours is asked about every so-manieth part of that time."""
GONE: Final = (NoSuchShop, NoSuchApp, ShopRetired)
BILLS_MAX: Final = 100


async def look(means: Means, bucket: int, mandate_id: UUID) -> None:
    """One mandate's turn: ask the channel whether it is agreed, or the shop what is owed.

    What is lacking for it pauses or ends the mandate. Raises what the shop's call raises.
    """
    house, now = means.house, means.house.clock.now()
    row: MandateRow | None = await q.take_look(
        house.db, bucket=bucket, id=mandate_id, now=now, until=now + LEASE
    )
    if row is None:
        return
    if row.state == "waiting":
        await service.refreshed(house, means.channels, row)
        wait = max(WAIT, (now - row.made_at) / SLOWER)
        await q.look_again(house.db, bucket=bucket, id=mandate_id, look_at=now + wait)
        return
    try:
        bills = await _bills(means, row)
    except Exception as error:
        if not await lacking(house, mandate_id, error):
            raise
        return
    await _note(house, row, bills)
    tomorrow = house.clock.today() + timedelta(days=1)
    await q.look_again(
        house.db, bucket=bucket, id=mandate_id, look_at=rules.morning(tomorrow, bucket)
    )


async def lacking(house: House, mandate_id: UUID, error: Exception) -> bool:
    """Pause or end a mandate for what can't be done without; False where it is something else."""
    match error:
        case ConsentNeeded():
            return await move(house, mandate_id, "pause", "consent")
        case LevelTooLow():
            return await move(house, mandate_id, "pause", "level")
        case NotFound():
            return await move(house, mandate_id, "end", "citizen_gone")
        case _ if isinstance(error, GONE):
            return await move(house, mandate_id, "end", "app_gone")
        case _:
            return False


async def acting(house: House, row: MandateRow) -> Caller:
    """Who asks a shop: the citizen's rights of today, and that it is not they who ask.

    Raises NotFound, LevelTooLow.
    """
    level = (await identity.row(house.db, row.citizen_id)).level
    if level < rules.LEVEL_MIN:
        raise LevelTooLow(needed=rules.LEVEL_MIN)
    return Caller(row.citizen_id, row.id, level, ACTING)


async def _bills(means: Means, row: MandateRow) -> list[Bill]:
    """What is owed, as the shop says now: nothing remembered, and seen by the citizen as a look."""
    caller = await acting(means.house, row)
    query = BillsQuery(limit=BILLS_MAX)
    found: list[Bill] = await means.gateway.ask(
        caller, row.shop, row.app, "bills.list", query, LANG
    )
    if not means.registry.app(row.shop, row.app).claims:
        # The shop was told nothing of the citizen, but their bills were read all the same.
        await identity.note_access(
            means.house, row.citizen_id, f"{row.shop}/{row.app}", ["bills"], f"{ACTING}.bills.list"
        )
    return found


async def _note(house: House, row: MandateRow, bills: list[Bill]) -> None:
    bucket, today = ids.bucket_of(row.id), house.clock.today()
    wanted = rules.wanted(bills, row.beneficiary, today, row.ends_on)
    known = {
        charge_id
        for (charge_id,) in await q.known(
            house.db, bucket=bucket, citizen_id=row.citizen_id, mandate_id=row.id, shop=row.shop,
            charge_ids=[bill.id for bill in wanted],
        )
    }  # fmt: skip
    for bill in wanted:
        if bill.id not in known:
            await _find(house, row, bill)
    house.hint()


async def _find(house: House, row: MandateRow, bill: Bill) -> None:
    bucket, debit_id = ids.bucket_of(row.id), ids.new(ids.bucket_of(row.id))
    debit_on = rules.debit_day(house.clock.today(), bill.due_on)
    why = rules.over(bill.amount_minor, row.cap_minor, row.month_cap_minor)
    state = "held" if why else "found"
    await q.find(
        house.db, bucket=bucket, id=debit_id, mandate_id=row.id, charge_id=bill.id,
        title=bill.title, beneficiary=bill.beneficiary, period=bill.period,
        amount_minor=bill.amount_minor, due_on=bill.due_on, debit_on=debit_on, state=state, why=why,
        now=house.clock.now(), **news(row.id, debit_id, state, why, debit_on),
    )  # fmt: skip
