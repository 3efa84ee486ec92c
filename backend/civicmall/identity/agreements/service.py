"""The citizen's verbs: agree, look at what was agreed to, take it back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import msgspec

from civicmall.identity import audit
from civicmall.identity.errors import NotAllowed, PurposeChanged
from civicmall.identity.events import ConsentWithdrawn
from civicmall.kernel import ids, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.i18n import DEFAULT, Text

from .models import Consent, ConsentRow, GivenClaim, PastConsent, PastRow
from .queries import q

CLIENT: Final = "client:"
CONSENTS_MAX: Final = 4000
"""Claims and purposes of one citizen that are listed: all apps of a city, several times over."""
Asked = Mapping[str, Text]
"""Claim → its purpose by language; zh-CN is always there."""


async def agreed(db: Db, citizen_id: UUID, grantee: str) -> frozenset[tuple[str, str]]:
    """What this grantee may know: pairs of a claim and the zh-CN of its purpose."""
    rows = await q.agreed(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, grantee=grantee
    )
    return frozenset((claim, purpose) for claim, purpose in rows)


async def agreed_by_app(db: Db, citizen_id: UUID) -> dict[str, frozenset[tuple[str, str]]]:
    """The same of every grantee."""
    rows = await q.agreed_by_app(db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id)
    found: dict[str, set[tuple[str, str]]] = {}
    for grantee, claim, purpose in rows:
        found.setdefault(grantee, set()).add((claim, purpose))
    return {grantee: frozenset(pairs) for grantee, pairs in found.items()}


async def consent(db: Db, citizen_id: UUID, shop: str, app: str) -> frozenset[str]:
    """The claims that this citizen agreed to give to an app, for whatever purpose."""
    return frozenset(claim for claim, _ in await agreed(db, citizen_id, f"{shop}/{app}"))


async def agree(
    house: House, citizen_id: UUID, grantee: str, asked: Asked, *, by: UUID | None = None
) -> None:
    """Agree to each claim for its purpose, beside what was agreed to before. `by`: who acted for
    the citizen. Once more changes nothing.
    """
    await audit.begin(house.db, citizen_id)
    await q.agree(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        grantee=grantee,
        claims=list(asked),
        purposes=[purpose[DEFAULT] for purpose in asked.values()],
        texts=[msgspec.json.encode(dict(purpose)).decode() for purpose in asked.values()],
        by=by,
    )


async def take_back(
    house: House, citizen_id: UUID, grantee: str, claims: Collection[str] | None = None, *,
    by: UUID | None = None,
) -> list[UUID]:  # fmt: skip
    """From now on the grantee gets nothing more, or nothing more of these claims. No harm if there
    was nothing. A shop is told; a client's grants end, and their ids are answered.
    """
    await audit.begin(house.db, citizen_id)
    bucket = ids.bucket_of(citizen_id)
    client = grantee.removeprefix(CLIENT) if grantee.startswith(CLIENT) else None
    shop, _, app = grantee.partition("/")
    kind, body = outbox.row(ConsentWithdrawn(citizen_id, shop, app, house.clock.now(), []))
    ended = await q.take_back(
        house.db,
        bucket=bucket,
        citizen_id=citizen_id,
        grantee=grantee,
        claims=None if claims is None else sorted(claims),
        by=by,
        client=client,
        event_id=ids.new(bucket),
        type=kind,
        body=body,
    )
    if client is None:
        house.hint()
    return [row["id"] for row in ended]


async def give_consent(
    house: House, citizen_id: UUID, shop: str, app: str, claims: Collection[str], asked: Asked, *,
    seen: Mapping[str, str] | None = None, keep: bool = False, by: UUID | None = None,
) -> Consent:  # fmt: skip
    """Agree that an app gets these claims for what it says that it needs them; no others, unless
    those are to be kept. `seen` are the purposes (zh-CN) that the citizen was shown.

    Raises NotAllowed for a claim that it doesn't ask for, PurposeChanged where it says another
    purpose than the citizen has seen.
    """
    if not asked.keys() >= {*claims}:
        raise NotAllowed("the app does not ask for this", claims=sorted({*claims} - asked.keys()))
    wanted = {claim: asked[claim] for claim in sorted({*claims})}
    other = [
        claim for claim in wanted if seen is not None and seen.get(claim) != wanted[claim][DEFAULT]
    ]
    if other:
        raise PurposeChanged(claims={claim: dict(wanted[claim]) for claim in other})
    grantee = f"{shop}/{app}"
    held = set[str]() if keep else await consent(house.db, citizen_id, shop, app)
    if gone := held - wanted.keys():
        await take_back(house, citizen_id, grantee, gone, by=by)
    await agree(house, citizen_id, grantee, wanted, by=by)
    return next(c for c in await consents(house.db, citizen_id) if c.grantee == grantee)


async def take_back_consent(
    house: House, citizen_id: UUID, shop: str, app: str, claims: Collection[str] | None = None, *,
    by: UUID | None = None,
) -> None:  # fmt: skip
    """The same as `take_back`, of an app."""
    await take_back(house, citizen_id, f"{shop}/{app}", claims, by=by)


async def consents(db: Db, citizen_id: UUID) -> list[Consent]:
    """Everything this citizen agreed to, by grantee."""
    rows: list[ConsentRow] = await q.consents(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, most=CONSENTS_MAX
    )
    return [_consent(grantee, list(of)) for grantee, of in groupby(rows, lambda r: r.grantee)]


def _consent(grantee: str, rows: list[ConsentRow]) -> Consent:
    client = grantee.removeprefix(CLIENT) if grantee.startswith(CLIENT) else None
    shop, _, app = grantee.partition("/")
    return Consent(
        grantee,
        None if client else shop,
        None if client else app,
        client,
        sorted({row.claim for row in rows}),
        [GivenClaim(r.claim, _texts(r), r.given_at, r.given_by) for r in rows],
        max(row.given_at for row in rows),
        rows[0].last_used_at,
    )


def _texts(row: ConsentRow | PastRow) -> Text:
    return row.texts or {DEFAULT: row.purpose}


async def past(
    db: Db, citizen_id: UUID, before: tuple[datetime, str, str] | None, limit: int
) -> list[PastConsent]:
    """What was taken back, newest first; one more than `limit` where there is more."""
    at, grantee, claim = before or (None, None, None)
    rows: list[PastRow] = await q.past(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        before_at=at,
        before_grantee=grantee,
        before_claim=claim,
        most=limit + 1,
    )
    return [
        PastConsent(
            r.grantee, r.claim, _texts(r), r.given_at, r.given_by, r.taken_back_at, r.taken_back_by
        )
        for r in rows
    ]


async def fill_purposes(db: Db, apps: Iterable[tuple[str, Asked]]) -> None:
    """Give consents of the time before purposes were kept the purpose that their app says now.

    Those of an app that isn't here stay without: nothing asks for them.
    """
    missing = {row["grantee"] for row in await q.without_purpose(db, most=CONSENTS_MAX)}
    for grantee, asked in apps:
        if grantee in missing:
            for claim, texts in asked.items():
                await q.fill_purpose(
                    db, grantee=grantee, claim=claim, purpose=texts[DEFAULT], texts=dict(texts)
                )
