"""Staff's accounts: made, listed, closed; their passwords."""

from __future__ import annotations

import secrets
from uuid import UUID

from civicmall.identity import passwords
from civicmall.identity.errors import (
    NoSuchStaff,
    PasswordUnfit,
    SecondOperatorNeeded,
    WrongPassword,
)
from civicmall.identity.models import Role, Staff
from civicmall.identity.rules import STAFF_FREE_TRIES
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, logs
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from .models import NewPassword, StaffAccount
from .queries import q
from .rules import PASSWORD_MIN, unfit

log = logs.get("identity")


async def add_staff(
    house: House, username: str, password: str, name: str, role: Role, shop: str | None
) -> bool:
    """Make a staff account; one that exists stays as it is, and the answer is False."""
    made: bool | None = await q.add_staff(
        house.db,
        id=ids.new(secrets.randbelow(ids.BUCKETS)),
        username=username,
        password=await passwords.hashed(password),
        name=name,
        role=role,
        shop=shop,
    )
    return made is True


async def has_staff(db: Db, username: str) -> bool:
    """Whether there is such an account."""
    found: bool = await q.has_staff(db, username=username)
    return found


async def some(db: Db, after: str | None, limit: int) -> list[StaffAccount]:
    """Accounts by username, closed ones too; one more than asked for where there are more."""
    found: list[StaffAccount] = await q.accounts(db, after=after, most=limit + 1)
    return found


async def disable(
    house: House, tokens: Tokens | None, username: str, by: Staff | None = None
) -> None:
    """Close an account. Its sessions end here at once and in other processes with the next
    `identity.ended`. Raises NoSuchStaff, and SecondOperatorNeeded for one's own.
    """
    if by is not None and await q.id_of(house.db, username=username) == by.staff_id:
        raise SecondOperatorNeeded
    staff_id: UUID | None = await q.disable(house.db, username=username)
    if staff_id is None:
        raise NoSuchStaff
    await end_sessions(house, tokens, staff_id)
    log.warning("staff.disabled", staff=str(staff_id), by=str(by.staff_id) if by else "cli")


async def end_sessions(
    house: House, tokens: Tokens | None, staff_id: UUID, *, but: UUID | None = None
) -> None:
    """End an account's sessions, but the one that is named."""
    ended = await q.end_sessions(house.db, bucket=ids.bucket_of(staff_id), owner=staff_id, but=but)
    for (session,) in ended:
        if tokens is not None:
            tokens.end(session)


async def change_password(house: House, tokens: Tokens, staff: Staff, ask: NewPassword) -> None:
    """One's own password; every other session ends. Wrong guesses count as at the sign-in.

    Raises WrongPassword, PasswordUnfit, Unavailable.
    """
    username: str = await q.username(house.db, id=staff.staff_id)
    if reason := unfit(ask.new, username, staff.name):
        raise PasswordUnfit(reason=reason, min=PASSWORD_MIN)
    kept: str | None = await q.password(house.db, id=staff.staff_id)
    if not await passwords.fits(kept, ask.current) or kept is None:
        await q.staff_failed(house.db, username=username, free=STAFF_FREE_TRIES)
        raise WrongPassword
    if ask.new == ask.current:
        raise PasswordUnfit(reason="same", min=PASSWORD_MIN)
    fresh = await passwords.hashed(ask.new)
    if await q.set_password(house.db, id=staff.staff_id, before=kept, password=fresh) is None:
        raise WrongPassword
    await end_sessions(house, tokens, staff.staff_id, but=staff.session_id)
    log.warning("staff.password_changed", staff=str(staff.staff_id))


async def give_password(house: House, username: str, password: str) -> bool:
    """Give an account another password and end its sessions, for whoever runs the city. False where
    there is none of this name.
    """
    staff_id: UUID | None = await q.give_password(
        house.db, username=username, password=await passwords.hashed(password)
    )
    if staff_id is None:
        return False
    await end_sessions(house, None, staff_id)
    log.warning("staff.password_given", staff=str(staff_id))
    return True
