"""Money: whole minor units (分) of one currency. Never a float."""

from __future__ import annotations

import re
from typing import Final

AMOUNT: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)


def yuan(amount_minor: int) -> str:
    """For people: 1234567 → "12,345.67"."""
    sign = "-" if amount_minor < 0 else ""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{sign}{whole:,}.{cents:02d}"


def minor(text: str) -> int:
    """What somebody wrote as yuan, in 分: "12.3" → 1230. Raises ValueError for anything else."""
    found = AMOUNT.fullmatch(text.strip().replace(",", "").replace("，", ""))
    if found is None:
        raise ValueError("not an amount of yuan")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
