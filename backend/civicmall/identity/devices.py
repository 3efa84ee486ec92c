"""Sessions: one for each device that is signed in, carried on by refresh tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from civicmall.kernel import ids, logs, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from .errors import RefreshReused, SignInAgain, TokenInvalid
from .events import SafetyNews
from .models import (
    Caller,
    DeviceRow,
    Place,
    SessionRow,
    SessionView,
    SignedIn,
    TokenPair,
)
from .queries import q
from .rules import GRACE_S, RECENT_S, REFRESH_DAYS, STAFF_HOURS, STAFF_IDLE_S, network
from .staff.standing import standing
from .tokens import Tokens

log = logs.get("identity")
PLACE: Final = "identity.session.place"


def place(
    house: House, owner: UUID, device: str, address: str, known: bytes | None = None
) -> Place | None:
    """From where somebody signs in, for `open_session`; None where the address isn't known.

    Of the address only its network is kept, sealed: enough for somebody to say "that was me", too
    little to follow them. The hash tells whether this device signed in before: it is `known` by the id
    that we gave it (limits.py), or else by its name and network.
    """
    if not (found := network(address)):
        return None
    same = known.hex() if known else f"{device}\0{found}"
    return Place(house.keys.seal(found, PLACE), house.keys.blind(f"{owner}\0{same}", "device"))


async def open_session(
    db: Db,
    owner: UUID,
    kind: str,
    device: str,
    *,
    amr: Sequence[str] = (),
    at: Place | None = None,
) -> UUID:
    """A new session on a device; answers its id. `amr` says how the owner signed in (RFC 8176):
    `otp` and `sms`, `pwd`, `hwk` or `swk` (a passkey), `mfa`, `federated`. A citizen is told of a
    device that isn't known from before, if it is said from where (`at`).
    """
    bucket = ids.bucket_of(owner)
    session = ids.new(bucket)
    news, body = outbox.row(SafetyNews(owner, "new_device", device))
    await q.open_session(
        db,
        bucket=bucket,
        id=session,
        owner=owner,
        kind=kind,
        device=device,
        hours=STAFF_HOURS if kind == "staff" else REFRESH_DAYS * 24,
        amr=list(amr),
        place=at and at.network,
        seen=at and at.seen,
        event_id=ids.new(bucket),
        type=news,
        body=body,
    )
    return session


async def signed_in(db: Db, session: UUID) -> SignedIn | None:
    """When and how somebody signed in; None where the session has ended."""
    found: SignedIn | None = await q.signed_in(
        db, bucket=ids.bucket_of(session), id=session, recent_s=RECENT_S
    )
    return found


async def recently(db: Db, session: UUID) -> bool:
    """Whether somebody signed in just now, so that it is surely them who asks. Not by an account
    elsewhere: it may have let them in without asking.
    """
    found = await signed_in(db, session)
    return found is not None and found.recent


async def signed_in_recently(db: Db, session: UUID) -> None:
    """What changes how one signs in wants this. Raises SignInAgain."""
    if not await recently(db, session):
        raise SignInAgain


async def refresh(house: House, tokens: Tokens, token: str) -> TokenPair:
    """The next pair. A refresh token works once; a copy used later ends the session, which a
    citizen is told.

    Raises TokenInvalid, RefreshReused.
    """
    session, generation = tokens.read_refresh(token)
    bucket = ids.bucket_of(session)
    found: SessionRow | None = await q.rotate(
        house.db, bucket=bucket, id=session, generation=generation, idle_s=STAFF_IDLE_S
    )
    if found is None:
        found = await q.session(
            house.db, bucket=bucket, id=session, grace_s=GRACE_S, idle_s=STAFF_IDLE_S
        )
        if found is None:
            raise TokenInvalid(reason="session-ended")
        if generation != found.generation - 1 or not found.just_rotated:
            await _copied(house, session, found.owner)
            tokens.end(session)
            raise RefreshReused
    if found.level is not None:
        return tokens.issue(Caller(found.owner, session, found.level), found.generation)
    staff = await standing(house, found.owner, session)
    if staff is None:
        raise TokenInvalid(reason="session-ended")
    return tokens.issue(staff, found.generation)


async def _copied(house: House, session: UUID, owner: UUID) -> None:
    bucket = ids.bucket_of(session)
    kind, body = outbox.row(SafetyNews(owner, "copied"))
    ended = await q.revoke_copied(
        house.db,
        bucket=bucket,
        id=session,
        owner=owner,
        event_id=ids.new(bucket),
        type=kind,
        body=body,
    )
    if ended is not None:
        house.hint()
        log.warning("refresh.reused", session=str(session))


async def sign_out(house: House, tokens: Tokens, owner: UUID, session: UUID) -> None:
    """End one of the owner's own sessions; no harm if it has ended."""
    bucket = ids.bucket_of(owner)
    if await q.revoke(house.db, bucket=bucket, id=session, owner=owner):
        tokens.end(session)


async def sign_out_others(house: House, tokens: Tokens, owner: UUID, but: UUID) -> int:
    """End all of the owner's sessions but this one; answers how many those were."""
    ended = await q.revoke_others(house.db, bucket=ids.bucket_of(owner), owner=owner, but=but)
    for (session,) in ended:
        tokens.end(session)
    return len(ended)


async def sessions(house: House, owner: UUID, here: UUID | None = None) -> list[SessionView]:
    """The devices that are signed in, newest first; `here` is the session that asks."""
    found: list[DeviceRow] = await q.sessions(
        house.db, bucket=ids.bucket_of(owner), owner=owner, most=100
    )
    return [
        SessionView(
            id=one.id,
            device=one.device,
            created_at=one.created_at,
            last_used_at=one.last_used_at,
            amr=one.amr,
            network=house.keys.open(one.place, PLACE) if one.place else None,
            here=one.id == here,
        )
        for one in found
    ]


async def learn_ended(house: House, tokens: Tokens) -> None:
    """Sessions that other processes ended; two tokens' lives are enough to look back."""
    asked_at = house.clock.monotonic()
    rows = await q.revoked_since(house.db, seconds=1300.0)
    tokens.keep_ended({found[0] for found in rows}, asked_at)
