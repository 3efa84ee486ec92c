"""Sessions: one for each device that is signed in, carried on by refresh tokens."""

from __future__ import annotations

from uuid import UUID

from civicmall.kernel import ids, logs
from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from .errors import RefreshReused, TokenInvalid
from .models import Caller, SessionRow, SessionView, Staff, StaffRow, TokenPair
from .queries import q
from .rules import GRACE_S, REFRESH_DAYS
from .tokens import Tokens

log = logs.get("identity")


async def open_session(db: Db, owner: UUID, kind: str, device: str) -> UUID:
    """A new session on a device; answers its id."""
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


async def learn_ended(house: House, tokens: Tokens) -> None:
    """Sessions that other processes ended; two tokens' lives are enough to look back."""
    asked_at = house.clock.monotonic()
    rows = await q.revoked_since(house.db, seconds=1300.0)
    tokens.keep_ended({found[0] for found in rows}, asked_at)
