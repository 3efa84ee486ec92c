"""What a mandate's work needs, and the two ways in which something moves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from civicmall.gateway import Gateway
from civicmall.kernel import ids, outbox
from civicmall.kernel.house import House
from civicmall.payments.channels import Channels
from civicmall.payments.events import DebitMoved, MandateMoved
from civicmall.shops import Registry

from . import rules
from .models import DebitRow
from .queries import q
from .rules import DebitEvent, MandateEvent

TARGET: Final = {event: state for (_, event), state in rules.MOVES.items()}
"""Where each event leads a mandate, wherever it comes from."""
ACTING: Final = "mandate"
"""How the citizen sees that it was not they who looked."""
LANG: Final = "zh-CN"


class Means(Struct, frozen=True):
    """Passed to the job and the handlers."""

    house: House
    gateway: Gateway
    registry: Registry
    channels: Channels


async def move(
    house: House, mandate_id: UUID, event: MandateEvent, why: str = "", agreement: str | None = None
) -> bool:
    """One event of a mandate; False where it can't happen any more."""
    bucket, state, now = ids.bucket_of(mandate_id), TARGET[event], house.clock.now()
    kind, body = outbox.row(MandateMoved(mandate_id, state, why))
    moved = await q.move(
        house.db,
        bucket=bucket,
        id=mandate_id,
        was=rules.before(event),
        state=state,
        why=why,
        agreement=agreement,
        look_at=now if state == "active" else None,
        now=now,
        event_id=ids.new(bucket),
        type=kind,
        body=body,
    )
    house.hint()
    return moved is True


async def end(
    house: House,
    row: DebitRow,
    event: DebitEvent,
    why: str = "",
    *,
    try_on: date | None = None,
    next_at: datetime | None = None,
) -> bool:
    """How a debit went on from where `row` has it; False where it is elsewhere by now."""
    state = rules.DEBITS[row.state, event]
    done = await q.end_debit(
        house.db,
        bucket=ids.bucket_of(row.id),
        mandate_id=row.mandate_id,
        id=row.id,
        was=row.state,
        state=state,
        why=why,
        try_on=try_on,
        next_at=next_at,
        now=house.clock.now(),
        **news(row.mandate_id, row.id, state, why, try_on or row.try_on),
    )
    house.hint()
    return done is True


def news(mandate_id: UUID, debit_id: UUID, state: str, why: str, on: date) -> dict[str, Any]:
    """What a statement about a debit writes into the outbox."""
    kind, body = outbox.row(DebitMoved(mandate_id, debit_id, state, why, on))
    return {"event_id": ids.new(ids.bucket_of(debit_id)), "type": kind, "body": body}
