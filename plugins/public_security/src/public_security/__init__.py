"""The Public Security Bureau's shop: where an identity card is.

Applications are found by a keyed hash of the applicant's ID number, which is never stored; what
is told about one is reckoned from its events each time (progress.py).
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

from shopkit import Call, NotFound, Progress, ProgressQuery, Shop

from . import seed, words
from .data import SQL
from .models import Application, Event
from .progress import tell

__all__ = ["shop"]

shop = Shop(__package__)
shop.seed(seed.fill)


@shop.progress("id_card")
async def id_card(call: Call, query: ProgressQuery) -> list[Progress]:
    """The applications that the citizen handed in, newest first. Raises NotFound, Refused."""
    applicant = call.keyed_hash(call.citizen.claim("id_number"))
    rows = await call.db.fetch(SQL["matters"], applicant, query.id, query.limit)
    if query.id is not None and not rows:
        raise NotFound(words.UNKNOWN["zh-CN" if call.lang == "zh-CN" else "en"])
    return [
        tell(application, [_event(row) for row in events], call.today)
        for application, events in groupby(rows, key=_application)
    ]


def _application(row: Any) -> Application:
    return Application(*row[:5])


def _event(row: Any) -> Event:
    return Event(row[5], row[6], tuple(row[7]))
