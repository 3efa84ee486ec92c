"""Staff's sign-in: a password, and where there is one or must be one, a second factor."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from civicmall.identity import limits, passwords
from civicmall.identity.devices import open_session
from civicmall.identity.errors import SecondFactorNeeded, TicketOver, WrongFactor, WrongPassword
from civicmall.identity.limits import Origin
from civicmall.identity.models import StaffSignIn, TokenPair
from civicmall.identity.rules import STAFF_FREE_TRIES
from civicmall.identity.tokens import Tokens
from civicmall.kernel import logs
from civicmall.kernel.house import House

from . import totp
from .models import Factor, FactorCode, RecoveryCode, SignInRow
from .queries import q
from .rules import FREE_TRIES, TICKET_S, TICKET_TRIES, recovery_hash, ticket_hash
from .standing import standing

log = logs.get("identity")
AMR: Final[dict[Factor | None, tuple[str, ...]]] = {
    None: ("pwd",),
    "totp": ("pwd", "otp", "mfa"),
    "recovery": ("pwd", "pin", "mfa"),
    "passkey": ("pwd", "hwk", "mfa"),
}
"""How somebody signed in, as RFC 8176 names it."""


async def staff_sign_in(
    house: House, tokens: Tokens, ask: StaffSignIn, device: str = "", origin: Origin | None = None
) -> TokenPair:
    """A staff account's session. Without a second factor where one is needed, the session is good for
    setting one up and nothing else.

    After five wrong passwords an account waits, longer each time, and even the right one is
    refused; the answer and its time are the same for every name. `origin` is whose limits count
    before a password is looked at, which is slow. Raises WrongPassword, TooManyTries, Unavailable, and
    SecondFactorNeeded with a ticket where the account has a factor.
    """
    if origin is not None:
        await limits.count(house, origin, "staff")
    person: SignInRow | None = await q.staff(house.db, username=ask.username)
    if not await passwords.fits(person and person.password, ask.password) or person is None:
        await q.staff_failed(house.db, username=ask.username, free=STAFF_FREE_TRIES)
        _refused("password", person.id if person else None)
        raise WrongPassword
    await q.staff_passed(house.db, id=person.id)
    if person.totp or person.passkey:
        factors: list[Factor] = []
        if person.totp:
            factors.extend(("totp", "recovery"))
        if person.passkey:
            factors.append("passkey")
        ticket = await _ticket(house, person.id)
        raise SecondFactorNeeded(ticket=ticket, factors=factors, expires_in_s=TICKET_S)
    return await finish(house, tokens, person.id, None, device)


async def _ticket(house: House, staff_id: UUID) -> str:
    ticket = secrets.token_urlsafe(32)
    await q.add_ticket(
        house.db, hash=ticket_hash(ticket), staff_id=staff_id, tries=TICKET_TRIES, valid_s=TICKET_S
    )
    return ticket


async def with_totp(house: House, tokens: Tokens, ask: FactorCode, device: str = "") -> TokenPair:
    """The session that the password's ticket and a code of the authenticator open.

    Ticket and code work once. Raises TicketOver, WrongFactor.
    """
    hashed = ticket_hash(ask.ticket)
    staff_id = await _spend(house, hashed)
    found = await totp.match(house, staff_id, ask.code)
    taken: UUID | None = None
    if found is not None:
        taken = await q.sign_in_step(
            house.db, staff_id=staff_id, step=found.step, secret=found.secret, hash=hashed
        )
    if taken is None:
        _refused("totp", staff_id)
        raise WrongFactor
    return await finish(house, tokens, staff_id, "totp", device)


async def with_recovery(
    house: House, tokens: Tokens, ask: RecoveryCode, device: str = ""
) -> TokenPair:
    """The same with one of the recovery codes. Raises TicketOver, WrongFactor."""
    hashed = ticket_hash(ask.ticket)
    staff_id = await _spend(house, hashed)
    code = recovery_hash(house.keys.derive("staff-recovery"), staff_id.bytes, ask.code)
    taken: UUID | None = None
    if await q.has_recovery(house.db, staff_id=staff_id, code=code):
        taken = await q.sign_in_recovery(house.db, staff_id=staff_id, code=code, hash=hashed)
    if taken is None:
        _refused("recovery", staff_id)
        raise WrongFactor
    log.warning("staff.recovery_code_used", staff=str(staff_id))
    return await finish(house, tokens, staff_id, "recovery", device)


async def _spend(house: House, hashed: bytes) -> UUID:
    """Whose ticket it is, for one try. Raises TicketOver, and WrongFactor while the account waits."""
    staff_id: UUID | None = await q.spend_ticket(house.db, hash=hashed)
    if staff_id is None:
        _refused("ticket", None)
        raise TicketOver
    if await q.spend_try(house.db, staff_id=staff_id, free=FREE_TRIES) is None:
        _refused("waits", staff_id)
        raise WrongFactor
    return staff_id


async def holder(house: House, ticket: str) -> UUID:
    """Whose ticket it is; it stays good. Raises TicketOver."""
    found: UUID | None = await q.peek_ticket(house.db, hash=ticket_hash(ticket))
    if found is None:
        raise TicketOver
    return found


async def claim_ticket(house: House, ticket: str) -> UUID:
    """Whose ticket it is, once: for a factor that can't be guessed, such as a passkey, after it was
    checked and before `finish`. Raises TicketOver.
    """
    found: UUID | None = await q.claim_ticket(house.db, hash=ticket_hash(ticket))
    if found is None:
        raise TicketOver
    return found


async def finish(
    house: House, tokens: Tokens, staff_id: UUID, factor: Factor | None, device: str = ""
) -> TokenPair:
    """Open the session of whoever has shown all that it takes. Raises WrongPassword where the
    account was closed, or given a factor, in this instant.
    """
    session = await open_session(house.db, staff_id, "staff", device, amr=AMR[factor])
    found = await standing(house, staff_id, session)
    if found is None:
        raise WrongPassword
    log.info("staff.signed_in", staff=str(staff_id), amr=AMR[factor])
    return tokens.issue(found, 0)


def _refused(why: str, staff_id: UUID | None) -> None:
    """A line for whoever watches. Never the name that was typed: passwords land in the wrong field."""
    log.warning("staff.refused", why=why, staff=str(staff_id) if staff_id else "nobody")
