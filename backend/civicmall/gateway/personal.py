"""What this room keeps about a citizen: their calls, given out whole and forgotten; shops are told."""

from __future__ import annotations

from uuid import UUID

from civicmall.kernel import ids, outbox
from civicmall.kernel.house import House
from civicmall.kernel.personal import Personal, Table
from civicmall.shops import Registry

from .attesting import bucket_of
from .events import CitizenLeft
from .gates import Gates
from .queries import q


def personal(registry: Registry, gates: Gates) -> Personal:
    """What the room offers. Every shop is told, also one that never met them: there the pseudonym says nothing."""

    async def erase(house: House, citizen_id: UUID) -> None:
        bucket = ids.bucket_of(citizen_id)
        for entry in registry.all():
            sub = gates.keys_of(entry.id).sub(citizen_id)
            await q.forget_sub(house.db, bucket=bucket_of(sub), shop=entry.id, sub=sub)
            await outbox.publish(
                house.db, bucket, CitizenLeft(citizen_id, entry.id, house.clock.now())
            )
        await q.erase(house.db, bucket=bucket, citizen_id=citizen_id)

    return Personal(
        "gateway",
        (Table("gateway.call", q.export_calls),),
        {
            "gateway.sub": "What a shop knows the citizen by: a secret between the shop and the platform."
        },
        erase=erase,
    )
