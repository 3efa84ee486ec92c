"""Taking a colleague's second factor off, for a lost phone: two operators, or whoever runs the city."""

from __future__ import annotations

import secrets
from uuid import UUID

import asyncpg

from civicmall.identity.errors import NoSuchStaff, RequestOver, ResetWaits, SecondOperatorNeeded
from civicmall.identity.guards import must_be
from civicmall.identity.models import Staff
from civicmall.identity.passkeys import service as passkeys
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, logs
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House

from . import accounts
from .models import FactorReset, ResetRow
from .queries import q
from .rules import RESET_S

log = logs.get("identity")
SHOWN_MAX = 100


async def ask(house: House, staff: Staff, username: str, reason: str) -> FactorReset:
    """An operator asks; another one decides within a day. Raises NoSuchStaff, ResetWaits."""
    must_be(staff, "operator")
    try:
        made: UUID | None = await q.ask_reset(
            house.db, id=ids.new(secrets.randbelow(ids.BUCKETS)), username=username,
            reason=reason.strip(), asked_by=staff.staff_id, valid_s=RESET_S,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        made = None  # somebody asked in the same instant
    if made is None:
        if await accounts.has_staff(house.db, username):
            raise ResetWaits
        raise NoSuchStaff
    log.warning("staff.reset_asked", id=str(made), by=str(staff.staff_id))
    return _shown(await _row(house, made), staff)


async def waiting(house: House, staff: Staff) -> list[FactorReset]:
    """What waits for an operator, oldest first."""
    rows: list[ResetRow] = await q.resets(house.db, most=SHOWN_MAX)
    return [_shown(row, staff) for row in rows]


async def approve(house: House, tokens: Tokens, staff: Staff, reset_id: UUID) -> None:
    """Take the factor off: the account's sessions end, and at the next sign-in it enrols anew.

    Raises NotFound, SecondOperatorNeeded, RequestOver.
    """
    must_be(staff, "operator")
    row = await _row(house, reset_id)
    if staff.staff_id in {row.asked_id, row.staff_id}:
        raise SecondOperatorNeeded
    staff_id: UUID | None = await q.decide_reset(
        house.db, id=reset_id, state="done", who=staff.staff_id
    )
    if staff_id is None:
        raise RequestOver
    await _drop(house, tokens, staff_id)
    log.warning("staff.reset_done", id=str(reset_id), staff=str(staff_id), by=str(staff.staff_id))


async def decline(house: House, staff: Staff, reset_id: UUID) -> None:
    """Leave the factor as it is. Raises NotFound, RequestOver."""
    must_be(staff, "operator")
    await _row(house, reset_id)
    done = await q.decide_reset(house.db, id=reset_id, state="declined", who=staff.staff_id)
    if done is None:
        raise RequestOver


async def drop(house: House, username: str) -> bool:
    """The same by whoever runs the city, at the command line. False where there is no such account."""
    staff_id: UUID | None = await q.id_of(house.db, username=username)
    if staff_id is None:
        return False
    await _drop(house, None, staff_id)
    log.warning("staff.factor_dropped", staff=str(staff_id), by="cli")
    return True


async def _drop(house: House, tokens: Tokens | None, staff_id: UUID) -> None:
    gone = await q.drop_factors(house.db, bucket=ids.bucket_of(staff_id), staff_id=staff_id)
    await accounts.end_sessions(house, tokens, staff_id)
    await passkeys.release(house.db, staff_id, [credential_id for (credential_id,) in gone])


async def _row(house: House, reset_id: UUID) -> ResetRow:
    found: ResetRow | None = await q.reset(house.db, id=reset_id)
    if found is None:
        raise NotFound
    return found


def _shown(row: ResetRow, staff: Staff) -> FactorReset:
    mine = staff.staff_id in {row.asked_id, row.staff_id}
    return FactorReset(
        row.id, row.username, row.name, row.reason, row.asked_by, row.asked_at, row.expires_at, mine
    )
