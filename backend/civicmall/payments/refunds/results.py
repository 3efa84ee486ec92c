"""What a channel says of a refund: noted once, posted with the statement that ends it."""

from __future__ import annotations

from typing import Any, Final

from civicmall.kernel import ids, logs
from civicmall.kernel.house import House
from civicmall.payments import tickets
from civicmall.payments.models import RefundSaid
from civicmall.payments.rules import ASK_AFTER_S

from .models import RefundRow
from .queries import q
from .service import moved, row_of

log = logs.get("payments")
TROUBLE_MAX: Final = 200


async def told(house: House, channel: str, said: RefundSaid) -> None:
    """What a channel says of a refund, in its answer or its callback: noted once, and only where
    it is one of its own.
    """
    row = await row_of(house.db, said.refund_id)
    if row is None or row.channel != channel:
        log.warning("refund.unknown", refund=str(said.refund_id), channel=channel, state=said.state)
        return
    bucket = ids.bucket_of(row.id)
    if said.state == "pending":
        await q.sent(
            house.db, bucket=bucket, id=row.id, channel_refund=said.txn, ask_after_s=ASK_AFTER_S
        )
    elif said.state == "failed":
        log.warning("refund.failed", refund=str(row.id), channel=row.channel, trouble=said.trouble)
        await q.failed(
            house.db,
            bucket=bucket,
            id=row.id,
            trouble=said.trouble[:TROUBLE_MAX],
            **moved(row.order_id, row.id, "failed"),
        )
    else:
        end = q.done if row.no is not None else q.returned
        sent = {
            "bucket": bucket, "id": row.id, "channel_refund": said.txn,
            "posting_id": ids.new(bucket), **moved(row.order_id, row.id, "done"),
        }  # fmt: skip
        if await end(house.db, **sent) is None:
            await _after_all(house, row, sent)
    house.hint()


async def _after_all(house: House, row: RefundRow, sent: dict[str, Any]) -> None:
    """News that money went which had been given up here: posted where there is room, and a matter
    for somebody in any case. News that were known before are nothing.
    """
    now = await row_of(house.db, row.id)
    if now is None or now.state != "declined":
        return
    end = q.done_after_all if row.no is not None else q.returned_after_all
    posted = await end(house.db, **sent) is not None
    log.error("refund.sent_after_all", refund=str(row.id), channel=row.channel, posted=posted)
    if not posted:
        await tickets.overpaid(house, row)
