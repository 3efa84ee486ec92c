"""Puts the pages together from what the rooms below say; keeps nothing of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from civicmall import payments, ratings, releases
from civicmall.gateway import Gateway, Health
from civicmall.kernel import i18n, outbox
from civicmall.kernel.http import Page, decode_cursor, encode_cursor
from civicmall.kernel.http import page as page_of
from civicmall.shops import ShopEntry

from . import charts, rules
from .desk import Desk
from .forms import PAGE
from .models import Board, Doing, HealthLine, Ledger, Load, Money, MoneyLine, Platform, ShopLine

COUNTED_MAX: Final = 100
"""Tickets that the first page counts; beyond, it says that there are more."""
PRESSING: Final = 5
SHOPS: Final = 12
"""Shops on one page of the board: each costs a query for its trend."""
MONEY_DAYS: Final = 30
TROUBLE: Final[tuple[Doing, ...]] = ("broken", "held", "suspended", "trial", "live", "retired")
"""What needs somebody comes first."""


async def board(desk: Desk, gateway: Gateway, after: str | None) -> Board:
    """What needs somebody, and how the shops do. Raises BadRequest for a bad cursor."""
    (load, pressing), (shops, next_shops), sums, more = await asyncio.gather(
        _load(desk), _shops(desk, after), money(desk, MONEY_DAYS), _platform(desk)
    )
    return Board(
        load=load,
        pressing=pressing,
        shops=shops,
        next_shops=next_shops,
        health=health(desk, gateway),
        money=sums,
        platform=more,
    )


async def _load(desk: Desk) -> tuple[Load, list[ratings.DeskTicket]]:
    """Open tickets come first in the list, what is due first before the rest."""

    async def some(*, overdue: bool) -> Page[ratings.DeskTicket]:
        return await ratings.desk_rectifications(
            desk.house, desk.staff, desk.lang, overdue=overdue, limit=COUNTED_MAX
        )

    late, every = await asyncio.gather(some(overdue=True), some(overdue=False))
    more = every.next is not None and every.items[-1].turn != "nobody"
    load = rules.load(every.items, overdue=len(late.items), more=more)
    ours = {"department"} if desk.shop else {"operator"}
    pressing = [t for t in every.items if t.overdue or t.turn in ours]
    return load, pressing[:PRESSING]


async def _shops(desk: Desk, after: str | None) -> tuple[list[ShopLine], str | None]:
    last = decode_cursor(after, str) or ("",)
    ids = [e.id for e in desk.entries() if e.manifest is not None and e.id > last[0]]
    shown = ids[:SHOPS]
    lines = await asyncio.gather(*(shop_line(desk, shop) for shop in shown))
    return lines, encode_cursor(shown[-1]) if len(ids) > SHOPS else None


async def shop_line(desk: Desk, shop: str) -> ShopLine:
    """How satisfied people are with a shop. Raises NoSuchShop."""
    detail = await ratings.satisfaction_of(desk.house, desk.registry, shop, desk.lang)
    index = detail.index
    return ShopLine(
        id=index.shop,
        name=index.name,
        detail=detail,
        bar=charts.bar(index.satisfied, index.low, index.high),
        trend=charts.trend(detail.trend, desk.house.clock.today()),
    )


def health(
    desk: Desk, gateway: Gateway, satisfied: Mapping[str, float | None] | None = None
) -> list[HealthLine]:
    """How the shops of this desk do, those in trouble first; each version that is called has a
    line, the live one before the one on trial.
    """
    entries = {e.id: e for e in desk.entries()}
    found = [
        health_of(desk, entries[one.shop], one, (satisfied or {}).get(one.shop))
        for one in gateway.health()
        if one.shop in entries
    ]
    return sorted(found, key=lambda line: (TROUBLE.index(line.doing), line.id))


def health_of(desk: Desk, entry: ShopEntry, found: Health, satisfied: float | None) -> HealthLine:
    """How one version does."""
    manifest = entry.manifest
    doing = rules.doing(found, entry.state)
    return HealthLine(
        id=found.shop,
        name=desk.shop_name(found.shop),
        department=i18n.pick(manifest.department, desk.lang) if manifest else "",
        version=found.version or (manifest.version if manifest else ""),
        apps=len(manifest.apps) if manifest else 0,
        doing=doing,
        breaker=found.breaker,
        running=found.running,
        reason=found.reason if doing == "broken" else "",
        calls=found.calls,
        error_rate=found.error_rate,
        p50_ms=found.p50_ms,
        p95_ms=found.p95_ms,
        p99_ms=found.p99_ms,
        satisfied=satisfied,
    )


async def health_board(desk: Desk, gateway: Gateway) -> list[HealthLine]:
    """The same with how satisfied people are."""
    found = await ratings.satisfaction(desk.house, desk.registry, desk.lang, limit=COUNTED_MAX)
    return health(desk, gateway, {one.shop: one.satisfied for one in found.items})


async def versions(desk: Desk, shop: str) -> list[releases.Release]:
    """The newest versions of a shop, whatever became of them."""
    found = await releases.some(desk.house.db, desk.staff, shop=shop, limit=PAGE)
    return found.items


async def money(desk: Desk, days: int) -> Money:
    """What the shops of this desk were paid."""
    totals = await payments.desk.totals(desk.house.db, desk.staff, days)
    return Money(
        days,
        [
            MoneyLine(t.shop, desk.shop_name(t.shop), t.paid, t.amount_minor, t.refunded_minor)
            for t in totals
        ],
    )


async def _platform(desk: Desk) -> Platform | None:
    if not desk.oversees:
        return None
    books, tickets, counts, waiting = await asyncio.gather(
        ledger(desk),
        payments.tickets.open_counts(desk.house.db),
        outbox.counts(desk.house.db),
        releases.some(
            desk.house.db, desk.staff, states=("submitted", "approved"), limit=COUNTED_MAX
        ),
    )
    return Platform(
        ledger=books,
        tickets=tickets,
        outbox=counts,
        releases=len(waiting.items),
    )


async def ledger(desk: Desk) -> Ledger:
    """Every account; for operators and auditors."""
    return Ledger(await payments.ledger.balances(desk.house.db))


async def paid_lines(desk: Desk, after: str | None) -> Page[payments.desk.DeskPayment]:
    """Paid lines, newest first. Raises BadRequest for a bad cursor."""
    key: Any = decode_cursor(after, datetime, UUID, int)
    rows = await payments.desk.payments(desk.house.db, desk.staff, key, PAGE)
    return page_of(rows, PAGE, lambda r: (r.paid_at, r.order_id, r.no))
