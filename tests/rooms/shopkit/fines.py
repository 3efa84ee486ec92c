"""Fines of a library: a charge with the news of it, and a model of what its book should say."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from shopkit import (
    Call,
    ChargePaid,
    ChargeRefunded,
    Citizen,
    NotFound,
    Receipt,
    RefundNoted,
    Refused,
    ShopDb,
)
from shopkit.charges import Charges
from shopkit.texts import both

NOW = datetime(2026, 11, 18, 2, tzinfo=UTC)
OWED = 600
"""What each charge comes to, in fen."""
ISSUER = both("图书馆", "The library")
BOOK = Charges(ISSUER, series="TS")
NUMBERS = count()


class Fine:
    """One charge that nobody else has, and the news of it."""

    def __init__(self, db: ShopDb, app: str = "fines") -> None:
        self.db = db
        self.app = app
        self.id = f"F{next(NUMBERS)}"
        self.now = NOW

    def call(self, lang: str = "en") -> Call:
        self.now += timedelta(minutes=1)
        today = self.now.date()
        return Call(
            Citizen("payer", 1), lang, self.now, today, "t", 2.0, self.db, b"s" * 32, self.app
        )

    async def pay(self, payment: str, minor: int = OWED, owed: int | None = OWED) -> Receipt:
        news = ChargePaid(f"{self.id}:{payment}", self.id, minor, self.now)
        return await BOOK.book(self.call(), news, owed)

    async def give_back(self, refund: str, payment: str, minor: int) -> RefundNoted:
        news = ChargeRefunded(f"{self.id}:{refund}", f"{self.id}:{payment}", self.id, minor, self.now)  # fmt: skip
        return await BOOK.refund(self.call(), news)

    async def receipt(self) -> Receipt | None:
        return await BOOK.receipt(self.call(), self.id)


async def outcome(told: Coroutine[Any, Any, Any]) -> tuple[str, Any]:
    try:
        return "booked", await told
    except Refused:
        return "refused", None
    except NotFound:
        return "not found", None


class Model(msgspec.Struct):
    """What a charge's book should say, by the simplest means."""

    paid: dict[str, int] = {}
    """How much is left of each payment."""
    refunds: dict[str, tuple[str, int]] = {}

    def pay(self, payment: str, minor: int) -> str:
        if payment in self.paid:
            return "booked" if minor == OWED else "refused"
        if minor != OWED or any(self.paid.values()):
            return "refused"
        self.paid[payment] = OWED
        return "booked"

    def give_back(self, refund: str, payment: str, minor: int) -> str:
        if payment not in self.paid:
            return "not found"
        if refund in self.refunds:
            return "booked" if self.refunds[refund] == (payment, minor) else "refused"
        if not 0 < minor <= self.paid[payment]:
            return "refused"
        self.paid[payment] -= minor
        self.refunds[refund] = (payment, minor)
        return "booked"

    @property
    def in_force(self) -> str | None:
        return next((payment for payment, left in self.paid.items() if left), None)
