"""The statements of mandates, and of what the sandbox's bank keeps of them."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import DebitRow, MandateCount, MandateRow

q = sql.load(__file__, MandateRow, DebitRow, MandateCount)
