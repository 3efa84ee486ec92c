"""The statements of split payments and of the sandbox's insurer."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import RefundParts, SplitRow

q = sql.load(__file__, SplitRow, RefundParts)
