"""Verbs of the releases. Each step is one statement, which also writes who took it.

After a step the registry of this process knows of it at once; the others look every two seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from civicmall import shops
from civicmall.identity import NotAllowed, Staff
from civicmall.kernel import idempotency, ids, logs, sql
from civicmall.kernel.db import Db
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, decode_cursor, page
from civicmall.shops import Placed, Registry
from shopkit import BadManifest, Manifest
from shopkit.manifest import parse_manifest

from . import diff, rules
from .errors import (
    AccountTaken,
    BadShopManifest,
    CanaryRunning,
    FourEyes,
    NoSuchRelease,
    NothingBefore,
    NotYourShop,
    ReleaseMoved,
    ReportFailed,
    VersionNotHigher,
)
from .models import (
    Checked,
    ManifestRow,
    PapersRow,
    PlacedRow,
    PriorRow,
    Release,
    ReleaseDetail,
    ReleaseRow,
    Step,
    Submission,
)
from .rules import Move

STEPS_MAX: Final = 200
"""A release has a dozen steps; a canary that is raised daily for half a year still fits."""
SUBMITTING: Final = 0x7265_6C65_6173_6573
"""The advisory lock of whoever submits: of two shops that name one account at once, one gets it."""
CITY_IT: Final = "CivicMall"
"""Who deployed a folder, as the history names it: whoever runs the city, by starting it."""

q = sql.load(__file__, ReleaseRow, PapersRow, PriorRow, PlacedRow, ManifestRow, Step)
log = logs.get("releases")


async def submit(
    house: House, registry: Registry, staff: Staff, ask: Submission, key: str | None
) -> Release:
    """Hand in a release of the department's own shop; the same key again gives the same one.

    Raises NotAllowed, BadShopManifest, NotYourShop, ReportFailed, AccountTaken, VersionNotHigher
    and what idempotency.once raises.
    """
    if rules.AS.get(staff.role) != "department":
        raise NotAllowed
    manifest = _read(ask.manifest)
    if manifest.id != staff.shop:
        raise NotYourShop(shop=manifest.id)
    if failed := rules.wrong_report(manifest, ask.report):
        raise ReportFailed(failed=failed)

    async def work(release_id: UUID) -> Release:
        account = manifest.settlement_account
        if rules.account_in_use(manifest, _others(registry)):
            raise AccountTaken(account=account)
        async with house.db.acquire() as db, db.transaction():
            await q.one_by_one(db, key=SUBMITTING)
            made: UUID | None = await q.submit(
                db,
                id=release_id,
                shop=manifest.id,
                version=manifest.version,
                rank=rules.rank(manifest.version),
                digest=shops.digest(manifest),
                manifest=msgspec.to_builtins(manifest),
                account=account,
                report=msgspec.to_builtins(ask.report),
                who=staff.staff_id,
                name=staff.name,
                note=ask.note,
                at=house.clock.now(),
            )
        row: ReleaseRow | None = await q.release(house.db, id=release_id)
        if made is None and row is None:
            if await q.account_taken(house.db, shop=manifest.id, account=account):
                raise AccountTaken(account=account)
            highest: str = await q.highest(house.db, shop=manifest.id)
            raise VersionNotHigher(version=manifest.version, highest=highest)
        assert row is not None
        return _release(row, staff, before=False)

    found = await idempotency.once(
        house.db, staff.staff_id, "releases.submit", key, ask, Release, work
    )
    await refresh(house.db, registry)
    return found


def _others(registry: Registry) -> list[Manifest]:
    """What shops say of themselves here: those in folders, those on trial, those that are closed."""
    known = [entry.manifest for entry in registry.all()]
    return [*(m for m in known if m is not None), *(one.manifest for one in registry.deployed())]


def _read(said: dict[str, Any]) -> Manifest:
    """The manifest that was handed in. Raises BadShopManifest."""
    try:
        manifest = parse_manifest(msgspec.json.encode(said))
    except BadManifest as error:
        raise BadShopManifest(error.problem, key=error.key) from error
    if wrong := rules.wrong_runtime(manifest):
        raise BadShopManifest(wrong[1], key=wrong[0])
    return manifest


async def move(
    house: House,
    registry: Registry,
    staff: Staff,
    release_id: UUID,
    step: Move,
    *,
    note: str = "",
    percent: int | None = None,
) -> ReleaseDetail:
    """Take one step of rules.MOVES with a release; of two who act at once, one does.

    Raises NotAllowed, NoSuchRelease, ReleaseMoved, FourEyes, CanaryRunning, NothingBefore, and
    BadRequest where a step needs its reason.
    """
    if rules.WHO[step] != rules.AS.get(staff.role):
        raise NotAllowed
    if step in rules.REASONED and not note.strip():
        raise BadRequest(errors=[{"field": "note", "problem": "required"}])
    row = await _seen(house.db, staff, release_id)
    if not await _take(house, staff, release_id, step, note, percent):
        await _refuse(house.db, staff, row.id, step)
    log.info("release.moved", shop=row.shop, version=row.version, move=step, staff=str(staff.staff_id))  # fmt: skip
    await refresh(house.db, registry)
    return await one(house.db, staff, release_id)


async def _take(
    house: House, staff: Staff, release_id: UUID, step: Move, note: str, percent: int | None
) -> bool:
    """The statement of a step; False where it found nothing to do."""
    said = {
        "id": release_id,
        "sources": rules.sources(step),
        "who": staff.staff_id,
        "name": staff.name,
        "note": note,
        "at": house.clock.now(),
    }
    whole = {"publish": q.publish, "rollback": q.rollback, "retire": q.retire}.get(step)
    try:
        if whole is not None:
            return await whole(house.db, **said) is not None
        taken: UUID | None = await q.advance(
            house.db,
            **said,
            move=step,
            target=rules.target(step),
            four_eyes=step in rules.FOUR_EYES,
            percent=percent,
        )
    except asyncpg.UniqueViolationError:  # another version of the shop took the place meanwhile
        return False
    return taken is not None


async def _refuse(db: Db, staff: Staff, release_id: UUID, step: Move) -> None:
    """Say why a step was not taken, as things are now."""
    row = await _seen(db, staff, release_id)
    match rules.why_not(row, step, staff.staff_id):
        case "four-eyes":
            raise FourEyes
        case "other" if step == "canary":
            raise CanaryRunning(shop=row.shop)
        case "other" if step == "rollback":
            raise NothingBefore(shop=row.shop)
        case _:
            raise ReleaseMoved(state=row.state)


async def _seen(db: Db, staff: Staff, release_id: UUID) -> ReleaseRow:
    """A release, where this person may see it. Raises NoSuchRelease."""
    row: ReleaseRow | None = await q.release(db, id=release_id)
    if row is None or staff.shop not in {None, row.shop}:
        raise NoSuchRelease
    return row


async def one(db: Db, staff: Staff, release_id: UUID) -> ReleaseDetail:
    """All about one release. Raises NoSuchRelease."""
    row = await _seen(db, staff, release_id)
    papers: PapersRow = await q.papers(db, id=row.id)
    prior: PriorRow | None = await q.prior(db, id=row.id, shop=row.shop, live_at=row.live_at)
    steps: list[Step] = await q.steps(db, id=row.id, most=STEPS_MAX)
    before: bool = await q.goes_back(db, shop=row.shop)
    manifest = kept(papers.manifest)
    earlier = kept(prior.manifest) if prior else None
    return ReleaseDetail(
        release=_release(row, staff, before=before),
        manifest=papers.manifest,
        against=prior.version if prior and earlier else None,
        changes=diff.changes(earlier, manifest) if manifest else [],
        report=msgspec.convert(papers.report, list[Checked]),
        steps=steps,
    )


async def some(
    db: Db,
    staff: Staff,
    *,
    shop: str | None = None,
    states: Iterable[str] | None = None,
    limit: int,
    after: str | None = None,
) -> Page[Release]:
    """Releases, newest first; a department sees its own shop's. Raises BadRequest."""
    last = decode_cursor(after, UUID)
    rows: list[ReleaseRow] = []
    if staff.shop is None or shop in {None, staff.shop}:
        rows = await q.some(
            db,
            shop=staff.shop or shop,
            states=None if states is None else list(states),
            before=last[0] if last else None,
            most=limit + 1,
        )
    return page([_release(row, staff, before=True) for row in rows], limit, lambda r: (r.id,))


