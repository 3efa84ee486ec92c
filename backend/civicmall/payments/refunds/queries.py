"""The statements of refunds."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import DeskRefund, RefundRow

q = sql.load(__file__, RefundRow, DeskRefund)
