"""What a staff session is good for: everything that the role may do, setting up a factor, or nothing."""

from __future__ import annotations

from uuid import UUID

from civicmall.identity.models import Staff
from civicmall.kernel import ids
from civicmall.kernel.house import House

from .models import StandingRow
from .queries import q


async def standing(house: House, staff_id: UUID, session_id: UUID) -> Staff | None:
    """Who works in a session, as the account is now; None where the session is over: the account is
    closed, or it has a second factor that was not shown when the session began.
    """
    found: StandingRow | None = await q.standing(
        house.db, bucket=ids.bucket_of(staff_id), id=staff_id, session_id=session_id
    )
    if found is None or (found.enrolled and not found.proved):
        return None
    enrolling = house.settings.second_factor_needed and not found.proved
    return Staff(staff_id, session_id, found.name, found.role, found.shop, enrolling)
