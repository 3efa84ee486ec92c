"""Those who work here: their accounts and their sign-in."""

from __future__ import annotations

import secrets

from civicmall.kernel import ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from . import passwords
from .devices import open_session
from .errors import WrongPassword
from .models import Role, Staff, StaffRow, StaffSignIn, TokenPair
from .queries import q
from .rules import STAFF_FREE_TRIES
from .tokens import Tokens


async def staff_sign_in(house: House, tokens: Tokens, ask: StaffSignIn) -> TokenPair:
    """A staff account's session.

    After five wrong passwords an account waits, longer each time, and even the right one is
    refused; the answer and its time are the same for every name. Raises WrongPassword,
    Unavailable.
    """
    person: StaffRow | None = await q.staff(house.db, username=ask.username)
    if not await passwords.fits(person and person.password, ask.password) or person is None:
        await q.staff_failed(house.db, username=ask.username, free=STAFF_FREE_TRIES)
        raise WrongPassword
    await q.staff_passed(house.db, id=person.id)
    session = await open_session(house.db, person.id, "staff", "")
    return tokens.issue(Staff(person.id, session, person.name, person.role, person.shop), 0)


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
