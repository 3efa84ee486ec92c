"""Signing in: one-time codes, and the account behind a phone."""

from __future__ import annotations

import secrets
from typing import Final
from uuid import UUID

from civicmall.kernel import ids, logs
from civicmall.kernel.errors import Unavailable
from civicmall.kernel.house import House
from civicmall.kernel.i18n import translate
from civicmall.kernel.texting import Text

from . import limits
from .devices import open_session, place
from .errors import CodeUsedUp, TooManyCodes, WrongCode
from .limits import Origin
from .models import Caller, CitizenRow, CodeSent, SandboxMessage, SignIn, TokenPair
from .people import PHONE
from .queries import q
from .rules import (
    CODE_TRIES,
    CODE_VALID_S,
    CODE_WINDOW_S,
    CODES,
    CODES_PER_DAY,
    CODES_PER_WINDOW,
    RESEND_AFTER_S,
    WRONG_PER_DAY,
    code_hash,
    sandbox_code,
)
from .staff.queries import q as staff_q
from .tokens import Tokens

log = logs.get("identity")
MESSAGE: Final = "identity.sandbox_message.body"
MESSAGES_MAX: Final = 50


async def send_code(house: House, phone: str, lang: str, origin: Origin | None = None) -> CodeSent:
    """Send a one-time code. The answer and its time are the same for every phone. `origin` is whose
    limits count beside the phone's; none for what the platform does by itself.

    Raises TooManyCodes, TooManyTries, Unavailable.
    """
    if house.texts is None and not house.settings.sandbox:
        log.warning("sender.missing")
        raise Unavailable("no gateway for text messages is connected")
    if origin is not None:
        await limits.count(house, origin, "send")
    blind = await limits.lane(house, house.keys.blind(phone, "phone"), origin and origin.device)
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
    await deliver(house, phone, text, code)
    return CodeSent(CODE_VALID_S, RESEND_AFTER_S)


def new_code(house: House, phone: str) -> str:
    """Six digits: random, or in the sandbox the same for a day."""
    if house.settings.sandbox:
        return sandbox_code(house.keys.derive(CODES), phone, house.clock.today())
    return f"{secrets.randbelow(1_000_000):06d}"


async def deliver(house: House, phone: str, text: str, code: str = "") -> None:
    """Hand a text to the city's gateway. The sandbox's keeps it for the developer's inbox page.

    Raises Unavailable.
    """
    if house.texts is not None:
        await house.texts.send(Text(phone, text, code))
    if not house.settings.sandbox and house.texts is None:
        log.warning("sender.missing")
        return
    if not house.settings.sandbox:
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


async def sign_in(
    house: House, tokens: Tokens, ask: SignIn, origin: Origin | None = None
) -> TokenPair:
    """Phone and code become a session; the first time also an account.

    Raises WrongCode, CodeUsedUp, TooManyTries.
    """
    if origin is not None:
        await limits.count(house, origin, "try")
    phone = house.keys.blind(ask.phone, "phone")
    blind = await limits.lane(house, phone, origin and origin.device)
    tried = await q.try_code(
        house.db,
        bucket=blind[0],
        blind=blind,
        hash=code_hash(house.keys.derive("codes"), ask.phone, ask.code),
        day_wrong_max=WRONG_PER_DAY,
    )
    if tried is None:
        log.info("sign_in.refused", why="used up")
        raise CodeUsedUp
    right, tries_left = tried
    if not right:
        log.info("sign_in.refused", why="wrong", tries_left=tries_left)
        raise WrongCode(tries_left=tries_left)
    citizen_id = await account(house, ask.phone)
    found: CitizenRow = await q.citizen(house.db, bucket=phone[0], id=citizen_id)
    if origin is not None and (device := limits.device_of(house, origin)):
        await limits.remember(house, phone, device)
    at = (
        place(house, citizen_id, ask.device, origin.address, origin.device)
        if origin is not None
        else None
    )
    session = await open_session(
        house.db, citizen_id, "citizen", ask.device, amr=("otp", "sms"), at=at
    )
    house.hint()
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


async def forget(house: House) -> None:
    """Remove what nobody needs: old codes, sessions and sandbox messages."""
    await q.forget(house.db, days=30)
    await q.forget_attempts(house.db)
    await staff_q.forget(house.db)
