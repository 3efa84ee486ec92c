"""The Public Security Bureau's shop: where an identity card or a residence permit is, and times
at the household registration counters.

Applications are found by a keyed hash of the applicant's ID number, which is never stored; what
is told about one is reckoned from its events each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from itertools import groupby
from typing import Any, Final

from shopkit import (
    Call,
    NotFound,
    Progress,
    ProgressQuery,
    Shop,
    Text,
    Unavailable,
    counters,
)
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
    found = [
        (application, [_event(row) for row in events])
        for application, events in groupby(rows, key=_application)
    ]
    if call.app == "id_card" and query.id is None:
        await _attest(call, found)
    return [tell(application, events, call.today) for application, events in found]


async def _attest(call: Call, found: Sequence[tuple[Application, Sequence[Event]]]) -> None:
    """Until when the newest card holds that was handed over: the platform reminds of its renewal."""
    number = call.citizen.claim("id_number")
    cards = (id_card.validity(number, events) for _, events in found)
    newest = next((card for card in cards if card is not None), None)
    if newest is not None:
        with suppress(Unavailable):  # another time; the answer doesn't wait for it
            await call.attest("id_card_until", newest.until.isoformat(), newest.made_on)


def _application(row: Any) -> Application:
    return Application(*row[:6])


def _event(row: Any) -> Event:
    return Event(row[6], row[7], tuple(row[8]))
