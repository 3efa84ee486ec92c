"""Grants: what clients may do in citizens' names, and the ending of it."""

from __future__ import annotations

from uuid import UUID

from civicmall.identity.tokens import Tokens
from civicmall.kernel import ids
from civicmall.kernel.house import House

from .models import Grant
from .queries import q


async def live(house: House, grant_id: UUID) -> Grant | None:
    """A grant that still holds."""
    found: Grant | None = await q.grant_(
        house.db, bucket=ids.bucket_of(grant_id), id=grant_id, grace_s=0.0
    )
    return found


async def revoke(house: House, tokens: Tokens, grant_id: UUID, why: str) -> bool:
    """End a grant with all of its tokens, here at once and elsewhere within seconds; False where it
    had ended. `why` is a word for the record.
    """
    bucket = ids.bucket_of(grant_id)
    if await q.revoke_grant(house.db, bucket=bucket, id=grant_id, why=why) is None:
        return False
    tokens.end(grant_id)
    return True


async def forget(house: House) -> None:
    """Remove requests, codes and grants that nobody can bring any more."""
    await q.forget(house.db, days=30)
