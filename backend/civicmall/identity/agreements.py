"""What a citizen agreed that others may know of them, and the giving of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from civicmall.kernel import ids, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House

from .errors import NotAllowed
from .events import ConsentWithdrawn
from .models import Consent, Given, GivenRow
from .people import ATTESTED, NAME, NUMBER, PHONE
from .queries import q


async def give(
    house: House, citizen_id: UUID, shop: str, app: str, names: list[str], *, purpose: str,
    some: bool = False,
) -> Given:  # fmt: skip
    """The citizen's data under these claim names, for an app; leaves a row the citizen sees.

    Nothing unless the citizen agreed to all of them; with `some`, what they agreed to.
    Raises NotFound.
    """
    row: GivenRow | None = await q.give(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        day=house.clock.today(),
        shop=shop,
        app=app,
        purpose=purpose,
        claims=names,
        some=some,
    )
    if row is None:
        raise NotFound
    return Given(frozenset(row.agreed), _given(house, row))


def _given(house: House, row: GivenRow) -> dict[str, str]:
    """What is given, opened."""
    sealed = {"phone": (row.phone, PHONE), "name": (row.name, NAME), "id_number": (row.id_number, NUMBER)}  # fmt: skip
    attested: dict[str, Any] = {}
    if row.attested and not sealed.keys() >= {*row.given}:
        attested = msgspec.json.decode(house.keys.open(row.attested, ATTESTED))
    found: dict[str, str] = {}
    for name in row.given:
        value, kind = sealed.get(name, (None, ""))
        if value is not None:
            found[name] = house.keys.open(value, kind)
        elif name in attested:
            found[name] = str(attested[name])
    return found


async def consents(db: Db, citizen_id: UUID) -> list[Consent]:
    """Everything this citizen agreed to."""
    found: list[Consent] = await q.consents(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id
    )
    return found


async def consent(db: Db, citizen_id: UUID, shop: str, app: str) -> frozenset[str]:
    """The claims that this citizen agreed to give to an app."""
    found: Consent | None = await q.consent(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, shop=shop, app=app
    )
    return frozenset(found.claims) if found else frozenset()


async def give_consent(
    db: Db, citizen_id: UUID, shop: str, app: str, claims: list[str], asked: frozenset[str]
) -> Consent:
    """Agree that an app gets these claims. Raises NotAllowed for one that it doesn't ask for."""
    if not asked.issuperset(claims):
        raise NotAllowed("the app does not ask for this", claims=sorted(set(claims) - asked))
    given: Consent = await q.give_consent(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        shop=shop,
        app=app,
        claims=sorted(set(claims)),
    )
    return given


async def take_back_consent(db: Db, citizen_id: UUID, shop: str, app: str, now: datetime) -> None:
    """From now on the app gets nothing more, and its shop is told. No harm if there was none."""
    bucket = ids.bucket_of(citizen_id)
    kind, body = outbox.row(ConsentWithdrawn(citizen_id, shop, app, now))
    await q.take_back_consent(
        db,
        bucket=bucket,
        citizen_id=citizen_id,
        shop=shop,
        app=app,
        event_id=ids.new(bucket),
        type=kind,
        body=body,
    )
