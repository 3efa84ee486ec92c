"""Payments of charges and their refunds: what every shop with the capability `bills` books.

The shop says what is owed and for what; this books the news, however often and in whatever order
it comes. The tables lie in the shop's own schema: its migration has the text of `TABLES`, and
after it, with the shop's role::

    revoke delete on charge_payment from civicmall_shop_fines;
    revoke update, delete on charge_refund from civicmall_shop_fines;

What is owed no more is a join in the shop's own SQL::

    left join charge_payment p
      on p.app = 'fines' and p.charge = f.id and p.refunded_minor < p.amount_minor
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from . import sql
from .call import Call, ShopDb, keyed_hash
from .contract import ChargePaid, ChargeRefunded, Receipt, RefundNoted, Text
from .errors import NotFound, Refused
from .local import local
from .texts import both, say

__all__ = ["TABLES", "TABLES_BACK", "Charges", "Paid"]

HERE: Final = Path(__file__).parent
TABLES: Final = (HERE / "charges_tables.sql").read_text(encoding="utf-8")
"""What a shop's migration applies."""
TABLES_BACK: Final = (HERE / "charges_tables_back.sql").read_text(encoding="utf-8").strip()
"""What its rollback has."""
q: Final = sql.load(HERE / "charges.sql")

NUMBER_BYTES: Final = 10
"""Of the keyed hash in a receipt's number: 16 letters and digits, not to be guessed."""

UNKNOWN: Final = both("没有这笔费用。", "There is no such charge.")
ALREADY: Final = both("这笔费用已经缴清。", "This has been paid already.")
AMOUNT: Final = both("金额与应缴金额不符。", "The amount is not what is owed.")
OTHERWISE: Final = both(
    "这笔付款已按另一金额或另一笔费用入账。", "This payment is booked for another charge or amount."
)
NO_PAYMENT: Final = both("这笔费用没有这笔付款。", "This charge has no such payment.")
TOO_MUCH: Final = both(
    "退款超过这笔付款的余额。", "No more can go back than is left of the payment."
)
OTHER_REFUND: Final = both(
    "这笔退款已按另一金额或另一笔付款入账。", "This refund is noted for another payment or amount."
)


class Paid(Struct, frozen=True):
    """A payment for the sandbox, booked when it was made."""

    charge: str
    amount_minor: int
    paid_at: datetime


class _Payment(Struct, frozen=True):
    """A payment as booked; `number` is its receipt's."""

    payment_id: str
    app: str
    charge: str
    number: str
    amount_minor: int
    booked_at: datetime


class _Refund(Struct, frozen=True):
    """A refund as noted."""

    refund_id: str
    payment_id: str
    amount_minor: int
    noted_at: datetime


class Charges:
    """The cash book of a shop. `issuer` signs the receipts, whose numbers begin with `series`.

    Each app has charges of its own: `call.app` says whose. Money is whole fen.
    """

    def __init__(self, issuer: Text, *, series: str = "R") -> None:
        self.issuer = issuer
        self.series = series

    async def book(self, call: Call, news: ChargePaid, owed_minor: int | None) -> Receipt:
        """Book a payment; the same one gets the same receipt, whatever has happened since.

        `owed_minor` is what the charge came to when it was paid, whether it is paid now or not;
        None where there is no such charge. Raises NotFound, Refused.
        """
        booked = await self._payment(call, news.payment_id)
        if booked is None:
            booked = await self._book(call, news, owed_minor)
        told = (call.app, news.charge_id, news.amount_minor)
        if (booked.app, booked.charge, booked.amount_minor) != told:
            raise Refused(say(OTHERWISE, call.lang))
        return self._receipt(booked)

    async def refund(self, call: Call, news: ChargeRefunded) -> RefundNoted:
        """Note a refund; the same one gets the same answer. What was paid and went back in full
        is owed again; after a part it stays paid. Raises NotFound, Refused.
        """
        paid = await self._payment(call, news.payment_id)
        if paid is None or (paid.app, paid.charge) != (call.app, news.charge_id):
            raise NotFound(say(NO_PAYMENT, call.lang))
        noted = None
        if news.amount_minor > 0:
            noted = await q["refund"].row(
                call.db, _Refund, refund_id=news.refund_id, payment_id=news.payment_id,
                amount_minor=news.amount_minor, refunded_at=news.refunded_at, noted_at=call.now,
            )  # fmt: skip
        if noted is None:
            noted = await q["refunded"].row(call.db, _Refund, refund_id=news.refund_id)
        if noted is None:
            raise Refused(say(TOO_MUCH, call.lang))
        if (noted.payment_id, noted.amount_minor) != (news.payment_id, news.amount_minor):
            raise Refused(say(OTHER_REFUND, call.lang))
        return RefundNoted(noted.refund_id, noted.amount_minor, noted.noted_at)

    async def receipt(self, call: Call, charge_id: str) -> Receipt | None:
        """Of the payment in force; None while the charge is owed. It doesn't look whose it is."""
        found = await q["in_force"].row(call.db, _Payment, app=call.app, charge=charge_id)
        return None if found is None else self._receipt(found)

    async def plant(self, db: ShopDb, secret: bytes, app: str, paid: Iterable[Paid]) -> None:
        """For the seeder: many at once. What was ever paid, and perhaps refunded, stays as it is."""
        rows = [
            (one_id := f"sandbox:{app}:{one.charge}", one.charge,
             self._number(keyed_hash(secret, one_id), local(one.paid_at)),
             one.amount_minor, one.paid_at)
            for one in paid
        ]  # fmt: skip
        names = ("payment_ids", "charges", "numbers", "amounts", "paid_at")
        await q["plant"].run_many(db, names, rows, app=app)

    async def _book(self, call: Call, news: ChargePaid, owed_minor: int | None) -> _Payment:
        """Book what isn't there yet, or find what came in between. Raises NotFound, Refused."""
        if owed_minor is None:
            raise NotFound(say(UNKNOWN, call.lang))
        if news.amount_minor != owed_minor or owed_minor <= 0:
            raise Refused(say(AMOUNT, call.lang))
        booked = await q["book"].row(
            call.db, _Payment, payment_id=news.payment_id, app=call.app, charge=news.charge_id,
            number=self._number(call.keyed_hash(news.payment_id), call.today),
            amount_minor=news.amount_minor, paid_at=news.paid_at, booked_at=call.now,
        ) or await self._payment(call, news.payment_id)  # fmt: skip
        if booked is None:
            raise Refused(say(ALREADY, call.lang))
        return booked

    async def _payment(self, call: Call, payment_id: str) -> _Payment | None:
        return await q["payment"].row(call.db, _Payment, payment_id=payment_id)

    def _number(self, secret: bytes, day: date) -> str:
        """Each payment its own, so that no two who come at once get the same."""
        return f"{self.series}{day:%Y%m%d}-{base64.b32encode(secret[:NUMBER_BYTES]).decode()}"

    def _receipt(self, paid: _Payment) -> Receipt:
        return Receipt(paid.number, paid.payment_id, paid.amount_minor, paid.booked_at, self.issuer)
