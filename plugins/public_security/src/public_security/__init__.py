"""The Public Security Bureau's shop: where an identity card or a residence permit is, and times
at the household registration counters.

Applications are found by a keyed hash of the applicant's ID number, which is never stored; what
is told about one is reckoned from its events each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

from shopkit import Call, NotFound, Progress, ProgressQuery, Shop, Text, counters
from shopkit.applications import applicant
from shopkit.steps import Event
from shopkit.texts import say

from . import id_card, residence_permit, seed, words
from .data import COUNTERS, SQL
from .models import Application, Kind

__all__ = ["shop"]

Tell = Callable[[Application, Sequence[Event], date], Progress]

shop = Shop(__package__)
shop.seed(seed.fill)
counters.serve(shop, "household_booking", COUNTERS)

APPS: Final[dict[str, tuple[Tell, Sequence[Kind], Text]]] = {
    "id_card": (id_card.tell, id_card.KINDS, words.UNKNOWN),
    "residence_permit": (residence_permit.tell, residence_permit.KINDS, words.UNKNOWN_PERMIT),
}


@shop.progress("id_card")
@shop.progress("residence_permit")
async def matters(call: Call, query: ProgressQuery) -> list[Progress]:
    """The applications that the citizen handed in, newest first. Raises NotFound, Refused."""
    tell, kinds, unknown = APPS[call.app]
    rows = await call.db.fetch(SQL["matters"], applicant(call), kinds, query.id, query.limit)
    if query.id is not None and not rows:
        raise NotFound(say(unknown, call.lang))
    return [
        tell(application, [_event(row) for row in events], call.today)
        for application, events in groupby(rows, key=_application)
    ]


def _application(row: Any) -> Application:
    return Application(*row[:6])


def _event(row: Any) -> Event:
    return Event(row[6], row[7], tuple(row[8]))
