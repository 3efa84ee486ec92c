"""Money: whole minor units (分) of one currency. Never a float."""

from __future__ import annotations


def yuan(amount_minor: int) -> str:
    """For people: 1234567 → "12,345.67"."""
    sign = "-" if amount_minor < 0 else ""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{sign}{whole:,}.{cents:02d}"
