"""Papers: handed in before the case, kept sealed, read by the shop that has the case."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

from civicmall import identity
from civicmall.identity import Caller
from civicmall.kernel import idempotency, ids
from civicmall.kernel.db import Db
from civicmall.kernel.errors import TooLarge
from civicmall.kernel.house import House
from shopkit.contract import Handed, Media
from shopkit.contract.apply import MEDIA

from . import rules, steps
from .errors import MaterialUnfit, NoSuchCase, TooManyMaterials, WrongMedia
from .models import CaseRow, Fingerprint, HandedIn, MaterialRef, MaterialRow
from .queries import q

GiveMaterial = Callable[[str, UUID, UUID], Awaitable[tuple[Media, bytes]]]
"""Shop, case and material → what was handed in."""
BODY: Final = "cases.material.body"
UPLOADS_MAX: Final = 4
"""Files of one citizen on their way at once. Each takes three times its size while it is read and
sealed, and those that come together don't see each other when they are counted."""
FORGET_AT_ONCE: Final = 100
"""Rows per statement and bucket; a row may have four megabytes."""


_uploading: Counter[UUID] = Counter()
"""By citizen, in this process; who is at nothing stands nowhere."""


@contextmanager
def uploading(citizen_id: UUID) -> Generator[None]:
    """Around reading what a citizen uploads. Raises TooManyMaterials, before it is read."""
    if _uploading[citizen_id] >= UPLOADS_MAX:
        raise TooManyMaterials(max=UPLOADS_MAX)
    _uploading[citizen_id] += 1
    try:
        yield
    finally:
        _uploading[citizen_id] -= 1
        if not _uploading[citizen_id]:
            del _uploading[citizen_id]


async def hand_in(
    house: House, caller: Caller, key: str | None, media: str, body: bytes
) -> HandedIn:
    """Keep one paper for the case that follows within a day; the same key again, the same paper.

    Raises WrongMedia, TooLarge, MaterialUnfit, TooManyMaterials, and those of idempotency.
    """
    kind = media_type(media)
    if len(body) > rules.MATERIAL_MAX:
        raise TooLarge(max_bytes=rules.MATERIAL_MAX)
    if not body or not rules.fits(kind, body):
        raise MaterialUnfit(media=kind)
    digest = (await asyncio.to_thread(hashlib.sha256, body)).hexdigest()

    async def work(material_id: UUID) -> HandedIn:
        kept: UUID | None = await q.keep_material(
            house.db,
            bucket=ids.bucket_of(caller.citizen_id),
            id=material_id,
            citizen_id=caller.citizen_id,
            media=kind,
            size=len(body),
            sha256=digest,
            body=await asyncio.to_thread(house.keys.seal_bytes, body, BODY),
            now=house.clock.now(),
            free_max=rules.FREE_MAX,
            bytes_max=rules.FREE_BYTES_MAX,
        )
        if kept is None:
            raise TooManyMaterials(max=rules.FREE_MAX, max_bytes=rules.FREE_BYTES_MAX)
        return HandedIn(material_id, kind, len(body), digest)

    ask = Fingerprint(house.keys.blind(f"{kind} {digest}", "cases.materials"))
    return await idempotency.once(
        house.db, caller.citizen_id, "cases.materials", key, ask, HandedIn, work
    )


def media_type(said: str) -> Media:
    """A content type as one of ours, parameters left out. Raises WrongMedia."""
    name = said.partition(";")[0].strip().lower()
    for media in MEDIA:
        if media == name:
            return media
    raise WrongMedia(media=list(MEDIA))


async def free(db: Db, citizen_id: UUID, refs: list[MaterialRef]) -> list[MaterialRow]:
    """Those of the papers that the citizen handed in and that wait for a case."""
    if not refs:
        return []
    found: list[MaterialRow] = await q.free_materials(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        ids=[ref.id for ref in refs],
    )
    return found


async def of_case(db: Db, row: CaseRow) -> list[MaterialRow]:
    """All papers of a case, in the order in which they came."""
    found: list[MaterialRow] = await q.materials(db, bucket=row.bucket, case_id=row.id)
    return found


def handed(papers: list[MaterialRow], seq: int) -> list[Handed]:
    """The papers of one supplement (0: of the application), as a shop is told of them."""
    return [
        Handed(paper.code or "", str(paper.id), paper.media, paper.size, paper.sha256)
        for paper in papers
        if paper.seq == seq
    ]


async def for_shop(
    house: House, shop: str, case_id: UUID, material_id: UUID
) -> tuple[Media, bytes]:
    """A paper for the shop that has the case; leaves a row that the citizen sees.

    Raises NoSuchCase, also for another shop's case and once the citizen has withdrawn it.
    """
    row = await steps.case(house.db, case_id)
    if row is None or row.shop != shop or row.state in {"withdrawn", "void"}:
        raise NoSuchCase
    found = await q.material_body(house.db, bucket=row.bucket, case_id=case_id, id=material_id)
    if found is None:
        raise NoSuchCase
    media, sealed = found
    await identity.note_access(
        house, row.citizen_id, f"{shop}/{row.app}", ["material"], "apply.material"
    )
    return media, await asyncio.to_thread(house.keys.open_bytes, sealed, BODY)


def giver(house: House) -> GiveMaterial:
    """`for_shop` for whoever asks from another thread: shops in this process have each their own,
    and the database answers in the loop that this is made in.
    """
    ours = asyncio.get_running_loop()

    async def give(shop: str, case_id: UUID, material_id: UUID) -> tuple[Media, bytes]:
        reading = for_shop(house, shop, case_id, material_id)
        if asyncio.get_running_loop() is ours:
            return await reading
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(reading, ours))

    return give


async def forget(house: House) -> int:
    """Delete papers that have waited for a case for a day; answers how many went."""
    before = house.clock.now() - timedelta(hours=rules.DRAFT_HOURS)
    gone = 0
    for bucket in range(ids.BUCKETS):
        gone += await q.forget_materials(
            house.db, bucket=bucket, before=before, most=FORGET_AT_ONCE
        )
    return gone