def _release(row: ReleaseRow, staff: Staff, *, before: bool) -> Release:
    return Release(
        id=row.id,
        shop=row.shop,
        version=row.version,
        kind=row.kind,
        state=row.state,
        percent=row.percent,
        digest=row.digest,
        submitted_by=row.submitter_name,
        submitted_at=row.submitted_at,
        changed_at=row.changed_at,
        may=list(rules.may(row, staff, before=before)),
    )


def kept(said: dict[str, Any]) -> Manifest | None:
    """A stored manifest; None where it is of a contract that today's program can't read."""
    try:
        return msgspec.convert(said, Manifest)
    except msgspec.ValidationError:
        return None


async def record(house: House, registry: Registry) -> None:
    """Take down what lies in folders and can be called: each is a release, deployed by city IT."""
    for entry in registry.all():
        if entry.state != "live" or entry.manifest is None or entry.shop is None:
            continue
        try:
            await q.deploy(
                house.db,
                id=ids.new(0),
                shop=entry.id,
                version=entry.manifest.version,
                rank=rules.rank(entry.manifest.version),
                digest=shops.digest(entry.manifest),
                manifest=msgspec.to_builtins(entry.manifest),
                name=CITY_IT,
                at=house.clock.now(),
            )
        except asyncpg.UniqueViolationError:
            log.info("release.recorded_by_another", shop=entry.id)


async def refresh(db: Db, registry: Registry) -> bool:
    """Bring the registry of this process up to date; answers whether anything was new to it."""
    rows: list[PlacedRow] = await q.placed(db)
    wanted = [row.digest for row in rows if row.kind == "submitted"]
    known = {d: m for d in wanted if (m := registry.placed_manifest(d)) is not None}
    if missing := [digest for digest in wanted if digest not in known]:
        found: list[ManifestRow] = await q.manifests(db, digests=missing)
        known |= {row.digest: m for row in found if (m := kept(row.manifest)) is not None}
    changed = registry.place(
        Placed(r.shop, r.version, r.digest, r.kind, r.state, r.percent, known.get(r.digest))
        for r in rows
    )
    if changed:
        await registry.changed()
    return changed
