"""Signing in and out: one-time codes, sessions, staff accounts."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from civicmall.kernel import ids, logs
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.i18n import translate

from . import passwords
from .errors import CodeUsedUp, RefreshReused, TokenInvalid, TooManyCodes, WrongCode, WrongPassword
from .models import (
    Caller,
    CitizenRow,
    CodeSent,
    Role,
    SandboxMessage,
    SessionRow,
    SessionView,
    SignIn,
    Staff,
    StaffRow,
    StaffSignIn,
    TokenPair,
)
from .people import PHONE
from .queries import q
from .rules import (
    CODE_TRIES,
    CODE_VALID_S,
    CODE_WINDOW_S,
    CODES,
    CODES_PER_DAY,
    CODES_PER_WINDOW,
    GRACE_S,
    REFRESH_DAYS,
    RESEND_AFTER_S,
    STAFF_FREE_TRIES,
    WRONG_PER_DAY,
    code_hash,
    sandbox_code,
)
from .tokens import Tokens

log = logs.get("identity")
MESSAGE: Final = "identity.sandbox_message.body"
MESSAGES_MAX: Final = 50


async def send_code(house: House, phone: str, lang: str) -> CodeSent:
    """Send a one-time code. The answer and its time are the same for every phone.

    Raises TooManyCodes.
    """
    blind = house.keys.blind(phone, "phone")
    code = new_code(house, phone)
    sent = await q.send_code(
        house.db,
        bucket=blind[0],
        blind=blind,
        hash=code_hash(house.keys.derive("codes"), phone, code),
        valid_s=CODE_VALID_S,
        tries=CODE_TRIES,
        window_s=CODE_WINDOW_S,
        sends_max=CODES_PER_WINDOW,
        day_sends_max=CODES_PER_DAY,
    )
    if sent is None:
        raise TooManyCodes(retry_after_s=CODE_WINDOW_S)
    text = translate(lang, "Your CivicMall code is {code}. Tell it to nobody.", code=code)
    await _deliver(house, phone, text)
    return CodeSent(CODE_VALID_S, RESEND_AFTER_S)


def new_code(house: House, phone: str) -> str:
    """Six digits: random, or in the sandbox the same for a day."""
    if house.settings.sandbox:
        return sandbox_code(house.keys.derive(CODES), phone, house.clock.today())
    return f"{secrets.randbelow(1_000_000):06d}"


async def _deliver(house: House, phone: str, text: str) -> None:
    """Hand a text to the sender. The sandbox's keeps it for the developer's inbox page."""
    if not house.settings.sandbox:
        log.warning("sender.missing")
        return
    bucket = house.keys.blind(phone, "phone")[0]
    await q.keep_message(
        house.db,
        bucket=bucket,
        id=ids.new(bucket),
        phone=house.keys.seal(phone, PHONE),
        body=house.keys.seal(text, MESSAGE),
    )


async def sandbox_messages(house: House) -> list[SandboxMessage]:
    """What the sandbox's sender sent lately, newest first."""
    return [
        SandboxMessage(house.keys.open(phone, PHONE), house.keys.open(body, MESSAGE), sent_at)
        for phone, body, sent_at in await q.messages(house.db, most=MESSAGES_MAX)
    ]


async def sign_in(house: House, tokens: Tokens, ask: SignIn) -> TokenPair:
    """Phone and code become a session; the first time also an account.

    Raises WrongCode, CodeUsedUp.
    """
    blind = house.keys.blind(ask.phone, "phone")
    tried = await q.try_code(
        house.db,
        bucket=blind[0],
        blind=blind,
        hash=code_hash(house.keys.derive("codes"), ask.phone, ask.code),
        day_wrong_max=WRONG_PER_DAY,
    )
    if tried is None:
        raise CodeUsedUp
    right, tries_left = tried
    if not right:
        raise WrongCode(tries_left=tries_left)
    citizen_id = await account(house, ask.phone)
    found: CitizenRow = await q.citizen(house.db, bucket=blind[0], id=citizen_id)
    session = await _open_session(house.db, citizen_id, "citizen", ask.device)
    return tokens.issue(Caller(citizen_id, session, found.level), 0)


async def account(house: House, phone: str) -> UUID:
    """The citizen of this phone, made when missing."""
    blind = house.keys.blind(phone, "phone")
    ask = {
        "bucket": blind[0],
        "blind": blind,
        "id": ids.new(blind[0]),
        "phone": house.keys.seal(phone, PHONE),
    }
    found: UUID | None = await q.add_citizen(house.db, **ask)
    if found is None:  # another made it in this instant and this statement began too early to see
        found = await q.add_citizen(house.db, **ask)
    if found is None:
        raise CodeUsedUp
    return found


async def _open_session(db: Db, owner: UUID, kind: str, device: str) -> UUID:
    bucket = ids.bucket_of(owner)
    session = ids.new(bucket)
    await q.open_session(
        db, bucket=bucket, id=session, owner=owner, kind=kind, device=device, days=REFRESH_DAYS
    )
    return session


async def refresh(house: House, tokens: Tokens, token: str) -> TokenPair:
    """The next pair. A refresh token works once; a copy used later ends the session.

    Raises TokenInvalid, RefreshReused.
    """
    session, generation = tokens.read_refresh(token)
    bucket = ids.bucket_of(session)
    found: SessionRow | None = await q.rotate(
        house.db, bucket=bucket, id=session, generation=generation
    )
    if found is None:
        found = await q.session(house.db, bucket=bucket, id=session, grace_s=GRACE_S)
        if found is None:
            raise TokenInvalid(reason="session-ended")
        if generation != found.generation - 1 or not found.just_rotated:
            await q.revoke(house.db, bucket=bucket, id=session, owner=found.owner)
            tokens.end(session)
            log.warning("refresh.reused", session=str(session))
            raise RefreshReused
    if found.level is not None:
        return tokens.issue(Caller(found.owner, session, found.level), found.generation)
    person: StaffRow | None = await q.staff_by_id(house.db, id=found.owner)
    if person is None:
        raise TokenInvalid(reason="session-ended")
    return tokens.issue(
        Staff(person.id, session, person.name, person.role, person.shop), found.generation
    )


async def sign_out(house: House, tokens: Tokens, owner: UUID, session: UUID) -> None:
    """End one of the owner's own sessions; no harm if it has ended."""
    bucket = ids.bucket_of(owner)
    if await q.revoke(house.db, bucket=bucket, id=session, owner=owner):
        tokens.end(session)


async def sessions(db: Db, owner: UUID) -> list[SessionView]:
    """The devices that are signed in, newest first."""
    found: list[SessionView] = await q.sessions(
        db, bucket=ids.bucket_of(owner), owner=owner, most=100
    )
    return found


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
    session = await _open_session(house.db, person.id, "staff", "")
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


async def learn_ended(house: House, tokens: Tokens) -> None:
    """Sessions that other processes ended; two tokens' lives are enough to look back."""
    asked_at = house.clock.monotonic()
    rows = await q.revoked_since(house.db, seconds=1300.0)
    tokens.keep_ended({found[0] for found in rows}, asked_at)


async def forget(house: House) -> None:
    """Remove what nobody needs: old codes, sessions and sandbox messages."""
    await q.forget(house.db, days=30)


async def has_staff(db: Db, username: str) -> bool:
    """Whether there is such an account."""
    found: bool = await q.has_staff(db, username=username)
    return found
