"""Level 3 by one's face, on the authority's own page."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from civicmall.identity.people import NAME, NUMBER, profile, row
from civicmall.kernel import ids
from civicmall.kernel.house import House

from . import limits, rules
from .authority import Faces
from .errors import (
    FaceCheckFailed,
    FaceCheckOver,
    FaceCheckWaiting,
    FaceOfAnother,
    RealNameFirst,
)
from .models import FaceCheck, FaceCheckRow
from .queries import q
from .service import Profile, news

BACK: Final = "/verify/face/"


async def begin(house: House, faces: Faces, citizen_id: UUID) -> FaceCheck:
    """Open the authority's page for this citizen and nobody else.

    Raises RealNameFirst, TooManyVerifications, AuthorityAway.
    """
    citizen = await row(house.db, citizen_id)
    if citizen.name is None or citizen.id_number is None:
        raise RealNameFirst
    await limits.count(house, f"face:{citizen_id}", rules.FACES_DAY)
    number = house.keys.open(citizen.id_number, NUMBER)
    bucket = ids.bucket_of(citizen_id)
    check = ids.new(bucket)
    back = f"{house.settings.public_url}{BACK}{check}"
    begun = await faces.begin(check, house.keys.open(citizen.name, NAME), number, back)
    expires_at = await q.begin_face(
        house.db, bucket=bucket, id=check, citizen_id=citizen_id,
        blind=house.keys.blind(number, "id_number"), ticket=begun.ticket,
        seconds=float(rules.FACE_S),
    )  # fmt: skip
    return FaceCheck(check, begun.url, expires_at)


async def finish(house: House, faces: Faces, citizen_id: UUID, check: UUID) -> Profile:
    """Ask the authority what came of a check of this citizen's; a result is used once.

    Raises FaceCheckOver, FaceCheckWaiting, FaceCheckFailed, FaceOfAnother, AuthorityAway.
    """
    mine = {"bucket": ids.bucket_of(citizen_id), "id": check, "citizen_id": citizen_id}
    found: FaceCheckRow | None = await q.open_face(house.db, **mine)
    if found is None:
        raise FaceCheckOver
    said = await faces.result(found.ticket)
    if said.state == "waiting":
        raise FaceCheckWaiting(retry_after_s=2)
    if said.state == "failed":
        await q.fail_face(house.db, **mine)
        raise FaceCheckFailed
    if house.keys.blind(said.id_number, "id_number") != found.blind:
        await q.fail_face(house.db, **mine)
        raise FaceOfAnother
    if await q.raise_by_face(house.db, **mine, **news(house, citizen_id, 3, "face")) is None:
        raise FaceCheckOver
    house.hint()
    return profile(house, await row(house.db, citizen_id))
