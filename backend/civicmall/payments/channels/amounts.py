"""Yuan as channels write them, exact to the 分 both ways. Never a float."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

YUAN: Final = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)
FEE: Final = re.compile(r"-?\d{1,12}(?:\.\d{1,8})?", re.ASCII)


def yuan(amount_minor: int) -> str:
    """1234567 → "12345.67": no thousands, always two places."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"


def minor(text: str) -> int:
    """`12345.6` → 1234560. Raises ValueError for whatever isn't plain yuan of at most two places."""
    found = YUAN.fullmatch(text)
    if found is None:
        raise ValueError("not an amount in yuan")
    sign, whole, cents = found.groups()
    amount = int(whole) * 100 + int((cents or "").ljust(2, "0"))
    return -amount if sign else amount


def fee_minor(text: str) -> int:
    """A fee, which statements write with up to five places: to the nearest 分, half of one up."""
    if not FEE.fullmatch(text):
        raise ValueError("not a fee in yuan")
    return int((Decimal(text) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
