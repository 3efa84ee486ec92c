"""The satisfaction index: public, over the last twelve months, with its uncertainty."""

from __future__ import annotations

from datetime import date

from civicmall.kernel import i18n
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, decode_cursor, page
from civicmall.shops import Registry

from . import rules
from .levels import CURRENT
from .models import MonthPoint, MonthRow, Satisfaction, SatisfactionDetail
from .queries import q
from .rules import Tally
from .words import TOO_FEW

DIGITS = 4
"""Decimals of shares and means: the fifth says nothing about any number of ratings we'll see."""


async def satisfaction(
    house: House, registry: Registry, lang: str, *, limit: int = 20, after: str | None = None
) -> Page[Satisfaction]:
    """Every shop's index, by shop id and never by rank. Raises BadRequest for a bad cursor."""
    last = decode_cursor(after, str)
    left = [v for v in registry.views(lang) if last is None or v.id > last[0]][: limit + 1]
    months = await _months(house, [v.id for v in left])
    found = [_index(v.id, v.name, months.get(v.id, {}), lang) for v in left]
    return page(found, limit, lambda s: (s.shop,))


async def satisfaction_of(
    house: House, registry: Registry, shop: str, lang: str
) -> SatisfactionDetail:
    """One shop's index and trend. Raises NoSuchShop."""
    view = registry.view(shop, lang)
    months = (await _months(house, [view.id])).get(view.id, {})
    return SatisfactionDetail(
        _index(view.id, view.name, months, lang),
        [_point(month, tally) for month, tally in sorted(months.items())],
    )


async def _months(house: House, shops: list[str]) -> dict[str, dict[date, Tally]]:
    since = rules.first_month(house.clock.today())
    rows: list[MonthRow] = await q.months(house.db, shops=shops, since=since)
    found: dict[str, dict[date, Tally]] = {}
    for r in rows:
        found.setdefault(r.shop, {})[r.month] = Tally(
            r.s1, r.s2, r.s3, r.s4, r.s5, r.opened, r.answered, r.on_time, r.late, r.confirmed
        )
    return found


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _index(shop: str, name: str, months: dict[date, Tally], lang: str) -> Satisfaction:
    tally = rules.total(months.values())
    interval = rules.satisfied(tally)
    level = rules.level(tally)
    return Satisfaction(
        shop=shop,
        name=name,
        n=tally.n,
        mean=_round(rules.mean(tally)),
        satisfied=_round(interval and interval.share),
        low=_round(interval and interval.low),
        high=_round(interval and interval.high),
        level=CURRENT.level(level, lang) if level else i18n.translate(lang, TOO_FEW),
        enough=level is not None,
        stars=list(tally.stars),
        opened=tally.opened,
        rectified=_round(rules.share(tally.answered, tally.opened)),
        confirmed=_round(rules.share(tally.confirmed, tally.opened)),
        on_time=_round(rules.share(tally.on_time, tally.on_time + tally.late)),
    )


def _point(month: date, tally: Tally) -> MonthPoint:
    interval = rules.satisfied(tally)
    return MonthPoint(
        month=f"{month:%Y-%m}",
        n=tally.n,
        mean=_round(rules.mean(tally)),
        satisfied=_round(interval and interval.share),
        low=_round(interval and interval.low),
        high=_round(interval and interval.high),
    )
