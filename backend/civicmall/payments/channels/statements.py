"""What a channel says of one business day, in one form for all channels.

`kind` is `payment` or `refund`; `txn` the channel's number (of the payment, where it gives refunds
none of their own); `merchant_no` ours: an order's or a refund's id in hex, or what others of the
same merchant number theirs by; `original_no`, of a refund, that of its payment; `amount_minor` in
分, never negative; `fee_minor` what the channel keeps for it, negative where it gives back; `at`
the instant (ISO 8601, UTC).
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from civicmall.kernel.clock import CITY

COLUMNS: Final = ("kind", "txn", "merchant_no", "original_no", "amount_minor", "fee_minor", "at")
HEAD: Final = (",".join(COLUMNS) + "\r\n").encode()
READY: Final = time(10)
"""From when on the next morning (Asia/Shanghai) both big channels promise a day's statement."""
AT_ONCE: Final = 500
"""Rows of a piece: some sixty kilobytes."""
NUMBER: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Row(Struct, frozen=True):
    """One payment or refund of a statement."""

    kind: Literal["payment", "refund"]
    txn: str
    merchant_no: str
    original_no: str
    amount_minor: int
    fee_minor: int
    at: datetime


def line(row: Row) -> bytes:
    """One line of the CSV (RFC 4180)."""
    out = io.StringIO()
    at = row.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    csv.writer(out).writerow([*msgspec.structs.astuple(row)[:-1], at])
    return out.getvalue().encode()


async def pieces(rows: Iterable[Row]) -> AsyncIterator[bytes]:
    """The CSV of rows that are read from a file as they are asked for, away from the event loop."""
    yield HEAD
    left = iter(rows)
    while piece := await asyncio.to_thread(_piece, left):
        yield piece


def _piece(rows: Iterator[Row]) -> bytes:
    return b"".join(line(row) for row in islice(rows, AT_ONCE))


def is_ready(day: date, now: datetime) -> bool:
    """Whether a day's statement can be there by now."""
    return now >= datetime.combine(day + timedelta(days=1), READY, CITY)


def number(text: str | None) -> UUID | None:
    """Our id in a merchant's number; None where somebody else's system made it."""
    return UUID(text) if text and NUMBER.fullmatch(text) else None


def local(text: str) -> datetime:
    """`2026-01-31 13:59:59` of the city, as the channels write it. Raises ValueError."""
    try:
        at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CITY)
        return at.astimezone(UTC)
    except OverflowError as error:  # the first hours of the year 1
        raise ValueError("not an instant") from error
