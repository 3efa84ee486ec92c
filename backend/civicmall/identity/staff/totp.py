"""Time-based one-time codes (RFC 6238): setting an authenticator up, and its codes."""

from __future__ import annotations

import base64
import secrets
from typing import Final
from uuid import UUID

from msgspec import Struct
from pyotp.totp import TOTP

from civicmall.identity.devices import open_session, signed_in_recently
from civicmall.identity.errors import EnrolmentOver, HasFactor, SignInAgain, WrongFactor
from civicmall.identity.models import Staff
from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids, logs
from civicmall.kernel.house import House

from . import accounts
from .models import Enrolled, Enrolment, EnrolmentRow, Factors, TotpRow
from .queries import q
from .rules import (
    ENROL_S,
    FREE_TRIES,
    in_fours,
    matching_step,
    new_recovery_codes,
    recovery_hash,
)
from .standing import standing

log = logs.get("identity")
SECRET: Final = "identity.staff_totp.secret"  # noqa: S105 (a column's name)
SHOWN: Final = "identity.staff_enrolment.secret"
ISSUER: Final = "CivicMall"
SECRET_BYTES: Final = 20
"""RFC 4226, section 4: 160 bits are recommended."""


class Match(Struct, frozen=True):
    """The step that a code belongs to, and the secret (sealed) that it was made with."""

    step: int
    secret: bytes


async def match(house: House, staff_id: UUID, code: str) -> Match | None:
    """What an account's code belongs to; None for another one. Nothing is taken by looking."""
    row: TotpRow | None = await q.totp(house.db, staff_id=staff_id)
    if row is None:
        return None
    step = matching_step(house.keys.open(row.secret, SECRET), code, house.clock.now())
    return None if step is None else Match(step, row.secret)


async def prove(house: House, staff_id: UUID, code: str) -> None:
    """That somebody who is signed in has the authenticator at hand; the code is used up.

    Raises WrongFactor.
    """
    if await q.spend_try(house.db, staff_id=staff_id, free=FREE_TRIES) is None:
        raise WrongFactor
    found = await match(house, staff_id, code)
    if found is None or await q.take_step(
        house.db, staff_id=staff_id, step=found.step, secret=found.secret
    ) is None:  # fmt: skip
        raise WrongFactor


async def factors(house: House, staff: Staff) -> Factors:
    """The second factors of an account."""
    since = await q.enrolled_at(house.db, staff_id=staff.staff_id)
    return Factors(
        required=house.settings.second_factor_needed,
        totp=since is not None,
        totp_since=since,
        passkey=await q.has_passkey(
            house.db, bucket=ids.bucket_of(staff.staff_id), staff_id=staff.staff_id
        ),
        recovery_codes_left=await q.recovery_left(house.db, staff_id=staff.staff_id),
    )


async def begin(house: House, staff: Staff, code: str | None) -> Enrolment:
    """A new secret for this session to confirm. Who has an authenticator shows its code first, so
    that a stolen session doesn't exchange it; who has a passkey alone signed in with it just now.

    Raises HasFactor, WrongFactor, SignInAgain.
    """
    row: TotpRow | None = await q.totp(house.db, staff_id=staff.staff_id)
    if row is not None:
        if code is None:
            raise HasFactor
        await prove(house, staff.staff_id, code)
    elif await q.has_passkey(
        house.db, bucket=ids.bucket_of(staff.staff_id), staff_id=staff.staff_id
    ):
        await signed_in_recently(house.db, staff.session_id)
        if await standing(house, staff.staff_id, staff.session_id) is None:
            raise SignInAgain  # it was opened by the password, before there was a passkey
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    await q.begin_enrolment(
        house.db, session_id=staff.session_id, staff_id=staff.staff_id,
        secret=house.keys.seal(secret, SHOWN), replaces=row is not None, valid_s=ENROL_S,
    )  # fmt: skip
    return await _shown(house, staff, secret)


async def again(house: House, staff: Staff) -> Enrolment:
    """What this session was shown, for a page that is shown once more. Raises EnrolmentOver."""
    row = await _begun(house, staff)
    return await _shown(house, staff, house.keys.open(row.secret, SHOWN))


async def _shown(house: House, staff: Staff, secret: str) -> Enrolment:
    username: str = await q.username(house.db, id=staff.staff_id)
    uri = TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)
    return Enrolment(in_fours(secret), uri, ENROL_S)


async def _begun(house: House, staff: Staff) -> EnrolmentRow:
    found: EnrolmentRow | None = await q.enrolment(
        house.db, session_id=staff.session_id, staff_id=staff.staff_id
    )
    if found is None:
        raise EnrolmentOver
    return found


async def confirm(house: House, tokens: Tokens, staff: Staff, code: str) -> Enrolled:
    """The authenticator shows the right code: it serves from now on. Every session of the account
    ends, so that one that somebody else opened with the password alone is worth nothing, and this
    one goes on under a new name. Raises EnrolmentOver, WrongFactor, HasFactor.
    """
    row = await _begun(house, staff)
    secret = house.keys.open(row.secret, SHOWN)
    step = matching_step(secret, code, house.clock.now())
    if step is None:
        raise WrongFactor
    if await standing(house, staff.staff_id, staff.session_id) is None:
        raise HasFactor  # another one was set up in the meantime
    codes = new_recovery_codes()
    done: UUID | None = await q.enrol(
        house.db, session_id=staff.session_id, staff_id=staff.staff_id, before=row.secret,
        secret=house.keys.seal(secret, SECRET), step=step, codes=_hashed(house, staff, codes),
    )  # fmt: skip
    if done is None:
        raise HasFactor if await q.totp(house.db, staff_id=staff.staff_id) else EnrolmentOver
    log.warning("staff.totp_enrolled", staff=str(staff.staff_id))
    await accounts.end_sessions(house, tokens, staff.staff_id)
    session = await open_session(house.db, staff.staff_id, "staff", "", amr=("pwd", "otp", "mfa"))
    found = await standing(house, staff.staff_id, session)
    if found is None:
        raise EnrolmentOver
    return Enrolled(codes, tokens.issue(found, 0))


async def new_codes(house: House, staff: Staff, code: str) -> list[str]:
    """Ten new recovery codes; the old ones are over. Raises WrongFactor."""
    await prove(house, staff.staff_id, code)
    codes = new_recovery_codes()
    await q.new_recovery(house.db, staff_id=staff.staff_id, codes=_hashed(house, staff, codes))
    log.warning("staff.recovery_codes_made", staff=str(staff.staff_id))
    return codes


def _hashed(house: House, staff: Staff, codes: list[str]) -> list[bytes]:
    key = house.keys.derive("staff-recovery")
    return [recovery_hash(key, staff.staff_id.bytes, one) for one in codes]
