"""Leaving for good: what is in the way, what stays and why, and the forgetting of the rest.

Personal Information Protection Law art. 47: delete on request, and where a law wants something kept,
stop all but storing it. From the moment that somebody leaves, nobody is signed in, and their phone is free.
Room by room then forgets; each is noted, so that whoever finds a leaving unfinished goes on there.
When the last token that was out has lapsed all rooms are gone through once more, and it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from civicmall.identity import audit
from civicmall.identity.devices import sign_out_others
from civicmall.identity.errors import CodeUsedUp, NotAllowed, WrongCode
from civicmall.identity.models import Caller, CitizenRow, CodeSent
from civicmall.identity.people import PHONE, row
from civicmall.identity.queries import q as identity
from civicmall.identity.rules import WRONG_PER_DAY, code_hash
from civicmall.identity.service import send_code
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, logs
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.jobs import Job
from civicmall.kernel.personal import Open, Personal

from .errors import DeletionUnderWay, NotYetFree
from .models import DeletionRow
from .queries import q
from .service import forget
from .words import KEPT

log = logs.get("identity")
SETTLED_S: Final = 1300.0
"""When no token of theirs can be believed any more anywhere: twice the life of one, and a while."""
AT_ONCE: Final = 100
NOBODY: Final = UUID(int=0)


async def in_the_way(house: House, rooms: Sequence[Personal], citizen_id: UUID) -> list[Open]:
    """Everything unfinished."""
    return [one for room in rooms for one in await room.open(house, citizen_id)]


async def ask_code(house: House, caller: Caller, lang: str) -> CodeSent:
    """Send a code to the citizen's own phone. Raises TooManyCodes, NotAllowed."""
    return await send_code(house, _phone(house, await row(house.db, caller.citizen_id)), lang)


def _phone(house: House, citizen: CitizenRow) -> str:
    """Whose register vouches for them (a child, an enterprise) doesn't leave by themselves."""
    if citizen.phone is None or not (phone := house.keys.open(citizen.phone, PHONE)):
        raise NotAllowed
    return phone


async def leave(
    house: House, tokens: Tokens, rooms: Sequence[Personal], caller: Caller, code: str
) -> None:
    """Begin, and forget at once what can be.

    Raises NotYetFree, WrongCode, CodeUsedUp, DeletionUnderWay, NotAllowed.
    """
    me = caller.citizen_id
    phone = _phone(house, await row(house.db, me))
    if found := await in_the_way(house, rooms, me):
        raise NotYetFree(open=msgspec.to_builtins(found))
    blind = house.keys.blind(phone, "phone")
    await _spend(house, phone, blind, code)
    begun = await q.begin_deletion(
        house.db,
        bucket=ids.bucket_of(me),
        citizen_id=me,
        blind=blind,
        kept=msgspec.to_builtins(KEPT),
        now=house.clock.now(),
    )
    if begun is None:
        raise DeletionUnderWay
    await audit.note(house, me, "deletion", what=["asked"])
    await sign_out_others(house, tokens, me, NOBODY)
    tokens.end(caller.session_id)
    try:
        await erase(house, rooms, await _stands(house.db, me))
    except Exception as error:  # the job goes on with it; that it has begun is what counts
        log.warning("deletion.held_up", exc_info=error)
    house.hint()


async def _spend(house: House, phone: str, blind: bytes, code: str) -> None:
    hashed = code_hash(house.keys.derive("codes"), phone, code)
    tried = await identity.try_code(
        house.db, bucket=blind[0], blind=blind, hash=hashed, day_wrong_max=WRONG_PER_DAY
    )
    if tried is None:
        raise CodeUsedUp
    right, tries_left = tried
    if not right:
        raise WrongCode(tries_left=tries_left)


async def _stands(db: Db, citizen_id: UUID) -> DeletionRow:
    found: DeletionRow = await q.deletion(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id
    )
    return found


async def erase(house: House, rooms: Sequence[Personal], leaving: DeletionRow) -> None:
    """Let each room forget that hasn't yet."""
    me = leaving.citizen_id
    for room in rooms:
        if room.room not in leaving.rooms:
            await room.erase(house, me)
            await q.room_erased(house.db, bucket=ids.bucket_of(me), citizen_id=me, room=room.room)


async def finish_all(
    house: House, rooms: Sequence[Personal], *, begun_s: float = 20.0, settled_s: float = SETTLED_S
) -> None:
    """Go on with what was cut off, and end what has settled."""
    rows: list[DeletionRow] = await q.unfinished(house.db, begun_s=begun_s, most=AT_ONCE)
    for leaving in rows:
        await erase(house, rooms, leaving)
        if house.clock.now() - leaving.asked_at < timedelta(seconds=settled_s):
            continue
        for room in rooms:  # what came in while the last tokens lapsed
            await room.erase(house, leaving.citizen_id)
        done = await q.deletion_done(
            house.db,
            bucket=ids.bucket_of(leaving.citizen_id),
            citizen_id=leaving.citizen_id,
            now=house.clock.now(),
        )
        if done:
            await audit.note(house, leaving.citizen_id, "deletion", what=["done"])


def jobs(house: House, rooms: Sequence[Personal]) -> list[Job]:
    """Go on with leavings; forget old objections."""
    return [
        Job("identity.leave", 30.0, lambda: finish_all(house, rooms)),
        Job("identity.forget_disputes", 6 * 3600.0, lambda: forget(house)),
    ]
