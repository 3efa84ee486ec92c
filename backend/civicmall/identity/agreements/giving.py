"""Giving an app what the citizen agreed that it may know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from civicmall.identity import audit
from civicmall.identity.people import ATTESTED, NAME, NUMBER, PHONE, USCC
from civicmall.kernel import ids
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House

from .models import Given, GivenRow
from .queries import q


async def give(
    house: House, citizen_id: UUID, shop: str, app: str, asked: Sequence[tuple[str, str]], *,
    purpose: str, some: bool = False, by: UUID | None = None,
) -> Given:  # fmt: skip
    """The citizen's data for an app that asks for these claims, each for a purpose (its zh-CN);
    leaves a line that the citizen sees, which names `purpose`: the operation, and `by`: who acts for
    them.

    Nothing unless the citizen agreed to all of them; with `some`, what they agreed to.
    Raises NotFound.
    """
    bucket = ids.bucket_of(citizen_id)
    ask: dict[str, Any] = {
        "bucket": bucket,
        "citizen_id": citizen_id,
        "reader": f"{shop}/{app}",
        "operation": purpose,
        "claims": [claim for claim, _ in asked],
        "purposes": [what_for for _, what_for in asked],
        "by": by,
        "some": some,
    }
    row: GivenRow | None = await q.give(house.db, **ask)
    if row is not None and not row.begun:
        await audit.begin(house.db, citizen_id)
        row = await q.give(house.db, **ask)
    if row is None:
        raise NotFound
    held = frozenset(pair for pair, yes in zip(asked, row.agreed, strict=True) if yes)
    return Given(held, _given(house, row))


def _given(house: House, row: GivenRow) -> dict[str, str]:
    """What is given, opened."""
    sealed = {
        "phone": (row.phone, PHONE), "name": (row.name, NAME), "id_number": (row.id_number, NUMBER),
        "uscc": (row.uscc, USCC),
    }  # fmt: skip
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
