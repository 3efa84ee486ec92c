"""What this room keeps about a citizen: what they paid, given out whole. It stays, for it is the
department's and the city's accounts; what is unfinished stands in the way of leaving.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from civicmall.kernel import ids, sql
from civicmall.kernel.house import House
from civicmall.kernel.personal import Open, Personal, Table

q = sql.load(__file__)
OPEN_SHOWN: Final = 20
LINKS: Final = {"order": "/orders/{}", "mandate": "/mandates/{}"}
TABLES: Final = (
    Table("payments.orders", q.orders),
    Table("payments.line", q.lines),
    Table("payments.channel_payment", q.channel_payments),
    Table("payments.refund", q.refunds),
    Table("payments.split", q.splits),
    Table("payments.mandate", q.mandates),
    Table("payments.mandate_debit", q.debits),
)
LEFT_OUT: Final = {
    "payments.insurer_account": "Stands for what an insurer keeps on its own machines; only in a sandbox.",
    "payments.insurer_deduction": "Stands for what an insurer keeps on its own machines; only in a sandbox.",
    "payments.sandbox_agreement": "Stands for what a bank keeps on its own machines; only in a sandbox.",
}


async def unfinished(house: House, citizen_id: UUID) -> list[Open]:
    """Orders that are not at an end, and mandates that hold."""
    found = await q.unfinished(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, most=OPEN_SHOWN
    )
    return [Open(kind, str(one), LINKS[kind].format(one)) for kind, one in found]


def personal() -> Personal:
    """What the room offers."""
    return Personal("payments", TABLES, LEFT_OUT, open=unfinished)
