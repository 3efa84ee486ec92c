"""The one way in which a case moves: guarded by its state, noted and told in the same write."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from civicmall import identity
from civicmall.identity import Caller
from civicmall.kernel import ids, logs, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from shopkit.contract import Progress, Result, Text

from . import rules, views
from .errors import NoSuchCase
from .events import Finished, Moved
from .models import CaseRow, Said
from .queries import q
from .rules import Actor, Move

log = logs.get("cases")


class Step(Struct, frozen=True):
    """A move and all that comes with it; None leaves what there is."""

    move: Move
    actor: Actor = "department"
    acted_by: UUID | None = None
    """Who did it for the citizen; None: the actor themselves."""
    said: Said | None = None
    reference: str | None = None
    due_on: date | None = None
    responsible: Text | None = None
    callback_by: datetime | None = None
    overdue_on: date | None = None
    progress: Progress | None = None
    result: Result | None = None
    seq: int | None = None
    """The supplement that this step answers."""
    next_at: datetime | None = None
    """When the shop is asked next; None: as soon as its case grows older."""


async def case(db: Db, case_id: UUID) -> CaseRow | None:
    """A case as stored."""
    found: CaseRow | None = await q.case(db, bucket=ids.bucket_of(case_id), id=case_id)
    return found


async def own(db: Db, citizen_id: UUID, case_id: UUID) -> CaseRow:
    """A citizen's own case. Raises NoSuchCase."""
    found = await case(db, case_id)
    if found is None or found.citizen_id != citizen_id or found.state == "void":
        raise NoSuchCase
    return found


async def within(db: Db, caller: Caller, case_id: UUID) -> None:
    """That whoever acts for the citizen may see a case: that it is at a shop of theirs. Raises NoSuchCase."""
    if identity.acting.limits(caller.actor) is None:
        return
    found = await case(db, case_id)
    if found is None or not identity.acting.holds_at(caller.actor, found.shop):
        raise NoSuchCase


async def move(house: House, row: CaseRow, step: Step) -> CaseRow:
    """Take a step, if the case is in a state for it; the case as it is then.

    Where another was faster it stays as the other left it, and so it does after far too many steps
    to and fro. Raises NoSuchCase.
    """
    if row.version >= rules.STEPS_MAX and step.move in rules.TO_AND_FRO and step.seq is None:
        log.warning("case.too_many_steps", case=str(row.id), shop=row.shop, move=step.move)
        return row
    keys, now, state = house.keys, house.clock.now(), rules.target(step.move)
    kind, body = outbox.row(Moved(row.id, row.shop, row.app, step.move))
    ended, ending = outbox.row(Finished(row.id, row.citizen_id, row.shop, row.app))
    said = step.said if step.said and (step.said.message or step.said.reasons) else None
    await q.move(
        house.db,
        bucket=row.bucket,
        id=row.id,
        sources=rules.sources(step.move),
        state=state,
        closes=state in rules.CLOSED,
        reference=step.reference,
        due_on=step.due_on,
        responsible=step.responsible,
        callback_by=step.callback_by,
        overdue_on=step.overdue_on,
        progress=step.progress and views.seal(keys, step.progress, views.PROGRESS),
        result=step.result and views.seal(keys, step.result, views.RESULT),
        seq=step.seq,
        now=now,
        next_at=step.next_at or now + rules.sync_wait(now - row.submitted_at),
        actor=step.actor,
        acted_by=step.acted_by,
        move=step.move,
        said=said and views.seal(keys, said, views.SAID),
        event_id=ids.new(row.bucket),
        type=kind,
        body=body,
        finished_id=ids.new(row.bucket),
        finished_type=ended,
        finished_body=ending,
    )
    house.hint()
    found = await case(house.db, row.id)
    if found is None:
        raise NoSuchCase
    return found
